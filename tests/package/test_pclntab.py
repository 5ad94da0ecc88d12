from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.package.binary import pclntab
from fleet.package.binary.elf_tables import read_elf
from moto_fixtures.build import build
from tests.package.builds import MATRIX
from tests.package.elf_files import Bytes

FIRST = {0xFFFFFFFA: 2, 0xFFFFFFF0: 3, 0xFFFFFFF1: 3}


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("newest", ".gopclntab"),
        ("arm64", ".gopclntab"),
        ("go 1.16, pie", ".data.rel.ro.gopclntab"),
        ("cgo", ".gopclntab"),
    ],
)
def test_the_names_of_all_functions_lie_where_the_table_says(name: str, section: str) -> None:
    file = build(MATRIX[name].build).read_bytes()
    table = read_elf(Bytes(file)).section(section)
    assert table is not None
    content = file[table.offset : table.offset + table.size]
    found = pclntab.names(content[: pclntab.BEGINNING], "<", len(content))
    assert found is not None
    names = content[slice(*found)]
    assert len(names) < len(content) / 6
    for function in (b"runtime.main\0", b"runtime.goexit\0", b"main.main\0"):
        assert function in names
        assert function not in content.replace(names, b"")


@pytest.mark.parametrize("magic", FIRST)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("word", [4, 8])
def test_every_layout_since_go_1_16_is_known(magic: int, order: str, word: int) -> None:
    words = [0] * FIRST[magic] + [72, 500]
    beginning = struct.pack(
        f"{order}IBBBB{len(words)}{'Q' if word == 8 else 'I'}", magic, 0, 0, 4, word, *words
    ).ljust(pclntab.BEGINNING, b"\0")
    assert pclntab.names(beginning, order, 501) == (72, 500)
    # A table that contradicts itself is looked through from end to end.
    assert pclntab.names(beginning, order, 499) == (0, 499)


def test_names_lie_anywhere_in_a_table_of_older_go() -> None:
    beginning = struct.pack("<IBBBB", 0xFFFFFFFB, 0, 0, 1, 8).ljust(pclntab.BEGINNING, b"\0")
    assert pclntab.names(beginning, "<", 5_000) == (0, 5_000)


@pytest.mark.parametrize(
    "beginning",
    [b"", b"\xf1\xff\xff\xff", b"\xf1\xff\xff\xff\0\0\1\7", b"\xf1\xff\xff\xff\0\1\1\x08"],
)
def test_what_is_no_table_is_none(beginning: bytes) -> None:
    assert pclntab.names(beginning, "<", 5_000) is None
    assert pclntab.names(beginning.ljust(pclntab.BEGINNING, b"\7"), "<", 5_000) is None


@given(st.binary(min_size=80, max_size=120), st.integers(0, 1 << 64))
def test_names_never_lie_outside_the_table(behind: bytes, size: int) -> None:
    for magic in (b"\xf1\xff\xff\xff\0\0\1\x08", b"\xfa\xff\xff\xff\0\0\4\4"):
        found = pclntab.names(magic + behind, "<", size)
        assert found is None or 0 <= found[0] <= found[1] <= size
