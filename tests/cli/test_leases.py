"""Two commands that share a state, at one function: only one of them changes it at a time."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from fleet.leasing import AgreedClock, Leases, function_key
from fleet.process import this_process
from fleet.store import Store
from fleet.wave import Holder
from moto_fixtures.server import Call, Moment
from tests.cli.command import Ended, fleet, start
from tests.cli.inside import NO_TRIAL, Desk
from tests.cli.test_migrate_command import AL2023, DO_IT, GO1X, once, results, writes

VERBS: dict[str, tuple[str, ...]] = {"migrate": DO_IT, "rollback": ("--apply", "--yes")}
LOOK: dict[str, tuple[str, ...]] = {"migrate": (NO_TRIAL,), "rollback": ()}


def rows(desk: Desk) -> int:
    """Leases that were ever taken in the desk's state."""
    with closing(sqlite3.connect(desk.state)) as connection:
        count: int = connection.execute("SELECT count(*) FROM fleet_lease").fetchone()[0]
    return count


def test_of_two_commands_at_one_function_the_second_is_told_and_changes_nothing(
    desk: Desk,
) -> None:
    arn = desk.function("wanted")
    calls = desk.organization.emulator.calls
    second: list[Ended] = []
    made: list[Call] = []

    def meanwhile() -> None:
        before = len(calls)
        environ = desk.environment
        second.append(fleet("migrate", arn, *DO_IT, within=desk.directory, environ=environ))
        made.extend(calls[before:])

    with once(desk, "UpdateFunctionCode", meanwhile):
        first = desk.fleet("migrate", arn, *DO_IT)
    assert first.status == 0, first.err
    assert "wanted: migrated" in first.out
    assert second[0].status == 3, second[0].err
    said = " ".join(second[0].out.split())
    assert f"{arn} is being changed by run 2" in said
    assert f"(process {os.getpid()} on " in said
    assert "UTC unless that goes on; run the same command again afterwards" in said
    assert made
    assert writes(made) == []
    assert desk.versions("wanted") == ["1", "2"]
    with desk.store() as store:
        assert store.leases("") == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_function_that_is_held_is_blocked_and_the_others_are_not(desk: Desk, verb: str) -> None:
    wanted = "migrated" if verb == "migrate" else "rolled back"
    names = [f"{each}-{verb}" for each in ("held", "free")]
    arns = [desk.function(name) for name in names]
    if verb == "rollback":
        assert desk.fleet("migrate", *arns, *DO_IT).status == 0
    with desk.store() as store:
        holder = Holder(run="20261121T100000Z-0002", host="laptop", process=2**22 + 1)
        held = store.take_lease(function_key(arns[0]), "other", holder, datetime.now(UTC), 3600)
        assert held
        # To look takes no lease, and needs none.
        _, plan = desk.told(verb, *arns, *LOOK[verb])
        assert set(results(plan).values()) == {"ready"}
        before = desk.runtime(names[0])
        status, outcome = desk.told(verb, *arns, *VERBS[verb])
        assert status == 3
        assert results(outcome) == {names[0]: "blocked", names[1]: wanted}
        assert desk.runtime(names[0]) == before
        # However dead that process is on this machine: it is another one's.
        assert store.lease(held.key) == held
        store.release_lease(held)
    assert desk.fleet(verb, arns[0], *VERBS[verb]).status == 0
    assert desk.runtime(names[0]) == (AL2023 if verb == "migrate" else GO1X)


def test_to_look_at_a_function_leaves_no_trace_of_a_lease(desk: Desk) -> None:
    arn = desk.function("unleased")
    assert desk.fleet("migrate", arn, NO_TRIAL).status == 0
    assert rows(desk) == 0
    assert desk.fleet("migrate", arn, *DO_IT).status == 0
    assert rows(desk) == 1


def test_what_a_killed_command_has_held_is_gone_on_with_at_once_on_its_machine(desk: Desk) -> None:
    arn = desk.function("orphaned")
    emulator = desk.organization.emulator
    process = start("migrate", arn, *DO_IT, within=desk.directory, environ=desk.environment)

    def kill(call: Call, moment: Moment) -> None:
        if call.operation == "UpdateFunctionCode" and moment is Moment.BEFORE:
            emulator.on_call = None
            process.kill()
            process.wait()

    emulator.on_call = kill
    process.communicate(timeout=60)
    with desk.store() as store:
        [left] = store.leases("function/")
    assert left.until > datetime.now(UTC) + timedelta(seconds=30)
    ended = desk.fleet("migrate", arn, *DO_IT)
    assert ended.status == 0, ended.out
    assert "orphaned: migrated" in ended.out
    assert desk.versions("orphaned") == ["1", "2"]
    with desk.store() as store:
        assert store.leases("") == []


def test_who_loses_the_lease_on_the_way_leaves_off_where_the_function_works(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = desk.function("lost")
    late: list[timedelta] = []

    def of(store: Store, run: str) -> Leases:
        here = lambda: datetime.now(UTC) + sum(late, timedelta())  # noqa: E731  # the machine's clock
        return Leases(store, this_process(run), AgreedClock(lambda: datetime.now(UTC), here))

    monkeypatch.setattr(Leases, "of", of)
    calls = desk.organization.emulator.calls
    # Put to sleep in the middle of it, for longer than the lease lasts.
    with once(desk, "UpdateFunctionCode", lambda: late.append(timedelta(minutes=10))):
        calls.clear()
        status, outcome = desk.told("migrate", arn, *DO_IT)
    assert (status, results(outcome)) == (1, {"lost": "interrupted"})
    assert outcome["functions"][0]["reason"] == (
        "its lease was lost, and another command may be at it: run the same command again"
    )
    assert writes(calls)[-1] == "UpdateFunctionCode"
    monkeypatch.undo()
    assert desk.fleet("migrate", arn, *DO_IT).status == 0
    assert desk.versions("lost") == ["1", "2"]
