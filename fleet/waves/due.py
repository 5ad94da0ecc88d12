"""What is due now: pure in the plan, what its run remembers, the orders in force, and the clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fleet.model import FunctionRef
from fleet.wave import MemberState, Order, OrderKind, Phase
from fleet.waves.budget import failures, is_spent
from fleet.waves.plan import Budget, Member, Plan, Wave, Window, duration_of
from fleet.waves.windows import closes_at, is_open, next_opening


class Doing(StrEnum):
    """What is to be done with a function."""

    MOVE = "move"
    JUDGE = "judge"
    """Look at its numbers; go on, wait, or bring it back."""
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Due:
    """Something to do with one function."""

    wave: Wave
    member: Member
    state: MemberState
    doing: Doing
    may_shift: bool = True
    """Whether a first change may be made now, or more calls be sent to the new version."""
    until: datetime | None = None
    """When that ends; None: not for a long time."""


@dataclass(frozen=True, slots=True)
class Holdup:
    """Why a wave begins no function now."""

    wave: str
    why: str
    until: datetime | None = None
    """When that may be over by itself; None: not without somebody."""
    stopped: bool = False
    """Whether the brake or a person has stopped it, and time alone changes nothing."""
    spent: bool = False
    """Whether that is a budget: somebody has to look."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """All of it."""

    due: tuple[Due, ...]
    """In the order in which it is to be done."""
    holdups: tuple[Holdup, ...]
    """Of each wave with functions left to begin."""
    wake: datetime | None
    """When to look again; None: nothing will be due by itself any more."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a plan's run, and what people want of it."""

    states: Mapping[FunctionRef, MemberState]
    orders: tuple[Order, ...] = ()

    def state(self, wave: Wave, member: Member) -> MemberState:
        """The state of a member; one that nothing is remembered of waits."""
        state = self.states.get(member.ref)
        if state is None or _was_planned_anew(state, member):
            return MemberState(wave=wave.name, ref=member.ref)
        # The plan may have been edited since: where it is now is what counts.
        return state if state.wave == wave.name else replace(state, wave=wave.name)


def _was_planned_anew(state: MemberState, member: Member) -> bool:
    """Whether it has ended, and a newer plan knows it as another than it was then."""
    ended = state.phase is Phase.ENDED
    return ended and bool(state.fingerprint) and state.fingerprint != member.fingerprint


def agenda(
    plan: Plan,
    record: Record,
    now: datetime,
    *,
    only: str | None = None,
    busy: Collection[FunctionRef] = (),
) -> Agenda:
    """Tell what is due.

    `only` names a wave that is to run here and now, whatever its start and hours; frozen days,
    orders, budgets and earlier waves hold for it too. `busy` are functions that somebody is at.
    """
    due: list[Due] = []
    holdups: list[Holdup] = []
    wakes: list[datetime] = []
    every = [record.state(wave, member) for wave, member in plan.members()]
    spent = _spent(plan.budget, every, "the whole plan")
    earlier = ""
    for wave in plan.waves:
        states = [record.state(wave, member) for member in wave.functions]
        hold = _holdup(plan, wave, now, here_and_now=only == wave.name)
        brake = _spent(wave.budget, states, f"wave {wave.name}") or spent
        if brake:
            hold = Holdup(wave.name, brake, stopped=True, spent=True)
        hold = _ordered(plan, wave, record.orders) or hold
        if earlier:
            hold = hold if hold and hold.stopped else Holdup(wave.name, earlier)
        cancelled = _is_cancelled(plan, wave, record.orders)
        hours = _hours(plan, wave, here_and_now=only == wave.name)
        until = None if hold else closes_at(hours, now)
        if only in {None, wave.name}:
            due += _of_wave(wave, states, hold, until, now, busy, cancelled=cancelled)
            wakes += _checks(wave, states, now)
        left = [state for state in states if state.phase is not Phase.ENDED]
        if hold and any(state.phase is Phase.WAITING for state in left):
            holdups.append(hold)
            if hold.until is not None and only in {None, wave.name}:
                wakes.append(hold.until)
        if not earlier:
            earlier = _not_over(wave, states, brake, cancelled=cancelled)
    order = {Doing.BACK: 0, Doing.JUDGE: 1, Doing.MOVE: 2}
    due.sort(key=lambda each: (order[each.doing], each.state.phase is not Phase.UNDER_WAY))
    return Agenda(tuple(due), tuple(holdups), min(wakes, default=None))


def _of_wave(
    wave: Wave,
    states: Sequence[MemberState],
    hold: Holdup | None,
    until: datetime | None,
    now: datetime,
    busy: Collection[FunctionRef],
    *,
    cancelled: bool,
) -> Iterator[Due]:
    for member, state in zip(wave.functions, states, strict=True):
        if state.ref not in busy:
            found = _of_member(wave, member, state, hold, now, cancelled=cancelled)
            if found is not None:
                yield replace(found, until=until)


def _checks(wave: Wave, states: Iterable[MemberState], now: datetime) -> Iterator[datetime]:
    for state in states:
        if state.phase is Phase.BAKING:
            check = next_check(wave, state)
            if check is not None and check > now:
                yield check


