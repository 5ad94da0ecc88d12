"""What one program tells of its own build, for building it again.

Facts are kept and shown, so they leave out what may be secret; this is read when it is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fleet.errors import FileProblem
from fleet.package.archive.source import PIECE, Source, file_source
from fleet.package.binary.buildinfo import has_build_id, read_written
from fleet.package.binary.elf import Elf, FileType, Malformed
from fleet.package.binary.elf_tables import read_elf
from fleet.package.binary.facts import machine
from fleet.package.binary.linking import read_linking
from fleet.package.binary.modules import linker_flags, parse_modules
from fleet.package.binary.source_files import find_source_files
from fleet.recorded import Recorded

_SYMBOLS = ".symtab"
_DEBUGGING = {".debug_info", ".zdebug_info"}
_BY_C = {".init", ".init_array", ".fini_array", ".eh_frame"}
"""Sections that a C linker brings along and Go's own never makes."""
_IN_GO = b"/src/runtime/proc.go"
"""A file of every Go program, as its table of lines names it below the directory of Go;
with -trimpath it is `runtime/proc.go`."""


def read_recorded(path: Path) -> Recorded:
    """Read one program. Raises FileProblem where it is no file, no ELF file or not whole."""
    with file_source(path) as source:
        try:
            elf = read_elf(source)
            written = read_written(elf)
            build = parse_modules(*written) if written else None
            flags = linker_flags(written[1]) if written else None
            noted = has_build_id(elf)
        except Malformed as problem:
            raise FileProblem(
                str(path),
                f"does not tell how it was built ({problem})",
                "build it for the new architecture yourself",
            ) from problem
        sections = {each.name for each in elf.sections}
        return Recorded(
            sha256=_sha256(source),
            architecture=machine(elf),
            build=build,
            linker_flags=flags,
            symbols=_SYMBOLS in sections,
            dwarf=not sections.isdisjoint(_DEBUGGING),
            build_id=noted,
            position_independent=elf.header.type == FileType.SHARED,
            cgo=_holds_c(elf, sections),
            paths=_holds(source, _IN_GO),
            files=find_source_files(elf),
        )


def _holds_c(elf: Elf, sections: set[str]) -> bool:
    """Whether a C library or a C linker had a part in it; True where nothing can tell."""
    linking = read_linking(elf)
    # Without section headers, a static program may have been linked by anybody.
    unseen = bool(linking.problems) or not sections
    return unseen or bool(linking.needed) or not sections.isdisjoint(_BY_C)


def _sha256(source: Source) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(source):
        digest.update(piece)
    return digest.hexdigest()


def _holds(source: Source, wanted: bytes) -> bool:
    end = b""
    for piece in _pieces(source):
        if wanted in end + piece:
            return True
        end = piece[-len(wanted) :]
    return False


def _pieces(source: Source) -> Iterator[bytes]:
    for at in range(0, source.size, PIECE):
        yield source.read_at(at, PIECE)
