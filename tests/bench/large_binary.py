"""A Go program of any size: a real build whose sections are made longer by repetition.

What a program of 60 MB is made of is kept that way: code, read-only data, names and debugging
information in the proportions of the real one, of which it also has the build info. It is not
meant to run.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from moto_fixtures.build import build
from moto_fixtures.definition import Build

SIZE = 60_000_000
ENTRY = "main"
_PAGE = 4_096
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_NAMES_AT = 32
"""Where the table of functions says where the names begin, then where they end (Go 1.18 on)."""
_NOBITS = 8
_ALLOCATED, _EXECUTED, _WRITTEN = 2, 4, 1
_KEPT = (".go.buildinfo", ".note.go.buildid", ".shstrtab")
"""Sections that are what they are only once."""


def large_package(path: Path) -> None:
    """Write a zip with the large program as its one entry."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ENTRY, enlarged(build(Build(command="orders"))))


def enlarged(path: Path, size: int = SIZE) -> bytes:
    """Give a program of about this size, from an amd64 build of Go's own linker."""
    content = path.read_bytes()
    ident, kind, machine, version, entry, _, at, flags, *rest = _HEADER.unpack_from(content)
    _, _, _, row, count, names_index = rest
    rows = [_SECTION.unpack_from(content, at + index * row) for index in range(count)]
    names = content[rows[names_index][4] :][: rows[names_index][5]]
    times = round(size / len(content))
    tables = _HEADER.size + 3 * _SEGMENT.size + len(rows) * _SECTION.size
    parts = [b"\0" * (tables + -tables % _PAGE)]
    place = len(parts[0])
    sections: list[bytes] = []
    spans: dict[int, tuple[int, int]] = {}
    base = 0x400000
    for name, sort, marks, _, offset, length, *others in rows:
        said = names[name : names.index(b"\0", name)].decode()
        part = b"" if sort in {0, _NOBITS} else content[offset : offset + length]
        if said == ".gopclntab":
            part = _longer_table(part, times)
        elif said not in _KEPT:
            part *= times
        part += b"\0" * (-len(part) % _PAGE)
        sections.append(
            _SECTION.pack(
                name, sort, marks, base + place if part else 0, place, len(part) or length, *others
            )
        )
        if marks & _ALLOCATED and part:
            access = 4 | (1 if marks & _EXECUTED else 0) | (2 if marks & _WRITTEN else 0)
            begin, _ = spans.get(access, (place, 0))
            spans[access] = (begin, place + len(part))
        parts.append(part)
        place += len(part)
    segments = [
        _SEGMENT.pack(1, access, begin, base + begin, base + begin, *[end - begin] * 2, _PAGE)
        for access, (begin, end) in spans.items()
    ]
    header = _HEADER.pack(
        *(ident, kind, machine, version, entry, _HEADER.size),
        *(_HEADER.size + len(segments) * _SEGMENT.size, flags, _HEADER.size, _SEGMENT.size),
        *(len(segments), _SECTION.size, len(sections), names_index),
    )
    parts[0] = (header + b"".join(segments + sections)).ljust(len(parts[0]), b"\0")
    return b"".join(parts)


def _longer_table(table: bytes, times: int) -> bytes:
    """Repeat the names of functions and what lies behind them, and say so in the table's header."""
    start, end = struct.unpack_from("<QQ", table, _NAMES_AT)
    names = table[start:end] * times
    header = table[: _NAMES_AT + 8] + struct.pack("<Q", start + len(names))
    return header + table[len(header) : start] + names + table[end:] * times
