"""What an ELF file says lies where.

https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html

Every number in such a file is a claim: nothing is read or made room for before it is held
against the size of the file and the limits in elf_tables.py.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from fleet.package.archive.source import Source

MAGIC = b"\x7fELF"


class Malformed(ValueError):
    """Part of a file cannot be what it says; str() says which, in a few words."""


class FileType(IntEnum):
    """What the header says the file is for (e_type), of those that matter here."""

    EXECUTABLE = 2
    SHARED = 3
    """A library, or an executable that may lie at any address."""


class SegmentType(IntEnum):
    """What a segment holds (p_type), of those that matter here."""

    LOAD = 1
    DYNAMIC = 2
    INTERPRETER = 3
    NOTE = 4


class SegmentFlag(IntFlag):
    """What may be done with a segment in memory (p_flags)."""

    EXECUTE = 1
    WRITE = 2
    READ = 4


class SectionFlag(IntFlag):
    """What a section needs in memory (sh_flags), of those that matter here."""

    WRITE = 1
    ALLOCATE = 2
    EXECUTE = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the file as the loader sees it; sizes, offsets and addresses in bytes."""

    type: int
    flags: SegmentFlag
    offset: int
    address: int
    size: int
    """In the file."""
    memory: int
    """Once loaded; what goes beyond `size` is zero."""

    @property
    def is_data(self) -> bool:
        """Whether it may be written to and not run."""
        wanted = SegmentFlag.WRITE
        return (
            self.type == SegmentType.LOAD and self.flags & (wanted | SegmentFlag.EXECUTE) == wanted
        )


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the file as the linker left it; strippers may take the whole table away."""

    name: str
    flags: int
    address: int
    offset: int
    size: int
    """In the file: 0 for what is only room in memory."""

    @property
    def is_code(self) -> bool:
        """Whether it holds nothing but instructions."""
        return bool(self.flags & SectionFlag.EXECUTE)

    @property
    def is_loaded(self) -> bool:
        """Whether it is there while the program runs."""
        return bool(self.flags & SectionFlag.ALLOCATE)


@dataclass(frozen=True, slots=True)
class Table:
    """Where a table of headers lies, by the file's own word."""

    offset: int
    row: int
    """Bytes of one header."""
    rows: int


@dataclass(frozen=True, slots=True)
class Header:
    """The first bytes of an ELF file."""

    bits: int
    order: str
    """`<` or `>`, as struct writes byte orders."""
    type: int
    machine: int
    segments: Table
    sections: Table
    names: int
    """Index of the section that holds the sections' names."""

    @property
    def word(self) -> int:
        """Bytes of an address."""
        return self.bits // 8

    def layout(self, letters: str) -> struct.Struct:
        """Lay out numbers as this file writes them; letters of struct, A for an address."""
        return struct.Struct(self.order + letters.replace("A", "I" if self.bits == 32 else "Q"))  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Elf:
    """An ELF file: its header, its two tables as far as they can be read, and its bytes."""

    source: Source
    header: Header
    segments: tuple[Segment, ...]
    loaded: tuple[Segment, ...]
    """Those of the segments that lie in memory."""
    sections: tuple[Section, ...]
    problems: tuple[str, ...]
    """Which of the two tables cannot be read, and why."""

    def section(self, name: str) -> Section | None:
        """Give the first section of this name, or None."""
        return next((each for each in self.sections if each.name == name), None)

    def segment(self, kind: SegmentType) -> Segment | None:
        """Give the first segment of this type, or None."""
        return next((each for each in self.segments if each.type == kind), None)

    def place(self, address: int) -> tuple[int, int]:
        """Give where in the file an address is loaded from, and how many bytes follow there.

        Raises Malformed for an address that no segment of the file fills.
        """
        for each in self.loaded:
            if 0 <= address - each.address < each.size:
                within = address - each.address
                return each.offset + within, each.size - within
        raise Malformed(f"nothing in the file lies at address {address:#x}")

    def is_zeroed(self, address: int) -> bool:
        """Whether an address is in memory but not in the file."""
        return any(each.size <= address - each.address < each.memory for each in self.loaded)

    def at(self, address: int, length: int) -> bytes:
        """Give exactly so many bytes of what is loaded at an address, or raise Malformed."""
        if length == 0:
            return b""
        offset, room = self.place(address)
        if length > room:
            raise Malformed(f"{length} bytes at address {address:#x} go beyond their segment")
        return exactly(self.source, offset, length)


def exactly(source: Source, offset: int, length: int) -> bytes:
    """Read so many bytes and not one less; raises Malformed where they go beyond the end."""
    if offset + length > source.size:
        raise Malformed(f"bytes {offset} to {offset + length} lie beyond the end of the file")
    content = source.read_at(offset, length)
    if len(content) != length:
        raise Malformed(f"only {len(content)} of {length} bytes at {offset} could be read")
    return content
