"""What a program tells of its own build, read from real ones."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.package.archive.source import PIECE
from fleet.package.binary.recorded import read_recorded
from fleet.recorded import Recorded
from fleet.toolchain.rebuild.linking import guesses
from moto_fixtures.build import build
from moto_fixtures.definition import CBuild
from moto_fixtures.tools import go_root
from tests.package.builds import AS_GO_DOES, MATRIX, orders

VALUE = "2023-11-07"


def case(name: str) -> Recorded:
    return read_recorded(build(MATRIX[name].build))


def linked(directory: Path, flags: str) -> Recorded:
    """Give a small program that Go linked with these flags and -trimpath."""
    (directory / "go.mod").write_text("module fleet.example/small\n\ngo 1.20\n")
    (directory / "main.go").write_text("package main\n\nfunc main() {}\n")
    target = directory / "small"
    outside = {name: each for name, each in os.environ.items() if not name.startswith("GO")}
    settings = {"CGO_ENABLED": "0", "GOENV": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    subprocess.run(
        [go_root() / "bin" / "go", "build", "-trimpath", f"-ldflags={flags}", "-o", target],
        cwd=directory,
        env={**outside, **settings, "GOROOT": str(go_root())},
        check=True,
    )
    return read_recorded(target)


def test_a_program_built_as_go_does_tells_its_tables_and_where_go_lay() -> None:
    found = case("as go does")
    assert (found.symbols, found.dwarf, found.build_id, found.paths) == (True, True, True, True)
    assert (found.cgo, found.position_independent) == (False, False)
    assert found.architecture == "x86_64"
    assert found.build is not None
    assert found.build.settings["CGO_ENABLED"] == "0"


def test_a_stripped_program_with_trimpath_tells_neither() -> None:
    found = case("newest")
    assert (found.symbols, found.dwarf, found.build_id, found.paths) == (False, False, True, False)


def test_where_go_lay_is_found_wherever_it_is_written(tmp_path: Path) -> None:
    file = build(MATRIX["newest"].build).read_bytes()
    across = file.ljust((len(file) // PIECE + 1) * PIECE - 5, b"\0") + b"/go/src/runtime/proc.go"
    program = tmp_path / "main"
    program.write_bytes(across)
    assert read_recorded(program).paths


def test_the_checksum_is_that_of_the_file() -> None:
    path = build(MATRIX["newest"].build)
    assert read_recorded(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_linker_flags_are_read_with_their_values_and_never_shown() -> None:
    found = read_recorded(build(orders("1.41.0", linked={"main.build": VALUE}, **AS_GO_DOES)))
    assert found.linker_flags == f"-X main.build={VALUE}"
    assert VALUE not in repr(found)
    assert case("as go does").linker_flags is None


@pytest.mark.parametrize(
    ("name", "cgo"),
    [("cgo", True), ("library of its own", True), ("go 1.16", True), ("pie", False)],
)
def test_c_is_told_by_libraries_and_by_what_its_linker_leaves(name: str, cgo: bool) -> None:
    assert case(name).cgo is cgo


def test_c_that_was_linked_statically_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    target = tmp_path / "main"
    subprocess.run(["gcc", "-static", "-o", target, tmp_path / "main.c"], check=True)
    assert read_recorded(target).cgo


def test_a_program_without_section_headers_may_hold_c(tmp_path: Path) -> None:
    file = bytearray(build(MATRIX["newest"].build).read_bytes())
    file[40:48] = bytes(8)
    file[60:64] = bytes(4)
    stripped = tmp_path / "main"
    stripped.write_bytes(file)
    assert read_recorded(stripped).cgo


def test_position_independence_is_told_by_the_file() -> None:
    assert case("pie").position_independent
    assert case("go 1.16, pie").position_independent


def test_go_before_1_18_tells_no_settings() -> None:
    found = case("go 1.16")
    assert found.build is not None
    assert (dict(found.build.settings), found.linker_flags) == ({}, None)
    assert found.build.go_version == "go1.16.15"


def test_what_go_did_not_make_tells_no_build() -> None:
    assert read_recorded(build(CBuild(command="greeting"))).build is None


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF\x02\x01"])
def test_what_is_no_program_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "main"
    path.write_bytes(content)
    with pytest.raises(FileProblem, match="does not tell how it was built"):
        read_recorded(path)
    with pytest.raises(FileProblem, match="cannot be read"):
        read_recorded(tmp_path / "missing")


@pytest.mark.parametrize("flags", ["", "-w", "-s -w", "-s", "-w -s", "-s -w -buildid="])
def test_the_flags_a_program_was_linked_with_are_among_the_guesses(
    tmp_path: Path, flags: str
) -> None:
    found = linked(tmp_path, flags)
    assert flags in [each.text if each else "" for each in guesses(found)]
    assert found.linker_flags is None
