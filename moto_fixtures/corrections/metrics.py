"""CloudWatch numbers: a metric is its namespace, name and dimensions, all three.

moto forgets the namespace as soon as dimensions are given.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from .answers import Refusal
from .request import ApiRequest
from .world import World

MOST_QUERIES = 500
MetricKey = tuple[str, str, frozenset[tuple[str, str]]]

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "SampleCount": lambda values: float(len(values)),
}


def record(
    account: str,
    region: str,
    function: str,
    qualifier: str | None,
    points: Mapping[datetime, float],
) -> None:
    """Add Invocations of a function, or of one of its qualifiers, at these times.

    Lambda's own dimensions: FunctionName, and Resource beside it for a qualifier:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    dimensions = [{"Name": "FunctionName", "Value": function}]
    if qualifier is not None:
        dimensions.append({"Name": "Resource", "Value": f"{function}:{qualifier}"})
    cloudwatch_backends[account][region].put_metric_data(
        "AWS/Lambda",
        [
            {
                "MetricName": "Invocations",
                "Dimensions": dimensions,
                "Timestamp": moment,
                "Value": value,
                "Unit": "Count",
            }
            for moment, value in points.items()
        ],
    )


def get_metric_data(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """GetMetricData for MetricStat queries; raises Refusal, ValidationError, for others."""
    start, end = _utc(request.params["StartTime"]), _utc(request.params["EndTime"])
    queries = request.params.get("MetricDataQueries") or []
    if start >= end:
        raise Refusal("ValidationError", "The parameter StartTime must be less than EndTime.")
    if len(queries) > MOST_QUERIES:
        raise Refusal(
            "ValidationError",
            f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.",
        )
    data = _by_metric(cloudwatch_backends[request.account][request.region].get_all_metrics())
    backwards = request.params.get("ScanBy") != "TimestampAscending"
    rows = [
        _series(query, data, start, end, backwards=backwards)
        for query in queries
        if query.get("ReturnData") in {None, True}
    ]
    return {"MetricDataResults": rows, "Messages": []}


def _series(
    query: Mapping[str, Any],
    data: Mapping[MetricKey, Sequence[tuple[datetime, float]]],
    start: datetime,
    end: datetime,
    *,
    backwards: bool,
) -> dict[str, object]:
    asked = query.get("MetricStat")
    if asked is None:
        raise Refusal("ValidationError", "This emulator answers MetricStat queries only.")
    statistic = _STATISTICS.get(asked["Stat"])
    if statistic is None:
        raise Refusal("ValidationError", f"This emulator has no statistic {asked['Stat']}.")
    metric = asked["Metric"]
    dimensions = ((one["Name"], one["Value"]) for one in metric.get("Dimensions") or [])
    key = metric["Namespace"], metric["MetricName"], frozenset(dimensions)
    period = timedelta(seconds=int(asked["Period"]))
    buckets: dict[datetime, list[float]] = defaultdict(list)
    for moment, value in data.get(key, ()):
        if start <= moment < end:
            buckets[start + (moment - start) // period * period].append(value)
    times = sorted(buckets, reverse=backwards)
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or metric["MetricName"],
        "Timestamps": times,
        "Values": [float(statistic(buckets[time])) for time in times],
        "StatusCode": "Complete",
    }


def _by_metric(data: Iterable[Any]) -> Mapping[MetricKey, Sequence[tuple[datetime, float]]]:
    found: dict[MetricKey, list[tuple[datetime, float]]] = defaultdict(list)
    for datum in data:
        dimensions = frozenset((one.name, one.value) for one in datum.dimensions)
        value = datum.sum if hasattr(datum, "sum") else datum.value
        found[datum.namespace, datum.name, dimensions].append((_utc(datum.timestamp), value))
    return found


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
