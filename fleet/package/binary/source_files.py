"""Names of the source files that a Go program was compiled from.

They lie in its table of functions and lines (Go's debug/gosym), each with a zero at its end, since
tracebacks need them: neither -s nor -w takes them away, and -trimpath only shortens them. Files
that hold nothing but types, constants and what was never called are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleet.package.archive.source import PIECE
from fleet.package.binary import pclntab
from fleet.package.binary.elf import Elf

_LONGEST = 4096
_MOST = 500_000
"""Names; the largest programs have some ten thousand."""
_NAME = re.compile(rb"(?<=\0)[^\0-\x1f\x7f]{1,%d}\.go(?=\0)" % (_LONGEST - 3))


def find_source_files(elf: Elf) -> frozenset[str]:
    """Give the names, as the compiler saw them: absolute, or `MODULE/dir/file.go`.

    Empty where there are none, or more than half a million.
    """
    names: set[str] = set()
    for start, end in _ranges(elf):
        for name in _names(elf, start, end):
            names.add(name.decode("utf-8", errors="replace"))
            if len(names) > _MOST:
                return frozenset()
    return frozenset(names)


def _names(elf: Elf, start: int, end: int) -> Iterator[bytes]:
    left = b""
    for at in range(start, end, PIECE):
        piece = left + elf.source.read_at(at, min(PIECE, end - at))
        yield from _NAME.findall(piece)
        # The zero before a name is part of neither.
        left = piece[max(piece.rfind(b"\0"), len(piece) - _LONGEST - 1, 0) :]


def _ranges(elf: Elf) -> list[tuple[int, int]]:
    """Give where in the file the tables lie; all that is no code where a linker has merged them."""
    loaded = [each for each in elf.sections if each.is_loaded and not each.is_code]
    tables = [
        each
        for each in loaded
        if pclntab.names(
            elf.source.read_at(each.offset, pclntab.BEGINNING), elf.header.order, each.size
        )
    ]
    return [
        (min(each.offset, elf.source.size), min(each.offset + each.size, elf.source.size))
        for each in tables or loaded
    ]
