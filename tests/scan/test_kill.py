"""A real `fleet scan` process that is killed or interrupted in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fleet.model import CoverageStatus, ScanState
from fleet.store import Store
from moto_fixtures.definition import Organization
from moto_fixtures.seed import seed
from moto_fixtures.server import EVERY, Emulator
from tests.scan.conftest import NOW, packages_of
from tests.scan.scanner import Scan, Watcher

ASKED = ("--org", "--region", "us-east-1,eu-west-1")
SECONDS = 120


@pytest.fixture(scope="module")
def ticking(northwind: Organization) -> Iterator[Emulator]:
    """The seeded organization at today's time, as a process of its own has no other clock."""
    with Emulator(northwind.rules()) as emulator:
        seed(emulator, northwind, packages=packages_of(northwind), now=NOW)
        yield emulator


@dataclass
class Fleet:
    """Runs the command line in a directory, against the emulator."""

    emulator: Emulator
    directory: Path
    database: Path = field(init=False)

    def __post_init__(self) -> None:
        self.database = self.directory / "fleet.db"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "fleet", "--debug", "scan", *arguments, "--no-report"],
            cwd=self.directory,
            env={
                **os.environ,
                **self.emulator.environment,
                "FLEET_STATE": f"sqlite:///{self.database}",
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Status, stdout and stderr."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=SECONDS)
            return process.returncode, out, err

    def saved(self) -> Scan:
        """The last scan, read whole."""
        with Store.open(str(self.database)) as store:
            scan = Scan(store, store.scan(None), Watcher())
            assert isinstance(scan.rows, list)
            assert scan.coverage
            return scan


@pytest.fixture(scope="module")
def undisturbed(ticking: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """What the command saves that nothing happens to."""
    fleet = Fleet(ticking, tmp_path_factory.mktemp("undisturbed"))
    status, out, err = fleet.run(*ASKED)
    # The coverage of this organization is never complete.
    assert status == 4, err
    for secret in ("do-not-leak", "ASIA", ticking.environment["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in out + err
    return fleet.saved()


@pytest.fixture
def fleet(ticking: Emulator, tmp_path: Path) -> Iterator[Fleet]:
    # At this rate small lanes end and others wait: a scan stays in the middle as long as it takes.
    ticking.throttle(EVERY, EVERY, per_second=0.1)
    ticking.calls.clear()
    yield Fleet(ticking, tmp_path)
    ticking.throttle(EVERY, EVERY, per_second=None)


def in_the_middle(fleet: Fleet, process: subprocess.Popen[str]) -> None:
    """Wait until some lanes are looked at and others wait for the emulator to let them."""
    wait_for(process, lambda: lists(fleet) > 5)


def lists(fleet: Fleet) -> int:
    return sum(call.operation == "ListFunctions" for call in fleet.emulator.calls)


def wait_for(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    while not reached():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
            raise AssertionError(process.communicate())


def same(scan: Scan, other: Scan) -> None:
    assert scan.rows == other.rows
    assert scan.statuses == other.statuses


def test_a_scan_killed_twice_is_resumed_to_what_an_undisturbed_one_finds(
    fleet: Fleet, undisturbed: Scan
) -> None:
    arguments: tuple[str, ...] = ASKED
    for _ in range(2):
        fleet.emulator.calls.clear()
        with fleet.start(*arguments) as process:
            in_the_middle(fleet, process)
            process.kill()
            process.communicate(timeout=SECONDS)
        assert process.returncode == -signal.SIGKILL
        partial = fleet.saved()
        assert not partial.incomplete.keys() <= undisturbed.incomplete.keys()
        arguments = ("--resume",)
    seen = {lane for lane, each in partial.statuses.items() if each is CoverageStatus.OK}
    assert partial.header.state is ScanState.RUNNING
    assert {(row["account"], row["region"]) for row in partial.rows} <= seen

    fleet.emulator.calls.clear()
    fleet.emulator.throttle(EVERY, EVERY, per_second=None)
    status, _, err = fleet.run(*arguments)
    assert status == 4, err
    finished = fleet.saved()
    assert finished.header.id == partial.header.id
    assert finished.header.state is ScanState.FINISHED
    same(finished, undisturbed)
    again = {
        (call.account, call.region)
        for call in fleet.emulator.calls
        if call.operation == "ListFunctions"
    }
    assert not again & seen


def test_an_interrupted_scan_ends_with_130_keeps_what_it_found_and_says_what_is_missing(
    fleet: Fleet, undisturbed: Scan
) -> None:
    fleet.emulator.calls.clear()
    with fleet.start(*ASKED) as process:
        in_the_middle(fleet, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    partial = fleet.saved()
    assert partial.header.state is ScanState.INTERRUPTED
    assert CoverageStatus.NOT_ATTEMPTED in partial.statuses.values()
    assert "not attempted" in out
    for row in partial.rows:
        assert row in undisturbed.rows

    fleet.emulator.throttle(EVERY, EVERY, per_second=None)
    assert fleet.run("--resume")[0] == 4
    same(fleet.saved(), undisturbed)


def test_a_scan_that_is_cancelled_ends_as_one_that_is_interrupted(fleet: Fleet) -> None:
    with fleet.start(*ASKED) as process:
        in_the_middle(fleet, process)
        process.terminate()
        # The calls still to come would take hours at this rate.
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert fleet.saved().header.state is ScanState.INTERRUPTED
