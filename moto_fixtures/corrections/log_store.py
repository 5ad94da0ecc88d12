"""What Lambda has written about calls into log groups, as numbers, and the queries of it.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Group = tuple[str, str, str]
"""Account, region and name of a log group."""
GOING_ON = frozenset({"Scheduled", "Running"})
"""Statuses of a query that has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """REPORT lines of one time."""

    calls: int = 0
    """Lines: one for each call."""
    starts: int = 0
    """Of these, such with an Init Duration."""
    init_ms: float = 0.0
    """Their Init Durations added up, in milliseconds."""

    def __add__(self, other: Reports) -> Reports:
        return Reports(
            calls=self.calls + other.calls,
            starts=self.starts + other.starts,
            init_ms=self.init_ms + other.init_ms,
        )


@dataclass(slots=True)
class Query:
    """A query that was started."""

    account: str
    region: str
    rows: Sequence[Sequence[Mapping[str, str]]]
    status: str = "Running"


@dataclass(slots=True)
class LogStore:
    """Thread-safe. A log group is there once something was put into it, be it nothing."""

    endings: list[str] = field(default_factory=list)
    """Statuses that the next looks at a query give, whatever became of it."""
    _groups: dict[Group, dict[datetime, Reports]] = field(default_factory=lambda: defaultdict(dict))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, group: Group, at: datetime, reports: Reports) -> None:
        """Let lines of this time be in a log group."""
        with self._lock:
            held = self._groups[group]
            held[at] = held.get(at, Reports()) + reports

    def has(self, group: Group) -> bool:
        """Whether there is such a log group."""
        with self._lock:
            return group in self._groups

    def between(self, group: Group, start: datetime, end: datetime) -> Reports:
        """What a log group holds of a span, both ends included."""
        with self._lock:
            held = self._groups.get(group, {}).items()
            return sum((each for at, each in held if start <= at <= end), Reports())
