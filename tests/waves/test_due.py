from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, Order, OrderKind, Phase, Stage
from fleet.waves.budget import failures, is_spent
from fleet.waves.due import Agenda, Doing, Record, agenda, is_over
from fleet.waves.plan import Budget, Canary, Day, Freeze, Member, Plan, Wave, Window
from fleet.waves.windows import is_open
from tests.waves.runner import plan, wave

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
WATCHED = Canary(interval="10m", bake="1h")
AT_NIGHT = Window(hours="22:00-04:00")
BY_DAY = Window(hours="09:00-17:00")
Said = tuple[str, Doing]


def ref(number: int) -> FunctionRef:
    return FunctionRef("aws", "001234567890", "eu-west-1", f"fn-{number}")


def members(*numbers: int) -> tuple[Member, ...]:
    return tuple(
        Member(function=ref(each).arn, fingerprint="0" * 16, verdict="ready") for each in numbers
    )


def waved(name: str, *numbers: int, **given: object) -> Wave:
    return wave(name, *members(*numbers), **{"start": MONDAY, **given})


def state(number: int, phase: Phase, result: Result | None = None, **given: object) -> MemberState:
    state = MemberState(
        wave="w", ref=ref(number), phase=phase, result=result, began=MONDAY, since=MONDAY
    )
    return replace(state, **given)  # type: ignore[arg-type] # the names are checked by replace()


def ended(number: int, result: Result = Result.MIGRATED) -> MemberState:
    return state(number, Phase.ENDED, result)


def baking(number: int, share: float = 1.0, **given: object) -> MemberState:
    return state(number, Phase.BAKING, Result.BAKING, share=share, **given)


def order(kind: OrderKind, plan: str = "move", wave: str = "") -> Order:
    return Order(plan=plan, wave=wave, kind=kind, at=MONDAY, by="me@host", why="lunch")


def looked(
    whole: Plan,
    *states: MemberState,
    at: datetime = MONDAY,
    orders: Iterable[Order] = (),
    only: str | None = None,
) -> Agenda:
    return agenda(whole, Record({each.ref: each for each in states}, tuple(orders)), at, only=only)


def said(found: Agenda) -> list[Said]:
    return [(each.state.ref.name, each.doing) for each in found.due]


def why(found: Agenda) -> dict[str, str]:
    return {each.wave: each.why for each in found.holdups}


# One wave.


def test_a_function_that_waits_is_begun_when_its_wave_starts() -> None:
    whole = plan(waved("w", 1, 2))
    early = looked(whole, at=MONDAY - MINUTE)
    assert said(early) == []
    assert why(early) == {"w": "starts at Mon 2026-11-23 09:00 UTC"}
    assert early.wake == MONDAY
    assert said(looked(whole)) == [("fn-1", Doing.MOVE), ("fn-2", Doing.MOVE)]


def test_a_tick_that_comes_late_does_what_was_due() -> None:
    whole = plan(waved("w", 1))
    assert said(looked(whole, at=MONDAY + timedelta(days=30))) == [("fn-1", Doing.MOVE)]


def test_nothing_is_begun_while_its_window_is_closed() -> None:
    whole = plan(waved("w", 1, window=AT_NIGHT))
    found = looked(whole)
    assert said(found) == []
    assert why(found) == {"w": "its window opens at Mon 2026-11-23 22:00 UTC"}
    assert found.wake == MONDAY.replace(hour=22)
    assert said(looked(whole, at=MONDAY.replace(hour=22))) == [("fn-1", Doing.MOVE)]


def test_a_window_that_opens_no_more_is_told_and_waited_for_no_more() -> None:
    frozen = Freeze(first=date(2026, 1, 1), last=date(2030, 1, 1))
    found = looked(plan(waved("w", 1, window=Window(freeze=(frozen,)))))
    assert (said(found), found.wake) == ([], None)
    assert why(found) == {"w": "its window does not open again"}


