"""Programs of ours behind the walls, by commands of a shell."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from fleet.toolchain.rebuild.building import LIMITS
from fleet.toolchain.rebuild.compiling import End, Ran, run_behind_walls
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.sandbox.room import room
from fleet.toolchain.sandbox.walls import Given
from tests.toolchain.rebuild.going import NEVER
from tests.toolchain.trying import eventually, long_time, processes_with

SHORT = dataclasses.replace(LIMITS, seconds=60)


def shell(
    commands: str, *given: Given, limits: Limits = SHORT, stop: threading.Event = NEVER
) -> Ran:
    with room() as place:
        place.chmod(0o755)
        return run_behind_walls(
            ["sh", "-c", commands],
            {"PATH": "/usr/bin:/bin"},
            given,
            etc=place / "etc",
            begin_in="/",
            limits=limits,
            stop=stop,
        )


def test_its_words_and_its_status_are_known() -> None:
    assert shell("echo one; echo two >&2; exit 7") == Ran(End.ITSELF, 7, "one\ntwo\n")


def test_what_it_writes_is_bounded_and_harmless() -> None:
    ran = shell(r"printf '\033[31mred\n'; head -c 3000000 /dev/full | tr '\0' x; echo; echo end")
    assert ran.said.startswith("[31mred\n")
    assert ran.said.endswith("end\n")
    assert "bytes left out" in ran.said
    assert len(ran.said) < 100_000


def test_only_what_is_given_to_be_written_is_writable(tmp_path: Path) -> None:
    for name in ("read", "write"):
        (tmp_path / name).mkdir()
    given = (
        Given(tmp_path / "read", "/fleet/read"),
        Given(tmp_path / "write", "/fleet/write", writable=True),
    )
    ran = shell("touch /fleet/write/new; touch /fleet/read/new", *given)
    assert "Read-only file system" in ran.said
    assert [each.name for each in tmp_path.rglob("new")] == ["new"]
    assert (tmp_path / "write" / "new").exists()


def test_all_that_it_started_ends_with_it() -> None:
    sleep = long_time()
    assert shell(f"sleep {sleep} & exit 0").end is End.ITSELF
    assert processes_with(sleep) == []


def test_its_time_ends() -> None:
    sleep = long_time()
    assert shell(f"sleep {sleep}", limits=dataclasses.replace(SHORT, seconds=0.3)).end is End.TIME
    assert processes_with(sleep) == []


def test_the_memory_of_all_its_processes_is_added_up() -> None:
    # tail keeps a line until it ends.
    hold = "(head -c 60000000 /dev/full; sleep 60) | tail -n 1 >/dev/null &"
    limits = dataclasses.replace(SHORT, memory=100 << 20)
    assert shell(f"{hold} {hold} wait", limits=limits).end is End.MEMORY


def test_it_ends_when_somebody_stops_it() -> None:
    sleep, stop = long_time(), threading.Event()
    ends = []
    running = threading.Thread(target=lambda: ends.append(shell(f"sleep {sleep}", stop=stop).end))
    running.start()
    eventually(lambda: bool(processes_with(sleep)))
    stop.set()
    running.join()
    assert ends == [End.STOPPED]
    assert processes_with(sleep) == []


def test_walls_that_cannot_be_built_are_no_fault_of_the_source(tmp_path: Path) -> None:
    with pytest.raises(NoSandbox, match="bwrap: "):
        shell("true", Given(tmp_path / "nowhere", "/fleet/nowhere"))
