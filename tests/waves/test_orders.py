"""What people order while a plan runs: stop, pause, resume, cancel, retry, rollback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fleet.errors import BadSelection
from fleet.model import ROLLBACK_ALIAS, FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, OrderKind, Phase, Stage
from fleet.wave_status import WaveState
from fleet.waves.budget import FAILURES
from fleet.waves.orders import check_wave, tried_again
from fleet.waves.plan import Budget, Canary, Plan
from fleet.waves.telling import WaveStopped
from fleet.waves.worker import Task
from tests.waves.runner import Runner, plan, wave

REF = FunctionRef("aws", "001234567890", "eu-west-1", "orders")


def one_by_one(runner: Runner, count: int = 2, **given: object) -> Plan:
    """Two waves, each function after the other."""
    names = [f"a{number}" for number in range(count)]
    for name in (*names, "later"):
        runner.function(name)
    return plan(
        wave("first", *map(runner.member, names), parallelism=1, **given),
        wave("second", runner.member("later")),
    )


def during(runner: Runner, name: str, act: Callable[[], object]) -> None:
    """Act while a worker is at a function."""

    def acting(do: Callable[[Task], MemberState], task: Task) -> MemberState:
        after = do(task)
        if task.state.ref.name == name:
            act()
        return after

    runner.around = acting


@pytest.mark.parametrize(
    ("kind", "plan_name", "word"),
    [
        (OrderKind.STOP, "", WaveState.STOPPED),
        (OrderKind.PAUSE, "move", WaveState.PAUSED),
        (OrderKind.CANCEL, "move", WaveState.CANCELLED),
    ],
)
def test_an_order_holds_before_each_workers_next_function(
    runner: Runner, kind: OrderKind, plan_name: str, word: WaveState
) -> None:
    two = one_by_one(runner)
    during(runner, "a0", lambda: runner.order(kind, plan_name))
    runner.tick(two)
    assert runner.ended() == {"a0": Result.MIGRATED}
    assert runner.words(two)[0] is word
    assert [type(event) for event in runner.events[1:]] == [WaveStopped]
    runner.tick(two)
    assert runner.ended() == {"a0": Result.MIGRATED}
    # And on, as though nothing had been.
    assert runner.store.withdraw_orders(plan_name, "", [*OrderKind]) == 1
    runner.tick(two)
    assert runner.results() == {Result.MIGRATED: 3}
    assert all(state.attempts == 1 for state in runner.states().values())


def test_a_paused_wave_holds_the_later_ones(runner: Runner) -> None:
    two = one_by_one(runner)
    runner.order(OrderKind.PAUSE, wave="first")
    runner.tick(two)
    assert runner.states() == {}


def test_a_cancelled_wave_holds_no_later_one(runner: Runner) -> None:
    two = one_by_one(runner)
    runner.order(OrderKind.CANCEL, wave="first")
    runner.tick(two)
    assert runner.ended() == {"later": Result.MIGRATED}


def test_an_order_about_another_plan_holds_nothing(runner: Runner) -> None:
    two = one_by_one(runner, 1)
    runner.order(OrderKind.STOP, "another")
    runner.tick(two)
    assert runner.results() == {Result.MIGRATED: 2}


def test_a_wave_is_brought_back_and_the_others_stay(runner: Runner) -> None:
    two = one_by_one(runner, 2)
    before = {name: runner.orders(name).look() for name in ("a0", "a1")}
    runner.tick(two)
    runner.bring_back(two, "first")
    assert runner.ended() == {
        "a0": Result.ROLLED_BACK,
        "a1": Result.ROLLED_BACK,
        "later": Result.MIGRATED,
    }
    for name, was in before.items():
        assert runner.orders(name).look().without(ROLLBACK_ALIAS, "provided") == was
        assert runner.state(name).reason == "its wave was brought back by hand"
    runner.tasks.clear()
    runner.bring_back(two, "first")
    assert runner.tasks == []


def test_a_wave_is_brought_back_from_the_midst_of_its_canary(runner: Runner) -> None:
    two = one_by_one(runner, 1, canary=Canary())
    before = runner.orders("a0").look()
    runner.tick(two)
    assert runner.state("a0").phase is Phase.BAKING
    runner.bring_back(two, "first")
    assert runner.ended() == {"a0": Result.ROLLED_BACK}
    assert runner.orders("a0").look().without(ROLLBACK_ALIAS, "provided") == before


def test_what_was_not_touched_is_not_brought_back(runner: Runner) -> None:
    two = one_by_one(runner, 2)
    runner.orders("a0").deploy()
    runner.tick(two)
    assert runner.state("a0").result is Result.STALE
    runner.bring_back(two, "first")
    assert runner.state("a0").result is Result.STALE
    assert runner.state("a1").result is Result.ROLLED_BACK


def test_a_function_of_which_nothing_was_changed_yet_is_back(runner: Runner) -> None:
    two = one_by_one(runner, 1)
    ref = two.waves[0].functions[0].ref
    begun = MemberState(
        wave="first", ref=ref, phase=Phase.UNDER_WAY, attempts=1, began=runner.now()
    )
    runner.store.put_member("move", begun)
    before = runner.orders("a0").look()
    runner.order(OrderKind.CANCEL, wave="first")
    runner.tick(two)
    assert runner.state("a0").result is Result.ROLLED_BACK
    assert runner.orders("a0").look() == before


def test_a_retry_begins_what_was_rolled_back_anew(runner: Runner) -> None:
    two = one_by_one(runner, 1)
    runner.tick(two)
    runner.bring_back(two, "first")
    runner.retry("first")
    runner.tick(two)
    assert runner.results() == {Result.MIGRATED: 2}
    assert runner.orders("a0").look().configuration["Runtime"] == "provided.al2023"


def test_a_stale_function_is_tried_again_by_a_plan_that_knows_it(runner: Runner) -> None:
    two = one_by_one(runner, 1, budget=Budget())
    runner.orders("a0").deploy()
    runner.tick(two)
    runner.retry()
    runner.tick(two)
    assert runner.state("a0").result is Result.STALE
    fresh = plan(wave("first", runner.member("a0"), parallelism=1), two.waves[1])
    runner.retry()
    runner.tick(fresh)
    assert runner.state("a0").result is Result.MIGRATED


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("stage", Stage)
def test_what_is_tried_again(result: Result, stage: Stage) -> None:
    state = MemberState(
        wave="w", ref=REF, stage=stage, phase=Phase.ENDED, result=result, attempts=2, share=1.0
    )
    again = tried_again([state], "w")
    assert bool(again) is (result in {*FAILURES, Result.BLOCKED, Result.STALE})
    assert tried_again([state], "another") == ()
    for each in again:
        assert (each.phase, each.attempts, each.share, each.began) == (Phase.WAITING, 2, 0.0, None)
        # Brought back all the way, it begins with the runtime.
        assert each.stage is (Stage.RUNTIME if result is Result.ROLLED_BACK else stage)


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.UNDER_WAY, Phase.BAKING])
def test_what_has_not_ended_is_not_tried_again(phase: Phase) -> None:
    state = MemberState(wave="w", ref=REF, phase=phase, result=Result.FAILED)
    assert tried_again([state], None) == ()


def test_a_wave_that_is_not_in_the_plan_is_named_with_those_that_are() -> None:
    with pytest.raises(BadSelection, match="plan move has the waves v, w"):
        check_wave(plan(wave("v"), wave("w")), "x")
