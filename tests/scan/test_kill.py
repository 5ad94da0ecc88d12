"""A real `fleet scan` process that is killed, interrupted, or not alone."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet.aws.clients import READ_SECONDS
from fleet.model import CoverageStatus, ScanState
from moto_fixtures.definition import Organization
from moto_fixtures.seed import seed
from moto_fixtures.server import EVERY, Emulator
from tests.scan.conftest import NOW, packages_of
from tests.scan.process import SECONDS, Fleet, Held, wait_for
from tests.scan.scanner import Scan

SECONDS_BETWEEN_PRESSES = 4
ASKED = ("--org", "--region", "us-east-1,eu-west-1")


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """What a shell starts in the background ignores SIGINT, and so do all it starts in turn."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def held() -> Held:
    """The sleep of `ticking`: a test may hold its answers back."""
    return Held()


@pytest.fixture(scope="module")
def ticking(northwind: Organization, held: Held) -> Iterator[Emulator]:
    """The seeded organization at today's time, as a process of its own has no other clock."""
    with Emulator(northwind.rules(), sleep=held) as emulator:
        seed(emulator, northwind, packages=packages_of(northwind), now=NOW)
        yield emulator


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
    return asked(fleet, "ListFunctions")


def asked(fleet: Fleet, operation: str) -> int:
    return sum(call.operation == operation for call in fleet.emulator.calls)


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


def pressing_again(fleet: Fleet, process: subprocess.Popen[str]) -> Callable[[], bool]:
    """Whether a scan has ended as interrupted, after one more Ctrl-C every now and then.

    One that meets the first still on its way to the coordinator is the same as the first.
    """
    due = 0.0

    def ended() -> bool:
        nonlocal due
        if time.monotonic() >= due:
            process.send_signal(signal.SIGINT)
            due = time.monotonic() + SECONDS_BETWEEN_PRESSES
        return fleet.saved().header.state is ScanState.INTERRUPTED

    return ended


def test_a_second_ctrl_c_waits_for_no_answer_and_keeps_what_was_saved(
    fleet: Fleet, held: Held, undisturbed: Scan
) -> None:
    fleet.emulator.throttle(EVERY, EVERY, per_second=None)
    with fleet.start(*ASKED) as process:
        with held.holding(fleet.emulator, once=lambda: lists(fleet) > 5):
            wait_for(process, lambda: held.somebody_waits)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            heard = process.stderr.readline()
            assert heard == "fleet: stopping; what was found is kept\n"
            running = fleet.saved().header.state
            # Nobody answers: without another one the first would wait for the calls' time-out.
            wait_for(process, pressing_again(fleet, process), seconds=READ_SECONDS / 2)
        rest = process.stderr.read()
        process.communicate(timeout=SECONDS)
    assert running is ScanState.RUNNING
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    partial = fleet.saved()
    assert CoverageStatus.NOT_ATTEMPTED in partial.statuses.values()
    for row in partial.rows:
        assert row in undisturbed.rows

    assert fleet.run("--resume")[0] == 4
    same(fleet.saved(), undisturbed)


@pytest.mark.parametrize("called", ["GetCallerIdentity", "ListAccountsForParent"])
def test_ctrl_c_while_the_organization_is_listed_saves_nothing_and_says_so_in_one_sentence(
    fleet: Fleet, held: Held, called: str
) -> None:
    with (
        held.holding(fleet.emulator, once=lambda: asked(fleet, called) > 0),
        fleet.start(*ASKED, "--quiet") as process,
    ):
        wait_for(process, lambda: held.somebody_waits)
        process.send_signal(signal.SIGINT)
        # Nobody answers as long as this waits.
        out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, err
    assert (out, err) == ("", "fleet: interrupted\n")
    assert fleet.ids() == []


def together(fleet: Fleet, *commands: tuple[str, ...]) -> list[int]:
    """Run commands at the same time; their statuses."""
    processes = [fleet.start(*command) for command in commands]
    try:
        for process in processes:
            _, err = process.communicate(timeout=SECONDS)
            assert "Traceback" not in err
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes]


def test_scans_at_once_on_one_state_are_each_saved_whole(fleet: Fleet, undisturbed: Scan) -> None:
    fleet.emulator.throttle(EVERY, EVERY, per_second=None)
    assert together(fleet, ASKED, ASKED, ASKED) == [4, 4, 4]
    ids = fleet.ids()
    assert len(ids) == 3
    for each in ids:
        scan = fleet.saved(each)
        assert scan.header.state is ScanState.FINISHED
        same(scan, undisturbed)


def test_commands_that_resume_one_scan_at_once_finish_it_and_count_nothing_twice(
    fleet: Fleet, undisturbed: Scan
) -> None:
    with fleet.start(*ASKED) as process:
        in_the_middle(fleet, process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
    (begun,) = fleet.ids()
    fleet.emulator.throttle(EVERY, EVERY, per_second=None)
    assert together(fleet, *[("--resume", "--scan", begun)] * 2) == [4, 4]
    assert fleet.ids() == [begun]
    finished = fleet.saved()
    assert finished.header.state is ScanState.FINISHED
    same(finished, undisturbed)