def next_check(wave: Wave, state: MemberState) -> datetime | None:
    """When a function that bakes is to be judged next; None where nothing is watched."""
    last = max((each for each in (state.since, state.checked) if each is not None), default=None)
    if wave.canary is None or last is None:
        return last
    interval, bake = duration_of(wave.canary.interval), duration_of(wave.canary.bake)
    if state.share >= 1 and state.since is not None and bake < interval:
        return state.since + bake
    return last + interval


def _of_member(
    wave: Wave,
    member: Member,
    state: MemberState,
    hold: Holdup | None,
    now: datetime,
    *,
    cancelled: bool,
) -> Due | None:
    match state.phase:
        case Phase.BAKING | Phase.UNDER_WAY if cancelled and state.share < 1:
            # Nobody goes on with it any more, and halfway is no place to stay.
            return Due(wave, member, state, Doing.BACK)
        case Phase.BAKING:
            if (check := next_check(wave, state)) is None or check <= now:
                return Due(wave, member, state, Doing.JUDGE, may_shift=hold is None)
        case Phase.WAITING:
            if hold is None:
                return Due(wave, member, state, Doing.MOVE)
        case Phase.UNDER_WAY:
            # Begun, and whoever began has died: better at its end than halfway, in hours or not.
            if hold is None or not hold.stopped:
                return Due(wave, member, state, Doing.MOVE, may_shift=hold is None)
        case Phase.ENDED:
            pass
    return None


def is_over(plan: Plan, record: Record) -> bool:
    """Whether every function has ended, or waits in a wave that somebody has cancelled."""
    for wave in plan.waves:
        states = [record.state(wave, member) for member in wave.functions]
        if any(state.phase in {Phase.UNDER_WAY, Phase.BAKING} for state in states):
            return False
        waiting = any(state.phase is Phase.WAITING for state in states)
        if waiting and not _is_cancelled(plan, wave, record.orders):
            return False
    return True


def _hours(plan: Plan, wave: Wave, *, here_and_now: bool) -> Window:
    window = plan.window_of(wave)
    return Window(zone=window.zone, freeze=window.freeze) if here_and_now else window


def _holdup(plan: Plan, wave: Wave, now: datetime, *, here_and_now: bool) -> Holdup | None:
    window = _hours(plan, wave, here_and_now=here_and_now)
    start = now if here_and_now else plan.start_of(wave)
    opens = next_opening(window, max(start, now))
    if opens is None:
        return Holdup(wave.name, "its window does not open again")
    if start > now:
        return Holdup(wave.name, f"starts at {_said(opens, window)}", opens)
    if not is_open(window, now):
        return Holdup(wave.name, f"its window opens at {_said(opens, window)}", opens)
    return None


def _ordered(plan: Plan, wave: Wave, orders: Iterable[Order]) -> Holdup | None:
    """The order that keeps a wave from beginning functions, the widest first."""
    said = {
        OrderKind.STOP: "stopped",
        OrderKind.CANCEL: "cancelled",
        OrderKind.PAUSE: "paused",
    }
    for order in sorted(orders, key=lambda each: (each.plan != "", each.wave != "", each.kind)):
        if concerns(order, plan, wave):
            whole = "everything" if not order.plan else "the plan" if not order.wave else "it"
            why = f": {order.why}" if order.why else ""
            text = (
                f"{whole} was {said[order.kind]} by {order.by} at {order.at:%Y-%m-%d %H:%M}Z{why}"
            )
            return Holdup(wave.name, text, stopped=True)
    return None


def concerns(order: Order, plan: Plan, wave: Wave) -> bool:
    """Whether an order is about a wave of a plan."""
    return order.plan in {"", plan.name} and order.wave in {"", wave.name}


def _is_cancelled(plan: Plan, wave: Wave, orders: Iterable[Order]) -> bool:
    return any(order.kind is OrderKind.CANCEL and concerns(order, plan, wave) for order in orders)


def _spent(budget: Budget, states: list[MemberState], whose: str) -> str:
    """Why no further function is begun, or ''."""
    failed = failures(states)
    if not is_spent(budget, failed, len(states)):
        return ""
    return f"the failure budget of {whose} is spent: {failed} of {len(states)} functions failed"


def _not_over(wave: Wave, states: Iterable[MemberState], brake: str, *, cancelled: bool) -> str:
    """Why the waves after this one may not begin, or ''."""
    if cancelled:
        # People have decided that what has not begun never will.
        open_ones = {Phase.UNDER_WAY, Phase.BAKING}
    else:
        open_ones = {Phase.WAITING, Phase.UNDER_WAY, Phase.BAKING}
    left = sum(state.phase in open_ones for state in states)
    if left:
        return f"waits for wave {wave.name}: functions that have not ended: {left}"
    # Whoever cancels a wave says that the others may begin, not that its failures do not matter.
    return f"waits for wave {wave.name}: {brake}" if brake else ""


def _said(at: datetime, window: Window) -> str:
    return f"{at.astimezone(window.tz):%a %Y-%m-%d %H:%M} {window.zone}"
