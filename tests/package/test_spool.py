from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import FileProblem
from fleet.package.binary.elf import Malformed
from fleet.package.binary.facts import read_binary
from fleet.package.binary.spool import HEAD, Held, Spool, spooling
from moto_fixtures.build import build
from tests.package.builds import MATRIX
from tests.package.elf_files import PAGE, Bytes, Made

NAMES = ["as go does", "stamped", "pie", "go 1.16", "go 1.16, pie", "cgo", "arm64", "packed"]


@cache
def content(name: str) -> bytes:
    return build(MATRIX[name].build).read_bytes()


def in_chunks(file: bytes, size: int) -> Iterator[bytes]:
    return (file[at : at + size] for at in range(0, len(file), size))


def hold(spool: Spool, file: bytes, size: int = 300_000) -> Held:
    return spool.hold(file[:HEAD], in_chunks(file[HEAD:], size))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_held_tells_the_same_facts_as_the_whole_file(name: str) -> None:
    with spooling() as spool:
        held = hold(spool, content(name))
        assert read_binary(held, "main") == read_binary(Bytes(content(name)), "main")


def test_most_of_a_go_program_is_never_written() -> None:
    for name in ("as go does", "newest", "arm64"):
        with spooling() as spool:
            held = hold(spool, content(name))
            assert sum(end - begin for begin, end in held.left_out) > held.size // 2


def test_a_program_whose_sections_are_told_at_its_end_is_held_whole() -> None:
    with spooling() as spool:
        held = hold(spool, content("cgo"))
        assert held.left_out == ()
        assert held.read_at(0, held.size) == content("cgo")


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1_000, 2_000_000))
def test_how_content_is_cut_into_chunks_makes_no_difference(size: int) -> None:
    file = content("no handler")
    with spooling() as spool:
        held = hold(spool, file, size)
        assert held == hold(spool, file)
        for begin, end in _kept(held):
            assert held.read_at(begin, end - begin) == file[begin:end]


def _kept(held: Held) -> Iterator[tuple[int, int]]:
    at = 0
    for begin, end in [*held.left_out, (held.size, held.size)]:
        yield at, begin
        at = end


def test_what_was_left_out_is_never_read_as_zeros_or_as_another_entrys_bytes() -> None:
    with spooling() as spool:
        hold(spool, b"\x7fELF" + b"x" * 8_000_000)
        held = hold(spool, content("newest"))
        begin, end = held.left_out[0]
        for offset, length in ((begin, 1), (end - 1, 1), (begin - 1, 2), (end - 1, 2), (0, end)):
            with pytest.raises(Malformed):
                held.read_at(offset, length)
        held.read_at(begin - 1, 1)
        held.read_at(end, 1)


def test_headers_that_call_data_code_are_a_problem_and_no_silence() -> None:
    """Its build info is said to lie in what was left out as code (made by hand)."""
    size = 128 << 10
    sections = [(".text", 6, 0, size), (".go.buildinfo", 3, 64, 32)]
    file = Made(content=bytes(size), sections=sections).file
    # The table stands at the end, so the beginning has to be told of it to leave anything out.
    with spooling() as spool:
        held = spool.hold(file, iter(()))
        assert held.left_out == ((PAGE, PAGE + size),)
        assert "Go build info: bytes from" in read_binary(held, "main").problem


def test_one_entry_after_another_is_held_and_the_longer_one_is_gone() -> None:
    with spooling() as spool:
        hold(spool, b"\x7fELF" + b"x" * 100_000)
        held = hold(spool, b"\x7fELF short")
        assert (held.size, held.read_at(0, 99)) == (10, b"\x7fELF short")
        assert held.read_at(10, 99) == held.read_at(2**70, 99) == b""


def test_nothing_is_left_in_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with spooling() as spool:
        hold(spool, content("newest"))
        assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with spooling() as spool, monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(FileProblem, match=r"No space left on device.*TMPDIR"):
            hold(spool, content("newest"))


def test_a_temporary_directory_that_is_not_there_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileProblem, match="No such file or directory"), spooling():
        pass
