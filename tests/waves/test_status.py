from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, Order, OrderKind, Phase
from fleet.wave_status import Counts, PlanStatus, WaveState, WaveStatus
from fleet.waves.budget import is_spent
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
    orders = [order(OrderKind.STOP, "other"), order(OrderKind.STOP, "move", "gone")]
    status = status_of(plan(wave("w", [0])), record(orders=orders), START)
    assert first(status).state is WaveState.DUE
    assert status.orders == ()


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
    Phase.BAKING: st.none(),
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
        states.append(state(number, phase, data.draw(STATES[phase])))
    of = plan(wave("w", range(len(states)), budget=Budget(count=budget)))
    now = START + hours * HOUR
    found = first(status_of(of, record(*states), now, busy=[each.ref for each in states if leased]))
    counts = found.counts
    moving = counts.running + counts.unattended + counts.baking + counts.waiting
    assert counts.done + counts.all_failed + counts.all_not_moved + moving == counts.functions
    assert found.state.is_done is (moving == 0)
    if is_spent(Budget(count=budget), counts.all_failed, counts.functions) and moving:
        assert found.state is WaveState.STOPPED
