"""What was read in a deployment package, and what that means for its function: the values.

Frozen; no I/O. Facts hold whatever the function's Handler is, so one reading of a package serves
every function that runs it; the verdict is the function's own. Sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

BOOTSTRAP = "bootstrap"
"""The file that custom runtimes run.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

LAMBDA_LIBRARY = "github.com/aws/aws-lambda-go"

READING = 1
"""Raised whenever more is read of a package than before, so that no old reading passes for new."""

NOT_INSPECTED = "not-inspected"
"""Code of the reason for which a scan, when it is resumed, asks for a package again."""

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class EntryKind(StrEnum):
    """What an entry of an archive is, from its name and its Unix mode."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


class BinaryKind(StrEnum):
    """What an ELF file is for."""

    EXECUTABLE = "executable"
    """Static, or position-independent with an interpreter: something that can be started."""
    LIBRARY = "library"
    """A shared object that others load."""
    OTHER = "other"
    """An object file, a core dump, or what could not be told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a deployment package, as its central directory lists it."""

    name: str
    """As it is written there, decoded as UTF-8 or, without that flag, as code page 437."""
    kind: EntryKind
    size: int
    """Unzipped."""
    compressed_size: int
    mode: int | None
    """Unix permission bits (0o777 at most); None where the archive was not made on Unix."""
    crc: int


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module in a binary's build info."""

    path: str
    version: str
    """As `v1.2.3`, a pseudo-version, `(devel)`, or '' for a replacement by a directory."""
    sum: str = ""
    replacement: Module | None = None


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """What Go wrote into a binary about its build; https://pkg.go.dev/runtime/debug#BuildInfo."""

    go_version: str
    """As `go1.20.14`."""
    path: str = ""
    """Import path of the main package; `command-line-arguments` after `go build main.go`."""
    main: Module | None = None
    dependencies: tuple[Module, ...] = ()
    settings: Mapping[str, str] = field(default_factory=lambda: _NO_SETTINGS)
    """-tags, -ldflags (each value that -X sets is `(hidden)`: it may be a secret), CGO_ENABLED,
    GOARCH, vcs.revision …; Go writes them from 1.18 on."""
    has_modules: bool = False
    """Whether there was module information at all; not with GO111MODULE=off."""

    def dependency(self, path: str) -> Module | None:
        """Give the module that was built in for `path`, or None; a replacement inside it."""
        return next((each for each in self.dependencies if each.path == path), None)


@dataclass(frozen=True, slots=True)
class BinaryFacts:
    """One ELF file of a package."""

    entry: str
    kind: BinaryKind
    bits: int
    """32 or 64, by its ELF class."""
    machine: str
    """`x86_64`, `arm64` (the words of Lambda's Architectures), else `machine N`."""
    interpreter: str | None = None
    soname: str | None = None
    needed: tuple[str, ...] = ()
    """Shared libraries it asks for, in its order."""
    glibc: str | None = None
    """Highest GLIBC symbol version it asks for, as `2.17`; None where it asks for none."""
    build: BuildInfo | None = None
    """None where the file holds no build info that can be read."""
    is_go: bool = False
    """Whether anything told of Go: build info, its section, or Go's own symbols."""
    lambda_library: str | None = None
    """Version of aws-lambda-go that was built in, as `v1.41.0`; None where nothing tells it."""
    norpc: bool | None = None
    """Whether the RPC server that only go1.x uses was left out; None where that is not known."""
    runtime_api: bool | None = None
    """Whether aws-lambda-go's Runtime API client is in it; None where that is not known."""
    reads_handler: bool = False
    """Whether it may read _HANDLER."""
    asks_where_it_stands: bool = False
    """Whether it may call os.Executable, as programs do that look for files beside themselves."""
    reads_execution_env: bool = False
    """Whether it may read AWS_EXECUTION_ENV."""
    upx: bool = False
    """Packed by UPX: what is inside cannot be seen."""
    problem: str = ""
    """What kept the rest of the facts from being read, or ''."""


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """What is in one deployment package, or one layer."""

    code_sha256: str
    """Of the zip, base64, as AWS gives it."""
    size: int
    """Zipped."""
    unzipped_size: int
    entries: tuple[Entry, ...]
    """In the order of the central directory."""
    binaries: tuple[BinaryFacts, ...] = ()
    """Every ELF file, in the order of the entries."""
    scripts: tuple[str, ...] = ()
    """Entries whose content begins with #!."""
    signed: bool = False
    """Whether it carries a signature of AWS Signer, which repackaging would break."""
    whole: bool = True
    """False where only the central directory was read: binaries and scripts are not known."""

    @property
    def programs(self) -> tuple[BinaryFacts, ...]:
        """Every ELF file that can be started."""
        return tuple(each for each in self.binaries if each.kind is BinaryKind.EXECUTABLE)

    def entry(self, name: str) -> Entry | None:
        """Give the entry of this very name, or None."""
        return next((each for each in self.entries if each.name == name), None)

    def binary(self, name: str) -> BinaryFacts | None:
        """Give the facts of the ELF file of this very name, or None."""
        return next((each for each in self.binaries if each.entry == name), None)


