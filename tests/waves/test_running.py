"""Whole plans on a clock that is held: what is begun, in which order, at which hour, and once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest

from fleet.leasing import Taken
from fleet.results import Result
from fleet.wave import MemberState, Phase
from fleet.wave_status import WaveState
from fleet.waves.plan import Budget, Canary, Freeze, Member, Plan, Window
from fleet.waves.telling import FunctionFailed, WaveBegan, WaveEnded
from fleet.waves.worker import Task
from moto_fixtures.server import Moment
from tests.migration.orders import FOREIGN, when
from tests.waves.runner import LANES, Runner, plan, wave


def many(runner: Runner, prefix: str, count: int) -> list[Member]:
    """Functions over all accounts and regions."""
    members = []
    for number in range(count):
        name, lane = f"{prefix}{number}", LANES[number % len(LANES)]
        runner.function(name, *lane, alias="live" if number % 2 else None)
        members.append(runner.member(name, *lane))
    return members


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def in_four(runner: Runner, *counts: int) -> Plan:
    """Four waves; German clocks change on the 25th."""
    runner.organization.emulator.take_for_updates(0)
    one, two, three, four = (
        many(runner, prefix, count) for prefix, count in zip("abcd", counts, strict=True)
    )
    frozen = Freeze(first=date(2026, 10, 26), last=date(2026, 10, 26), why="a holiday")
    return plan(
        wave("canary", *one, start=at(19, 8)),
        wave("second", *two, start="2026-10-24 09:00", parallelism=3),
        wave("third", *three, start="2026-10-25 09:00", per_account_region=1),
        wave("rest", *four, start="2026-10-25 10:30"),
        window=Window(hours="09:00-11:00", zone="Europe/Berlin", freeze=(frozen,)),
    )


def order_of_waves(runner: Runner) -> str:
    return "".join(task.state.ref.name[0] for task in runner.tasks)


def test_four_waves_go_by_the_clocks_on_the_wall(runner: Runner) -> None:
    four = in_four(runner, 2, 6, 6, 7)
    asleep = [at(19, 6), at(19, 9, 30), at(24, 6, 59), at(25, 7, 59), at(26, 8, 30)]
    # The fourth starts half an hour after the third, and then comes a frozen day.
    ended = {at(19, 8): 2, at(24, 7): 8, at(25, 8): 14, at(27, 8): 21}
    for moment in sorted([*asleep, *ended]):
        runner.at(moment)
        runner.tick(four)
        expected = max((ended[each] for each in ended if each <= moment), default=0)
        assert runner.results()[Result.MIGRATED] == len(runner.states()) == expected, moment
    assert runner.words(four) == [WaveState.DONE] * 4
    assert order_of_waves(runner) == "aabbbbbbccccccddddddd"
    assert all(state.attempts == 1 for state in runner.states().values())
    told = [(type(event), event.wave) for event in runner.events]
    assert told == [(kind, wave.name) for wave in four.waves for kind in (WaveBegan, WaveEnded)]


def test_it_wakes_when_the_next_wave_opens(runner: Runner) -> None:
    four = in_four(runner, 1, 1, 1, 1)
    wakes = []
    runner.at(at(19, 6))
    while (found := runner.tick(four)).wake is not None:
        wakes.append(found.wake)
        runner.at(found.wake)
    assert wakes == [at(19, 8), at(24, 7), at(25, 8), at(25, 9, 30)]
    assert runner.results() == {Result.MIGRATED: 4}


def test_a_tick_that_comes_weeks_late_does_all_that_was_due_in_order(runner: Runner) -> None:
    four = in_four(runner, 1, 2, 2, 1)
    runner.at(datetime(2026, 11, 17, 8, 30, tzinfo=UTC))
    runner.tick(four)
    assert runner.results() == {Result.MIGRATED: 6}
    assert order_of_waves(runner) == "abbccd"


def test_a_second_tick_changes_nothing(runner: Runner) -> None:
    one = plan(wave("w", *many(runner, "a", 3)))
    runner.tick(one)
    states, told = runner.states(), len(runner.events)
    runner.organization.emulator.calls.clear()
    assert runner.tick(one).due == ()
    assert (runner.states(), len(runner.events)) == (states, told)
    assert runner.organization.emulator.calls == []


def test_of_two_ticks_at_once_one_does_it_and_the_other_says_so(runner: Runner) -> None:
    one = plan(wave("w", *many(runner, "a", 6)))
    begun, said = threading.Event(), threading.Event()

    def while_another_tries(do: Callable[[Task], MemberState], task: Task) -> MemberState:
        begun.set()
        assert said.wait(60)
        return do(task)

    runner.around = while_another_tries
    with ThreadPoolExecutor(1) as other:
        first = other.submit(runner.tick, one)
        assert begun.wait(60)
        try:
            with pytest.raises(Taken, match="plan move is being run by run run"):
                runner.tick(one)
        finally:
            said.set()
        first.result()
    assert runner.results() == {Result.MIGRATED: 6}
    assert len(runner.tasks) == 6
    for state in runner.states().values():
        assert state.attempts == 1


def test_what_another_plan_is_at_in_an_account_and_region_waits_for_the_next_tick(
    runner: Runner,
) -> None:
    one = plan(wave("w", *many(runner, "a", 2)))
    with runner.running(one) as coordinator, runner.leases.holding(f"lane/{LANES[0][0]}/us-east-1"):
        coordinator.tick()
        assert runner.ended() == {"a1": Result.MIGRATED}
        assert runner.left == {"a0": "another run is at its account and region"}
    runner.tick(one)
    assert runner.results() == {Result.MIGRATED: 2}


def test_a_function_that_another_command_is_at_waits_for_the_next_tick(runner: Runner) -> None:
    one = plan(wave("w", *many(runner, "a", 2)))
    with runner.running(one) as coordinator:
        with runner.leases.holding(f"function/{one.waves[0].functions[0].function}"):
            coordinator.tick()
            assert runner.ended() == {"a1": Result.MIGRATED}
            assert "is being changed by run run" in runner.left["a0"]
        coordinator.tick()
    assert runner.results() == {Result.MIGRATED: 1}
    runner.tick(one)
    assert runner.results() == {Result.MIGRATED: 2}


def test_what_another_machine_has_ended_meanwhile_is_not_begun_again(runner: Runner) -> None:
    for name in ("first", "orders"):
        runner.function(name, alias=None)
    one = plan(wave("w", runner.member("first"), runner.member("orders"), parallelism=1))
    before = runner.orders("orders").look()
    ref = one.waves[0].functions[1].ref
    theirs = MemberState(
        wave="w",
        ref=ref,
        phase=Phase.ENDED,
        result=Result.BLOCKED,
        run="theirs",
        fingerprint=one.waves[0].functions[1].fingerprint,
    )

    def meanwhile(do: Callable[[Task], MemberState], task: Task) -> MemberState:
        # It was handed out as one that waits.
        if task.state.ref == ref:
            runner.store.put_member("move", theirs)
        return do(task)

    runner.around = meanwhile
    runner.tick(one)
    assert runner.state() == theirs
    assert runner.orders("orders").look() == before


def test_limits_hold_for_each_wave_and_each_account_and_region(runner: Runner) -> None:
    for number in range(8):
        runner.function(f"a{number}", *LANES[number % 2])
    members = [runner.member(f"a{number}", *LANES[number % 2]) for number in range(8)]
    one = plan(wave("w", *members, parallelism=3, per_account_region=2))
    lock, running, most = threading.Lock(), Counter[str](), Counter[str]()

    def counted(do: Callable[[Task], MemberState], task: Task) -> MemberState:
        keys = ("all", task.state.ref.region)
        with lock:
            running.update(keys)
            for key in keys:
                most[key] = max(most[key], running[key])
        try:
            return do(task)
        finally:
            with lock:
                running.subtract(keys)

    runner.around = counted
    runner.tick(one)
    assert runner.results() == {Result.MIGRATED: 8}
    assert most["all"] <= 3
    assert max(most.values()) >= 2
    assert max(most[region] for _, region in LANES[:2]) <= 2


def test_a_wave_that_is_run_by_hand_runs_before_its_hour_and_alone(runner: Runner) -> None:
    members = many(runner, "a", 2)
    both = plan(wave("v", members[0], start=at(30, 8)), wave("w", members[1]))
    runner.tick(both, only="v")
    assert runner.ended() == {"a0": Result.MIGRATED}


# What is found is not what was planned.


def test_a_function_that_was_deployed_since_the_plan_is_left_alone(runner: Runner) -> None:
    orders = runner.function("orders")
    one = plan(wave("w", runner.member("orders"), *many(runner, "a", 1)))
    orders.deploy()
    before = orders.look()
    runner.organization.emulator.calls.clear()
    runner.tick(one)
    assert orders.look() == before
    assert runner.ended() == {"orders": Result.STALE, "a0": Result.MIGRATED}
    assert "not what it was when the plan was made" in runner.state().reason
    # It was not touched, so no budget is spent by it.
    assert runner.words(one) == [WaveState.DONE_NOT_ALL_MOVED]
    assert not any(isinstance(event, FunctionFailed) for event in runner.events)


def test_settings_that_were_changed_since_the_plan_survive(runner: Runner) -> None:
    orders = runner.function("orders")
    one = plan(wave("w", runner.member("orders")))
    orders.configure(MemorySize=512)
    runner.tick(one)
    assert runner.state().result is Result.MIGRATED
    assert orders.look().configuration["MemorySize"] == 512


def test_a_deploy_halfway_is_not_overwritten(runner: Runner) -> None:
    orders = runner.function("orders")
    one = plan(wave("w", runner.member("orders")))

    def deploy() -> None:
        runner.later(minutes=1)
        orders.deploy()

    with when(runner.organization, "UpdateFunctionConfiguration", deploy, Moment.AFTER):
        runner.tick(one)
    assert runner.state().result is Result.STALE
    assert orders.look().code_sha256 == sha256(FOREIGN).hexdigest()


def test_a_function_that_is_gone_costs_no_other(runner: Runner) -> None:
    gone = runner.member("a0", *LANES[0]) if many(runner, "a", 2) else None
    assert gone is not None
    other = runner.member("a1", *LANES[1])
    one = plan(wave("w", gone, other, budget=Budget()))
    with runner.organization.emulator.seeding():
        runner.client().delete_function(FunctionName="a0")
    runner.tick(one)
    assert runner.ended() == {"a0": Result.STALE, "a1": Result.MIGRATED}


def test_a_function_that_its_owners_have_moved_is_there_already(runner: Runner) -> None:
    runner.function("orders")
    one = plan(wave("w", runner.member("orders"), canary=Canary()))
    assert runner.mover.migrate().result is Result.MIGRATED
    runner.tick(one)
    state = runner.state()
    # It was moved by hand: nobody asked for a canary.
    assert (state.phase, state.result) == (Phase.ENDED, Result.ALREADY_THERE)


@pytest.mark.parametrize("result", [Result.STALE, Result.FAILED])
def test_what_was_planned_anew_under_the_same_name_begins_anew(
    runner: Runner, result: Result
) -> None:
    runner.function("orders")
    member = runner.member("orders")
    was = MemberState(
        wave="w",
        ref=member.ref,
        phase=Phase.ENDED,
        result=result,
        attempts=1,
        fingerprint=member.fingerprint,
    )
    runner.store.put_member("move", was)
    one = plan(wave("w", member, budget=Budget()))
    runner.tick(one)
    assert runner.state() == was
    runner.store.put_member("move", replace(was, fingerprint="0" * 16))
    runner.tick(one)
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert runner.state().attempts == 1


# As many calls as a migration by hand.


def test_a_function_of_a_wave_takes_the_calls_of_a_single_migration(runner: Runner) -> None:
    for name in ("first", "by-hand", "orders"):
        runner.function(name, alias=None)
    one = plan(wave("w", runner.member("first"), runner.member("orders"), parallelism=1))
    taken: list[Counter[str]] = []
    calls = runner.organization.emulator.calls

    def counted(do: Callable[[Task], MemberState], task: Task) -> MemberState:
        if len(runner.tasks) == 2:
            # What holds for the whole account and region was asked for the first function.
            calls.clear()
            assert runner.migrate("by-hand") is Result.MIGRATED
            taken.append(Counter(each.operation for each in calls))
            calls.clear()
        return do(task)

    runner.around = counted
    runner.tick(one)
    assert runner.results() == {Result.MIGRATED: 2}
    assert taken == [Counter(each.operation for each in calls)]
