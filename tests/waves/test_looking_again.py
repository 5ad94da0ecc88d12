"""Long runs: the window that closes meanwhile, checks that fall due, and a lease that is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.process import this_process
from fleet.results import Result
from fleet.wave import MemberState, Phase
from fleet.waves.due import Doing
from fleet.waves.plan import Budget, Canary, Freeze, Member, Window
from fleet.waves.run import LeaseLost, LeftOut
from tests.moto_fixtures.small_organization import HOME, MEMBER
from tests.waves.runner import LONG, START, Runner, plan, wave

STEPS = Canary(interval="10m", step_weight=25, max_weight=50, bake="30m", longest="2h")
HOUR = Window(hours="08:00-09:00")
FREEZE = Window(
    zone="Etc/GMT+9", freeze=(Freeze(first=date(2026, 10, 19), last=date(2026, 10, 19)),)
)
"""In that zone the day begins when the hour ends."""


def members(runner: Runner, count: int, alias: str | None = None) -> list[Member]:
    names = [f"a{number}" for number in range(count)]
    for name in names:
        runner.function(name, alias=alias)
    return [runner.member(name) for name in names]


# As time goes by.


@pytest.mark.parametrize("window", [HOUR, FREEZE], ids=["window", "freeze"])
@pytest.mark.parametrize("before", [True, False], ids=["in line", "under way"])
def test_no_function_is_begun_once_the_window_has_closed(
    runner: Runner, window: Window, *, before: bool
) -> None:
    one = plan(wave("w", *members(runner, 4), parallelism=1), window=window)
    runner.at(START)
    runner.slowly(before=before, minutes=40)
    runner.tick(one)
    # The worker looks last, the run before it hands out the next.
    assert runner.done() == [("a0", Doing.MOVE), ("a1", Doing.MOVE)]
    assert runner.ended() == dict.fromkeys(["a0"] if before else ["a0", "a1"], Result.MIGRATED)
    assert runner.now().hour == 9


def test_a_canary_that_fails_early_stops_a_long_run(runner: Runner) -> None:
    given = {"parallelism": 1, "canary": STEPS, "budget": Budget(count=0)}
    one = plan(wave("w", *members(runner, 4, "live"), **given))
    runner.slowly(minutes=30)
    runner.calls("a0", "live", "1", ago=-300, invocations=100)
    runner.calls("a0", "live", "2", ago=-300, invocations=100, errors=90)
    runner.tick(one)
    assert runner.done() == [("a0", Doing.MOVE), ("a0", Doing.JUDGE)]
    assert runner.ended() == {"a0": Result.ROLLED_BACK}


def test_a_run_that_may_begin_one_wave_begins_no_other(runner: Runner) -> None:
    first, second = members(runner, 2)
    two = plan(wave("first", first), wave("second", second))
    runner.tick(two, begin={"first"})
    assert runner.ended() == {"a0": Result.MIGRATED}
    runner.tick(two, begin=())
    assert runner.ended() == {"a0": Result.MIGRATED}
    runner.tick(two, begin={"second"})
    assert runner.results() == {Result.MIGRATED: 2}


def test_a_run_that_may_begin_nothing_judges_what_bakes(runner: Runner) -> None:
    one = plan(wave("w", *members(runner, 1, "live"), canary=STEPS))
    runner.tick(one)
    runner.later(minutes=10)
    for version in "12":
        runner.calls("a0", "live", version, invocations=100)
    runner.tick(one, begin=())
    assert runner.state("a0").share == 0.5


def test_a_run_that_has_lost_its_plan_begins_nothing_more(runner: Runner) -> None:
    one = plan(wave("w", *members(runner, 3), parallelism=1))
    holder = replace(this_process("other"), host="elsewhere")

    def lost() -> None:
        runner.later(seconds=LONG + 1)
        assert runner.store.take_lease("plan/move", "other", holder, runner.now(), LONG)

    runner.meanwhile(lost)
    with pytest.raises(LeaseLost, match="run the same command again"):
        runner.tick(one)
    assert runner.done() == [("a0", Doing.MOVE)]


# The way back.


def test_each_function_is_brought_back_once(runner: Runner) -> None:
    one = plan(wave("w", *members(runner, 3)))
    runner.tick(one)
    # One of them cannot come back.
    with runner.organization.emulator.seeding():
        runner.client().delete_alias(FunctionName="a1", Name=ROLLBACK_ALIAS)
    runner.tasks.clear()

    def at_most_once() -> None:
        if len(runner.tasks) > len(one.waves[0].functions):
            pytest.fail("it is brought back again and again")

    runner.meanwhile(at_most_once)
    runner.bring_back(one, "w")
    assert sorted(runner.done()) == [(f"a{number}", Doing.BACK) for number in range(3)]
    assert runner.results() == {Result.ROLLED_BACK: 2, Result.FAILED: 1}
    assert "it is not back" in runner.state("a1").reason


def test_what_somebody_else_is_at_is_told_and_not_brought_back(runner: Runner) -> None:
    one = plan(wave("w", *members(runner, 2)))
    runner.tick(one)
    arn = one.waves[0].functions[0].function
    with runner.running(one) as coordinator:
        with runner.leases.holding(f"function/{arn}"):
            coordinator.bring_back(["w"], "by hand")
        assert runner.ended() == {"a0": Result.MIGRATED, "a1": Result.ROLLED_BACK}
        assert runner.left.keys() == {"a0"}
    with runner.running(one) as coordinator, runner.leases.holding(f"lane/{MEMBER}/{HOME}"):
        coordinator.bring_back(["w"], "by hand")
    assert runner.left == {"a0": "another run is at its account and region"}
    assert runner.state("a0").result is Result.MIGRATED


@pytest.mark.parametrize("phase", [Phase.BAKING, Phase.UNDER_WAY])
def test_a_plan_that_leaves_out_what_is_on_its_way_is_refused(runner: Runner, phase: Phase) -> None:
    first, second = members(runner, 2, "live")
    before = runner.orders("a0").look()
    runner.tick(plan(wave("w", first, canary=STEPS)))
    runner.store.put_member("move", replace(runner.state("a0"), phase=phase))
    without = plan(wave("w", second))
    with pytest.raises(LeftOut, match="leaves out 1 functions") as refused:
        runner.tick(without)
    assert refused.value.functions == (first.function,)
    assert runner.states().keys() == {"a0"}
    # Either plan brings it back by its wave's name.
    runner.bring_back(without, "w")
    assert runner.ended() == {"a0": Result.ROLLED_BACK}
    assert runner.orders("a0").look().code_sha256 == before.code_sha256
    assert runner.orders("a0").look().configuration["Runtime"] == GO1X
    runner.tick(without)
    assert runner.ended()["a1"] is Result.MIGRATED


def test_what_ended_and_is_no_longer_in_the_plan_comes_back_with_its_wave(runner: Runner) -> None:
    first, second = members(runner, 2)
    runner.tick(plan(wave("w", first)))
    without = plan(wave("w", second))
    runner.bring_back(without, "w")
    assert runner.ended() == {"a0": Result.ROLLED_BACK}


def test_what_the_plan_has_not_moved_is_not_brought_back(runner: Runner) -> None:
    one = plan(wave("w", *members(runner, 1), budget=Budget(count=0)))
    assert runner.migrate("a0") is Result.MIGRATED
    runner.tick(one)
    assert runner.ended() == {"a0": Result.ALREADY_THERE}
    before = runner.orders("a0").look()
    failed = MemberState(
        wave="w", ref=one.waves[0].functions[0].ref, phase=Phase.ENDED, result=Result.FAILED
    )
    runner.bring_back(one, "w")
    runner.store.put_member("move", failed)
    runner.tick(one, rollback_on_stop=True)
    assert runner.orders("a0").look() == before
    assert runner.done() == [("a0", Doing.MOVE)]
