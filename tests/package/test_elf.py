"""ELF headers and tables; the files are made by hand."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.package.binary import elf_tables
from fleet.package.binary.elf import Malformed, SegmentFlag
from fleet.package.binary.elf_tables import read_elf
from tests.package.elf_files import ADDRESS, PAGE, SHAPES, Bytes, Made, Segment, Shape

BY_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=str)
SECTION_COUNT_AT = 60
SEGMENT_COUNT_AT = 56


def changed(file: bytes, at: int, layout: str, value: int) -> bytes:
    piece = struct.pack(layout, value)
    return file[:at] + piece + file[at + len(piece) :]


@BY_SHAPE
def test_every_class_and_byte_order_is_read(shape: Shape) -> None:
    made = Made(
        content=b"what is loaded",
        shape=shape,
        segments=[Segment(kind=4, flags=4, offset=PAGE, size=4)],
        sections=[(".text", 6, 0, 4), (".debug_line", 0, 4, 4)],
        machine=183,
        zeroed=100,
    )
    found = read_elf(Bytes(made.file))
    assert (found.header.bits, found.header.machine) == (shape.bits, 183)
    assert [each.type for each in found.segments] == [1, 4]
    assert found.segments[0].flags == SegmentFlag.READ | SegmentFlag.WRITE
    assert [each.name for each in found.sections] == ["", ".text", ".debug_line", ".shstrtab"]
    assert [each.is_code for each in found.sections] == [False, True, False, False]
    assert [each.is_loaded for each in found.sections] == [False, True, False, False]
    assert found.problems == ()
    assert found.at(ADDRESS + PAGE, 4) == b"what"
    assert found.is_zeroed(ADDRESS + PAGE + len(made.content) + 99)
    assert not found.is_zeroed(ADDRESS + PAGE + len(made.content) + 100)


@pytest.mark.parametrize(
    ("address", "length"),
    [(0, 1), (ADDRESS - 1, 1), (ADDRESS + PAGE + 4, 1), (ADDRESS + PAGE, 5), (2**64 - 1, 1)],
)
def test_an_address_outside_the_file_is_refused(address: int, length: int) -> None:
    # The file goes on behind the segment, with its section headers.
    made = Made(content=b"here", zeroed=100, sections=[(".data", 3, 0, 4)])
    found = read_elf(Bytes(made.file))
    with pytest.raises(Malformed):
        found.at(address, length)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(20), b"MZ" * 99])
def test_a_file_without_a_whole_header_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed):
        read_elf(Bytes(content))


@pytest.mark.parametrize(("at", "value"), [(4, 0), (4, 3), (5, 0), (5, 3)])
def test_a_class_or_encoding_that_does_not_exist_is_refused(at: int, value: int) -> None:
    with pytest.raises(Malformed, match="does not exist"):
        read_elf(Bytes(changed(Made(content=b"").file, at, "B", value)))


def test_one_table_that_cannot_be_read_leaves_the_other() -> None:
    file = Made(content=b"text", sections=[(".text", 6, 0, 4)]).file
    beyond = changed(file, 40, "<Q", len(file) - 10)
    found = read_elf(Bytes(beyond))
    assert (len(found.segments), found.sections) == (1, ())
    begin = len(file) - 10
    beyond_it = f"bytes {begin} to {begin + 192} lie beyond the end of the file"
    assert found.problems == (f"section headers: {beyond_it}",)
    found = read_elf(Bytes(changed(file, 32, "<Q", 2**63)))
    assert (found.segments, len(found.sections)) == ((), 3)
    assert len(found.problems) == 1


def test_more_headers_than_any_program_has_are_refused_before_they_are_read() -> None:
    file = Made(content=bytes(1 << 20), sections=[(".text", 6, 0, 4)]).file
    many = changed(file, SECTION_COUNT_AT, "<H", elf_tables.MOST_SECTIONS + 1)
    assert "more than 10000" in read_elf(Bytes(many)).problems[0]
    many = changed(file, SEGMENT_COUNT_AT, "<H", elf_tables.MOST_SEGMENTS + 1)
    assert "more than 128" in read_elf(Bytes(many)).problems[0]


@pytest.mark.parametrize(("at", "problem"), [(54, "program"), (58, "section")])
def test_headers_of_another_size_are_refused(at: int, problem: str) -> None:
    file = Made(content=bytes(1 << 20), sections=[(".text", 6, 0, 4)]).file
    found = read_elf(Bytes(changed(file, at, "<H", 0xFFFF)))
    assert found.problems[0].startswith(f"{problem} headers: 65535 bytes each")


def test_names_in_a_section_that_is_not_there_are_a_problem() -> None:
    file = Made(content=b"text", sections=[(".text", 6, 0, 4)]).file
    found = read_elf(Bytes(changed(file, 62, "<H", 3)))
    assert found.problems == ("section headers: their names are in a section that does not exist",)


@given(st.binary(max_size=PAGE + 400))
def test_any_bytes_behind_a_good_beginning_are_read_or_refused(behind: bytes) -> None:
    for shape in SHAPES:
        head = Made(content=b"", shape=shape).file[:20]
        try:
            found = read_elf(Bytes(head + behind))
        except Malformed:
            continue
        assert len(found.segments) <= elf_tables.MOST_SEGMENTS
        assert len(found.sections) <= elf_tables.MOST_SECTIONS
