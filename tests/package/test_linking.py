"""Dynamic linking in files made by hand; real ones are held against readelf in the matrix."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleet.package.binary import linking
from fleet.package.binary.elf_tables import read_elf
from fleet.package.binary.linking import Linking, read_linking
from tests.package.elf_files import ADDRESS, PAGE, SHAPES, Bytes, Made, Segment, Shape

NEEDED, STRINGS, STRINGS_SIZE, SONAME, FLAGS_1, VERNEED = 1, 5, 10, 14, 0x6FFFFFFB, 0x6FFFFFFE
BY_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=str)


def linked(
    names: Sequence[str],
    entries: Sequence[tuple[int, int]],
    *,
    shape: Shape | None = None,
    versions: bytes = b"",
    interpreter: bytes = b"",
) -> Made:
    """A file whose string table holds the names, each found by the tags' values as its index."""
    shape = shape or Shape()
    strings, starts = b"\0", []
    for name in names:
        starts.append(len(strings))
        strings += name.encode() + b"\0"
    content = strings + interpreter
    content = content.ljust(-(-len(content) // 8) * 8, b"\0")
    at_versions = len(content)
    content += versions
    named = {NEEDED, SONAME}
    table = [(tag, starts[value] if tag in named else value) for tag, value in entries]
    table += [(STRINGS, ADDRESS + PAGE), (STRINGS_SIZE, len(strings))]
    if versions:
        table.append((VERNEED, ADDRESS + PAGE + at_versions))
    dynamic = b"".join(shape.pack("AA", *each) for each in [*table, (0, 0)])
    segments = [Segment(kind=2, flags=6, offset=PAGE + len(content), size=len(dynamic))]
    if interpreter:
        place = PAGE + len(strings)
        segments.append(Segment(kind=3, flags=4, offset=place, size=len(interpreter)))
    return Made(content=content + dynamic, shape=shape, segments=segments, kind=3)


def wanted(shape: Shape, libraries: Sequence[Sequence[int]]) -> bytes:
    """Versions asked for, by where their names begin, one library after the other."""
    written = b""
    for index, names in enumerate(libraries):
        last = index == len(libraries) - 1
        written += shape.pack("HHIII", 1, len(names), 1, 16, 0 if last else 16 * (len(names) + 1))
        for place, name in enumerate(names):
            step = 0 if place == len(names) - 1 else 16
            written += shape.pack("IHHII", 0, 0, 2, name, step)
    return written


def read(made: Made) -> Linking:
    return read_linking(read_elf(Bytes(made.file)))


@BY_SHAPE
def test_libraries_versions_and_interpreter_are_read_in_every_shape(shape: Shape) -> None:
    names = ["libm.so.6", "libc.so.6", "libx.so", "GLIBC_2.9", "GLIBC_2.17", "GLIBC_PRIVATE"]
    start = {name: 1 + len("\0".join(names[:index]) + "\0") for index, name in enumerate(names)}
    start[names[0]] = 1
    made = linked(
        names,
        [(NEEDED, 0), (NEEDED, 1), (SONAME, 2)],
        shape=shape,
        versions=wanted(
            shape,
            [[start["GLIBC_2.9"]], [start["GLIBC_2.17"], start["GLIBC_PRIVATE"]]],
        ),
        interpreter=b"/lib64/ld.so\0",
    )
    found = read(made)
    assert found == Linking(
        interpreter="/lib64/ld.so",
        soname="libx.so",
        needed=("libm.so.6", "libc.so.6"),
        glibc="2.17",
    )


def test_a_static_file_asks_for_nothing() -> None:
    assert read(Made(content=b"static")) == Linking()


def test_the_flag_that_calls_a_shared_object_a_program_is_read() -> None:
    assert read(linked([], [(FLAGS_1, 0x08000001)])).is_program
    assert not read(linked([], [(FLAGS_1, 1)])).is_program


def test_names_that_are_no_text_are_kept_legible() -> None:
    made = linked(["libx.so"], [(NEEDED, 0)])
    changed = replace(made, content=made.content.replace(b"libx", b"l\xff\nx"))
    assert read(changed).needed == ("l\\xff\nx.so",)


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([(STRINGS_SIZE, 0), (NEEDED, 0)], ""),
        ([(NEEDED, 0)] * (linking.MOST_NEEDED + 1), "more than 256 needed libraries"),
        ([(21, 0)] * (linking.MOST_ENTRIES + 1), "more than 4096 entries"),
    ],
    ids=["the last value of a tag counts", "needed", "entries"],
)
def test_tables_of_any_length_are_read_or_refused(
    entries: list[tuple[int, int]], problem: str
) -> None:
    found = read(linked(["libx.so"], entries))
    assert found.problems == ((f"dynamic linking: {problem}",) if problem else ())


@pytest.mark.parametrize("tag", [STRINGS, STRINGS_SIZE])
def test_names_outside_the_string_table_are_a_problem(tag: int) -> None:
    made = linked(["libx.so"], [(NEEDED, 0)])
    value = ADDRESS + PAGE if tag == STRINGS else 9
    content = made.content.replace(struct.pack("<QQ", tag, value), struct.pack("<QQ", tag, 1))
    assert content != made.content
    found = read(replace(made, content=content))
    assert found.needed == ()
    assert len(found.problems) == 1


def test_a_name_longer_than_any_path_is_a_problem() -> None:
    found = read(linked(["x" * (linking.LONGEST_NAME + 1)], [(NEEDED, 0)]))
    assert found.problems == ("dynamic linking: a name without an end",)
    found = read(linked([], [], interpreter=b"/lib64/no-end"))
    assert found.problems == ("interpreter: a name without an end",)


def test_versions_that_never_end_are_a_problem_and_leave_the_libraries() -> None:
    shape = Shape()
    forever = shape.pack("HHIII", 1, 0, 1, 16, 16) * 9_000
    many = shape.pack("HHIII", 1, 0xFFFF, 1, 16, 0) + shape.pack("IHHII", 0, 0, 2, 1, 0)
    step_back = shape.pack("HHIII", 1, 0, 1, 16, 2**32 - 1)
    for versions, problem in (
        (forever, "more than 1024 symbol versions"),
        (many, "more than 1024 symbol versions"),
        (step_back, "nothing in the file lies at address"),
    ):
        found = read(linked(["libx.so"], [(NEEDED, 0)], versions=versions))
        assert found.needed == ("libx.so",)
        assert found.glibc is None
        assert len(found.problems) == 1
        assert problem in found.problems[0]
