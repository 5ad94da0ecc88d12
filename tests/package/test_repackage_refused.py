from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.errors import FleetError
from fleet.inspection import Strategy
from fleet.package.problems import BadPackage, CannotRepackage
from fleet.package.rewriting.repackage import repackage
from tests.package.hostile import ODD, PLAIN, REFUSED_AT_OPENING, REFUSED_IN_READING
from tests.package.zips import Part, build

FILE, LINK = stat.S_IFREG | 0o755, stat.S_IFLNK | 0o777

CASES = {
    "no such file": ([PLAIN], "handler", "names no file"),
    "another case": ([PLAIN], "Main", "names no file"),
    "nothing": ([PLAIN], "", "names a directory"),
    "the root": ([PLAIN], "./", "names a directory"),
    "a directory": ([Part(b"bin/"), Part(b"bin/main")], "bin", "names a directory"),
    "a directory without an entry": ([Part(b"bin/main")], "bin", "names a directory"),
    "a file with a slash behind": ([PLAIN], "main/", "names no file"),
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
    "bootstrap, a file": ([PLAIN, Part(b"bootstrap", b"x")], "main", "file called bootstrap"),
    "bootstrap, in a way": ([PLAIN, Part(b"./bootstrap", b"x")], "main", "file called bootstrap"),
    "bootstrap, a link": (
        [PLAIN, Part(b"bootstrap", b"main", mode=LINK)],
        "main",
        "link called bootstrap",
    ),
    "bootstrap, a directory": ([PLAIN, Part(b"bootstrap/")], "main", "directory called"),
    "bootstrap, a file's directory": (
        [PLAIN, Part(b"bootstrap/data", b"x")],
        "main",
        "directory called",
    ),
    "bootstrap, a handler's directory": (
        [Part(b"bootstrap/main", b"x")],
        "bootstrap/main",
        "directory called",
    ),
    "bootstrap, twice": (
        [PLAIN, Part(b"bootstrap", b"x"), Part(b"bootstrap", b"y")],
        "main",
        "more than one bootstrap",
    ),
    "bootstrap, as Windows tools write it": (
        [PLAIN, Part(b".\\bootstrap", b"x")],
        "main",
        "backslash",
    ),
}


def refused(content: bytes, handler: str, strategy: Strategy, tmp_path: Path) -> FleetError:
    source, target = tmp_path / "in.zip", tmp_path / "out.zip"
    source.write_bytes(content)
    target.write_bytes(b"before")
    with pytest.raises(FleetError) as caught:
        repackage(source, target, handler=handler, strategy=strategy)
    assert str(caught.value).startswith(f"{source}: ")
    assert target.read_bytes() == b"before"
    assert sorted(tmp_path.iterdir()) == [source, target]
    return caught.value


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("case", CASES)
def test_a_handler_or_bootstrap_that_leaves_a_doubt_is_refused(
    case: str, strategy: Strategy, tmp_path: Path
) -> None:
    parts, handler, said = CASES[case]
    error = refused(build(parts), handler, strategy, tmp_path)
    assert isinstance(error, CannotRepackage)
    assert said in error.problem


def test_a_shim_would_start_itself_where_the_handler_is_bootstrap(tmp_path: Path) -> None:
    content = build([Part(b"bootstrap", b"x")])
    error = refused(content, "bootstrap", Strategy.SHIM, tmp_path)
    assert "file called bootstrap" in str(error)


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize(
    "case", ["an absolute name", "a name that leads outside", "bytes before the archive"]
)
def test_what_can_be_read_but_not_trusted_is_refused(
    case: str, strategy: Strategy, tmp_path: Path
) -> None:
    assert isinstance(refused(ODD[case], "main", strategy, tmp_path), CannotRepackage)


@pytest.mark.parametrize("case", REFUSED_AT_OPENING)
def test_what_cannot_be_opened_cannot_be_repackaged(case: str, tmp_path: Path) -> None:
    content, said = REFUSED_AT_OPENING[case]
    error = refused(content, "main", Strategy.SHIM, tmp_path)
    assert isinstance(error, BadPackage)
    assert said in error.problem


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize(
    "case",
    [
        case
        for case, (_, said) in REFUSED_IN_READING.items()
        if said in {"is not where", "another name", "compressed otherwise", "another size or CRC"}
        and case != "another encoding of the name"
    ],
)
def test_local_headers_that_disagree_are_refused(
    case: str, strategy: Strategy, tmp_path: Path
) -> None:
    assert isinstance(refused(REFUSED_IN_READING[case][0], "main", strategy, tmp_path), BadPackage)


@pytest.mark.parametrize("strategy", Strategy)
def test_other_entries_that_disagree_are_refused(strategy: Strategy, tmp_path: Path) -> None:
    lying = Part(b"other", b"x", local_name=b"ether")
    error = refused(build([PLAIN, lying]), "main", strategy, tmp_path)
    assert "'other' has another name" in str(error)


@pytest.mark.parametrize("strategy", Strategy)
def test_data_descriptors_that_disagree_are_refused(strategy: Strategy, tmp_path: Path) -> None:
    lying = Part(b"other", b"x" * 50, flags=8, descriptor=b"PK\7\b" + bytes(12))
    error = refused(build([PLAIN, lying]), "main", strategy, tmp_path)
    assert isinstance(error, BadPackage)
    assert "data descriptor" in str(error)


def test_a_shim_that_finds_no_room_is_refused(tmp_path: Path) -> None:
    full = build([PLAIN, *(Part(b"%d" % n, method=0) for n in range(65_534))])
    assert "no room" in str(refused(full, "main", Strategy.SHIM, tmp_path))
    limit = 262_144_000 - len(b'#!/bin/sh\nexec "$LAMBDA_TASK_ROOT/$_HANDLER"\n') + 1
    large = build([PLAIN, Part(b"data", central={"size": limit - len(PLAIN.content)})])
    assert "more than Lambda's" in str(refused(large, "main", Strategy.SHIM, tmp_path))
