from __future__ import annotations

from pathlib import Path

import pytest

from fleet.cli.files import prepare_directory, written_whole
from fleet.errors import FileProblem


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), written_whole(report) as file:
        file.write(f"new {1 / 0}")
    assert report.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [report]


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(FileProblem, match="--output"):
        prepare_directory(tmp_path / "taken")


def test_preparing_a_directory_leaves_it_empty(tmp_path: Path) -> None:
    prepare_directory(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
