from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.errors import FileProblem, FleetError
from fleet.package.problems import BadPackage, CannotRepackage
from fleet.package.rewriting.replacing import replace_programs
from tests.package.hostile import ODD, PLAIN, REFUSED_AT_OPENING, REFUSED_IN_READING
from tests.package.zips import Part, build

LINK = stat.S_IFLNK | 0o777
BOOTSTRAP = Part(b"bootstrap", b"x")

ENTRIES = {
    "no such entry": ([PLAIN], "handler", "names no file"),
    "another spelling of one": ([PLAIN], "./main", "is called 'main' in it"),
    "a spelling that is not its own": ([replace(PLAIN, name=b"./main")], "main", "is called"),
    "nothing": ([PLAIN], "", "names a directory"),
    "a directory": ([Part(b"bin/"), Part(b"bin/main")], "bin/", "names a directory"),
    "a symbolic link": ([PLAIN, Part(b"link", b"main", mode=LINK)], "link", "symbolic link"),
    "outside": ([PLAIN], "../task/main", "leads outside"),
    "two of a name": ([PLAIN, PLAIN], "main", "more than one"),
    "two of a place": ([PLAIN, replace(PLAIN, name=b"./main")], "main", "more than one"),
    "below a link": (
        [Part(b"bin", b"lib", mode=LINK), Part(b"bin/main", b"x")],
        "bin/main",
        "leads through",
    ),
    "below a file": ([Part(b"bin", b"x"), Part(b"bin/main", b"x")], "bin/main", "leads through"),
}
BOOTSTRAPS = {
    "a link": ([PLAIN, Part(b"bootstrap", b"main", mode=LINK)], "link called bootstrap"),
    "a directory": ([PLAIN, Part(b"bootstrap/")], "directory called"),
    "a file's directory": ([PLAIN, Part(b"bootstrap/data", b"x")], "directory called"),
    "twice": ([PLAIN, BOOTSTRAP, replace(BOOTSTRAP, content=b"y")], "more than one bootstrap"),
    "as Windows tools write it": ([PLAIN, Part(b".\\bootstrap", b"x")], "backslash"),
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(b"rebuilt")
    return path


def refused(
    content: bytes, programs: Mapping[str, Path], tmp_path: Path, bootstrap: Path | None = None
) -> FleetError:
    source, target = tmp_path / "in.zip", tmp_path / "out.zip"
    source.write_bytes(content)
    target.write_bytes(b"before")
    there = sorted(tmp_path.iterdir())
    with pytest.raises(FleetError) as caught:
        replace_programs(source, target, programs, bootstrap=bootstrap)
    assert target.read_bytes() == b"before"
    assert sorted(tmp_path.iterdir()) == there
    return caught.value


@pytest.mark.parametrize("case", ENTRIES)
def test_an_entry_that_leaves_a_doubt_is_refused(case: str, program: Path, tmp_path: Path) -> None:
    parts, name, said = ENTRIES[case]
    error = refused(build(parts), {name: program}, tmp_path)
    assert isinstance(error, CannotRepackage)
    assert said in error.problem


@pytest.mark.parametrize("case", BOOTSTRAPS)
def test_a_place_of_bootstrap_that_leaves_a_doubt_is_refused(
    case: str, program: Path, tmp_path: Path
) -> None:
    parts, said = BOOTSTRAPS[case]
    error = refused(build(parts), {}, tmp_path, program)
    assert isinstance(error, CannotRepackage)
    assert said in error.problem


@pytest.mark.parametrize("name", ["bootstrap", "./bootstrap"])
def test_two_programs_for_one_bootstrap_are_refused(
    name: str, program: Path, tmp_path: Path
) -> None:
    content = build([replace(BOOTSTRAP, name=name.encode())])
    error = refused(content, {name: program}, tmp_path, program)
    assert "two programs" in str(error)


@pytest.mark.parametrize(
    "case", ["an absolute name", "a name that leads outside", "bytes before the archive"]
)
def test_what_can_be_read_but_not_trusted_is_refused(
    case: str, program: Path, tmp_path: Path
) -> None:
    assert isinstance(refused(ODD[case], {"main": program}, tmp_path), CannotRepackage)


@pytest.mark.parametrize("case", REFUSED_AT_OPENING)
def test_what_cannot_be_opened_is_refused(case: str, program: Path, tmp_path: Path) -> None:
    content, said = REFUSED_AT_OPENING[case]
    error = refused(content, {"main": program}, tmp_path)
    assert isinstance(error, BadPackage)
    assert said in error.problem


@pytest.mark.parametrize(
    "case",
    [
        case
        for case, (_, said) in REFUSED_IN_READING.items()
        if said in {"is not where", "another name", "compressed otherwise", "another size or CRC"}
        and case != "another encoding of the name"
    ],
)
def test_local_headers_that_disagree_are_refused_even_where_they_are_replaced(
    case: str, program: Path, tmp_path: Path
) -> None:
    content = REFUSED_IN_READING[case][0]
    assert isinstance(refused(content, {"main": program}, tmp_path), BadPackage)


def test_what_disagrees_elsewhere_is_refused(program: Path, tmp_path: Path) -> None:
    lying = Part(b"other", b"x" * 50, flags=8, descriptor=b"PK\7\b" + bytes(12))
    error = refused(build([PLAIN, lying]), {"main": program}, tmp_path)
    assert isinstance(error, BadPackage)
    assert "data descriptor" in str(error)


def test_what_finds_no_room_is_refused(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("fleet.package.rewriting.choice.MAX_ENTRIES", 2)
        error = refused(build([PLAIN, Part(b"data")]), {"main": program}, tmp_path, program)
        assert "no room for one more entry" in str(error)
    fits = 262_144_000 - len(PLAIN.content) - program.stat().st_size
    for over in (0, 1):
        large = build([PLAIN, Part(b"data", central={"size": fits + over})])
        error = refused(large, {}, tmp_path, program)
        assert ("would unzip to more than Lambda's" in str(error)) is bool(over)


def test_only_the_growth_of_a_replaced_program_counts(program: Path, tmp_path: Path) -> None:
    data = Part(b"data", central={"size": 262_144_000 - len(PLAIN.content)})
    for over in (0, 1):
        program.write_bytes(bytes(len(PLAIN.content) + over))
        error = refused(build([PLAIN, data]), {"main": program}, tmp_path)
        assert ("would unzip to more than Lambda's" in str(error)) is bool(over)


def test_a_program_that_cannot_be_read_is_named(program: Path, tmp_path: Path) -> None:
    pipe, missing = tmp_path / "pipe", tmp_path / "missing"
    os.mkfifo(pipe)
    for each, said in ((pipe, "is not a file"), (missing, "cannot"), (tmp_path, "is not a file")):
        for given in ({"main": each}, {}):
            error = refused(build([PLAIN]), given, tmp_path, program if given else each)
            assert isinstance(error, FileProblem)
            assert error.path == str(each)
            assert said in error.problem
            assert "program" in error.advice


def test_neither_the_package_nor_a_program_is_overwritten(program: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.zip"
    source.write_bytes(build([PLAIN]))
    link = tmp_path / "link"
    link.symlink_to(program)
    for target, what in ((source, "the package"), (program, "a program"), (link, "a program")):
        with pytest.raises(FileProblem, match=f"is {what}"):
            replace_programs(source, target, {}, bootstrap=program)
    assert source.read_bytes() == build([PLAIN])
    assert program.read_bytes() == b"rebuilt"
