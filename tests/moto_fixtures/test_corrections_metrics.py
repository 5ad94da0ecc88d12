"""CloudWatch numbers, by namespace and dimensions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moto_fixtures.corrections.metric_store import Calls
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


def dimensions(**named: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in named.items()]


def test_calls_of_an_alias_count_for_function_alias_and_executed_version(
    organization: Organization,
) -> None:
    record = organization.emulator.record_calls
    for version, calls in (("7", 90), ("8", 10)):
        record(
            *(MEMBER, HOME, "one", NOW - DAY),
            Calls(qualifier="live", version=version, invocations=calls),
        )
    record(MEMBER, HOME, "one", NOW - DAY, Calls(qualifier="7", version="7", invocations=500))
    record(MEMBER, HOME, "one", NOW - DAY, Calls(invocations=1000))
    live = {"FunctionName": "one", "Resource": "one:live"}
    found = ask(
        organization,
        query("whole", ONE),
        query("alias", dimensions(**live)),
        query("old", dimensions(**live, ExecutedVersion="7")),
        query("new", dimensions(**live, ExecutedVersion="8")),
        query("seven", dimensions(FunctionName="one", Resource="one:7")),
        query("bare", dimensions(FunctionName="one", Resource="one")),
        query("nothing", dimensions(FunctionName="one", ExecutedVersion="7")),
        # A call that names a version has no other that it could be executed by.
        query("no_alias", dimensions(FunctionName="one", Resource="one:7", ExecutedVersion="7")),
    )
    assert found == {
        "whole": [1600],
        "alias": [100],
        "old": [90],
        "new": [10],
        "seven": [500],
        "bare": [1000],
        "nothing": [],
        "no_alias": [],
    }


def test_errors_throttles_and_durations_are_metrics_beside_the_invocations(
    organization: Organization,
) -> None:
    calls = Calls(invocations=4, errors=1, throttles=2, duration_ms=12.5)
    organization.emulator.record_calls(MEMBER, HOME, "one", NOW - DAY, calls)
    asked = {
        "a": ("Invocations", "Sum", 4),
        "b": ("Errors", "Sum", 1),
        "c": ("Errors", "Average", 0.25),
        "d": ("Throttles", "Sum", 2),
        "e": ("Duration", "Average", 12.5),
        "f": ("Duration", "SampleCount", 4),
    }
    queries = []
    for name, (metric, stat, _) in asked.items():
        one = query(name, ONE, Stat=stat)
        one["MetricStat"]["Metric"]["MetricName"] = metric
        queries.append(one)
    found = ask(organization, *queries)
    assert found == {name: [value] for name, (_, _, value) in asked.items()}


def test_an_answer_holds_as_many_data_points_as_asked_for_and_names_the_next(
    organization: Organization,
) -> None:
    for hours in range(1, 6):
        at = NOW - hours * DAY / 24
        organization.emulator.record_calls(MEMBER, HOME, "one", at, Calls(invocations=hours))
    two = dimensions(FunctionName="one", Resource="one")
    params = {
        "MetricDataQueries": [query("a", ONE, Period=60), query("b", two, Period=60)],
        "StartTime": NOW - DAY,
        "EndTime": NOW,
        "MaxDatapoints": 4,
    }
    client = organization.client("cloudwatch", MEMBER)
    organization.clock.now = NOW.timestamp()
    seen = []
    while True:
        answer = client.get_metric_data(**params)
        seen.append(
            [(row["Id"], row["Values"], row["StatusCode"]) for row in answer["MetricDataResults"]]
        )
        if "NextToken" not in answer:
            break
        params["NextToken"] = answer["NextToken"]
    assert seen == [
        [("a", [1, 2, 3, 4], "PartialData")],
        [("a", [5], "Complete"), ("b", [1, 2, 3], "PartialData")],
        [("b", [4, 5], "Complete")],
    ]


@pytest.mark.parametrize(
    ("period", "days", "kept"),
    [(60, 14, True), (60, 16, False), (300, 16, True), (300, 64, False), (3600, 64, True)],
)
def test_data_points_of_short_periods_are_not_kept_for_long(
    organization: Organization, period: int, days: int, *, kept: bool
) -> None:
    organization.clock.now = NOW.timestamp()
    organization.emulator.record_calls(MEMBER, HOME, "one", NOW - days * DAY, Calls(invocations=5))
    answer = organization.client("cloudwatch", MEMBER).get_metric_data(
        MetricDataQueries=[query("a", ONE, Period=period)],
        StartTime=NOW - 100 * DAY,
        EndTime=NOW,
    )
    assert answer["MetricDataResults"][0]["Values"] == ([5] if kept else [])


def test_metrics_of_one_function_can_be_made_unreadable(organization: Organization) -> None:
    for name in ("one", "two"):
        organization.emulator.record_calls(MEMBER, HOME, name, NOW - DAY, Calls(invocations=5))
    organization.emulator.spoil_metrics(MEMBER, HOME, "one", "Forbidden")
    answer = organization.client("cloudwatch", MEMBER).get_metric_data(
        MetricDataQueries=[query("a", ONE), query("b", dimensions(FunctionName="two"))],
        StartTime=NOW - 30 * DAY,
        EndTime=NOW,
    )
    rows = [(row["StatusCode"], row["Values"]) for row in answer["MetricDataResults"]]
    assert rows == [("Forbidden", []), ("Complete", [5])]
