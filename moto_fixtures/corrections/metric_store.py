"""What Lambda has sent to CloudWatch: a statistic set for each metric and minute.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .functions import LATEST

NAMESPACE = "AWS/Lambda"
Dimensions = frozenset[tuple[str, str]]
MetricKey = tuple[str, str, Dimensions]
"""Namespace, name and dimensions: together they are the metric."""
Series = Mapping[datetime, "Statistics"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is kept of the values of one minute."""

    total: float
    count: float
    least: float
    most: float

    @classmethod
    def of(cls, value: float, count: float = 1.0) -> Statistics:
        """The same value, so many times."""
        return cls(value * count, count, value, value)

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(
            self.total + other.total,
            self.count + other.count,
            min(self.least, other.least),
            max(self.most, other.most),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls of a function at one time, alike in what they named and in what ran."""

    qualifier: str | None = None
    """$LATEST, a version's number or an alias's name; None where the calls named nothing."""
    version: str | None = None
    """What an alias led to; None for every other qualifier."""
    invocations: int = 0
    errors: int = 0
    """Of the invocations."""
    throttles: int = 0
    """Beside the invocations."""
    duration_ms: float = 0.0
    """Milliseconds of each invocation."""


@dataclass(slots=True)
class MetricStore:
    """Thread-safe; a time is kept to the minute, as Lambda sends it."""

    unreadable: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Account, region and function → the StatusCode that its metrics are answered with."""
    _series: dict[tuple[str, str], dict[MetricKey, dict[datetime, Statistics]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        account: str,
        region: str,
        metric: str,
        dimensions: Dimensions,
        points: Mapping[datetime, Statistics],
    ) -> None:
        """Add to a metric of Lambda's."""
        with self._lock:
            series = self._series[account, region][NAMESPACE, metric, dimensions]
            for at, statistics in points.items():
                minute = at.replace(second=0, microsecond=0)
                before = series.get(minute)
                series[minute] = statistics if before is None else before + statistics

    def add_calls(
        self, account: str, region: str, function: str, at: datetime, calls: Calls
    ) -> None:
        """Add to every metric that Lambda would send of these calls."""
        for dimensions in dimensions_of(function, calls.qualifier, calls.version):
            for metric, statistics in _metrics(calls):
                self.add(account, region, metric, dimensions, {at: statistics})

    def series(self, account: str, region: str, key: MetricKey) -> Series:
        """Give what there is of a metric, by minute; nothing for one that nobody ever sent."""
        with self._lock:
            return dict(self._series.get((account, region), {}).get(key, {}))


def dimensions_of(
    function: str, qualifier: str | None, version: str | None
) -> Iterable[Dimensions]:
    """Every set of dimensions under which a call is counted.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    That a call which named nothing has the bare name as its Resource is believed.
    """
    name = ("FunctionName", function)
    yield frozenset({name})
    resource = resource_of(function, qualifier)
    yield frozenset({name, resource})
    if qualifier is not None and version is not None and not _is_version(qualifier):
        yield frozenset({name, resource, ("ExecutedVersion", version)})


def resource_of(function: str, qualifier: str | None) -> tuple[str, str]:
    """Give the dimension that tells what a call named."""
    return ("Resource", function if qualifier is None else f"{function}:{qualifier}")


def _metrics(calls: Calls) -> Iterator[tuple[str, Statistics]]:
    if calls.invocations:
        yield "Invocations", Statistics.of(1.0, calls.invocations)
        yield "Duration", Statistics.of(calls.duration_ms, calls.invocations)
        fine = calls.invocations - calls.errors
        if calls.errors:
            yield "Errors", Statistics.of(1.0, calls.errors)
        if fine:
            yield "Errors", Statistics.of(0.0, fine)
    if calls.throttles:
        yield "Throttles", Statistics.of(1.0, calls.throttles)


def _is_version(qualifier: str) -> bool:
    return qualifier == LATEST or qualifier.isdecimal()
