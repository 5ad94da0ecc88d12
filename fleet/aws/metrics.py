"""CloudWatch numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.aws.failures import CallFailed, Situation, readable
from fleet.aws.session import Aws, Lane
from fleet.model import LATEST
from fleet.traffic import Numbers

DAYS = 30
LATE = timedelta(minutes=2)
"""How long after a call its numbers are taken to be in: Lambda sends them once a minute."""
KEPT = ((timedelta(days=15), 60), (timedelta(days=63), 300))
"""How long CloudWatch keeps numbers, and by periods of how many seconds.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""
_ACTION = "cloudwatch:GetMetricData"
_DAY_SECONDS = 86_400
_QUERIES_A_CALL = 500
_OF_TRAFFIC = ("Invocations", "Duration")
_COMPLETE = "Complete"
_UNREADABLE = {"InternalError", "Forbidden"}

_COUNTED = (
    ("invocations", "Invocations", "Sum"),
    ("errors", "Errors", "Sum"),
    ("throttles", "Throttles", "Sum"),
    ("duration_ms", "Duration", "Sum"),
    ("timed", "Duration", "SampleCount"),
)
"""Field of Numbers, metric, statistic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersAsked:
    """Calls of a function, by what they named and what ran, over a span of time."""

    qualifier: str | None
    """$LATEST, a version's number or an alias's name, as the calls named it; None: whatever."""
    version: str | None = None
    """The version that ran, of calls that named an alias; None: whichever."""
    start: datetime
    end: datetime | None = None
    """None: as late as numbers can be in. Both aware."""


def read_numbers(
    aws: Aws,
    lane: Lane,
    name: str,
    asked: Sequence[NumbersAsked],
    *,
    now: datetime,
    late: timedelta = LATE,
) -> tuple[Numbers | None, ...]:
    """What CloudWatch counted of one function's calls, in the order asked; None: it can't tell.

    Only the whole minutes of a span count, and none that ended less than `late` ago; 15 days back
    only every five of them that are in the span. A call's numbers bear the time at which it began
    and come when it has ended: a function that hangs says so no sooner than its timeout after, and
    `late` may have to be as long:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    One GetMetricData, with its pages, answers all that has the same span. Raises CallFailed.
    """
    spans = [_span(each, now, late) for each in asked]
    found: dict[int, Numbers] = {}
    for span in dict.fromkeys(spans):
        if span is None:
            continue
        queries = [
            _Asking(index, field, _metric(metric, stat, dimensions, period=span.period))
            for index, each in enumerate(asked)
            if spans[index] == span
            for dimensions in _dimensions(name, each)
            for field, metric, stat in _COUNTED
        ]
        found |= _counted(aws, lane, queries, span)
    return tuple(found.get(index) for index in range(len(asked)))


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls of a function over 30 days, all qualifiers together; None: CloudWatch can't tell."""

    invocations: int | None
    duration_ms: int | None
    """Milliseconds that all of them took, added up; init is not in them."""


def read_traffic(
    aws: Aws, lane: Lane, names: Sequence[str], until: datetime
) -> Mapping[str, Traffic]:
    """What each function was called, and for how long, over the 30 days before `until`.

    250 functions a call, which takes 500 queries:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    Raises CallFailed.
    """
    asked = [(name, metric) for name in names for metric in _OF_TRAFFIC]
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(asked), _QUERIES_A_CALL):
        batch = asked[start : start + _QUERIES_A_CALL]
        found |= _answered(aws, lane, batch, until)
    return {name: Traffic(*(found.get((name, metric)) for metric in _OF_TRAFFIC)) for name in names}


def _answered(
    aws: Aws, lane: Lane, batch: Sequence[tuple[str, str]], until: datetime
) -> Mapping[tuple[str, str], int]:
    """The sums of those metrics that were answered to their end. Raises CallFailed."""
    pages = aws.pages(
        lane,
        "cloudwatch",
        "GetMetricData",
        holds="MetricDataResults",
        MetricDataQueries=[_query(index, *each) for index, each in enumerate(batch)],
        StartTime=until - timedelta(days=DAYS),
        EndTime=until,
    )
    sums: dict[tuple[str, str], float] = {}
    partial: set[tuple[str, str]] = set()
    with readable(_ACTION, lane.account, lane.region):
        for result in (each for page in pages for each in page["MetricDataResults"]):
            _check(result, lane)
            asked = batch[int(result["Id"][1:])]
            sums[asked] = sums.get(asked, 0.0) + _total(result["Values"])
            # PartialData is made good by the pages that follow.
            (partial.discard if result["StatusCode"] == _COMPLETE else partial.add)(asked)
    return {asked: round(total) for asked, total in sums.items() if asked not in partial}


