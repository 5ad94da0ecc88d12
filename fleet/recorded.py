"""What a program tells of its own build, as far as building it again needs it: the value."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleet.inspection import BuildInfo


@dataclass(frozen=True, slots=True)
class Recorded:
    """One program. Lives as long as its rebuild does: its linker flags are never written down."""

    sha256: str
    """Of the program, in hex."""
    architecture: str
    """`x86_64`, `arm64`, else `machine N`."""
    build: BuildInfo | None
    """None where the file holds no build info."""
    linker_flags: str | None = field(default=None, repr=False)
    """-ldflags with the values of -X, which may be secrets; None where none are recorded."""
    symbols: bool = True
    """Whether it has a symbol table, which -ldflags=-s leaves out."""
    dwarf: bool = True
    """Whether it has debugging information, which -ldflags=-w leaves out."""
    build_id: bool = True
    """Whether it has Go's build id, which -ldflags=-buildid= leaves out."""
    position_independent: bool = False
    """As -buildmode=pie makes it."""
    cgo: bool = False
    """Whether it holds C, as far as that can be told: True in doubt."""
    paths: bool = False
    """Whether it names the directory that Go lay in, which -trimpath keeps out."""
    files: frozenset[str] = field(default=frozenset(), repr=False)
    """Names of source files that it was compiled from: absolute, `MODULE/dir/file.go` for those of
    the main module under -trimpath, `MODULE@VERSION/dir/file.go` for those of others."""
