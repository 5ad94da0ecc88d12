"""Where a plan stands: pure in the plan, what its run remembers, and the clock.

What keeps a wave back is asked of `due`, and the budgets of `budget`: the very functions that
the run goes by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, OrderKind, Phase, Stage
from fleet.wave_status import (
    Counts,
    MemberStatus,
    PlanRecord,
    PlanStatus,
    WaveState,
    WaveStatus,
)
from fleet.waves.aftermath import MOVED, stays_on_x86_64
from fleet.waves.budget import FAILURES, failures, is_spent, left
from fleet.waves.due import Holdup, Record, agenda, concerns
from fleet.waves.plan import Budget, Plan, Wave
from fleet.waves.windows import next_opening

_ORDERED = {
    OrderKind.CANCEL: WaveState.CANCELLED,
    OrderKind.STOP: WaveState.STOPPED,
    OrderKind.PAUSE: WaveState.PAUSED,
}
"""The stronger first."""


def status_of(
    plan: Plan, record: Record, now: datetime, *, busy: Collection[FunctionRef] = ()
) -> PlanStatus:
    """Tell where every wave stands. `busy` are the functions whose lease somebody holds."""
    of_waves = [[record.state(wave, member) for member in wave.functions] for wave in plan.waves]
    every = [state for states in of_waves for state in states]
    totals = counts_of(every, plan.budget, busy=busy)
    spent = is_spent(plan.budget, failures(every), totals.functions)
    holdups = {each.wave: each for each in agenda(plan, record, now, busy=busy).holdups}
    return PlanStatus(
        plan=plan.name,
        organization=plan.organization,
        scan=plan.scan,
        as_of=now,
        orders=tuple(
            order
            for order in record.orders
            # Also of a wave that an edited plan names no more: its order holds nothing by now.
            if order.plan in {"", plan.name}
        ),
        spent=spent,
        waves=tuple(
            _of_wave(plan, wave, states, record, now, holdups.get(wave.name), spent, busy)
            for wave, states in zip(plan.waves, of_waves, strict=True)
        ),
        totals=totals,
        staying=len(plan.staying),
        removed=len(record.states.keys() - {state.ref for state in every}),
    )


def record_of(
    plan: Plan, record: Record, now: datetime, *, busy: Collection[FunctionRef] = ()
) -> PlanRecord:
    """Tell the same with every function, for the reports."""
    members = [
        _of_member(plan, wave, record.state(wave, member), busy) for wave, member in plan.members()
    ]
    members += [
        MemberStatus(
            ref=FunctionRef.of_arn(each.function),
            wave="",
            start=None,
            word="staying",
            reason=f"{each.verdict}: {each.reason}",
        )
        for each in plan.staying
    ]
    return PlanRecord(status=status_of(plan, record, now, busy=busy), members=tuple(members))


def _watched(states: Iterable[MemberState]) -> str:
    """What most of those that bake wait for, as their checks say."""
    reasons = Counter(
        state.reason for state in states if state.phase is Phase.BAKING and state.checked
    )
    return next((f"{count} of them: {why}" for why, count in reasons.most_common(1)), "")


def counts_of(
    states: Sequence[MemberState], budget: Budget, *, busy: Collection[FunctionRef] = ()
) -> Counts:
    """Count functions of a wave, or of a plan, whose budget is given."""
    phases = Counter(state.phase for state in states)
    ended = Counter(
        # It has left go1.x, whatever the second pass came to.
        Result.MIGRATED if stays_on_x86_64(state) else _result(state)
        for state in states
        if state.phase is Phase.ENDED
    )
    failed = {result.value: ended[result] for result in sorted(FAILURES) if ended[result]}
    running = sum(state.phase is Phase.UNDER_WAY and state.ref in busy for state in states)
    return Counts(
        functions=len(states),
        done=sum(ended[result] for result in MOVED),
        running=running,
        unattended=phases[Phase.UNDER_WAY] - running,
        baking=phases[Phase.BAKING],
        waiting=phases[Phase.WAITING],
        failed=failed,
        not_moved={
            result.value: count
            for result, count in sorted(ended.items())
            if result not in FAILURES | MOVED
        },
        unjudged=sum(state.unjudged for state in states),
        budget_left=left(budget, failures(states), len(states)),
    )


def _of_wave(
    plan: Plan,
    wave: Wave,
    states: Sequence[MemberState],
    record: Record,
    now: datetime,
    hold: Holdup | None,
    plan_spent: bool,
    busy: Collection[FunctionRef],
) -> WaveStatus:
    counts = counts_of(states, wave.budget, busy=busy)
    ordered = {order.kind for order in record.orders if concerns(order, plan, wave)}
    spent = plan_spent or is_spent(wave.budget, failures(states), counts.functions)
    state = (
        _ended(counts, all_the_way=not any(map(stays_on_x86_64, states)))
        or _stopped(ordered, spent=spent)
        or _going(plan, wave, counts, hold, now)
    )
    over = state.is_done
    began = min((each.began for each in states if each.began is not None), default=None)
    last = max((each.since for each in states if each.since is not None), default=None)
    return WaveStatus(
        name=wave.name,
        start=plan.start_of(wave).astimezone(UTC),
        state=state,
        why=hold.why if hold is not None else _watched(states),
        counts=counts,
        began=began,
        ended=last if over else None,
        expected_end=expected_end(states, now)
        if state in {WaveState.RUNNING, WaveState.BAKING, WaveState.DUE}
        else None,
    )


def expected_end(states: Iterable[MemberState], now: datetime) -> datetime | None:
    """When the last function ends if they go on ending as they have since the first began.

    None where nothing has ended, or nothing is left: a pace of nothing says nothing.
    """
    states = list(states)
    began = [state.began for state in states if state.began is not None]
    ended = sum(state.phase is Phase.ENDED and state.began is not None for state in states)
    remaining = sum(state.phase is not Phase.ENDED for state in states)
    if not ended or not remaining or min(began) >= now:
        return None
    return now + (now - min(began)) * remaining / ended


def _ended(counts: Counts, *, all_the_way: bool) -> WaveState | None:
    if counts.done + counts.all_failed + counts.all_not_moved < counts.functions:
        return None
    if counts.failed:
        return WaveState.DONE_WITH_FAILURES
    whole = all_the_way and not counts.not_moved
    return WaveState.DONE if whole else WaveState.DONE_NOT_ALL_MOVED


def _stopped(ordered: Collection[OrderKind], *, spent: bool) -> WaveState | None:
    found = next((state for kind, state in _ORDERED.items() if kind in ordered), None)
    return WaveState.STOPPED if spent and found is not WaveState.CANCELLED else found


def _going(plan: Plan, wave: Wave, counts: Counts, hold: Holdup | None, now: datetime) -> WaveState:
    if counts.running:
        return WaveState.RUNNING
    if hold is None:
        return WaveState.DUE if counts.waiting + counts.unattended else WaveState.BAKING
    start = plan.start_of(wave)
    if start > now and counts.waiting == counts.functions:
        return WaveState.SCHEDULED
    opens = next_opening(plan.window_of(wave), now)
    # What holds it back until a time is its window; until somebody else is done, a wave before it.
    if hold.until is not None or opens is None:
        return WaveState.WAITING_FOR_WINDOW
    return WaveState.WAITING_FOR_EARLIER


def _result(state: MemberState) -> Result:
    # An end without a result is nothing to be sure of.
    return state.result or Result.FAILED


def _of_member(
    plan: Plan, wave: Wave, state: MemberState, busy: Collection[FunctionRef]
) -> MemberStatus:
    over = state.phase is Phase.ENDED
    words = {
        Phase.WAITING: "waiting",
        Phase.UNDER_WAY: "running" if state.ref in busy else "unattended",
        Phase.BAKING: "baking",
        Phase.ENDED: _result(state).value,
    }
    return MemberStatus(
        ref=state.ref,
        wave=wave.name,
        start=plan.start_of(wave).astimezone(UTC),
        word=words[state.phase],
        reason=state.reason,
        # Whatever becomes of the second pass, it has left go1.x.
        moved=(over and _result(state) in MOVED) or state.stage is Stage.ARM64,
        unjudged=state.unjudged,
        began=state.began,
        ended=state.since if over else None,
    )
