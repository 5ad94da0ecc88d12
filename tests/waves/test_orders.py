"""What people order while a plan runs: stop, pause, resume, cancel, retry, rollback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fleet.errors import BadSelection
from fleet.model import ROLLBACK_ALIAS, FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, OrderKind, Phase, Stage
from fleet.wave_status import WaveState
from fleet.waves.budget import FAILURES
from fleet.waves.due import Record
from fleet.waves.orders import check_wave, tried_again
from fleet.waves.plan import Budget, Canary, Member, Plan
from fleet.waves.telling import WaveStopped
from fleet.waves.worker import Task
from tests.waves.runner import Runner, plan, wave

REF = FunctionRef("aws", "001234567890", "eu-west-1", "orders")
MEMBER = Member(function=REF.arn, fingerprint="0" * 16, verdict="ready")
ONE = plan(wave("w", MEMBER), wave("another"))
LONG_AGO = datetime(2026, 10, 1, tzinfo=UTC)
ENDED = MemberState(
    wave="w",
    ref=REF,
    phase=Phase.ENDED,
    result=Result.FAILED,
    attempts=2,
    share=1.0,
    began=LONG_AGO,
    baseline=LONG_AGO,
    touched=True,
    fingerprint=MEMBER.fingerprint,
)


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
    # What people had brought back is theirs to name.
    runner.retry(two)
    assert runner.state("a0").phase is Phase.ENDED
    runner.retry(two, "first")
    runner.tick(two)
    assert runner.results() == {Result.MIGRATED: 2}
    assert runner.orders("a0").look().configuration["Runtime"] == "provided.al2023"


def test_a_stale_function_is_tried_again_by_a_plan_that_knows_it(runner: Runner) -> None:
    two = one_by_one(runner, 1, budget=Budget())
    runner.orders("a0").deploy()
    runner.tick(two)
    runner.retry(two)
    runner.tick(two)
    assert runner.state("a0").result is Result.STALE
    fresh = plan(wave("first", runner.member("a0"), parallelism=1), two.waves[1])
    # Nothing to try again there: it waits as one that was never begun.
    runner.retry(fresh)
    runner.tick(fresh)
    assert runner.state("a0").result is Result.MIGRATED
    assert runner.state("a0").attempts == 1


def again(state: MemberState, wave: str | None = "w", whole: Plan = ONE) -> tuple[MemberState, ...]:
    return tried_again(Record({state.ref: state}), whole, wave)


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("theirs", [False, True])
def test_what_is_tried_again(result: Result, stage: Stage, *, theirs: bool) -> None:
    state = replace(ENDED, stage=stage, result=result, theirs=theirs)
    found = again(state)
    assert bool(found) is (result in {*FAILURES, Result.BLOCKED, Result.STALE})
    assert again(state, "another") == ()
    for each in found:
        assert each == MemberState(
            wave="w",
            ref=REF,
            stage=stage,
            attempts=2,
            reason=f"to be tried again after: {result}",
            # What it did before anything was done to it stays what it is compared with.
            baseline=LONG_AGO,
            touched=each.touched,
            theirs=theirs,
        )
        # Back from arm64, it is on the runtime still that the plan brought.
        all_back = result is Result.ROLLED_BACK and (stage is Stage.RUNTIME or theirs)
        assert each.touched is not all_back


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.UNDER_WAY, Phase.BAKING])
def test_what_has_not_ended_is_not_tried_again(phase: Phase) -> None:
    assert again(replace(ENDED, phase=phase), None) == ()


def test_what_people_had_brought_back_is_tried_again_where_they_name_its_wave() -> None:
    back = replace(ENDED, result=Result.ROLLED_BACK, ordered=True)
    assert again(back, None) == ()
    (found,) = again(back, "w")
    assert not found.ordered
    assert again(replace(back, ordered=False), None) == (found,)


def test_a_function_is_tried_again_in_the_wave_where_the_plan_has_it_now() -> None:
    whole = plan(wave("w"), wave("another", MEMBER))
    assert again(ENDED, "w", whole) == ()
    assert [each.wave for each in again(ENDED, "another", whole)] == ["another"]
    # One that the plan names no more is nobody's to try.
    assert again(ENDED, None, plan(wave("w"))) == ()


def test_a_function_that_was_planned_anew_is_not_tried_again_but_new() -> None:
    assert again(replace(ENDED, fingerprint="1" * 16)) == ()


def test_a_wave_that_is_not_in_the_plan_is_named_with_those_that_are() -> None:
    with pytest.raises(BadSelection, match="plan move has the waves v, w"):
        check_wave(plan(wave("v"), wave("w")), "x")
