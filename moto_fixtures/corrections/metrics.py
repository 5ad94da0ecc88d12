"""CloudWatch numbers: a metric is its namespace, name and dimensions, all three.

moto forgets the namespace as soon as dimensions are given, and never gives pages.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import add
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from .answers import Refusal
from .metric_store import NAMESPACE, MetricKey, Series, Statistics
from .request import ApiRequest
from .world import World

MOST_QUERIES = 500
MOST_DATAPOINTS = 100_800
_KEPT = ((300, timedelta(days=15)), (3600, timedelta(days=63)), (None, timedelta(days=455)))
"""Data points of a shorter period than so many seconds are kept so long."""
_COMPLETE = "Complete"
_PARTIAL = "PartialData"

_STATISTICS: Mapping[str, Callable[[Statistics], float]] = {
    "Sum": lambda one: one.total,
    "Average": lambda one: one.total / one.count,
    "Minimum": lambda one: one.least,
    "Maximum": lambda one: one.most,
    "SampleCount": lambda one: one.count,
}


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime
    backwards: bool
    now: datetime


def get_metric_data(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetMetricData for MetricStat queries; raises Refusal, ValidationError, for others."""
    params = request.params
    start, end = _utc(params["StartTime"]), _utc(params["EndTime"])
    queries = params.get("MetricDataQueries") or []
    if start >= end:
        raise Refusal("ValidationError", "The parameter StartTime must be less than EndTime.")
    if len(queries) > MOST_QUERIES:
        raise Refusal(
            "ValidationError",
            f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.",
        )
    backwards = params.get("ScanBy") != "TimestampAscending"
    # AWS rounds the start to its own clock, by how long ago it is.
    span = _Span(start.replace(second=0, microsecond=0), end, backwards, world.now())
    rows = [
        _row(query, request, world, span)
        for query in queries
        if query.get("ReturnData") in {None, True}
    ]
    most = int(params.get("MaxDatapoints") or MOST_DATAPOINTS)
    return _page(rows, most, params.get("NextToken"))


def _row(
    query: Mapping[str, Any], request: ApiRequest, world: World, span: _Span
) -> dict[str, Any]:
    asked = query.get("MetricStat")
    if asked is None:
        raise Refusal("ValidationError", "This emulator answers MetricStat queries only.")
    statistic = _STATISTICS.get(asked["Stat"])
    if statistic is None:
        raise Refusal("ValidationError", f"This emulator has no statistic {asked['Stat']}.")
    metric = asked["Metric"]
    dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions") or [])
    key = metric["Namespace"], metric["MetricName"], dimensions
    function = dict(dimensions).get("FunctionName", "")
    place = request.account, request.region, function
    status = world.metrics.unreadable.get(place, _COMPLETE)
    points: list[tuple[datetime, float]] = []
    if status in {_COMPLETE, _PARTIAL}:
        buckets = _buckets(_series(key, request, world), int(asked["Period"]), span)
        points = [(at, float(statistic(buckets[at]))) for at in buckets]
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or metric["MetricName"],
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": status,
    }


def _series(key: MetricKey, request: ApiRequest, world: World) -> Series:
    if key[0] == NAMESPACE:
        return world.metrics.series(request.account, request.region, key)
    found: dict[datetime, Statistics] = {}
    for datum in cloudwatch_backends[request.account][request.region].get_all_metrics():
        dimensions = frozenset((one.name, one.value) for one in datum.dimensions)
        if (datum.namespace, datum.name, dimensions) == key:
            value = datum.sum if hasattr(datum, "sum") else datum.value
            at, one = _utc(datum.timestamp), Statistics.of(value)
            found[at] = found[at] + one if at in found else one
    return found


def _buckets(series: Series, period: int, span: _Span) -> Mapping[datetime, Statistics]:
    """What each period of the span holds, in the order asked for."""
    kept = next(time for seconds, time in _KEPT if seconds is None or period < seconds)
    length = timedelta(seconds=period)
    buckets: dict[datetime, list[Statistics]] = {}
    for at in sorted(series, reverse=span.backwards):
        if max(span.start, span.now - kept) <= at < span.end:
            begins = span.start + (at - span.start) // length * length
            buckets.setdefault(begins, []).append(series[at])
    return {at: reduce(add, held) for at, held in buckets.items()}


def _page(rows: Sequence[dict[str, Any]], most: int, token: str | None) -> Mapping[str, object]:
    """As many data points as one answer holds, of all metrics one after the other."""
    first = int(token or 0)
    last = first + most
    given: list[dict[str, Any]] = []
    begins = 0
    for row in rows:
        ends = begins + len(row["Values"])
        here = slice(max(first - begins, 0), max(last - begins, 0))
        values = row["Values"][here]
        if values or (begins == ends and first == 0):
            cut = begins < ends and ends > last and row["StatusCode"] == _COMPLETE
            status = _PARTIAL if cut else row["StatusCode"]
            times = row["Timestamps"][here]
            given.append({**row, "Timestamps": times, "Values": values, "StatusCode": status})
        begins = ends
    more = {"NextToken": str(last)} if last < begins else {}
    return {"MetricDataResults": given, "Messages": [], **more}


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