def test_here_and_now_knows_no_start_and_no_hours_but_frozen_days() -> None:
    frozen = Freeze(first=date(2026, 11, 22), last=date(2026, 11, 22))
    window = Window(days=(Day.FRIDAY,), hours="22:00-23:00", freeze=(frozen,))
    whole = plan(waved("w", 1, window=window), waved("x", 2))
    assert said(looked(whole, at=MONDAY - 5 * HOUR, only="w")) == [("fn-1", Doing.MOVE)]
    frozen_day = looked(whole, at=MONDAY - timedelta(days=1), only="w")
    assert said(frozen_day) == []
    assert frozen_day.wake == MONDAY.replace(hour=0)


def test_here_and_now_is_for_the_wave_that_was_named_alone() -> None:
    whole = plan(waved("v", 1), waved("w", 2))
    found = looked(whole, ended(1), only="w")
    assert said(found) == [("fn-2", Doing.MOVE)]
    assert said(looked(whole, only="w")) == []
    assert said(looked(whole, state(1, Phase.UNDER_WAY), only="w")) == []


@pytest.mark.parametrize("hours", [0, 12])
def test_what_was_begun_is_gone_on_with_whatever_the_hour(hours: int) -> None:
    found = looked(
        plan(waved("w", 1, window=BY_DAY)), state(1, Phase.UNDER_WAY), at=MONDAY + hours * HOUR
    )
    assert said(found) == [("fn-1", Doing.MOVE)]
    # Whoever died may have changed nothing of it: then the window is what counts.
    assert found.due[0].may_shift is (hours == 0)


def test_what_is_handed_out_says_until_when_it_may_begin() -> None:
    whole = plan(waved("w", 1, 2, 3, window=BY_DAY, canary=WATCHED))
    states = (state(1, Phase.UNDER_WAY), baking(2, 0.1, since=MONDAY - HOUR))
    found = looked(whole, *states, at=MONDAY + HOUR)
    assert [each.until for each in found.due] == [MONDAY.replace(hour=17)] * 3
    assert {each.until for each in looked(plan(waved("w", 1)), at=MONDAY).due} == {None}


def test_here_and_now_lasts_until_the_next_frozen_day() -> None:
    frozen = Freeze(first=date(2026, 11, 24), last=date(2026, 11, 24))
    whole = plan(waved("w", 1, window=Window(hours="09:00-17:00", freeze=(frozen,))))
    (found,) = looked(whole, at=MONDAY, only="w").due
    assert found.until == MONDAY.replace(day=24, hour=0)


@pytest.mark.parametrize("result", [Result.MIGRATED, Result.STALE, Result.ROLLED_BACK])
def test_a_function_that_was_planned_anew_is_begun_anew(result: Result) -> None:
    whole = plan(waved("w", 1))
    # A plan made since, after another deploy, knows it by another fingerprint.
    was = replace(ended(1, result), fingerprint="1" * 16, attempts=3, ordered=True)
    (found,) = looked(whole, was).due
    assert (found.doing, found.state) == (Doing.MOVE, MemberState(wave="w", ref=ref(1)))
    for known in ("0" * 16, ""):
        assert looked(whole, replace(was, fingerprint=known)).due == ()


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.UNDER_WAY, Phase.BAKING])
def test_what_is_on_its_way_goes_on_whatever_a_newer_plan_knows(phase: Phase) -> None:
    was = state(1, phase, attempts=2, fingerprint="1" * 16)
    (found,) = looked(plan(waved("w", 1)), was).due
    assert found.state == was


def test_what_has_ended_is_left_alone() -> None:
    every = [ended(number, result) for number, result in enumerate(Result)]
    whole = plan(waved("w", *range(len(every)), budget=Budget()))
    assert looked(whole, *every) == Agenda((), (), None)


