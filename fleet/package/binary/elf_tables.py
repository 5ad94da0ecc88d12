"""Header and tables of an ELF file, read and checked.

https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from fleet.package.archive.source import Source
from fleet.package.binary.elf import (
    MAGIC,
    Elf,
    Header,
    Malformed,
    Section,
    Segment,
    SegmentFlag,
    SegmentType,
    Table,
    exactly,
)

MOST_SEGMENTS = 128
"""A linker makes about ten; only core dumps have more than this."""
MOST_SECTIONS = 10_000
"""A linked Go or C program has twenty to fifty."""
MOST_NAMES = 1 << 20
"""Bytes of section names."""
_LONGEST_NAME = 128

_IDENT = 16
_ACCESS = 7
_IN_NO_FILE = {0, 8}
"""Types of sections without content: SHT_NULL, SHT_NOBITS."""
_ORDERS = {1: "<", 2: ">"}
_BITS = {1: 32, 2: 64}


def read_header(source: Source) -> Header:
    """Read the header; raises Malformed if it is not that of an ELF file, or not whole."""
    ident = exactly(source, 0, _IDENT)
    if not ident.startswith(MAGIC):
        raise Malformed("it is no ELF file")
    bits, order = _BITS.get(ident[4]), _ORDERS.get(ident[5])
    if bits is None or order is None:
        raise Malformed(f"ELF class {ident[4]} with data encoding {ident[5]} does not exist")
    layout = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")  # noqa: PLR2004
    fields = struct.unpack(layout, exactly(source, _IDENT, struct.calcsize(layout)))
    kind, machine, _, _, segments_at, sections_at, _, _, *tables = fields
    segment_size, segments, section_size, sections, names = tables
    return Header(
        bits=bits,
        order=order,
        type=kind,
        machine=machine,
        segments=Table(segments_at, segment_size, segments),
        sections=Table(sections_at, section_size, sections),
        names=names,
    )


def read_elf(source: Source) -> Elf:
    """Read header and tables; raises Malformed only where there is no header."""
    header = read_header(source)
    problems: list[str] = []
    segments: tuple[Segment, ...] = ()
    sections: tuple[Section, ...] = ()
    try:
        segments = read_segments(source, header)
    except Malformed as problem:
        problems.append(f"program headers: {problem}")
    try:
        sections = read_sections(source, header)
    except Malformed as problem:
        problems.append(f"section headers: {problem}")
    loaded = tuple(each for each in segments if each.type == SegmentType.LOAD)
    return Elf(source, header, segments, loaded, sections, tuple(problems))


def count_headers(source: Source) -> int:
    """Count the program and section headers that read_elf would read, before it does."""
    try:
        header = read_header(source)
    except Malformed:
        return 0
    return sum(
        table.rows
        for table, most in ((header.segments, MOST_SEGMENTS), (header.sections, MOST_SECTIONS))
        if table.rows <= most
    )


def read_segments(source: Source, header: Header) -> tuple[Segment, ...]:
    """Read the program headers; raises Malformed."""
    if header.segments.rows > MOST_SEGMENTS:
        raise Malformed(f"more than {MOST_SEGMENTS} of them")
    if header.bits == 64:  # noqa: PLR2004
        return tuple(
            Segment(kind, SegmentFlag(flags & _ACCESS), offset, address, size, memory)
            for kind, flags, offset, address, _, size, memory, _ in _rows(
                source, header, header.segments, "IIQQQQQQ"
            )
        )
    return tuple(
        Segment(kind, SegmentFlag(flags & _ACCESS), offset, address, size, memory)
        for kind, offset, address, _, size, memory, flags, _ in _rows(
            source, header, header.segments, "IIIIIIII"
        )
    )


def read_sections(source: Source, header: Header) -> tuple[Section, ...]:
    """Read the section headers and their names; raises Malformed. There may be none."""
    rows = list(_section_rows(source, header))
    if not rows:
        return ()
    if header.names >= len(rows):
        raise Malformed("their names are in a section that does not exist")
    _, strings = rows[header.names]
    names = exactly(source, strings.offset, min(strings.size, MOST_NAMES))
    return tuple(replace(section, name=_name(names, name)) for name, section in rows)


def read_unnamed_sections(source: Source, header: Header) -> tuple[Section, ...]:
    """Read the section headers alone, whose names may lie at the other end of the file.

    Leaves out the section that holds the names; raises Malformed.
    """
    rows = enumerate(_section_rows(source, header))
    return tuple(section for index, (_, section) in rows if index != header.names)


def _section_rows(source: Source, header: Header) -> Iterator[tuple[int, Section]]:
    """Give each section, still without its name, and where that begins."""
    if header.sections.offset == 0:
        return
    if header.sections.rows > MOST_SECTIONS:
        raise Malformed(f"more than {MOST_SECTIONS} of them")
    layout = "IIQQQQIIQQ" if header.bits == 64 else "IIIIIIIIII"  # noqa: PLR2004
    for name, kind, flags, address, offset, size, *_ in _rows(
        source, header, header.sections, layout
    ):
        yield name, Section("", flags, address, offset, 0 if kind in _IN_NO_FILE else size)


def _rows(source: Source, header: Header, table: Table, layout: str) -> Iterator[tuple[int, ...]]:
    if table.rows == 0:
        return iter(())
    row = struct.Struct(header.order + layout)
    # Checked before the table is read: rows of 64 KB each would be half a gigabyte.
    if table.row != row.size:
        raise Malformed(f"{table.row} bytes each, not {row.size}")
    return row.iter_unpack(exactly(source, table.offset, row.size * table.rows))


def _name(names: bytes, start: int) -> str:
    end = names.find(b"\0", start, start + _LONGEST_NAME)
    return names[start : end if end >= 0 else start + _LONGEST_NAME].decode("latin-1")
