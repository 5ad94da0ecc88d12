"""Scans that were interrupted, and what --resume makes of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from sqlalchemy import event

from fleet.aws.failures import Interrupted, NoCredentials
from fleet.errors import BadSelection
from fleet.model import (
    EVERY_REGION,
    Account,
    Coverage,
    CoverageStatus,
    LaneResult,
    ScanHeader,
    ScanOptions,
    ScanState,
)
from fleet.scan import Inbox
from moto_fixtures.server import Emulator
from tests.scan.conftest import NOW, now
from tests.scan.scanner import Scan, Scanner, Watcher, scanner

REGIONS = ("us-east-1", "eu-west-1")
EVERYBODY = ScanOptions(organization=True, regions=REGIONS)
CLOSED = "161616161616"


@pytest.fixture(scope="module")
def undisturbed(seeded: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """What a scan gives that nothing happens to."""
    with scanner(seeded.environment, tmp_path_factory.mktemp("whole"), clock=now) as made:
        scan = made.scan(EVERYBODY)
        # Read while the store is open.
        assert scan.rows
        assert scan.coverage
        return scan


def interrupt_after(lanes: int) -> Watcher:
    """Ctrl-C once so many lanes are done."""
    left = [lanes]

    def one_done(_: Coverage) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return Watcher(at_lane=one_done)


def same(scan: Scan, other: Scan) -> None:
    assert scan.rows == other.rows
    assert scan.statuses == other.statuses
    for lane, row in scan.coverage.items():
        of_other = other.coverage[lane]
        assert (row.functions, row.versions) == (of_other.functions, of_other.versions), lane


@pytest.mark.parametrize("lanes", [1, 5, 9])
def test_an_interrupted_scan_keeps_what_it_found_and_is_finished_by_resuming_it(
    fleet: Scanner, seeded: Emulator, undisturbed: Scan, lanes: int
) -> None:
    partial = fleet.scan(EVERYBODY, progress=interrupt_after(lanes), threads=2)
    assert partial.header.state is ScanState.INTERRUPTED
    seen = [lane for lane, each in partial.statuses.items() if each is CoverageStatus.OK]
    assert CoverageStatus.NOT_ATTEMPTED in partial.statuses.values()
    assert not fleet.store.totals(partial.header.id).complete
    # What is there is there whole.
    for lane in seen:
        assert partial.coverage[lane].versions == undisturbed.coverage[lane].versions
        mine, theirs = (
            [row for row in scan.rows if (row["account"], row["region"]) == lane]
            for scan in (partial, undisturbed)
        )
        assert mine == theirs
    assert {(row["account"], row["region"]) for row in partial.rows} <= set(seen)

    seeded.calls.clear()
    finished = fleet.scan(resumes=partial.header.id)
    assert finished.header.id == partial.header.id
    assert finished.header.state is ScanState.FINISHED
    same(finished, undisturbed)
    again = {
        (call.account, call.region) for call in seeded.calls if call.operation == "ListFunctions"
    }
    assert not again & set(seen)


def test_it_does_not_matter_how_often_a_scan_is_interrupted(
    fleet: Scanner, undisturbed: Scan
) -> None:
    scan = fleet.scan(EVERYBODY, progress=interrupt_after(2), threads=2)
    for _ in range(30):
        if scan.header.state is ScanState.FINISHED:
            break
        scan = fleet.scan(resumes=scan.header.id, progress=interrupt_after(7), threads=2)
    same(scan, undisturbed)


def test_only_what_was_missing_is_asked_for_again(
    fleet: Scanner, seeded: Emulator, undisturbed: Scan
) -> None:
    first = fleet.scan(EVERYBODY)
    seeded.calls.clear()
    again = fleet.scan(resumes=first.header.id)
    asked = {(call.account, call.region) for call in seeded.calls if call.service == "lambda"}
    # The denied account; those that are complete are left in peace, and so is the closed one.
    assert asked == {lane for lane, each in first.statuses.items() if each is CoverageStatus.DENIED}
    same(again, undisturbed)
    assert again.progress.findings == 0


def test_a_lane_that_was_denied_is_seen_once_it_is_allowed(
    fleet: Scanner, seeded: Emulator, undisturbed: Scan
) -> None:
    first = fleet.scan(EVERYBODY)
    was_denied = {lane for lane, each in first.statuses.items() if each is CoverageStatus.DENIED}
    assert was_denied
    rules = seeded.rules
    seeded._world.rules = replace(rules, denied=frozenset())
    try:
        again = fleet.scan(resumes=first.header.id)
    finally:
        seeded._world.rules = rules
    assert {again.statuses[lane] for lane in was_denied} == {CoverageStatus.OK}
    found = {(row["account"], row["region"]) for row in again.rows}
    assert found & was_denied
    assert len(again.rows) > len(undisturbed.rows)
    assert len(set(again.versions())) == len(again.rows)


def test_a_scan_is_not_resumed_by_somebody_else(fleet: Scanner, seeded: Emulator) -> None:
    first = fleet.scan(replace(EVERYBODY, accounts=("012345678901",)))
    fleet.act_as(seeded.credentials_of("222233334444"))
    with pytest.raises(BadSelection, match=r"111122223333 ran this scan.*222233334444's"):
        fleet.scan(resumes=first.header.id)


def planned(fleet: Scanner, plan: Callable[[str], None]) -> str:
    """A scan whose process died while it was still finding out what there is."""
    header = ScanHeader(
        id="20261121T120000Z-dead",
        started=NOW,
        finished=None,
        state=ScanState.RUNNING,
        caller="111122223333",
        organization="o-fleetdemo01",
        partition="aws",
        options=EVERYBODY,
    )
    fleet.store.begin_scan(header)
    plan(header.id)
    return header.id


def test_a_scan_that_died_before_it_knew_its_accounts_is_never_taken_for_complete(
    fleet: Scanner,
) -> None:
    which = planned(fleet, lambda _: None)
    assert not fleet.store.totals(which).complete
    with pytest.raises(BadSelection, match="ended before its accounts were known"):
        fleet.scan(resumes=which)
    assert not fleet.store.totals(which).complete


def test_a_scan_that_died_before_it_named_a_closed_account_does_not_enter_it(
    fleet: Scanner, seeded: Emulator
) -> None:
    closed = Account(CLOSED, "old-mobile", "Closed", active=False)
    which = planned(fleet, lambda scan: fleet.store.plan_accounts(scan, [closed]))
    seeded.calls.clear()
    scan = fleet.scan(resumes=which)
    assert scan.statuses == {(CLOSED, EVERY_REGION): CoverageStatus.ACCOUNT_NOT_ACTIVE}
    assert "AssumeRole" not in {call.operation for call in seeded.calls}


def test_being_asked_to_stop_in_the_middle_of_a_save_ends_the_scan_with_all_that_arrived(
    fleet: Scanner, undisturbed: Scan
) -> None:
    inbox: Inbox = SimpleQueue()
    writes = iter(range(100))

    def when_a_transaction_has_begun(_: object) -> None:
        if next(writes) == 6:
            inbox.put(None)

    engine = fleet.store._database._engine
    event.listen(engine, "begin", when_a_transaction_has_begun)
    partial = fleet.scan(EVERYBODY, threads=2, inbox=inbox)
    event.remove(engine, "begin", when_a_transaction_has_begun)
    assert partial.header.state is ScanState.INTERRUPTED
    assert CoverageStatus.NOT_ATTEMPTED in partial.statuses.values()
    # What was counted to whoever watches is what was saved.
    told = {(each.account, each.region) for each in partial.progress.done}
    assert told <= partial.coverage.keys()
    same(fleet.scan(resumes=partial.header.id), undisturbed)


class AtOnce(ThreadPoolExecutor):
    """Does what is submitted before it says that it will."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # as Executor.submit
        done: Future[Any] = Future()
        try:
            done.set_result(call(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # as an executor does
            done.set_exception(error)
        return done


def test_what_was_answered_before_the_stop_is_saved_all_of_it(
    fleet: Scanner, seeded: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.scan.scanner.ThreadPoolExecutor", AtOnce)
    partial = fleet.scan(EVERYBODY, progress=interrupt_after(1))
    listed = {
        (call.account, call.region) for call in seeded.calls if call.operation == "ListFunctions"
    }
    saved = {
        lane
        for lane, status in partial.statuses.items()
        if lane[1] != EVERY_REGION and status is not CoverageStatus.NOT_ATTEMPTED
    }
    assert partial.header.state is ScanState.INTERRUPTED
    assert len(listed) > 1
    assert listed <= saved


def instead(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[int, LaneResult], LaneResult]
) -> None:
    """Let each lane answer what `answer` makes of its number, in order, and its result."""
    module = importlib.import_module("fleet.scan.run")
    real, numbers = module.look_at_lane, count()
    monkeypatch.setattr(module, "look_at_lane", lambda *args: answer(next(numbers), real(*args)))
    monkeypatch.setattr("tests.scan.scanner.ThreadPoolExecutor", AtOnce)


def test_what_was_answered_beside_calls_that_found_the_credentials_gone_is_saved(
    fleet: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: set[tuple[str, str]] = set()

    def answer(number: int, result: LaneResult) -> LaneResult:
        if number in {0, 2}:
            raise NoCredentials("they have expired")
        answered.add((result.coverage.account, result.coverage.region))
        return result

    instead(monkeypatch, answer)
    with pytest.raises(NoCredentials):
        fleet.scan(EVERYBODY)
    scan = fleet.saved()
    assert scan.header.state is ScanState.INTERRUPTED
    assert len(answered) > 2
    assert {scan.statuses[lane] for lane in answered}.isdisjoint({CoverageStatus.NOT_ATTEMPTED})
    assert CoverageStatus.NOT_ATTEMPTED in scan.statuses.values()


def test_a_lane_that_the_stop_cuts_short_is_not_attempted_and_has_not_failed(
    fleet: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_short: set[tuple[str, str]] = set()

    def answer(number: int, result: LaneResult) -> LaneResult:
        if number:
            cut_short.add((result.coverage.account, result.coverage.region))
            raise Interrupted
        return result

    instead(monkeypatch, answer)
    scan = fleet.scan(EVERYBODY, progress=interrupt_after(1))
    assert scan.header.state is ScanState.INTERRUPTED
    assert cut_short
    assert {scan.statuses[lane] for lane in cut_short} == {CoverageStatus.NOT_ATTEMPTED}


def test_a_lane_whose_values_cannot_be_saved_has_failed_and_costs_no_other(
    fleet: Scanner, undisturbed: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[tuple[str, str]] = []

    def answer(_: int, result: LaneResult) -> LaneResult:
        if broken or not result.records:
            return result
        broken.append((result.coverage.account, result.coverage.region))
        config = replace(result.records[0].config, last_modified=datetime(2023, 11, 7))  # noqa: DTZ001  # that is what is wrong with it
        return replace(result, records=(replace(result.records[0], config=config),))

    instead(monkeypatch, answer)
    scan = fleet.scan(EVERYBODY)
    (lane,) = broken
    assert scan.coverage[lane].status is CoverageStatus.FAILED
    assert "holds what cannot be saved" in scan.coverage[lane].reason
    assert scan.header.state is ScanState.FINISHED
    kept = [row for row in undisturbed.rows if (row["account"], row["region"]) != lane]
    assert scan.rows == kept


def test_two_that_resume_one_scan_count_nothing_twice(
    fleet: Scanner, seeded: Emulator, undisturbed: Scan, tmp_path: Path
) -> None:
    partial = fleet.scan(EVERYBODY, progress=interrupt_after(3))
    with scanner(seeded.environment, tmp_path, clock=now) as other:

        def the_other_goes_first(_: Coverage) -> None:
            watcher.at_lane = lambda _: None
            other.scan(resumes=partial.header.id)

        watcher = Watcher(at_lane=the_other_goes_first)
        scan = fleet.scan(resumes=partial.header.id, progress=watcher)
    same(scan, undisturbed)


def test_a_defect_met_in_one_lane_costs_that_lane_and_says_so(
    fleet: Scanner, undisturbed: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("fleet.scan.run")
    real = module.look_at_lane
    broken = ("012345678901", "eu-west-1")

    def look_at_lane(*args: object) -> LaneResult:
        if args[1:3] == broken:
            raise ZeroDivisionError
        result: LaneResult = real(*args)
        return result

    monkeypatch.setattr(module, "look_at_lane", look_at_lane)
    scan = fleet.scan(EVERYBODY)
    row = scan.coverage[broken]
    assert row.status is CoverageStatus.FAILED
    assert "ZeroDivisionError" in row.reason
    assert len(scan.incomplete) == 1 + len(undisturbed.incomplete)
    monkeypatch.undo()
    same(fleet.scan(resumes=scan.header.id), undisturbed)