def test_functions_come_back_first_then_are_judged_then_gone_on_with_then_begun() -> None:
    whole = plan(
        waved("v", 1, 2, canary=WATCHED, budget=Budget()),
        waved("w", 3, 4, 5, canary=WATCHED, budget=Budget()),
    )
    states = (
        baking(1, 0.5, since=MONDAY - HOUR),
        ended(2),
        state(4, Phase.UNDER_WAY),
        baking(5, since=MONDAY - HOUR),
    )
    found = looked(whole, *states, orders=[order(OrderKind.CANCEL, wave="v")])
    assert said(found) == [("fn-1", Doing.BACK), ("fn-5", Doing.JUDGE), ("fn-4", Doing.MOVE)]


# Those that bake.


@pytest.mark.parametrize(
    ("baked", "due_after"),
    [
        (baking(1, 0.1), 10 * MINUTE),
        (baking(1, 1.0), 10 * MINUTE),
        (baking(1, 0.1, checked=MONDAY + 10 * MINUTE), 20 * MINUTE),
    ],
)
def test_a_function_is_judged_once_an_interval_and_only_then(
    baked: MemberState, due_after: timedelta
) -> None:
    whole = plan(waved("w", 1, canary=WATCHED))
    early = looked(whole, baked, at=MONDAY + due_after - timedelta(seconds=1))
    assert (said(early), early.wake) == ([], MONDAY + due_after)
    late = looked(whole, baked, at=MONDAY + due_after)
    assert said(late) == [("fn-1", Doing.JUDGE)]
    assert late.due[0].may_shift


def test_a_bake_shorter_than_the_interval_is_judged_at_its_end() -> None:
    whole = plan(waved("w", 1, canary=Canary(interval="1h", bake="5m")))
    assert looked(whole, baking(1, 1.0)).wake == MONDAY + 5 * MINUTE
    assert looked(whole, baking(1, 0.5)).wake == MONDAY + HOUR


def test_outside_of_the_window_it_is_judged_and_sent_no_more_calls() -> None:
    whole = plan(waved("w", 1, window=AT_NIGHT, canary=WATCHED))
    found = looked(whole, baking(1, 0.1, since=MONDAY - HOUR))
    assert said(found) == [("fn-1", Doing.JUDGE)]
    assert not found.due[0].may_shift


@pytest.mark.parametrize("kind", [OrderKind.PAUSE, OrderKind.STOP])
def test_a_wave_that_is_held_goes_on_being_judged(kind: OrderKind) -> None:
    whole = plan(waved("w", 1, 2, canary=WATCHED))
    found = looked(whole, baking(1, 0.1, since=MONDAY - HOUR), orders=[order(kind)])
    assert said(found) == [("fn-1", Doing.JUDGE)]
    assert not found.due[0].may_shift


def test_a_plan_whose_canary_was_taken_out_ends_what_bakes() -> None:
    assert said(looked(plan(waved("w", 1)), baking(1, 0.1))) == [("fn-1", Doing.JUDGE)]


def test_a_cancelled_wave_brings_back_what_is_halfway_and_lets_the_rest_bake() -> None:
    whole = plan(waved("w", 1, 2, 3, 4, canary=WATCHED, budget=Budget()))
    states = (baking(1, 0.5), baking(2, since=MONDAY - HOUR), state(3, Phase.UNDER_WAY))
    found = looked(whole, *states, orders=[order(OrderKind.CANCEL)])
    assert said(found) == [("fn-3", Doing.BACK), ("fn-1", Doing.BACK), ("fn-2", Doing.JUDGE)]


# Orders, budgets and earlier waves.


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (order(OrderKind.STOP, plan=""), "everything was stopped by me@host"),
        (order(OrderKind.PAUSE), "the plan was paused by me@host"),
        (order(OrderKind.CANCEL, wave="w"), "it was cancelled by me@host"),
    ],
)
def test_an_order_keeps_a_wave_from_beginning_and_going_on(given: Order, text: str) -> None:
    whole = plan(waved("w", 1, 2))
    found = looked(whole, orders=[given])
    assert (said(found), found.wake) == ([], None)
    assert why(found)["w"] == f"{text} at 2026-11-23 09:00Z: lunch"
    under_way = looked(whole, state(1, Phase.UNDER_WAY), orders=[given])
    assert (Doing.MOVE in [each.doing for each in under_way.due]) is False


