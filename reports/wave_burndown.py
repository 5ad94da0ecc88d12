"""A plan's burn-down: the functions left by the starts of its waves, and by what has moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate

from fleet.wave_status import PlanRecord
from reports.burndown import MARGIN_DAYS, Scale, Tick, months, quarters, round_up


@dataclass(frozen=True, slots=True)
class Day:
    """What was to be left, and what was left, at the end of a day (UTC)."""

    day: date
    planned: int
    """As if every function moved at its wave's start."""
    actual: int | None
    """None for a day that has not come."""


@dataclass(frozen=True, slots=True)
class WavePicture:
    """What to draw, in the units of the view box of reports.burndown."""

    planned: str
    """As the d of an SVG path."""
    actual: str
    days: tuple[Tick, ...]
    counts: tuple[Tick, ...]
    block: Tick | None
    """The day from which updates are blocked."""
    today: Tick


def days(record: PlanRecord) -> list[Day]:
    """Give every day on which something was planned or has moved, and the day of the status."""
    planned = Counter(each.start.date() for each in record.members if each.start is not None)
    moved = Counter(ended.date() for ended in _moved(record))
    today = record.status.as_of.date()
    total = record.status.totals.functions
    every = sorted({*planned, *moved, today})
    planned_left = accumulate((planned[day] for day in every), int.__sub__, initial=total)
    actual_left = accumulate((moved[day] for day in every), int.__sub__, initial=total)
    # The first value of each is what was left before the first day.
    next(planned_left)
    next(actual_left)
    return [
        Day(day, planned, actual if day <= today else None)
        for day, planned, actual in zip(every, planned_left, actual_left, strict=True)
    ]


def picture(record: PlanRecord, block: date | None) -> WavePicture:
    """Lay out the plan and what became of it."""
    now, total = record.status.as_of, record.status.totals.functions
    planned = Counter(each.start for each in record.members if each.start is not None)
    moved = Counter(_moved(record))
    every = [now, *planned, *moved]
    first = min(every).date()
    ends = [max(every).date(), *([] if block is None else [block])]
    last = max(ends) + timedelta(days=MARGIN_DAYS)
    scale = Scale(first, last, round_up(total))
    return WavePicture(
        planned=_stairs(scale, planned, total, max(now, *planned) if planned else now),
        actual=_stairs(scale, moved, total, now),
        days=tuple(months(scale, last)),
        counts=quarters(scale),
        block=None if block is None or block < first else Tick(scale.x(block), f"{block}"),
        today=Tick(scale.x(now), f"{now:%Y-%m-%d}"),
    )


def _moved(record: PlanRecord) -> Iterable[datetime]:
    return (each.ended for each in record.members if each.moved and each.ended is not None)


def _stairs(scale: Scale, steps: Mapping[datetime, int], total: int, until: datetime) -> str:
    """Go down by each step at its time. Steps that share a place in the picture are one."""
    places: Counter[float] = Counter()
    for moment, number in steps.items():
        places[scale.x(moment)] += number
    start = scale.x(datetime.combine(scale.first, time(), UTC))
    path, left = f"M{start} {scale.y(total)}", total
    for at, number in sorted(places.items()):
        left -= number
        path += f" H{at} V{scale.y(left)}"
    return f"{path} H{scale.x(until)}"
