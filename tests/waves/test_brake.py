"""Failure budgets: what a wave that goes badly still begins, what waits, and what comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.results import Result
from fleet.wave import OrderKind, Phase
from fleet.wave_status import WaveState
from fleet.waves.due import Doing
from fleet.waves.plan import Budget, Canary, Plan
from fleet.waves.telling import FunctionFailed, WaveEnded, WaveStopped
from tests.moto_fixtures.small_organization import HOME, MEMBER
from tests.waves.runner import LANES, Runner, plan, wave


def failing(runner: Runner, *names: str, on: bool = True) -> None:
    """Let AWS fail to finish the updates of these functions."""
    for name in names:
        runner.organization.emulator.fail_updates(MEMBER, HOME, name, "no room" if on else None)


def one_by_one(runner: Runner, count: int, budget: Budget, **given: object) -> Plan:
    """Two waves in one account and region, each function after the other."""
    names = [f"a{number}" for number in range(count)]
    for name in (*names, "later"):
        runner.function(name, alias=None)
    first = wave("first", *map(runner.member, names), parallelism=1, budget=budget, **given)
    return plan(first, wave("second", runner.member("later")))


def test_a_wave_over_its_budget_begins_nothing_more_and_says_why(runner: Runner) -> None:
    two = one_by_one(runner, 4, Budget(count=0))
    failing(runner, "a1")
    found = runner.tick(two)
    assert runner.ended() == {"a0": Result.MIGRATED, "a1": Result.FAILED}
    why = "the failure budget of wave first is spent: 1 of 4 functions failed"
    assert [(each.wave, each.why) for each in found.holdups] == [
        ("first", why),
        ("second", "waits for wave first: functions that have not ended: 2"),
    ]
    first, second = runner.status(two).waves
    assert (first.state, first.why) == (WaveState.STOPPED, why)
    assert second.state is WaveState.WAITING_FOR_EARLIER
    assert (first.counts.budget_left, first.counts.waiting) == (0, 2)
    kinds = [type(event) for event in runner.events[1:]]
    assert kinds == [FunctionFailed, WaveStopped]
    # However often it is called, and told once.
    runner.tick(two)
    assert len(runner.tasks) == 2
    assert len(runner.events) == 3


def test_of_several_workers_each_ends_the_function_it_is_at(runner: Runner) -> None:
    for number in range(12):
        runner.function(f"a{number}", *LANES[number % 3], alias=None)
    members = [runner.member(f"a{number}", *LANES[number % 3]) for number in range(12)]
    failing(runner, "a0")
    runner.tick(plan(wave("w", *members, parallelism=3, per_account_region=1)))
    assert runner.ended()["a0"] is Result.FAILED
    # Nothing is begun after the failure is known; three were under way at most when it was.
    begun = [state.began for state in runner.states().values() if state.began is not None]
    failed = runner.state("a0").since
    assert failed is not None
    assert sum(began >= failed for began in begun) <= 3
    assert len(begun) < 12


@pytest.mark.parametrize(
    ("budget", "ended"),
    [(Budget(percent=34), 3), (Budget(percent=50, count=9), 4)],
)
def test_a_budget_lets_so_many_fail(runner: Runner, budget: Budget, ended: int) -> None:
    two = one_by_one(runner, 4, budget)
    failing(runner, "a0", "a2", "later")
    runner.tick(two)
    assert len([name for name in runner.ended() if name != "later"]) == ended
    # Half of four may fail, so that wave ended well enough for the next.
    assert ("later" in runner.ended()) is (ended == 4)


def test_the_budget_of_the_plan_stops_every_wave(runner: Runner) -> None:
    two = one_by_one(runner, 3, Budget()).model_copy(update={"budget": Budget(count=0)})
    failing(runner, "a1")
    runner.tick(two)
    assert runner.ended() == {"a0": Result.MIGRATED, "a1": Result.FAILED}
    assert "later" not in runner.states()
    assert "of the whole plan is spent: 1 of 4" in runner.status(two).waves[1].why


def test_the_next_wave_waits_where_the_last_function_has_failed(runner: Runner) -> None:
    two = one_by_one(runner, 1, Budget(count=0))
    failing(runner, "a0")
    runner.tick(two)
    assert runner.words(two) == [WaveState.DONE_WITH_FAILURES, WaveState.WAITING_FOR_EARLIER]
    assert runner.status(two).waves[1].why.startswith("waits for wave first: the failure budget")
    assert [type(event) for event in runner.events[1:]] == [FunctionFailed, WaveEnded]


def test_what_failed_is_tried_again_and_the_rest_goes_on(runner: Runner) -> None:
    two = one_by_one(runner, 3, Budget(count=0))
    failing(runner, "a1")
    runner.tick(two)
    failing(runner, "a1", on=False)
    runner.retry(two, "first")
    runner.tick(two)
    assert runner.results() == {Result.MIGRATED: 4}
    assert runner.state("a1").attempts == 2
    assert runner.words(two) == [WaveState.DONE] * 2


def test_rollback_on_stop_brings_back_what_the_wave_has_moved(runner: Runner) -> None:
    two = one_by_one(runner, 4, Budget(count=0), canary=Canary())
    orders = runner.client()
    with runner.organization.emulator.seeding():
        runtimes = [each["Runtime"] for each in orders.list_functions()["Functions"]]
    failing(runner, "a2")
    runner.tick(two, rollback_on_stop=True)
    # That which failed too: nobody knows how far it came.
    assert runner.ended() == dict.fromkeys(("a0", "a1", "a2"), Result.ROLLED_BACK)
    assert runner.state("a0").reason == "its wave was stopped, a budget being spent"
    # The brake does not let go because what has failed is back; and is told of once.
    assert "a3" not in runner.states()
    assert [type(event) for event in runner.events[1:]] == [FunctionFailed, WaveStopped]
    with runner.organization.emulator.seeding():
        now = [each["Runtime"] for each in orders.list_functions()["Functions"]]
    assert now == runtimes
    runner.tick(two, rollback_on_stop=True)
    assert len(runner.tasks) == 6


def test_without_a_stop_nothing_is_brought_back(runner: Runner) -> None:
    two = one_by_one(runner, 3, Budget(count=1))
    failing(runner, "a2")
    runner.tick(two, rollback_on_stop=True)
    assert runner.results() == {Result.MIGRATED: 3, Result.FAILED: 1}


def test_rollback_on_stop_leaves_no_room_for_a_judgement(runner: Runner) -> None:
    names = ("good", "bad")
    for name in names:
        runner.function(name)
    one = plan(wave("w", *map(runner.member, names), canary=Canary(), parallelism=1))
    runner.tick(one)
    runner.later(minutes=10)
    untouched = replace(runner.state("bad"), phase=Phase.ENDED, result=Result.FAILED, touched=False)
    runner.store.put_member("move", untouched)
    runner.tasks.clear()
    # One of them is due to be judged, too.
    runner.tick(one, rollback_on_stop=True)
    assert [(task.state.ref.name, task.doing) for task in runner.tasks] == [("good", Doing.BACK)]
    assert runner.ended() == {"good": Result.ROLLED_BACK, "bad": Result.FAILED}
    runner.tick(one, rollback_on_stop=True)
    assert len(runner.tasks) == 1


def test_a_wave_that_is_run_by_hand_brings_back_its_own_functions_alone(runner: Runner) -> None:
    for name in ("good", "bad", "later"):
        runner.function(name, alias=None)
    first = wave("first", *map(runner.member, ("good", "bad")), parallelism=1)
    two = plan(first, wave("second", runner.member("later")))
    failing(runner, "bad")
    runner.tick(two)
    runner.tick(two, only="second", rollback_on_stop=True)
    assert runner.ended() == {"good": Result.MIGRATED, "bad": Result.FAILED}
    runner.tick(two, only="first", rollback_on_stop=True)
    assert runner.results() == {Result.ROLLED_BACK: 2}


def test_the_budget_of_the_plan_brings_back_what_every_wave_has_moved(runner: Runner) -> None:
    two = one_by_one(runner, 1, Budget()).model_copy(update={"budget": Budget(count=0)})
    failing(runner, "later")
    runner.tick(two, rollback_on_stop=True)
    assert runner.ended() == {"a0": Result.ROLLED_BACK, "later": Result.ROLLED_BACK}


def test_what_people_have_brought_back_is_no_failure(runner: Runner) -> None:
    for name in ("orders", "later"):
        runner.function(name)
    first = wave("first", runner.member("orders"), canary=Canary(), budget=Budget(count=0))
    two = plan(first, wave("second", runner.member("later")), budget=Budget(count=0))
    runner.tick(two)
    runner.order(OrderKind.CANCEL, wave="first")
    runner.tick(two)
    assert runner.ended() == {"orders": Result.ROLLED_BACK, "later": Result.MIGRATED}
    assert not any(isinstance(event, FunctionFailed) for event in runner.events)