@pytest.mark.parametrize(
    "given", [order(OrderKind.STOP, plan="another"), order(OrderKind.PAUSE, wave="another")]
)
def test_an_order_about_something_else_changes_nothing(given: Order) -> None:
    assert said(looked(plan(waved("w", 1)), orders=[given])) == [("fn-1", Doing.MOVE)]


@pytest.mark.parametrize("result", [Result.FAILED, Result.ROLLED_BACK, Result.PARTLY_BACK])
@pytest.mark.parametrize(
    ("budget", "failed", "is_over"),
    [
        (Budget(count=0), 1, True),
        (Budget(count=1), 1, False),
        (Budget(count=1), 2, True),
        (Budget(percent=25), 1, False),
        (Budget(percent=25), 2, True),
        (Budget(), 3, False),
    ],
)
def test_a_budget_that_is_spent_stops_its_wave(
    budget: Budget, failed: int, result: Result, *, is_over: bool
) -> None:
    whole = plan(waved("w", 1, 2, 3, 4, budget=budget), waved("x", 5, budget=Budget()))
    states = [ended(number + 1, result) for number in range(failed)]
    found = looked(whole, *states)
    assert (said(found) == []) is is_over
    if is_over:
        stopped = f"the failure budget of wave w is spent: {failed} of 4 functions failed"
        assert why(found) == {
            "w": stopped,
            "x": f"waits for wave w: functions that have not ended: {4 - failed}",
        }
        assert [(each.stopped, each.spent) for each in found.holdups] == [
            (True, True),
            (False, False),
        ]


def test_a_wave_that_ended_beyond_its_budget_holds_the_later_ones() -> None:
    whole = plan(waved("w", 1), waved("x", 2))
    found = looked(whole, ended(1, Result.FAILED))
    assert said(found) == []
    assert why(found)["x"].startswith("waits for wave w: the failure budget of wave w is spent")


def test_the_budget_of_the_plan_stops_every_wave() -> None:
    whole = plan(
        waved("w", 1, 2, budget=Budget()), waved("x", 3, budget=Budget()), budget=Budget(count=0)
    )
    found = looked(whole, ended(1, Result.FAILED))
    assert said(found) == []
    assert why(found)["w"] == (
        "the failure budget of the whole plan is spent: 1 of 3 functions failed"
    )


def test_one_that_was_to_come_back_and_bakes_still_spends_the_budget_and_is_judged() -> None:
    whole = plan(waved("w", 1, 2, canary=WATCHED))
    failing = replace(baking(1, 0.1, since=MONDAY - HOUR), result=Result.FAILED)
    found = looked(whole, failing)
    assert said(found) == [("fn-1", Doing.JUDGE)]
    assert found.holdups[0].spent


def test_what_people_had_brought_back_spends_no_budget() -> None:
    found = looked(plan(waved("w", 1, 2)), replace(ended(1, Result.ROLLED_BACK), ordered=True))
    assert said(found) == [("fn-2", Doing.MOVE)]


def test_blocked_and_stale_functions_spend_no_budget() -> None:
    whole = plan(waved("w", 1, 2, 3))
    found = looked(whole, ended(1, Result.BLOCKED), ended(2, Result.STALE))
    assert said(found) == [("fn-3", Doing.MOVE)]


@pytest.mark.parametrize(
    "open_one", [state(1, Phase.WAITING), state(1, Phase.UNDER_WAY), baking(1)]
)
def test_a_wave_begins_when_all_before_it_have_ended_and_baked(open_one: MemberState) -> None:
    whole = plan(waved("v", 1, canary=WATCHED), waved("w", 2), waved("x", 3))
    found = looked(whole, open_one)
    assert ("fn-2", Doing.MOVE) not in said(found)
    assert why(found)["w"] == "waits for wave v: functions that have not ended: 1"
    assert said(looked(whole, ended(1))) == [("fn-2", Doing.MOVE)]


