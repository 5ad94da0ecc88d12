"""CloudWatch numbers, by namespace and dimensions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import (
    DELEGATE,
    HOME,
    MEMBER,
    Organization,
    refused,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ONE = [{"Name": "FunctionName", "Value": "one"}]


def query(
    name: str,
    dimensions: list[dict[str, str]],
    namespace: str = "AWS/Lambda",
    **changes: object,
) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": "Invocations", "Dimensions": dimensions}
    stat = {"Metric": metric, "Period": 86400, "Stat": "Sum", **changes}
    return {"Id": name, "MetricStat": stat}


def ask(
    organization: Organization, *queries: dict[str, Any], account: str = MEMBER, **params: object
) -> dict[str, list[float]]:
    answer = organization.client("cloudwatch", account).get_metric_data(
        MetricDataQueries=list(queries), StartTime=NOW - 30 * DAY, EndTime=NOW, **params
    )
    return {row["Id"]: row["Values"] for row in answer["MetricDataResults"]}


def test_invocations_are_summed_by_period_newest_first(organization: Organization) -> None:
    points = {NOW - 30 * DAY: 1, NOW - 1.5 * DAY: 2, NOW - 1.2 * DAY: 3, NOW - DAY / 2: 4}
    organization.emulator.record_invocations(MEMBER, HOME, "one", points)
    assert ask(organization, query("a", ONE)) == {"a": [4, 5, 1]}
    oldest_first = ask(organization, query("a", ONE), ScanBy="TimestampAscending")
    assert oldest_first == {"a": [1, 5, 4]}


def test_points_outside_the_time_asked_for_do_not_count(organization: Organization) -> None:
    points = {NOW: 100, NOW - 31 * DAY: 100, NOW - DAY: 1}
    organization.emulator.record_invocations(MEMBER, HOME, "one", points)
    assert ask(organization, query("a", ONE)) == {"a": [1]}


def test_a_metric_of_another_namespace_is_not_mixed_in(organization: Organization) -> None:
    organization.emulator.record_invocations(MEMBER, HOME, "one", {NOW - DAY: 1})
    organization.client("cloudwatch", MEMBER).put_metric_data(
        Namespace="Mine",
        MetricData=[
            {
                "MetricName": "Invocations",
                "Dimensions": ONE,
                "Value": 50,
                "Timestamp": NOW - DAY,
            }
        ],
    )
    found = ask(organization, query("a", ONE), query("b", ONE, "Mine"))
    assert found == {"a": [1], "b": [50]}


def test_functions_qualifiers_and_accounts_are_told_apart(organization: Organization) -> None:
    record = organization.emulator.record_invocations
    record(MEMBER, HOME, "one", {NOW - DAY: 1})
    record(MEMBER, HOME, "one", {NOW - DAY: 2}, qualifier="live")
    record(MEMBER, HOME, "two", {NOW - DAY: 4})
    record(DELEGATE, HOME, "one", {NOW - DAY: 8})
    live = [*ONE, {"Name": "Resource", "Value": "one:live"}]
    two = [{"Name": "FunctionName", "Value": "two"}]
    found = ask(organization, query("a", ONE), query("b", live), query("c", two))
    assert found == {"a": [1], "b": [2], "c": [4]}
    assert ask(organization, query("a", ONE), account=DELEGATE) == {"a": [8]}


def test_a_metric_without_numbers_is_an_empty_series(organization: Organization) -> None:
    assert ask(organization, query("a", ONE)) == {"a": []}


@pytest.mark.parametrize(
    ("stat", "value"),
    [("Average", 2.0), ("Minimum", 1.0), ("Maximum", 3.0), ("SampleCount", 2.0)],
)
def test_other_statistics_are_computed(organization: Organization, stat: str, value: float) -> None:
    points = {NOW - DAY / 2: 1, NOW - DAY / 3: 3}
    organization.emulator.record_invocations(MEMBER, HOME, "one", points)
    assert ask(organization, query("a", ONE, Stat=stat)) == {"a": [value]}


def test_what_cannot_be_answered_is_refused_and_never_an_empty_series(
    organization: Organization,
) -> None:
    wrong: list[dict[str, Any]] = [
        {"Id": "a", "Expression": "SUM(METRICS())"},
        query("a", ONE, Stat="p99"),
    ]
    for one in wrong:
        with pytest.raises(ClientError) as error:
            ask(organization, one)
        assert refused(error.value)[0] == "ValidationError"
    with pytest.raises(ClientError) as error:
        ask(organization, *[query(f"q{number}", ONE) for number in range(501)])
    assert refused(error.value)[0] == "ValidationError"
