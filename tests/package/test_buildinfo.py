"""Go's build info where it lies in a file.

Files in the pointer form of Go 1.13 to 1.17 are made by hand here, in every class and byte order;
real ones of Go 1.16 are among the builds of the matrix.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from fleet.inspection import BuildInfo, Module
from fleet.package.binary import buildinfo
from fleet.package.binary.buildinfo import made_by_go, read_build_info
from fleet.package.binary.elf import Malformed
from fleet.package.binary.elf_tables import read_elf
from tests.package.elf_files import (
    ADDRESS,
    BUILD_MAGIC,
    PAGE,
    SHAPES,
    Bytes,
    Made,
    Segment,
    Shape,
    framed,
    inline,
    number,
    pointers,
)

BY_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=str)
MODULES = "path\texample.org/x\nmod\texample.org/x\t(devel)\t\ndep\texample.org/y\tv1.0.0\th1:=\n"
X = Module("example.org/x", "(devel)")
Y = Module("example.org/y", "v1.0.0", "h1:=")
OLD = BuildInfo("go1.16.15", X.path, X, (Y,), has_modules=True, settings={})
GO = ".go.buildinfo"
WRITTEN = 3


def read(made: Made) -> BuildInfo | None:
    return read_build_info(read_elf(Bytes(made.file)))


def named(content: bytes, size: int | None = None, shape: Shape | None = None) -> Made:
    """The content as a section called .go.buildinfo."""
    section = (GO, WRITTEN, 0, len(content) if size is None else size)
    return Made(content=content, sections=[section], shape=shape or Shape())


@BY_SHAPE
def test_pointers_are_followed_in_every_class_and_byte_order(shape: Shape) -> None:
    content = pointers("go1.16.15", framed(MODULES), shape)
    assert read(named(content, 32, shape)) == OLD
    assert read(Made(content=content, shape=shape)) == OLD


@BY_SHAPE
def test_inline_strings_are_read_in_every_class_and_byte_order(shape: Shape) -> None:
    content = inline("go1.20.14", framed(MODULES + "build\tGOARCH=amd64\n"))
    expected = BuildInfo(
        "go1.20.14", X.path, X, (Y,), settings={"GOARCH": "amd64"}, has_modules=True
    )
    assert read(named(content, shape=shape)) == expected
    assert read(Made(content=content, shape=shape)) == expected


def test_an_unaligned_magic_is_a_constant_of_the_program_and_no_build_info() -> None:
    content = b"constant" + BUILD_MAGIC
    content = content.ljust(64, b"\0")
    assert read(named(content)) is None
    assert read(named(content + inline("go1.20.14", framed(MODULES)))) is not None


@BY_SHAPE
def test_a_build_without_modules_may_end_with_its_version(shape: Shape) -> None:
    for content in (inline("go1.20.14", b""), pointers("go1.20.14", b"", shape)):
        assert read(named(content, shape=shape)) == BuildInfo("go1.20.14", settings={})


def test_alignment_counts_from_address_zero_as_in_go() -> None:
    shifted = b"\0" * 8 + inline("go1.20.14", framed(MODULES))
    made = Made(content=shifted, sections=[(GO, WRITTEN, 8, len(shifted) - 8)])
    assert read(made) is None


def test_build_info_far_into_the_data_is_found_without_a_section() -> None:
    far = b"\1" * (3 * buildinfo._BLOCK - PAGE + 16)
    assert read(Made(content=far + inline("go1.20.14", framed(MODULES)))) is not None


def relocated(kind: int) -> Made:
    """Addresses in relocations, as GNU ld leaves them in position-independent old Go programs."""
    content = bytearray(pointers("go1.16.15", framed(MODULES), Shape()))
    relocations = b""
    for at in (16, 24, 32, 48):
        (value,) = struct.unpack_from("<Q", content, at)
        relocations += struct.pack("<QQQ", ADDRESS + PAGE + at, kind, value)
        struct.pack_into("<Q", content, at, 0)
    where = PAGE + len(content)
    entries = (7, ADDRESS + where, 8, len(relocations), 0, 0)
    dynamic = struct.pack("<QQQQQQ", *entries)
    segment = Segment(kind=2, flags=6, offset=where + len(relocations), size=len(dynamic))
    whole = bytes(content) + relocations + dynamic
    return Made(content=whole, segments=[segment], sections=[(GO, WRITTEN, 0, 32)], kind=3)


@pytest.mark.parametrize("kind", [8, 1027], ids=["x86_64", "arm64"])
def test_addresses_that_are_left_to_the_loader_come_from_the_relocations(kind: int) -> None:
    assert read(relocated(kind)) == OLD


def test_addresses_that_nothing_tells_are_refused() -> None:
    symbolic = 6
    for made in (relocated(symbolic), replace(relocated(8), segments=())):
        with pytest.raises(Malformed):
            read(made)


class Looked(Bytes):
    """A source that counts how often something is looked for in what it gave."""

    looks = 0

    def read_at(self, offset: int, length: int) -> bytes:
        source = self

        class Block(bytes):
            def find(self, *words: object) -> int:
                type(source).looks += 1
                return super().find(*words)  # type: ignore[arg-type]  # as it was called

        return Block(super().read_at(offset, length))


def test_a_row_of_relocations_is_looked_at_once_whatever_is_in_it() -> None:
    """An address of equal bytes, which stands at every byte of rows of these bytes."""
    rows, address, table = 2_000, 0x1010101010101000, 0x2000000000000000
    relocations = (b"\0" + b"\x10" * 23) * rows
    data = (BUILD_MAGIC + b"\x08\0").ljust(48, b"\0")
    dynamic = struct.pack("<QQQQQQ", 7, table, 8, len(relocations), 0, 0)
    segments = [
        Segment(kind=1, flags=6, offset=PAGE, size=len(data), address=address),
        Segment(kind=1, flags=4, offset=PAGE + 48, size=len(relocations), address=table),
        Segment(kind=2, flags=6, offset=PAGE + 48 + len(relocations), size=len(dynamic)),
    ]
    Looked.looks = 0
    elf = read_elf(Looked(Made(content=data + relocations + dynamic, segments=segments).file))
    with pytest.raises(Malformed):
        read_build_info(replace(elf, loaded=elf.loaded[1:]))
    assert rows <= Looked.looks < rows + 10


def test_data_is_searched_once_however_many_segments_lie_over_it() -> None:
    content = bytes(1 << 20)
    segments = [
        Segment(kind=1, flags=6, offset=PAGE, size=len(content), address=number << 32)
        for number in range(1, 50)
    ]
    Looked.looks = 0
    elf = read_elf(Looked(Made(content=content, segments=segments).file))
    with pytest.raises(Malformed, match="more bytes than the file"):
        read_build_info(elf)
    assert Looked.looks < 10


def test_modules_that_nobody_set_are_a_build_without_modules() -> None:
    """GO111MODULE=off with old Go: the string lies where memory is zero and no file is."""
    shape = Shape()
    version = b"go1.16.15"
    strings = ADDRESS + PAGE + 32
    nowhere = ADDRESS + PAGE + 4096
    content = BUILD_MAGIC + b"\x08\x00" + struct.pack("<QQ", strings, nowhere)
    content += struct.pack("<QQ", strings + 16, len(version)) + version
    found = read(Made(content=content, shape=shape, zeroed=8192))
    assert found == BuildInfo("go1.16.15", settings={})


@pytest.mark.parametrize(
    "content",
    [
        BUILD_MAGIC + b"\0\x02" + bytes(16),
        (BUILD_MAGIC + b"\0\x02").ljust(32, b"\0") + number(2**62) + b"go1.20",
        (BUILD_MAGIC + b"\0\x02").ljust(32, b"\0") + number(5_000) + b"go" * 2_500 + b"\0",
        (BUILD_MAGIC + b"\0\x02").ljust(32, b"\0") + b"\xff" * 20,
        (BUILD_MAGIC + b"\0\x02").ljust(32, b"\0") + number(2) + b"go" + number(1 << 40),
        (BUILD_MAGIC + b"\0\x02").ljust(32, b"\0") + number(0) + number(0),
        (BUILD_MAGIC + b"\x03\0").ljust(48, b"\0"),
        (BUILD_MAGIC + b"\x08\0" + struct.pack("<QQ", 1, 2)).ljust(48, b"\0"),
        BUILD_MAGIC
        + b"\x08\0"
        + struct.pack("<QQ", *[ADDRESS + PAGE + 32] * 2)
        + struct.pack("<QQ", ADDRESS + PAGE, 2**63),
        inline("go1.20.14", framed("dep\tone\n")),
        inline("go1.20.14", framed("=>\tone\tv1.0.0\t\n")),
    ],
    ids=[
        "cut off",
        "forged length",
        "a version of 5,000 bytes",
        "a length without end",
        "forged length of the modules",
        "no version",
        "pointers of three bytes",
        "pointers to nowhere",
        "a string longer than anything",
        "a module of one column",
        "a replacement of nothing",
    ],
)
def test_build_info_that_cannot_be_true_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed):
        read(named(content))


def test_a_section_cut_off_in_the_middle_of_the_magic_holds_no_build_info() -> None:
    assert read(named(BUILD_MAGIC[:9])) is None


def test_notes_are_looked_through_once_however_many_segments_lie_over_them() -> None:
    content = bytes(buildinfo._LONGEST_NOTES) + struct.pack("<III", 4, 5, 4) + b"Go\0\0build\0\0\0"
    empty = Segment(kind=4, flags=4, offset=PAGE, size=buildinfo._LONGEST_NOTES)
    go = Segment(kind=4, flags=4, offset=PAGE + buildinfo._LONGEST_NOTES, size=24)
    elf = read_elf(Bytes(Made(content=content, segments=[go, empty]).file))
    assert made_by_go(elf)
    elf = read_elf(Bytes(Made(content=content, segments=[*[empty] * 50, go]).file))
    assert not made_by_go(elf)


@BY_SHAPE
def test_a_note_tells_of_go_without_any_section(shape: Shape) -> None:
    gnu = shape.pack("III", 4, 3, 3) + b"GNU\0" + b"abc\0"
    go = shape.pack("III", 4, 5, 4) + b"Go\0\0" + b"build\0\0\0"
    for content, expected in ((gnu, False), (go, True), (gnu + go, True)):
        segment = Segment(kind=4, flags=4, offset=PAGE, size=len(content))
        made = Made(content=content, segments=[segment], shape=shape)
        assert made_by_go(read_elf(Bytes(made.file))) == expected


@pytest.mark.parametrize("name", [GO, ".note.go.buildid", ".gopclntab", ".data.rel.ro.gopclntab"])
def test_sections_of_gos_linker_tell_of_go(name: str) -> None:
    assert made_by_go(read_elf(Bytes(Made(content=b"x", sections=[(name, 2, 0, 1)]).file)))
    assert not made_by_go(read_elf(Bytes(Made(content=b"x", sections=[(".data", 2, 0, 1)]).file)))