def test_a_cancelled_wave_is_waited_for_until_nothing_of_it_is_halfway() -> None:
    whole = plan(waved("v", 1, 4, canary=WATCHED), waved("w", 2))
    orders = [order(OrderKind.CANCEL, wave="v")]
    assert said(looked(whole, baking(1, since=MONDAY), orders=orders)) == []
    assert said(looked(whole, ended(1), orders=orders)) == [("fn-2", Doing.MOVE)]


def test_cancelling_a_wave_that_went_badly_lets_no_later_one_begin() -> None:
    whole = plan(waved("v", 1, 2), waved("w", 3))
    states = (ended(1, Result.ROLLED_BACK), ended(2, Result.ROLLED_BACK))
    found = looked(whole, *states, orders=[order(OrderKind.CANCEL, wave="v")])
    assert said(found) == []
    assert why(found)["w"].startswith("waits for wave v: the failure budget of wave v is spent")


@pytest.mark.parametrize(
    ("states", "cancelled", "over"),
    [
        ([ended(1), ended(2, Result.FAILED)], "", True),
        ([ended(1)], "", False),
        # What has not begun never will.
        ([ended(1)], "w", True),
        ([], "w", True),
        ([], "another", False),
        ([ended(1), state(2, Phase.UNDER_WAY)], "w", False),
        ([ended(1), baking(2)], "w", False),
        ([ended(1), replace(ended(2), fingerprint="1" * 16)], "", False),
    ],
)
def test_a_plan_is_over_once_nothing_will_be_done_any_more(
    states: list[MemberState], cancelled: str, *, over: bool
) -> None:
    orders = [order(OrderKind.CANCEL, wave=cancelled)] if cancelled else []
    record = Record({each.ref: each for each in states}, tuple(orders))
    assert is_over(plan(waved("w", 1, 2)), record) is over


@pytest.mark.parametrize("kind", [OrderKind.PAUSE, OrderKind.STOP])
def test_a_plan_that_is_held_is_not_over(kind: OrderKind) -> None:
    record = Record({ref(1): ended(1, Result.FAILED)}, (order(kind),))
    assert not is_over(plan(waved("w", 1, 2)), record)


def test_what_waits_for_the_second_stage_has_not_ended() -> None:
    whole = plan(waved("v", 1), waved("w", 2))
    found = looked(whole, state(1, Phase.WAITING, Result.MIGRATED, stage=Stage.ARM64))
    assert said(found) == [("fn-1", Doing.MOVE)]


# Whatever the plan, the record and the hour.

