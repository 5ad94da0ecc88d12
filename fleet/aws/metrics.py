"""CloudWatch numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fleet.aws.failures import CallFailed, Situation, readable
from fleet.aws.session import Aws, Lane

DAYS = 30
_DAY_SECONDS = 86_400
_QUERIES_A_CALL = 500


def read_invocations(
    aws: Aws, lane: Lane, names: Sequence[str], until: datetime
) -> Mapping[str, int]:
    """Invocations of each function, all qualifiers together, over the 30 days before `until`.

    500 functions a call: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    Raises CallFailed; a function CloudWatch gave no answer for has no entry.
    """
    sums: dict[str, int] = {}
    for start in range(0, len(names), _QUERIES_A_CALL):
        batch = names[start : start + _QUERIES_A_CALL]
        pages = aws.pages(
            lane,
            "cloudwatch",
            "GetMetricData",
            holds="MetricDataResults",
            MetricDataQueries=[_query(index, name) for index, name in enumerate(batch)],
            StartTime=until - timedelta(days=DAYS),
            EndTime=until,
        )
        with readable("cloudwatch:GetMetricData", lane.account, lane.region):
            for result in (each for page in pages for each in page["MetricDataResults"]):
                _check(result, lane)
                name = batch[int(result["Id"][1:])]
                sums[name] = sums.get(name, 0) + round(sum(result["Values"]))
    return sums


def _check(result: Mapping[str, Any], lane: Lane) -> None:
    if result.get("StatusCode") in {"InternalError", "Forbidden"}:
        raise CallFailed(
            "cloudwatch:GetMetricData",
            lane.account,
            lane.region,
            Situation.OTHER,
            result["StatusCode"],
            "CloudWatch could not read a metric",
        )


def _query(index: int, name: str) -> dict[str, Any]:
    return {
        "Id": f"f{index}",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": "Invocations",
                "Dimensions": [{"Name": "FunctionName", "Value": name}],
            },
            "Period": _DAY_SECONDS,
            "Stat": "Sum",
        },
    }
