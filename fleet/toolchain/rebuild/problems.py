"""What keeps a source from being found and laid out: each says which, and what to do.

Addresses in here are for everybody to see; what git said has gone through `git.words_of`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.errors import FleetError
from fleet.toolchain.sandbox.text import harmless

_SHOWN = 8


class SourceProblem(FleetError):
    """The source of a program cannot be had, so nothing is built."""


class Stopped(SourceProblem):
    """Somebody stopped it; what was begun can be done again."""

    def __str__(self) -> str:
        return "it was stopped before the source was there; nothing is left half done"


@dataclass(eq=False)
class GitMissing(SourceProblem):
    """There is no git on this machine."""

    def __str__(self) -> str:
        return "git is needed to check out sources and is not here; install git 2.32 or newer"


@dataclass(eq=False)
class GitFailed(SourceProblem):
    """A call of git went wrong."""

    verb: str
    """What git was asked for, as `fetch`."""
    words: str
    """Its own, or ours where it was ended."""

    def __str__(self) -> str:
        return f"git {self.verb} failed: {self.words}"


class GitSlow(GitFailed):
    """A call of git was ended, since it took too long."""


class GitTooMuch(GitFailed):
    """A call of git was ended, since it printed more than is read."""


@dataclass(eq=False)
class NotTold(SourceProblem):
    """What a binary tells of its source cannot be a module, a package, a version or a commit."""

    what: str
    text: str

    def __str__(self) -> str:
        return f"its build info names {self.text[:200]!r}, which is no {self.what}; it is not built"


@dataclass(eq=False)
class NoSourceRule(SourceProblem):
    """Nothing under `sources:` says where a module is."""

    module: str
    suggestion: str
    """A line for fleet.yaml."""

    def __str__(self) -> str:
        return (
            f"nothing under sources: in fleet.yaml says where the module {self.module} is; "
            f"add a line like {self.suggestion}"
        )


@dataclass(eq=False)
class SourceUnreachable(SourceProblem):
    """A repository could not be read."""

    origin: str
    words: str

    def __str__(self) -> str:
        return (
            f"{self.origin} cannot be read: {self.words}; try `git ls-remote` of it as this user, "
            "and see sources: in fleet.yaml"
        )


@dataclass(eq=False)
class CommitGone(SourceProblem):
    """A repository was read and does not hold the commit."""

    origin: str
    commit: str
    is_shallow: bool = False
    """Whether it is a clone on this machine that was made without its history."""

    def __str__(self) -> str:
        advice = (
            "it is a shallow clone: run git fetch --unshallow in it"
            if self.is_shallow
            else "was it rewritten or never pushed, or is the rule under sources: a wrong one?"
        )
        return f"{self.origin} holds no commit {self.commit}; {advice}"


@dataclass(eq=False)
class CommitAmbiguous(SourceProblem):
    """Several commits begin with what was given of one."""

    origin: str
    commit: str
    commits: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.commit} is the beginning of several commits of {self.origin} "
            f"({listed(self.commits)}); give it in full"
        )


@dataclass(eq=False)
class WrongMapping(SourceProblem):
    """A repository has the commit, and the module is not in it."""

    origin: str
    commit: str
    module: str
    modules: tuple[str, ...]
    """Those that are."""

    def __str__(self) -> str:
        holds = f"holds {listed(self.modules)}" if self.modules else "holds no module"
        return (
            f"{self.origin} at {self.commit[:12]} does not hold the module {self.module}: it "
            f"{holds}; correct the rule under sources: in fleet.yaml"
        )


@dataclass(eq=False)
class ModuleAmbiguous(SourceProblem):
    """A repository holds several modules of one path."""

    origin: str
    commit: str
    module: str
    directories: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.origin} at {self.commit[:12]} holds the module {self.module} more than once, "
            f"in {listed(self.directories)}; say which by directory: under rebuild: functions:"
        )


@dataclass(eq=False)
class PackageMissing(SourceProblem):
    """The module is there, and the main package is not in it."""

    origin: str
    commit: str
    module: str
    package: str

    def __str__(self) -> str:
        return (
            f"{self.origin} at {self.commit[:12]} holds the module {self.module} and no Go files "
            f"of the package {self.package}; it was built from elsewhere, or from files that were "
            "never committed"
        )


@dataclass(eq=False)
class UnsafeSource(SourceProblem):
    """A repository holds something that is not laid out on this machine."""

    origin: str
    commit: str
    problem: str

    def __str__(self) -> str:
        return f"{self.origin} at {self.commit[:12]} is not checked out: {self.problem}"


@dataclass(eq=False)
class PublishedMissing(SourceProblem):
    """A published module could not be fetched."""

    origin: str
    words: str

    def __str__(self) -> str:
        return (
            f"the published module {self.origin} cannot be fetched: {self.words}; see GOPROXY and "
            "GOPRIVATE in `go env`"
        )


@dataclass(eq=False)
class PublishedChanged(SourceProblem):
    """A published module is not what the program was built from: its tag was moved, or worse."""

    origin: str
    recorded: str
    """h1 sum in the binary; '' where it tells none."""
    found: str

    def __str__(self) -> str:
        was = self.recorded or "nothing"
        return (
            f"the published module {self.origin} is not what the program was built from: its sum "
            f"is {self.found}, and the program tells {was}; it is not built"
        )


def listed(names: Sequence[str]) -> str:
    """Give the first of some names out of a repository, harmless to show, and how many more."""
    more = len(names) - _SHOWN
    shown = (harmless(os.fsencode(each)).replace("\n", "") for each in names[:_SHOWN])
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
