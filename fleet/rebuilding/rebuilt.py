"""What is to be built anew, and what came of it: the values."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import FleetError
from fleet.inspection import PackageFacts
from fleet.model import FunctionRef


@dataclass(frozen=True, slots=True)
class Wanted:
    """One function's package, to be built anew."""

    ref: FunctionRef
    package: Path
    """What runs, as AWS has it; read only."""
    facts: PackageFacts
    """What is in it."""
    handler: str
    runtime: str
    """go1.x: the new program is put beside the old one, as bootstrap. Else programs are replaced
    where they lie."""
    architecture: str
    """x86_64 or arm64: the one to build for."""
    raise_library: str | None = None
    """Version that an aws-lambda-go too old for custom runtimes is raised to; None: as it is."""
    earlier: str = field(default="", repr=False)
    """The statement on what runs, where fleet has built that; else ''."""


def in_hex(code_sha256: str) -> str:
    """A CodeSha256 as AWS gives it, base64, in hex; raises ValueError where it is none."""
    return b64decode(code_sha256, validate=True).hex()


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the package, built anew."""

    entry: str
    module: str
    origin: str
    """Where its source came from, without credentials."""
    commit: str
    """In full; '' for a published module, whose version stands in `origin`."""
    recorded_go: str
    used_go: str
    library: str
    """Version of aws-lambda-go in it now; '' where there is none."""
    differences: tuple[str, ...]
    """What the new build differs in, as far as it may, a sentence each."""
    identical: bool | None
    """Whether a build for the old architecture came out byte for byte as what runs; None where
    none was needed."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A package that was built anew and held against what runs; nobody has started it."""

    package: Path
    """Kept in the user's cache."""
    code_sha256: str
    """Base64, as AWS gives it."""
    statement: str
    """Where it came from: an in-toto statement with SLSA provenance, as JSON text."""
    programs: tuple[Program, ...]
    patch: str = ""
    """What a raised library changes in go.mod and go.sum, for `git apply`; '' where none was."""
    notes: tuple[str, ...] = ()
    """What to know beside it, a sentence each."""


@dataclass(eq=False)
class NotRebuilt(FleetError):
    """A package could not be built anew, or was not, since nobody could vouch for the outcome."""

    code: str
    """A word for it, as `source-modified`."""
    problem: str
    """One sentence: what it is, and what to do."""
    words: str = ""
    """What the compiler, go or git said, in its own words: bounded, harmless to show."""
    failed: bool = False
    """Whether something went wrong that may go right another time; else it is refused."""

    def __str__(self) -> str:
        return self.problem


Rebuild = Callable[[Wanted, threading.Event], Rebuilt]
"""The event, once it is set, stops it. Raises NotRebuilt, BadPackage, FileProblem, Interrupted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one function's package."""

    ref: FunctionRef
    architecture: str
    file: Path | None
    """Where the package was put; None where there is none."""
    rebuilt: Rebuilt | None = None
    trial: tuple[str, str] | None = None
    """How a start of it here ended, and why; None where it was not started."""
    code: str = ""
    problem: str = ""
    """Why there is none, or ''."""
    words: str = ""
    """What the compiler, go or git said."""
    failed: bool = False
    """Whether something went wrong that may go right another time; else it is refused."""