times = st.integers(-3 * 1440, 5 * 1440).map(lambda minutes: MONDAY + minutes * MINUTE)
windows = st.none() | st.builds(
    Window,
    days=st.lists(st.sampled_from(Day), min_size=1, max_size=7).map(tuple),
    hours=st.sampled_from(["00:00-24:00", "09:00-17:00", "22:00-04:00"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    freeze=st.lists(
        st.just(Freeze(first=date(2026, 11, 24), last=date(2026, 11, 25))), max_size=1
    ).map(tuple),
)
budgets = st.builds(Budget, count=st.none() | st.integers(0, 3), percent=st.none() | st.just(40.0))
orders = st.lists(
    st.builds(
        order,
        st.sampled_from(OrderKind),
        st.sampled_from(["", "move", "another"]),
        st.sampled_from(["", "", "w0", "w1"]),
    ),
    max_size=1,
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    waves = [
        waved(
            f"w{number}",
            *range(3 * number, 3 * number + draw(st.integers(0, 3))),
            start=draw(times),
            window=draw(windows),
            budget=draw(budgets),
            canary=draw(st.sampled_from([None, WATCHED, Canary(interval="1h", bake="5m")])),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    return plan(*waves, budget=draw(budgets))


@st.composite
def records(draw: st.DrawFn, whole: Plan) -> Record:
    states = []
    for its, member in whole.members():
        phase = draw(st.sampled_from([None, *Phase]))
        if phase is not None:
            states.append(
                MemberState(
                    wave=its.name,
                    ref=member.ref,
                    phase=phase,
                    result=draw(st.sampled_from(Result)),
                    began=MONDAY,
                    since=draw(times),
                    share=draw(st.sampled_from([0.1, 1.0])),
                    checked=draw(st.none() | times),
                    fingerprint=draw(st.sampled_from(["", "0" * 16, "1" * 16])),
                    ordered=draw(st.booleans()),
                )
            )
    return Record({each.ref: each for each in states}, tuple(draw(orders)))


@st.composite
def moments(draw: st.DrawFn) -> tuple[Plan, Record, datetime]:
    whole = draw(plans())
    return whole, draw(records(whole)), draw(times)


def states_of(record: Record, wave: Wave) -> list[MemberState]:
    return [record.state(wave, member) for member in wave.functions]


def concerning(record: Record, wave: Wave) -> Sequence[OrderKind]:
    return [
        each.kind
        for each in record.orders
        if each.plan in {"", "move"} and each.wave in {"", wave.name}
    ]


@given(moments(), st.sampled_from([None, None, "w0", "w1"]))
def test_what_is_begun_may_be_begun(
    moment: tuple[Plan, Record, datetime], only: str | None
) -> None:
    whole, record, now = moment
    found = agenda(whole, record, now, only=only)
    every = [state for wave in whole.waves for state in states_of(record, wave)]
    for due in found.due:
        assert only in {None, due.wave.name}
        if due.doing is Doing.MOVE:
            assert not concerning(record, due.wave)
            states = states_of(record, due.wave)
            assert not is_spent(due.wave.budget, failures(states), len(states))
            assert not is_spent(whole.budget, failures(every), len(every))
        window = whole.window_of(due.wave)
        if due.until is not None:
            assert due.may_shift
            assert due.until > now
            if only is None:
                assert is_open(window, due.until - MINUTE / 60)
                assert not is_open(window, due.until)
        shifts = due.may_shift and due.doing is not Doing.BACK
        assert shifts or due.state.phase is not Phase.WAITING
        if not shifts:
            continue
        assert not concerning(record, due.wave)
        if only is None:
            assert whole.start_of(due.wave) <= now
            assert is_open(window, now)
        assert not any(
            each.first <= now.astimezone(window.tz).date() <= each.last for each in window.freeze
        )
        for earlier in whole.waves[: whole.waves.index(due.wave)]:
            states = states_of(record, earlier)
            open_ones = {Phase.UNDER_WAY, Phase.BAKING}
            if OrderKind.CANCEL not in concerning(record, earlier):
                open_ones.add(Phase.WAITING)
            assert not any(each.phase in open_ones for each in states)
            assert not is_spent(earlier.budget, failures(states), len(states))


@given(moments())
def test_everything_is_dealt_with_at_most_once_and_every_wave_that_waits_says_why(
    moment: tuple[Plan, Record, datetime],
) -> None:
    whole, record, now = moment
    found = agenda(whole, record, now)
    named = [each.state.ref for each in found.due]
    assert len(named) == len(set(named))
    begun = {each.state.ref for each in found.due if each.doing is Doing.MOVE}
    held = {each.wave for each in found.holdups}
    for each in whole.waves:
        for state in states_of(record, each):
            if state.phase is Phase.WAITING:
                assert (state.ref in begun) is (each.name not in held)
            if state.phase is Phase.ENDED:
                assert state.ref not in named


@given(moments(), st.floats(0, 1))
def test_nothing_new_is_due_before_it_wakes(
    moment: tuple[Plan, Record, datetime], part: float
) -> None:
    whole, record, now = moment
    found = agenda(whole, record, now)
    assert found.wake is None or found.wake > now
    until = now + timedelta(days=20) if found.wake is None else found.wake
    between = now + part * (until - now)
    if between < until:
        assert set(said(agenda(whole, record, between))) <= set(said(found))
