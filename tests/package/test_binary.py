"""Facts of one ELF file: real builds that were changed afterwards, and files made by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.inspection import LAMBDA_LIBRARY, BinaryFacts, BinaryKind
from fleet.package.binary import elf
from fleet.package.binary.facts import read_binary
from moto_fixtures.build import build
from moto_fixtures.definition import CBuild
from tests.package.builds import MATRIX, orders
from tests.package.elf_files import (
    PAGE,
    Bytes,
    Made,
    Segment,
    framed,
    inline,
)

GO = b"runtime.main\0"
CLIENT = b"github.com/aws/aws-lambda-go/lambda.startRuntimeAPILoop\0"
SERVER = b"github.com/aws/aws-lambda-go/lambda.(*Function).Ping\0"
SECTIONS_AT = 40
TABLE_FIELDS = struct.Struct("<IIQQQQ")


@cache
def content(name: str) -> bytes:
    return build(MATRIX[name].build).read_bytes()


def read(file: bytes) -> BinaryFacts:
    return read_binary(Bytes(file), "main")


def without_sections(file: bytes) -> bytes:
    """As sstrip leaves a file: no section header is told of."""
    return file[:SECTIONS_AT] + bytes(8) + file[SECTIONS_AT + 8 : 60] + bytes(4) + file[64:]


def go(*strings: bytes, modules: str = "", **differently: object) -> BinaryFacts:
    """A Go program made by hand, with these strings in its data."""
    info = inline("go1.20.14", framed(modules) if modules else b"")
    made = Made(content=info + b"".join(strings))
    return read(replace(made, **differently).file)  # type: ignore[arg-type]  # one of many


@pytest.mark.parametrize("name", ["newest", "1.17.0", "pie", "go 1.16", "go 1.16, pie", "cgo"])
def test_a_file_without_section_headers_tells_as_much(name: str) -> None:
    assert read(without_sections(content(name))) == read(content(name))


def test_a_file_without_section_headers_is_still_told_to_be_no_go_program() -> None:
    found = read(without_sections(build(CBuild(command="greeting")).read_bytes()))
    assert (found.is_go, found.build, found.runtime_api) == (False, None, None)


def test_names_are_not_expected_in_a_program_that_was_garbled() -> None:
    """A stand-in for garble: the names are there, in letters that mean nothing."""
    file = content("newest").replace(b"runtime.", b"rxntime.").replace(CLIENT, CLIENT.swapcase())
    found = read(file)
    assert found.is_go
    assert found.runtime_api is None
    assert read(content("newest")).runtime_api is True


def test_a_go_program_whose_build_info_was_wiped_is_still_a_go_program() -> None:
    file = content("newest").replace(b"\xff Go buildinf:", b"\xff no buildinf:")
    found = read(file)
    assert (found.build, found.is_go, found.runtime_api) == (None, True, True)
    assert found.lambda_library is None


def test_without_headers_and_build_info_the_names_alone_tell_of_go() -> None:
    found = read(Made(content=GO).file)
    assert (found.is_go, found.build, found.runtime_api) == (True, None, False)
    assert not read(Made(content=GO, sections=[(".data", 3, 0, len(GO))]).file).is_go


def test_what_is_only_in_code_or_debugging_information_is_not_read() -> None:
    code = b"_HANDLER\0" + GO + CLIENT
    found = go(sections=[(".text", 6, 0, len(code)), (".debug_str", 0, 0, 4)], content=code)
    assert (found.reads_handler, found.runtime_api, found.problem) == (False, None, "")
    found = go(sections=[(".rodata", 2, 0, len(code))], content=code)
    assert found.reads_handler


def test_strings_across_the_edges_of_what_is_read_at_once_are_found() -> None:
    for edge in (256 << 10, 512 << 10):
        for before in range(1, len(CLIENT)):
            start = edge - PAGE - before
            padded = bytes(start) + CLIENT + bytes(100)
            assert read(Made(content=GO + padded[len(GO) :]).file).runtime_api is True


def test_only_one_of_client_and_server_need_be_there() -> None:
    assert [
        (found.runtime_api, found.norpc)
        for found in (go(GO), go(GO, CLIENT), go(GO, SERVER), go(GO, CLIENT, SERVER), go(CLIENT))
    ] == [(False, None), (True, True), (False, False), (True, False), (None, True)]


@pytest.mark.parametrize(
    ("modules", "version"),
    [
        (f"dep\t{LAMBDA_LIBRARY}\tv1.17.0\th1:=\n", "v1.17.0"),
        (f"dep\t{LAMBDA_LIBRARY}\tv1.18.0-pre\th1:=\n", "v1.18.0-pre"),
        (f"dep\t{LAMBDA_LIBRARY}\tv1.41.0\n=>\t{LAMBDA_LIBRARY}\tv1.13.3\th1:=\n", "v1.13.3"),
        (f"dep\t{LAMBDA_LIBRARY}\tv1.13.3\n=>\texample.org/fork\tv9.0.0\th1:=\n", None),
        (f"dep\t{LAMBDA_LIBRARY}\tv1.41.0\n=>\t./fork\t(devel)\t\n", None),
        (f"mod\t{LAMBDA_LIBRARY}\t(devel)\t\n", None),
        (f"mod\t{LAMBDA_LIBRARY}\tv1.42.0\th1:=\n", "v1.42.0"),
        (f"dep\t{LAMBDA_LIBRARY}/v2\tv2.0.0\th1:=\n", None),
        ("dep\texample.org/x\tv1.0.0\th1:=\n", None),
        ("", None),
    ],
)
def test_a_version_is_the_librarys_own_or_none(modules: str, version: str | None) -> None:
    assert go(modules=f"path\tx\n{modules}").lambda_library == version


@pytest.mark.parametrize(
    ("kind", "segments", "expected"),
    [
        (2, [], BinaryKind.EXECUTABLE),
        (3, [], BinaryKind.LIBRARY),
        (3, [Segment(kind=3, flags=4, offset=PAGE, size=4)], BinaryKind.EXECUTABLE),
        (1, [], BinaryKind.OTHER),
        (4, [], BinaryKind.OTHER),
    ],
    ids=["static", "shared", "shared with interpreter", "object", "core"],
)
def test_the_kind_is_told_by_type_and_interpreter(
    kind: int, segments: list[Segment], expected: BinaryKind
) -> None:
    made = Made(content=b"/ld\0", kind=kind, segments=segments)
    assert read(made.file).kind is expected


def test_the_c_library_is_a_library_although_it_has_an_interpreter() -> None:
    (library,) = {
        Path(line.split()[-1])
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith("libc.so.6")
    }
    found = read(library.read_bytes())
    assert found.interpreter is not None
    assert (found.kind, found.soname) == (BinaryKind.LIBRARY, "libc.so.6")


def test_upx_is_told_by_its_mark_behind_the_headers_and_nowhere_else() -> None:
    file = Made(content=b"UPX! in a program that knows of it").file
    assert not read(file).upx
    assert read(file[:200] + b"UPX!" + file[204:]).upx


def test_other_machines_are_named_by_their_number() -> None:
    machines = {62: "x86_64", 183: "arm64", 40: "machine 40"}
    for number, name in machines.items():
        assert read(Made(content=b"", machine=number).file).machine == name


@pytest.mark.parametrize("size", [4, 15, 63])
def test_a_file_that_ends_in_its_header_is_a_problem(size: int) -> None:
    found = read(content("newest")[:size])
    assert found.kind is BinaryKind.OTHER
    assert found.problem.startswith("header: ")


def test_a_file_that_ends_too_early_tells_what_could_not_be_read() -> None:
    file = content("newest")
    found = read(file[: len(file) * 8 // 10])
    assert (found.kind, found.machine) == (BinaryKind.EXECUTABLE, "x86_64")
    assert "lie beyond the end of the file" in found.problem


def bits_flipped(file: bytes, flips: list[tuple[int, int]]) -> bytes:
    changed = bytearray(file)
    for at, bit in flips:
        changed[at % len(changed)] ^= 1 << bit
    return bytes(changed)


def cut(file: bytes, at: list[tuple[int, int]]) -> bytes:
    return file[: at[0][0] % len(file)]


def spliced(file: bytes, places: list[tuple[int, int]]) -> bytes:
    """Copy eight bytes from one place to another, again and again."""
    changed = bytearray(file)
    for (there, _), (here, _) in pairwise(places):
        start, target = there % (len(file) - 8), here % (len(file) - 8)
        changed[target : target + 8] = changed[start : start + 8]
    return bytes(changed)


HEADERS = st.tuples(st.integers(0, 4_096), st.integers(0, 7))
ANYWHERE = st.tuples(st.integers(0, 1 << 20), st.integers(0, 7))


@pytest.mark.parametrize("change", [bits_flipped, cut, spliced])
@settings(max_examples=150, deadline=None)
@given(places=st.lists(HEADERS | ANYWHERE, min_size=2, max_size=30))
def test_any_change_of_a_real_file_gives_facts_or_a_problem(
    change: Callable[[bytes, list[tuple[int, int]]], bytes], places: list[tuple[int, int]]
) -> None:
    original = build(CBuild(command="greeting")).read_bytes()
    found = read(change(original, places))
    assert found.kind in BinaryKind
    if found.bits == 0:
        assert found.problem


@settings(max_examples=100, deadline=None)
@given(places=st.lists(HEADERS, min_size=1, max_size=6))
def test_any_change_of_a_go_programs_headers_gives_facts_or_a_problem(
    places: list[tuple[int, int]],
) -> None:
    original = content("no handler")
    found = read(bits_flipped(original, places))
    assert found.entry == "main"


@given(st.binary(max_size=2_000))
def test_any_bytes_give_facts_or_a_problem(behind: bytes) -> None:
    assert read(behind).problem or behind.startswith(elf.MAGIC)
    read(elf.MAGIC + behind)
    go(behind)


def test_every_marker_is_looked_for_in_a_real_program_that_has_it() -> None:
    """So that a release of Go or of the library that names things otherwise is noticed."""
    found = read(build(orders()).read_bytes())
    assert (found.runtime_api, found.norpc) == (True, False)
