"""What a build is asked to be, from what source, and what came of it: the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

RAISED_TO = "v1.28.0"
"""The aws-lambda-go that an older one is raised to unless told otherwise.

The newest whose go.mod says `go 1.12`: every Go that writes build info (1.13 on) compiles it, and
from 1.21 on `go get` of it leaves the go line of the team's go.mod as it is. It speaks to custom
runtimes (from 1.18.0) and keeps the request's id there (from 1.19.1).
"""

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LinkerFlags:
    """-ldflags as Go takes it, one text; its -X values may be secrets, so it is never shown."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checkout:
    """The source of one main module, laid out on this machine and read only."""

    root: Path
    """Of the work tree; a published module's directory, where there is no work tree."""
    module_directory: Path
    """The directory of its go.mod, at or below `root`."""
    module: str
    """Path of the main module, as go.mod says."""
    commit: str
    """The commit that is checked out, in full; '' for a published module."""
    version: str
    """Of a published module, as `v1.2.3`; '' for a commit."""
    origin: str
    """Where it came from, without credentials: a URL, a directory, or `module@version`."""
    beside: tuple[Path, ...] = ()
    """Directories elsewhere that git reads for this work tree: the shared clone's."""
    submodules: tuple[str, ...] = ()
    """Directories, as paths below `root`, that are empty since other repositories fill them."""
    clean: bool = True
    """Whether it is what the commit holds; not where the dependency was raised."""


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """One `go build` of one main package."""

    package: str
    """Import path of the main package."""
    architecture: str
    """x86_64 or arm64."""
    go_version: str
    """The Go to build with, as `go1.22.5`."""
    environment: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """CGO_ENABLED, GOAMD64, GOEXPERIMENT and their like; GOOS and GOARCH follow from the rest."""
    flags: tuple[str, ...] = ()
    """-tags=…, -trimpath, -buildmode=… ; never -ldflags, -toolexec or -o."""
    linker_flags: LinkerFlags | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A program that was built, which nobody has started."""

    program: Path
    sha256: str
    """Of the program, in hex."""
    go_version: str
    """Of the Go that built it."""
    seconds: float
    """Wall time, downloads included."""
