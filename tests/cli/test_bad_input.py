from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

import pytest

from fleet.cli.stopping import stopped_politely
from fleet.scan import Inbox
from fleet.store import Store
from tests.cli.command import fleet, start
from tests.store.examples import SCAN, header, lane

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
        (["scan", "--prices", "none.toml"], 1, "No such file"),
        (["report", "--prices", "none.toml"], 1, "No such file"),
        (["scan", "--resume", "--cold-starts"], 2, "leave the selection out"),
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


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A directory with one saved scan."""
    with Store.open(str(tmp_path / "fleet.db")) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("orders"))
    return tmp_path


@pytest.mark.parametrize("form", ["html", "json", "csv"])
@pytest.mark.parametrize(("column", "value"), [("tags", "[do-not-repeat"), ("code_size", "large")])
def test_a_value_in_the_state_that_no_fleet_wrote_is_said_with_a_way_out(
    saved: Path, form: str, column: str, value: str
) -> None:
    with closing(sqlite3.connect(saved / "fleet.db")) as connection, connection:
        connection.execute(f"UPDATE fleet_function SET {column} = ?", [value])  # noqa: S608  # a name above
    asked = [] if form == "html" else ["--no-report", "--format", form]
    ended = fleet("report", *asked, within=saved)
    assert (ended.status, ended.out) == (1, "")
    assert "fleet.db: holds a value this fleet does not know; " in ended.err
    assert "--state" in ended.err
    assert ended.err.count("\n") == 1
    assert "do-not-repeat" not in ended.err


def test_ctrl_c_stops_the_scan_before_it_says_so_and_whatever_becomes_of_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox: Inbox = SimpleQueue()
    told: list[bool] = []

    class Busy(io.StringIO):
        def write(self, _: str) -> int:
            told.append(not inbox.empty())
            raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    with stopped_politely(inbox, "stopping"):
        monkeypatch.setattr(sys, "stderr", Busy())
        signal.raise_signal(signal.SIGINT)
    assert set(told) == {True}
    assert inbox.get_nowait() is None


def with_streams(redirection: str, *arguments: str, within: Path) -> tuple[int, str]:
    """Run `fleet` from a shell with this redirection; its status and what is on stderr."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_")}
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "fleet", *arguments],
        cwd=within,
        env=own,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", [("scan",), ("report", "--format", "csv"), ("scans",)])
def test_a_closed_standard_output_is_said_before_anything_is_done(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    status, said = with_streams(">&-", *command, within=tmp_path)
    assert status == 1
    assert said == (
        "fleet: standard output: is closed, so nothing was done; "
        "send it to a file, a pipe or /dev/null\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("report", "--no-report", "--format", "json"), ("scans",)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_finds_no_room_is_an_error_and_no_traceback(
    saved: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    status, said = with_streams(">/dev/full", *command, within=saved)
    assert status == 1
    assert said == (
        "fleet: standard output: no space left on device; send it to a file, a pipe or /dev/null\n"
    )


def test_a_closed_standard_error_stops_nothing(saved: Path) -> None:
    assert with_streams("2>&-", "scans", within=saved) == (0, "")
    assert with_streams("2>&-", "scan", within=saved) == (1, "")
    assert with_streams("2>&-", "scan", "--account", "", within=saved) == (2, "")