class Target(StrEnum):
    """A runtime that a function can move to."""

    AL2023 = "provided.al2023"
    AL2 = "provided.al2"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a function, and what was read of it."""

    arn: str
    """Of the layer version; or a file's name."""
    facts: PackageFacts | None
    """None where it could not be read."""
    problem: str = ""
    """Why not, or ''."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What of a function counts when its package is judged."""

    handler: str | None
    """None where nobody said; functions of a zip always have one."""
    runtime: str | None = "go1.x"
    """None for Image functions."""
    architecture: str = "x86_64"
    is_image: bool = False
    layers: tuple[Layer, ...] = ()
    """In the order they are merged."""
    code_signing: bool = False
    """Whether AWS says that its code is signed."""
    target: Target = Target.AL2023


class Verdict(StrEnum):
    """Whether a function can move off go1.x, and by what."""

    READY = "ready"
    """Its binary runs on a custom runtime once it is called bootstrap."""
    READY_WITH_SHIM = "ready with shim"
    """It runs there from where it lies, started by a bootstrap put beside it."""
    REBUILD = "rebuild"
    """Its aws-lambda-go cannot speak to a custom runtime."""
    NEEDS_DECISION = "needs decision"
    """Something a person has to weigh."""
    IMAGE = "image"
    ALREADY_CUSTOM = "already custom"
    """Its package brings a bootstrap of its own that can be told to be right."""
    EMPTY = "empty"
    NOT_GO = "not Go"
    UNKNOWN = "unknown"
    """What would have to be known could not be read. Never ready."""

    @property
    def is_ready(self) -> bool:
        """Whether nobody has to do anything before the function moves."""
        return self in {Verdict.READY, Verdict.READY_WITH_SHIM, Verdict.ALREADY_CUSTOM}


class Strategy(StrEnum):
    """How a package becomes one that a custom runtime starts."""

    RENAME = "rename"
    """The handler's entry becomes bootstrap."""
    SHIM = "shim"
    """A small bootstrap in the root starts the handler where it lies."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A reason for a verdict, or a warning beside it."""

    code: str
    """A word of the table in fleet/package/verdict/remarks.py, as `library-too-old`."""
    text: str
    """One sentence a person can act on."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict on one function, why, and what to know beside it."""

    verdict: Verdict
    reasons: tuple[Remark, ...]
    """Never empty."""
    warnings: tuple[Remark, ...] = ()
    strategy: Strategy | None = None
    """None unless the package can be repackaged as it is and has to be."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an inventory keeps of one function version's package: the verdict, and its origin.

    Texts are '' and modified is None where the binary does not tell.
    """

    assessment: Assessment
    go_version: str = ""
    lambda_library: str = ""
    """Version of aws-lambda-go."""
    module: str = ""
    """Path of the main module; without one, of the main package."""
    module_version: str = ""
    revision: str = ""
    """vcs.revision: the commit it was built from."""
    modified: bool | None = None
    """vcs.modified: whether the work tree held more than that commit."""


class InspectionDepth(StrEnum):
    """How much of each package a scan reads."""

    WHOLE = "whole"
    INDEX = "index"
    """The archive's directory alone, by ranged requests: names and sizes, no binaries."""
