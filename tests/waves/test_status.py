from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, Order, OrderKind, Phase, Stage
from fleet.wave_status import Counts, PlanStatus, WaveState, WaveStatus
from fleet.waves.budget import failures, is_spent
from fleet.waves.due import Record
from fleet.waves.plan import Budget, Member, Plan, Staying, Wave, Window
from fleet.waves.status import expected_end, record_of, status_of

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday."""
HOUR = timedelta(hours=1)


def ref(number: int) -> FunctionRef:
    return FunctionRef("aws", "001234567890", "eu-west-1", f"fn-{number}")


def wave(name: str, numbers: Iterable[int], **given: object) -> Wave:
    functions = tuple(
        Member(function=ref(each).arn, fingerprint="0" * 16, verdict="ready") for each in numbers
    )
    return Wave.model_validate({"name": name, "start": START, "functions": functions} | given)


def plan(*waves: Wave, **given: object) -> Plan:
    values = {"format": 1, "name": "move", "organization": "o-abc123", "scan": "s", "waves": waves}
    return Plan.model_validate(values | given)


def state(number: int, phase: Phase, result: Result | None = None, **given: object) -> MemberState:
    state = MemberState(
        wave="w", ref=ref(number), phase=phase, result=result, began=START, since=START + HOUR
    )
    return replace(state, **given)  # type: ignore[arg-type] # the names are checked by replace()


def ended(number: int, result: Result = Result.MIGRATED, **given: object) -> MemberState:
    return state(number, Phase.ENDED, result, **given)


def record(*states: MemberState, orders: Iterable[Order] = ()) -> Record:
    return Record({each.ref: each for each in states}, tuple(orders))


def order(kind: OrderKind, plan: str = "move", wave: str = "") -> Order:
    return Order(plan=plan, wave=wave, kind=kind, at=START, by="me@host", why="lunch")


def first(status: PlanStatus) -> WaveStatus:
    return status.waves[0]


@pytest.mark.parametrize(
    ("states", "now", "expected"),
    [
        ([], START - HOUR, WaveState.SCHEDULED),
        ([], START, WaveState.DUE),
        ([state(0, Phase.UNDER_WAY)], START, WaveState.RUNNING),
        ([state(1, Phase.UNDER_WAY)], START, WaveState.DUE),
        ([state(0, Phase.BAKING), state(1, Phase.BAKING)], START, WaveState.BAKING),
        ([state(1, Phase.BAKING)], START, WaveState.DUE),
        ([ended(0), ended(1, Result.ALREADY_THERE)], START, WaveState.DONE),
        ([ended(0), ended(1, Result.BLOCKED)], START, WaveState.DONE_NOT_ALL_MOVED),
        ([ended(0), ended(1, Result.STALE)], START, WaveState.DONE_NOT_ALL_MOVED),
        ([ended(0), ended(1, Result.ROLLED_BACK)], START, WaveState.DONE_WITH_FAILURES),
        ([ended(0, Result.STALE), ended(1, Result.FAILED)], START, WaveState.DONE_WITH_FAILURES),
        ([ended(0, Result.FAILED)], START, WaveState.STOPPED),
    ],
)
def test_the_state_of_a_wave_in_a_word(
    states: list[MemberState], now: datetime, expected: WaveState
) -> None:
    found = first(status_of(plan(wave("w", [0, 1])), record(*states), now, busy=[ref(0)]))
    assert found.state is expected


def test_a_wave_waits_for_the_one_before_it_and_names_it() -> None:
    waves = wave("canary", [0]), wave("rest", [1])
    second = status_of(plan(*waves), record(), START).waves[1]
    assert second.state is WaveState.WAITING_FOR_EARLIER
    assert "canary" in second.why
    second = status_of(plan(*waves), record(ended(0)), START).waves[1]
    assert (second.state, second.why) == (WaveState.DUE, "")


def test_a_closed_window_is_told_with_the_time_it_opens() -> None:
    nights = Window(hours="22:00-04:00")
    found = first(status_of(plan(wave("w", [0], window=nights)), record(), START))
    assert found.state is WaveState.WAITING_FOR_WINDOW
    assert "22:00" in found.why


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (OrderKind.PAUSE, WaveState.PAUSED),
        (OrderKind.STOP, WaveState.STOPPED),
        (OrderKind.CANCEL, WaveState.CANCELLED),
    ],
)
@pytest.mark.parametrize(("named", "of"), [("", ""), ("move", ""), ("move", "w")])
def test_an_order_shows_with_who_gave_it_and_why(
    kind: OrderKind, expected: WaveState, named: str, of: str
) -> None:
    given = order(kind, named, of)
    status = status_of(plan(wave("w", [0])), record(orders=[given]), START)
    assert first(status).state is expected
    assert "me@host" in first(status).why
    assert "lunch" in first(status).why
    assert status.orders == (given,)


def test_an_order_about_something_else_is_not_shown() -> None:
    status = status_of(plan(wave("w", [0])), record(orders=[order(OrderKind.STOP, "other")]), START)
    assert first(status).state is WaveState.DUE
    assert status.orders == ()


def test_an_order_about_a_wave_that_the_plan_names_no_more_is_shown_and_holds_nothing() -> None:
    gone = order(OrderKind.STOP, "move", "gone")
    status = status_of(plan(wave("w", [0])), record(orders=[gone]), START)
    assert first(status).state is WaveState.DUE
    assert status.orders == (gone,)


def test_a_wave_that_is_done_stays_done_whatever_is_ordered_later() -> None:
    stop = order(OrderKind.STOP, "")
    assert (
        first(status_of(plan(wave("w", [0])), record(ended(0), orders=[stop]), START)).state
        is WaveState.DONE
    )


def test_the_plans_budget_stops_every_wave_that_is_not_done() -> None:
    waves = wave("a", [0], budget=Budget(count=9)), wave("b", [1]), wave("c", [2])
    of = plan(*waves, budget=Budget(count=0))
    status = status_of(of, record(ended(0, Result.FAILED)), START)
    states = [WaveState.DONE_WITH_FAILURES, WaveState.STOPPED, WaveState.STOPPED]
    assert [each.state for each in status.waves] == states
    assert status.spent
    assert status.totals.budget_left == 0
    assert "whole plan" in status.waves[1].why


def test_every_function_is_counted_once_where_it_stands() -> None:
    states = [
        ended(0),
        ended(1, Result.ALREADY_THERE, unjudged=True),
        ended(2, Result.FAILED),
        ended(3, Result.ROLLED_BACK),
        ended(4, Result.STALE),
        ended(5, Result.BLOCKED),
        state(6, Phase.UNDER_WAY),
        state(7, Phase.UNDER_WAY),
        state(8, Phase.BAKING),
    ]
    of = plan(wave("w", range(10), budget=Budget(count=5)))
    counts = first(status_of(of, record(*states), START, busy={ref(6)})).counts
    assert counts == Counts(
        functions=10,
        done=2,
        running=1,
        unattended=1,
        baking=1,
        waiting=1,
        failed={"failed": 1, "rolled back": 1},
        not_moved={"blocked": 1, "stale": 1},
        unjudged=1,
        budget_left=3,
    )


def test_what_people_had_brought_back_is_told_as_that_and_spends_no_budget() -> None:
    states = [ended(number, Result.ROLLED_BACK, ordered=True) for number in (0, 1)]
    of = plan(wave("w", range(3), budget=Budget(count=1)), budget=Budget(count=1))
    status = status_of(of, record(*states), START)
    counts = first(status).counts
    assert (counts.failed, counts.budget_left) == ({"rolled back": 2}, 1)
    assert (first(status).state, status.totals.budget_left) == (WaveState.DUE, 1)
    assert not status.spent


def test_one_that_was_to_come_back_and_bakes_still_spends_the_budget() -> None:
    states = [state(number, Phase.BAKING, Result.FAILED) for number in (0, 1)]
    of = plan(wave("w", range(3), budget=Budget(count=1)), budget=Budget(count=2))
    status = status_of(of, record(*states), START)
    counts = first(status).counts
    assert (counts.failed, counts.baking, counts.budget_left) == ({}, 2, 0)
    assert (first(status).state, status.totals.budget_left) == (WaveState.STOPPED, 0)
    assert not status.spent
    of = plan(wave("w", range(3), budget=Budget()), budget=Budget(count=1))
    assert status_of(of, record(*states), START).spent


@pytest.mark.parametrize(
    ("states", "kind", "over"),
    [
        ([ended(0), ended(1, Result.FAILED)], None, True),
        ([ended(0)], None, False),
        ([ended(0)], OrderKind.PAUSE, False),
        ([ended(0)], OrderKind.CANCEL, True),
        ([], OrderKind.CANCEL, True),
        ([ended(0), state(1, Phase.BAKING)], OrderKind.CANCEL, False),
        ([state(1, Phase.UNDER_WAY)], OrderKind.CANCEL, False),
        ([state(0, Phase.UNDER_WAY)], OrderKind.CANCEL, False),
    ],
)
def test_a_wave_is_over_once_nothing_of_it_goes_on_by_itself(
    states: list[MemberState], kind: OrderKind | None, *, over: bool
) -> None:
    orders = [] if kind is None else [order(kind)]
    of = plan(wave("w", [0, 1], budget=Budget()))
    found = first(status_of(of, record(*states, orders=orders), START, busy=[ref(0)]))
    assert found.is_over is over


def test_what_most_of_those_that_bake_wait_for_is_told() -> None:
    few = "n: 3 of the 20 calls it takes to judge have been made"
    states = [
        state(0, Phase.BAKING, reason="1 of 100 calls failed", checked=START),
        *(state(each, Phase.BAKING, reason=few, checked=START) for each in (1, 2)),
        # Not judged yet: what it says is of its move.
        *(state(each, Phase.BAKING, reason="alias old stayed") for each in (3, 4, 5)),
    ]
    of = plan(wave("w", range(6)))
    assert first(status_of(of, record(*states), START)).why == f"2 of them: {few}"
    assert first(status_of(of, record(*states[3:]), START)).why == ""
    # What holds all of it is told instead.
    paused = record(*states, orders=[order(OrderKind.PAUSE)])
    assert "paused" in first(status_of(plan(wave("w", range(7))), paused, START)).why


def test_a_wave_that_was_begun_before_its_start_is_not_scheduled() -> None:
    of = plan(wave("w", [0, 1]))
    early = START - HOUR
    assert first(status_of(of, record(), early)).state is WaveState.SCHEDULED
    found = first(status_of(of, record(ended(0)), early))
    assert found.state is WaveState.WAITING_FOR_WINDOW


@pytest.mark.parametrize("phase", Phase)
def test_what_has_come_to_the_second_pass_has_left_go1x_whatever_becomes_of_it(
    phase: Phase,
) -> None:
    failed = state(0, phase, Result.FAILED, stage=Stage.ARM64)
    (found,) = record_of(plan(wave("w", [0])), record(failed), START).members
    assert found.moved
    (found,) = record_of(
        plan(wave("w", [0])), record(replace(failed, stage=Stage.RUNTIME)), START
    ).members
    assert not found.moved


def test_a_function_that_was_planned_anew_waits() -> None:
    stale = ended(0, Result.STALE, fingerprint="1" * 16)
    found = first(status_of(plan(wave("w", [0])), record(stale), START))
    assert (found.state, found.counts.waiting) == (WaveState.DUE, 1)
    done = replace(stale, fingerprint="0" * 16)
    assert first(status_of(plan(wave("w", [0])), record(done), START)).state.is_done


def test_what_the_plan_leaves_and_what_it_names_no_more_are_counted_apart() -> None:
    stays = Staying(function=ref(5).arn, verdict="rebuild", reason="too old")
    of = plan(wave("w", [0]), staying=(stays,))
    status = status_of(of, record(ended(0), ended(9)), START)
    assert (status.totals.functions, status.staying, status.removed) == (1, 1, 1)


def test_began_is_the_first_and_ended_the_last_once_all_have() -> None:
    early, late = START - HOUR, START + 5 * HOUR
    states = [ended(0, began=early), ended(1, since=late)]
    found = first(status_of(plan(wave("w", [0, 1])), record(*states), late))
    assert (found.began, found.ended) == (early, late)
    found = first(status_of(plan(wave("w", [0, 1, 2])), record(*states), late))
    assert (found.began, found.ended) == (early, None)


def test_the_expected_end_follows_the_pace_so_far() -> None:
    now = START + 2 * HOUR
    states = [ended(0), ended(1), *(state(n, Phase.WAITING, began=None) for n in (2, 3, 4))]
    found = first(status_of(plan(wave("w", range(5))), record(*states), now))
    assert found.expected_end == now + 3 * HOUR


@pytest.mark.parametrize(
    ("states", "why"),
    [
        ([], "nothing has begun"),
        ([state(0, Phase.UNDER_WAY)], "nothing has ended"),
        ([ended(0)], "nothing is left"),
        ([ended(0, Result.BLOCKED, began=None), state(1, Phase.WAITING)], "none that was begun"),
    ],
)
def test_no_end_is_made_up(states: list[MemberState], why: str) -> None:
    assert expected_end(states, START + HOUR) is None, why


def test_no_end_is_expected_of_a_wave_that_does_not_go_on() -> None:
    paused = order(OrderKind.PAUSE)
    of = plan(wave("w", [0, 1]))
    found = first(status_of(of, record(ended(0), orders=[paused]), START + HOUR))
    assert found.expected_end is None


def test_the_record_has_every_function_with_those_that_stay_last() -> None:
    stays = Staying(function=ref(5).arn, verdict="rebuild", reason="its library is too old")
    states = [ended(0), state(1, Phase.UNDER_WAY), ended(3, Result.FAILED, reason="it broke")]
    of = plan(wave("w", [3, 0, 1, 2]), staying=(stays,))
    found = record_of(of, record(*states), START)
    assert [(each.ref.name, each.word, each.moved, each.reason) for each in found.members] == [
        ("fn-3", "failed", False, "it broke"),
        ("fn-0", "migrated", True, ""),
        ("fn-1", "unattended", False, ""),
        ("fn-2", "waiting", False, ""),
        ("fn-5", "staying", False, "rebuild: its library is too old"),
    ]
    assert [each.ended for each in found.members] == [START + HOUR, START + HOUR, None, None, None]


STATES: Mapping[Phase, st.SearchStrategy[Result | None]] = {
    Phase.WAITING: st.none() | st.just(Result.FAILED),
    Phase.UNDER_WAY: st.none(),
    Phase.BAKING: st.sampled_from([Result.BAKING, Result.FAILED]),
    Phase.ENDED: st.none() | st.sampled_from(Result),
}


@given(st.data(), st.integers(0, 8), st.booleans(), st.integers(-2, 2))
def test_the_counts_add_up_and_agree_with_the_brake(
    data: st.DataObject,
    budget: int,
    leased: bool,
    hours: int,
) -> None:
    states = []
    for number in range(data.draw(st.integers(1, 8))):
        phase = data.draw(st.sampled_from(Phase))
        result = data.draw(STATES[phase])
        ordered = result is Result.ROLLED_BACK and data.draw(st.booleans())
        states.append(state(number, phase, result, ordered=ordered))
    of = plan(wave("w", range(len(states)), budget=Budget(count=budget)))
    now = START + hours * HOUR
    found = first(status_of(of, record(*states), now, busy=[each.ref for each in states if leased]))
    counts = found.counts
    moving = counts.running + counts.unattended + counts.baking + counts.waiting
    assert counts.done + counts.all_failed + counts.all_not_moved + moving == counts.functions
    assert found.state.is_done is (moving == 0)
    assert found.is_over is (moving == 0)
    if is_spent(Budget(count=budget), failures(states), counts.functions) and moving:
        assert found.state is WaveState.STOPPED
