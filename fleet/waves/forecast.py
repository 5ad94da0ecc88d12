"""When a plan will be through, if nothing comes in between. Pure.

An estimate: A_MOVE is assumed, and each function's canary is taken to need no more than its steps
and its bake.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fleet.waves.plan import Canary, Plan, Wave, Window, duration_of
from fleet.waves.windows import closes_at, next_opening

A_MOVE = timedelta(seconds=30)
"""What one function takes: a dozen calls, and updates that AWS needs seconds for. Assumed."""


@dataclass(frozen=True, slots=True)
class WaveForecast:
    """One wave."""

    wave: Wave
    window: Window
    start: datetime
    """As the plan says; with an offset."""
    begins: datetime | None
    """When its first function is begun, in UTC; None: never."""
    ends: datetime | None
    """When its last function has moved and baked, in UTC; None: not within a year or so."""
    accounts: int
    lanes: int
    """Accounts and regions."""


def forecast(plan: Plan) -> tuple[WaveForecast, ...]:
    """Reckon wave by wave: none begins before the one before it has ended."""
    found: list[WaveForecast] = []
    earlier: datetime | None = None
    lost = False
    for wave in plan.waves:
        window, start = plan.window_of(wave), plan.start_of(wave)
        ready = start if earlier is None else max(start, earlier)
        begins = None if lost else next_opening(window, ready)
        ends = None if begins is None else _end(wave, window, begins)
        earlier, lost = ends, ends is None
        places = {(member.ref.account, member.ref.region) for member in wave.functions}
        accounts = len({account for account, _ in places})
        found.append(WaveForecast(wave, window, start, begins, ends, accounts, len(places)))
    return tuple(found)


def moving_time(wave: Wave) -> timedelta:
    """How long its functions take to move, one after the other where they have to."""
    lanes = Counter((member.ref.account, member.ref.region) for member in wave.functions)
    rounds = [math.ceil(count / wave.per_account_region) for count in lanes.values()]
    return max(math.ceil(len(wave.functions) / wave.parallelism), *rounds) * A_MOVE


def frozen_on(window: Window, at: datetime) -> date | None:
    """The day of an instant by the window's clocks, if nothing may move on it; else None."""
    day = at.astimezone(window.tz).date()
    return day if any(each.first <= day <= each.last for each in window.freeze) else None


def _end(wave: Wave, window: Window, begins: datetime) -> datetime | None:
    passes = 1 if wave.arm64 is None else 2
    at: datetime | None = begins
    for _ in range(passes):
        # Weights are shifted within the window only; a bake goes on at night.
        at = None if at is None else _within(window, at, moving_time(wave) + _shifting(wave.canary))
        if at is not None and wave.canary is not None:
            at += duration_of(wave.canary.bake)
    return at


def _shifting(canary: Canary | None) -> timedelta:
    if canary is None:
        return timedelta()
    return math.ceil(canary.max_weight / canary.step_weight) * duration_of(canary.interval)


def _within(window: Window, at: datetime, needed: timedelta) -> datetime | None:
    """The instant by which the window has been open for so long; None if not in sight."""
    opens = next_opening(window, at)
    while opens is not None:
        closes = closes_at(window, opens)
        if closes is None or closes - opens >= needed:
            return (opens + needed).astimezone(UTC)
        needed -= closes - opens
        opens = next_opening(window, closes)
    return None
