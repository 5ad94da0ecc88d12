from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import fleet, start

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["scan"], 1, "AWS credentials: none were found"),
        (["scan", "--profile", "none"], 2, "no such AWS profile"),
        (["scan", "--account", ""], 2, "an empty value selects nothing"),
        (["scan", "--org", "--account", ","], 2, "an empty value selects nothing"),
        (["scan", "--account", "12345678901"], 2, "would be 012345678901"),
        (["scan", "--account", "sandbox"], 2, "an account id has 12 digits"),
        (["scan", "--exclude-account", "1"], 2, "would be 000000000001"),
        (["scan", "--region", ""], 2, "--region"),
        (["scan", "--ou", "Workloads"], 2, "need --org"),
        (["scan", "--runtime", "go9.x"], 2, "its end is not known"),
        (["scan", "--as-of", "3 March"], 2, "YYYY-MM-DD"),
        (["scan", "--calls-per-second", "16"], 2, "or equal to 15"),
        (["scan", "--resume", "--org"], 2, "leave the selection out"),
        (["scan", "--scan", "2026"], 2, "--resume"),
        (["scan", "--output", "/proc/nowhere"], 1, "name a directory"),
        (["scan", "--config", "none.yaml"], 1, "No such file"),
        (["scan", "--lifecycle", "none.toml"], 1, "No such file"),
        (["report"], 1, "run fleet scan"),
        (["report", "20260101T000000Z-aaaa"], 1, "run fleet scan"),
        (["diff", "20260101T000000Z-aaaa"], 1, "run fleet scan"),
        (["report", "--state", "postgresql://127.0.0.1:1/none"], 1, "127.0.0.1"),
        (["report", "--state", "mysql://x/y"], 1, "mysql"),
    ],
)
def test_one_sentence_names_what_to_do(
    tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    ended = fleet(*arguments, within=tmp_path)
    assert ended.status == status, ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_resuming_where_no_scan_is_saved_says_so_before_asking_aws(tmp_path: Path) -> None:
    ended = fleet("scan", "--resume", within=tmp_path, environ=KEYS)
    assert ended.status == 1
    assert "run fleet scan" in ended.err


def test_a_state_file_that_is_no_database_is_left_as_it_was(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database, but dear to somebody\n" * 100, encoding="utf-8")
    before = notes.read_bytes()
    ended = fleet("scans", "--state", str(notes), within=tmp_path)
    assert ended.status == 1
    assert "notes.txt" in ended.err
    assert notes.read_bytes() == before


def test_a_corrupt_settings_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("state: fleet.db\nroles: x\n", encoding="utf-8")
    ended = fleet("scans", within=tmp_path)
    assert ended.status == 2
    assert "fleet.yaml, line 2, roles" in ended.err


def test_a_corrupt_lifecycle_file_costs_no_scan(tmp_path: Path) -> None:
    (tmp_path / "dates.toml").write_text("[runtimes\n", encoding="utf-8")
    ended = fleet("scan", "--lifecycle", "dates.toml", within=tmp_path, environ=KEYS)
    assert ended.status == 1
    assert "dates.toml" in ended.err
    assert not (tmp_path / "fleet.db").exists()


def test_debug_shows_where_and_never_credentials(tmp_path: Path) -> None:
    environ = {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    ended = fleet("--debug", "scan", within=tmp_path, environ=environ)
    assert ended.status == 1
    assert "Traceback" in ended.err
    assert KEYS["AWS_SECRET_ACCESS_KEY"] + '"' not in ended.err
    assert "AKIAEXAMPLE" not in ended.err


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    process = start("scan", "--help", within=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.wait(30)
    process.stderr.close()
    assert "Traceback" not in said
