"""What a dynamically linked ELF file asks of the system: interpreter, libraries, versions.

Read as the loader reads it, by the program headers, so that a file without section headers
tells as much; https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from fleet.package.binary.elf import Elf, Malformed, SegmentType, exactly

MOST_ENTRIES = 4_096
"""Of the dynamic table; thirty are usual."""
MOST_NEEDED = 256
MOST_VERSIONS = 1_024
LONGEST_NAME = 512
"""Bytes of an interpreter's, a library's or a version's name."""

_GLIBC = re.compile(r"GLIBC_(\d{1,9}(?:\.\d{1,9}){1,3})")
_POSITION_INDEPENDENT = 0x08000000
"""DF_1_PIE: an executable, though its type says shared object."""


class Tag(IntEnum):
    """Entries of the dynamic table that matter here (d_tag)."""

    END = 0
    NEEDED = 1
    STRINGS = 5
    RELOCATIONS = 7
    RELOCATIONS_SIZE = 8
    STRINGS_SIZE = 10
    SONAME = 14
    FLAGS_1 = 0x6FFFFFFB
    VERSIONS_NEEDED = 0x6FFFFFFE


@dataclass(frozen=True, slots=True)
class Dynamic:
    """The dynamic table: the last value of each tag, and every needed library."""

    values: Mapping[int, int] = field(default_factory=dict)
    needed: tuple[int, ...] = ()
    """Where the names of the libraries begin in the string table."""


@dataclass(slots=True)
class Linking:
    """What was read, and what kept the rest from being read."""

    interpreter: str | None = None
    soname: str | None = None
    needed: tuple[str, ...] = ()
    glibc: str | None = None
    """Highest GLIBC symbol version asked for, as `2.17`."""
    is_program: bool = False
    """Whether the dynamic table calls a shared object an executable."""
    problems: tuple[str, ...] = ()


def read_linking(elf: Elf) -> Linking:
    """Read it all; what cannot be read is told in `problems`, and the rest still there."""
    found = Linking()
    try:
        found.interpreter = _interpreter(elf)
    except Malformed as problem:
        found.problems += (f"interpreter: {problem}",)
    try:
        table = read_dynamic(elf)
        found.is_program = bool(table.values.get(Tag.FLAGS_1, 0) & _POSITION_INDEPENDENT)
        found.needed = tuple(_string(elf, table, each) for each in table.needed)
        if Tag.SONAME in table.values:
            found.soname = _string(elf, table, table.values[Tag.SONAME])
        found.glibc = _highest(_versions(elf, table))
    except Malformed as problem:
        found.problems += (f"dynamic linking: {problem}",)
    return found


def read_dynamic(elf: Elf) -> Dynamic:
    """Read the dynamic table, empty for a static file; raises Malformed."""
    segment = elf.segment(SegmentType.DYNAMIC)
    if segment is None:
        return Dynamic()
    row = elf.header.layout("AA")
    size = min(segment.size, MOST_ENTRIES * row.size) // row.size * row.size
    values: dict[int, int] = {}
    needed: list[int] = []
    for tag, value in row.iter_unpack(exactly(elf.source, segment.offset, size)):
        if tag == Tag.END:
            break
        values[tag] = value
        if tag == Tag.NEEDED:
            needed.append(value)
    else:
        if segment.size > size:
            raise Malformed(f"more than {MOST_ENTRIES} entries")
    if len(needed) > MOST_NEEDED:
        raise Malformed(f"more than {MOST_NEEDED} needed libraries")
    return Dynamic(values, tuple(needed))


def _interpreter(elf: Elf) -> str | None:
    segment = elf.segment(SegmentType.INTERPRETER)
    if segment is None:
        return None
    return _text(exactly(elf.source, segment.offset, min(segment.size, LONGEST_NAME + 1)))


def _string(elf: Elf, table: Dynamic, start: int) -> str:
    strings = table.values.get(Tag.STRINGS)
    if strings is None:
        raise Malformed("names without a string table")
    left = table.values.get(Tag.STRINGS_SIZE, 0) - start
    if left <= 0:
        raise Malformed(f"name {start} lies beyond the string table")
    offset, room = elf.place(strings + start)
    return _text(exactly(elf.source, offset, min(left, room, LONGEST_NAME + 1)))


def _text(content: bytes) -> str:
    name, end, _ = content.partition(b"\0")
    if not end:
        raise Malformed("a name without an end")
    return name.decode("utf-8", "backslashreplace")


def _versions(elf: Elf, table: Dynamic) -> Iterator[str]:
    """Give every version asked for, of any library; the rows are Verneed and Vernaux."""
    at = table.values.get(Tag.VERSIONS_NEEDED)
    library, wanted = elf.header.layout("HHIII"), elf.header.layout("IHHII")
    left = MOST_VERSIONS
    while at is not None:
        _, count, _, first, following = library.unpack(elf.at(at, library.size))
        version = at + first
        # One more for the library itself: a chain of libraries without versions ends as well.
        left -= count + 1
        if left < 0:
            raise Malformed(f"more than {MOST_VERSIONS} symbol versions")
        for _ in range(count):
            *_, name, step = wanted.unpack(elf.at(version, wanted.size))
            yield _string(elf, table, name)
            version += step
        # Steps only lead forward, so no chain comes back to where it was.
        at = at + following if following else None


def _highest(versions: Iterable[str]) -> str | None:
    numbers = [found[1] for found in map(_GLIBC.fullmatch, versions) if found]
    return max(numbers, key=lambda number: [int(part) for part in number.split(".")], default=None)
