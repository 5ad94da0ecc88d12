from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.package.archive.reader import Archive
from fleet.package.problems import BadPackage
from tests.package.hostile import ODD, PLAIN, REFUSED_AT_OPENING, REFUSED_IN_READING


@pytest.mark.parametrize("case", REFUSED_AT_OPENING)
def test_what_contradicts_itself_is_not_opened(case: str, tmp_path: Path) -> None:
    content, said = REFUSED_AT_OPENING[case]
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    with pytest.raises(BadPackage, match=said) as caught:
        Archive.open(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("case", REFUSED_IN_READING)
def test_content_that_is_not_as_promised_is_not_given_as_such(case: str, tmp_path: Path) -> None:
    content, said = REFUSED_IN_READING[case]
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    with Archive.open(path) as archive:
        (entry,) = archive.entries
        given = 0
        with pytest.raises(BadPackage, match=said):  # noqa: PT012  # how much was given counts
            for chunk in archive.chunks(entry):
                given += len(chunk)
    assert given <= entry.size


@pytest.mark.parametrize("case", ODD)
def test_what_is_merely_odd_can_be_read(case: str, tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(ODD[case])
    with Archive.open(path) as archive:
        for entry in archive.entries:
            content = b"".join(archive.chunks(entry))
            assert len(content) == entry.size
            if entry.name == "main":
                assert content == PLAIN.content


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileProblem, match="is not a file"):
        Archive.open(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["missing.zip", "no\0file", "."])
def test_a_file_that_cannot_be_opened_is_one_clear_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"name a zip file"):
        Archive.open(tmp_path / name)
