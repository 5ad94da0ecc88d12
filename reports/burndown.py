"""The burn-down as a picture: where its points and lines lie. Pure geometry, no markup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd

from reports.projection import Projection, comparable

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 22, 34
MARGIN_DAYS = 14
"""Room after the last day, so that the last point does not sit on the edge."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Point:
    """One saved scan."""

    x: float
    y: float
    label: str
    counted: bool
    """False for a scan that is incomplete or asked something else: shown hollow, not joined."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What to draw, in the units of a WIDTH × HEIGHT view box."""

    points: tuple[Point, ...]
    path: str
    """The counted scans joined, as the d of an SVG path."""
    outlook: str
    """The projected line as such a d, or ''."""
    days: tuple[Tick, ...]
    counts: tuple[Tick, ...]
    block: Tick | None
    """The day from which updates are blocked."""
    today: Tick


class Scale:
    """Days and counts to places in the view box."""

    def __init__(self, first: date, last: date, most: int) -> None:
        self.first, self.days = first, max((last - first).days, 1)
        self.most = most

    def x(self, day: datetime | date) -> float:
        """Give the place of a time; a date is its midnight in UTC."""
        if not isinstance(day, datetime):
            day = datetime.combine(day, time(), UTC)
        passed = (day - datetime.combine(self.first, time(), UTC)) / timedelta(days=1)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * passed / self.days, 1)

    def y(self, count: float) -> float:
        """Give the place of a count."""
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / self.most, 1)


def picture(
    history: pd.DataFrame,
    question: str,
    outlook: Projection,
    as_of: date,
    block: date | None,
) -> Picture | None:
    """Lay out every saved scan and the projection; None where there is no scan to show."""
    if history.empty:
        return None
    moments = [moment.to_pydatetime() for moment in history["started"]]
    ends = [as_of, moments[-1].date(), *(day for day in (block, outlook.reached) if day)]
    last = max(ends) + timedelta(days=MARGIN_DAYS)
    scale = Scale(min(moments[0].date(), as_of), last, round_up(int(history["findings"].max())))
    counted = set(comparable(history, question).index)
    points = tuple(
        Point(
            scale.x(moment),
            scale.y(found),
            f"{moment:%Y-%m-%d}: {found:,}",
            counted=index in counted,
        )
        for index, moment, found in zip(history.index, moments, history["findings"], strict=True)
    )
    joined = [f"{point.x} {point.y}" for point in points if point.counted]
    return Picture(
        points=points,
        path=f"M{' L'.join(joined)}" if joined else "",
        outlook=_outlook(scale, outlook, moments[-1]),
        days=tuple(months(scale, last)),
        counts=quarters(scale),
        block=None if block is None or block < scale.first else Tick(scale.x(block), f"{block}"),
        today=Tick(scale.x(as_of), f"{as_of}"),
    )


def _outlook(scale: Scale, outlook: Projection, last_scan: datetime) -> str:
    if outlook.start is None or outlook.reached is None:
        return ""
    day, left = outlook.start
    passed = (last_scan.date() - day).days
    now = max(left + outlook.per_week / 7 * passed, 0)
    return f"M{scale.x(last_scan)} {scale.y(now)} L{scale.x(outlook.reached)} {scale.y(0)}"


def round_up(most: int) -> int:
    """Give the axis an end that divides by four and reads well."""
    step = 4
    while step < most:
        step = step * 5 // 2 if str(step).startswith("4") else step * 2
    return step


def quarters(scale: Scale) -> tuple[Tick, ...]:
    """Put ticks on the axis of counts, from nothing to its end."""
    return tuple(
        Tick(scale.y(scale.most * part / 4), f"{scale.most * part // 4:,}") for part in range(5)
    )


def months(scale: Scale, last: date) -> list[Tick]:
    """Put at most eight ticks on first days of months."""
    passed = (last.year - scale.first.year) * 12 + last.month - scale.first.month
    step = max(-(-passed // 8), 1)
    ticks = []
    for index in range(1, passed + 1, step):
        month = scale.first.month - 1 + index
        day = date(scale.first.year + month // 12, month % 12 + 1, 1)
        ticks.append(Tick(scale.x(day), f"{day:%b %Y}"))
    return ticks