def _check(result: Mapping[str, Any], lane: Lane) -> None:
    if result.get("StatusCode") in _UNREADABLE:
        raise CallFailed(
            _ACTION,
            lane.account,
            lane.region,
            Situation.OTHER,
            result["StatusCode"],
            "CloudWatch could not read a metric",
        )


def _query(index: int, name: str, metric: str) -> dict[str, Any]:
    function = [{"Name": "FunctionName", "Value": name}]
    return {
        "Id": f"f{index}",
        "MetricStat": _metric(metric, "Sum", function, period=_DAY_SECONDS),
    }


@dataclass(frozen=True, slots=True)
class _Span:
    """Whole periods, from the start of the first to the end of the last."""

    start: datetime
    end: datetime
    period: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """One query: a field of the Numbers with this index."""

    index: int
    field: str
    stat: Mapping[str, Any]


def _counted(
    aws: Aws, lane: Lane, queries: Sequence[_Asking], span: _Span
) -> Mapping[int, Numbers]:
    """Index → Numbers, of those for which every query was answered to its end."""
    totals = {
        each.index: dict.fromkeys((field for field, _, _ in _COUNTED), 0.0) for each in queries
    }
    if span.start < span.end:
        for first in range(0, len(queries), _QUERIES_A_CALL):
            batch = queries[first : first + _QUERIES_A_CALL]
            sums = _sums(aws, lane, [each.stat for each in batch], span)
            for each, value in zip(batch, sums, strict=True):
                if value is None:
                    totals.pop(each.index, None)
                elif each.index in totals:
                    totals[each.index][each.field] += value
    return {
        index: Numbers(
            invocations=round(total["invocations"]),
            errors=round(total["errors"]),
            throttles=round(total["throttles"]),
            duration_ms=total["duration_ms"],
            timed=round(total["timed"]),
        )
        for index, total in totals.items()
    }


def _sums(
    aws: Aws, lane: Lane, stats: Sequence[Mapping[str, Any]], span: _Span
) -> Iterable[float | None]:
    """Each metric's data points added up; None where CloudWatch did not give all of them."""
    numbers = {f"q{number}": number for number in range(len(stats))}
    pages = aws.pages(
        lane,
        "cloudwatch",
        "GetMetricData",
        holds="MetricDataResults",
        MetricDataQueries=[
            {"Id": name, "MetricStat": stat} for name, stat in zip(numbers, stats, strict=True)
        ],
        StartTime=span.start,
        EndTime=span.end,
    )
    sums = [0.0] * len(stats)
    status: list[str | None] = [None] * len(stats)
    with readable(_ACTION, lane.account, lane.region):
        for result in (each for page in pages for each in page["MetricDataResults"]):
            number = numbers[result["Id"]]
            sums[number] += _total(result["Values"])
            # PartialData is made good by the pages that follow; the others are not.
            if status[number] not in _UNREADABLE:
                status[number] = result["StatusCode"]
    return (value if said == _COMPLETE else None for value, said in zip(sums, status, strict=True))


def _total(values: Iterable[float]) -> float:
    total = math.fsum(values)
    if not math.isfinite(total) or total < 0:
        raise ValueError(f"{total} can't be counted")
    return total


def _dimensions(name: str, asked: NumbersAsked) -> Iterator[list[dict[str, str]]]:
    """The series that hold the calls, no call in two of them.

    FunctionName alone is every call of the function. Resource beside it tells what a call named:
    `NAME:ALIAS`, `NAME:VERSION` or `NAME:$LATEST`; and, believed, `NAME` where it named nothing,
    which is $LATEST too. ExecutedVersion tells what ran for calls that named an alias.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    """
    function = {"Name": "FunctionName", "Value": name}
    if asked.qualifier is None:
        yield [function]
        return
    resource = {"Name": "Resource", "Value": f"{name}:{asked.qualifier}"}
    if asked.version is not None:
        yield [function, resource, {"Name": "ExecutedVersion", "Value": asked.version}]
        return
    yield [function, resource]
    if asked.qualifier == LATEST:
        yield [function, {**resource, "Value": name}]


def _metric(
    metric: str, stat: str, dimensions: list[dict[str, str]], *, period: int
) -> dict[str, Any]:
    named = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions}
    return {"Metric": named, "Period": period, "Stat": stat}


def _span(asked: NumbersAsked, now: datetime, late: timedelta) -> _Span | None:
    """None where CloudWatch has forgotten the start of it, which it would not say."""
    period = next((seconds for kept, seconds in KEPT if asked.start >= now - kept), None)
    if period is None:
        return None
    newest = now - late
    end = newest if asked.end is None else min(asked.end, newest)
    first = -(-asked.start.timestamp() // period) * period
    last = end.timestamp() // period * period
    return _Span(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC), period)
