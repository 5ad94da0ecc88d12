"""When a window is open, by the clocks on its zone's walls. Pure; what comes out is in UTC.

Whether it is open at an instant follows from the date and the time that a clock there shows, and
from nothing else. So an hour that a change of clocks leaves out never opens, an hour that happens
twice is open twice, and a window whose beginning is left out opens with the first minute after
the gap that it still covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from fleet.waves.plan import Day, Window, hours_of

SPAN = timedelta(days=400)
"""How far is looked ahead."""

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MARGIN = 2 * _DAY
"""More than clocks ever change by: a leap that ends so long before a freeze does is safe."""
_MIDNIGHT = time()
_YEARS = range(2, 9998)
_WEEK = tuple(Day)


def is_open(window: Window, at: datetime) -> bool:
    """Whether functions may be begun at this instant.

    The day is the one on which the opening began (22:00-04:00 on fri reaches into Saturday); a
    freeze goes by the date at the instant, and so ends an opening that began the evening before.
    Raises ValueError for a time without an offset.
    """
    return _Rules.of(window).open(_in_utc(at))


def next_opening(window: Window, after: datetime) -> datetime | None:
    """The first instant at or after `after` at which it is open, in UTC; None if none in SPAN.

    Raises ValueError for a time without an offset.
    """
    rules, start = _Rules.of(window), _in_utc(after)
    if rules.open(start):
        return start
    return next((at for at in rules.changes(start) if rules.open(at)), None)


def closes_at(window: Window, at: datetime) -> datetime | None:
    """The first instant after `at` at which it is no longer open, in UTC; None if none in SPAN.

    Raises ValueError for a time without an offset, or at which it is closed.
    """
    rules, start = _Rules.of(window), _in_utc(at)
    if not rules.open(start):
        raise ValueError(f"the window is closed at {at.isoformat()}")
    return next((end for end in rules.changes(start) if not rules.open(end)), None)


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no offset from UTC")
    if at.year not in _YEARS:
        raise ValueError(f"{at.isoformat()} is beyond the years that can be reckoned with")
    return at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Rules:
    """A window, read once."""

    zone: tzinfo
    days: frozenset[int]
    """0 is Monday, as date.weekday has it."""
    opens: time
    closes: time
    frozen: tuple[tuple[date, date], ...]

    @classmethod
    def of(cls, window: Window) -> _Rules:
        opens, closes = hours_of(window.hours)
        days = frozenset(_WEEK.index(day) for day in window.days)
        frozen = tuple((freeze.first, freeze.last) for freeze in window.freeze)
        return cls(window.tz, days, opens, closes, frozen)

    def open(self, at: datetime) -> bool:
        wall = at.astimezone(self.zone)
        today, clock = wall.date(), wall.time()
        if self._is_frozen(today):
            return False
        if self._ends_today():
            return self._begins(today) and self.opens <= clock < self.closes
        if clock >= self.opens:
            return self._begins(today)
        return clock < self.closes and self._begins(today - _DAY)

    def changes(self, start: datetime) -> Iterator[datetime]:
        """Every instant after `start` and within SPAN at which it may open or close, in order."""
        at, end = start, start + SPAN
        while (at := self._following(at)) <= end:
            yield at

    def _following(self, at: datetime) -> datetime:
        wall = at.astimezone(self.zone)
        frozen = self._frozen_after(wall.date())
        if frozen > _MARGIN:
            return at + frozen - _MARGIN
        clock = wall.replace(tzinfo=None)
        hand = at + (self._next_mark(clock) - clock)
        if hand.astimezone(self.zone).utcoffset() == wall.utcoffset():
            return hand
        # The clocks change on the way there: what they then show may open or close it too.
        return self._change_of_clocks(at, hand)

    def _next_mark(self, clock: datetime) -> datetime:
        """The next time on the wall after `clock`, at most a day on, that may open or close it."""
        today = clock.date()
        marks = (self.opens, self.closes) if self._may_open_on(today) else ()
        later = [mark for mark in marks if mark > clock.time()]
        if later:
            return datetime.combine(today, min(later))
        return datetime.combine(today + _DAY, _MIDNIGHT)

    def _change_of_clocks(self, before: datetime, after: datetime) -> datetime:
        """The instant in (before, after] from which the clocks show another offset.

        Clocks change at whole seconds, and not twice within a day.
        """
        old = before.astimezone(self.zone).utcoffset()
        low = before.replace(microsecond=0)
        span = -((low - after) // _SECOND)
        first, last = 0, span
        while last - first > 1:
            middle = (first + last) // 2
            if (low + middle * _SECOND).astimezone(self.zone).utcoffset() == old:
                first = middle
            else:
                last = middle
        return low + last * _SECOND

    def _ends_today(self) -> bool:
        return self.opens < self.closes

    def _begins(self, day: date) -> bool:
        return day.weekday() in self.days

    def _may_open_on(self, day: date) -> bool:
        return not self._is_frozen(day) and (self._begins(day) or self._begins(day - _DAY))

    def _is_frozen(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.frozen)

    def _frozen_after(self, day: date) -> timedelta:
        ends = [last - day for first, last in self.frozen if first <= day <= last]
        return max(ends, default=timedelta())
