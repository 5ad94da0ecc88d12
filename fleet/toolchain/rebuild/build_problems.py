"""What keeps a program from being built; what Go said is shown bounded and harmless."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleet.errors import FleetError

_CREDENTIALS = re.compile(r"(?<=://)[^\s/]+@")
# A proxy may redirect to a URL whose query is its signature.
_QUERY = re.compile(r"(://[^\s?]*)\?[^\s:]*")
_NEWER = re.compile(
    r"requires go >= |note: module requires Go |invalid go version '"
    r"|unknown directive: (?:toolchain|godebug|tool|ignore)\b"
)
_FULL = re.compile(r"no space left on device|disk quota exceeded|file too large", re.IGNORECASE)
_MEMORY = re.compile(r"out of memory|cannot allocate memory", re.IGNORECASE)
_LINES = 12
_LONGEST = 400


def told(said: str, *places: tuple[str, str]) -> str:
    """Give the last lines of what a program said, without credentials or this machine's paths.

    `places` are paths and what stands for them.
    """
    for path, instead in sorted(places, key=lambda each: -len(each[0])):
        said = said.replace(path, instead)
    lines = [line.rstrip()[:_LONGEST] for line in said.splitlines() if line.strip()]
    shown = lines[-_LINES:]
    if len(lines) > len(shown):
        shown.insert(0, "…")
    return _QUERY.sub(r"\1", _CREDENTIALS.sub("", "\n".join(shown)))


@dataclass(eq=False)
class NoGo(FleetError):
    """There is no Go on this machine that can build."""

    problem: str
    advice: str

    def __str__(self) -> str:
        return f"no Go to build with: {self.problem}; {self.advice}"


@dataclass(eq=False)
class GoNotHad(FleetError):
    """A certain Go could not be had."""

    wanted: str
    """As `go1.22.5`."""
    said: str

    def __str__(self) -> str:
        return (
            f"{self.wanted} could not be had; install it and name it with --go, or open the way "
            f"to the module proxy that toolchains come from: {self.said}"
        )


@dataclass(eq=False)
class BuildProblem(FleetError):
    """A program could not be built, so nothing of it is used."""

    package: str
    """Import path of its main package."""


@dataclass(eq=False)
class CannotOrder(BuildProblem):
    """What a build is asked to be is nothing that is handed to Go."""

    problem: str

    def __str__(self) -> str:
        return f"{self.package} is not built: {self.problem}; build it yourself"


@dataclass(eq=False)
class SourcesMissing(BuildProblem):
    """Something that the package needs could not be fetched, or cannot be read."""

    said: str

    def __str__(self) -> str:
        return (
            f"{self.package} cannot be built: not all that it needs could be found; "
            f"this machine's own go has to reach it (GOPRIVATE, GOPROXY, credentials): {self.said}"
        )


@dataclass(eq=False)
class PointerEmbedded(BuildProblem):
    """It embeds a file that git keeps otherwise than it was built with, as Git LFS does."""

    problem: str

    def __str__(self) -> str:
        return (
            f"{self.package} is not built: {self.problem}, and files that Git LFS or another "
            "filter keeps are not had as they were; build it yourself"
        )


@dataclass(eq=False)
class EmbeddedUnknown(BuildProblem):
    """It embeds a directory that may have held files that are in no commit."""

    problem: str

    def __str__(self) -> str:
        return (
            f"{self.package} is not built: {self.problem}, so what it embedded may be in no "
            "commit, and nothing could show that; if the commit alone will do, say `accept: "
            "[embedded]` under `rebuild: functions:` in fleet.yaml, else build it yourself"
        )


@dataclass(eq=False)
class NotCompiled(BuildProblem):
    """The compiler or the linker refused the source."""

    said: str

    def __str__(self) -> str:
        return f"{self.package} does not build from this source; mend it and retry: {self.said}"


@dataclass(eq=False)
class NotRaised(BuildProblem):
    """aws-lambda-go could not be raised."""

    version: str
    said: str

    def __str__(self) -> str:
        return (
            f"aws-lambda-go cannot be raised to {self.version} for {self.package}; raise it in its "
            f"repository: {self.said}"
        )


@dataclass(eq=False)
class NewerGoAsked(BuildProblem):
    """The module asks for a newer Go than the one that builds."""

    used: str
    said: str

    def __str__(self) -> str:
        return (
            f"{self.package} cannot be built with {self.used}: its source asks for a newer Go; if "
            f"its binary names this one, then commit or mapping are wrong: {self.said}"
        )


@dataclass(eq=False)
class TookTooLong(BuildProblem):
    """A build, or a download for it, was ended when its time was over."""

    step: str
    """As `its build`."""
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.package}: {self.step} was ended after {self.seconds:g} s; "
            "give it longer, or build fewer at once"
        )


@dataclass(eq=False)
class TookTooMuchMemory(BuildProblem):
    """A build was ended when it took more memory than it may."""

    memory: int
    """Bytes it may take."""

    def __str__(self) -> str:
        return (
            f"{self.package}: its build was ended when it took more than "
            f"{self.memory >> 20} MiB of memory; build it yourself"
        )


@dataclass(eq=False)
class DiskFull(BuildProblem):
    """Something could not be written for want of room."""

    place: str
    """Where fleet keeps what it builds with."""
    said: str

    def __str__(self) -> str:
        return (
            f"{self.package}: no room is left to build it; make room in {self.place} and in the "
            f"directory for temporary files: {self.said}"
        )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the words of a build that failed are read with."""

    package: str
    go_version: str
    cache: str
    memory: int


def problem_in(said: str, shown: str, around: Circumstances) -> BuildProblem | None:
    """Tell from Go's words what was lacking; None where the source itself is at fault.

    `shown` is what is passed on of them.
    """
    if _FULL.search(said):
        return DiskFull(around.package, around.cache, shown)
    if _MEMORY.search(said):
        return TookTooMuchMemory(around.package, around.memory)
    if _NEWER.search(said):
        return NewerGoAsked(around.package, around.go_version, shown)
    return None
