from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.failures import CallFailed
from fleet.aws.metrics import Traffic, read_traffic
from fleet.aws.session import Aws, Lane
from fleet.permissions import SCAN
from moto_fixtures.corrections.metric_store import Calls
from moto_fixtures.server import Emulator, Rules

OWN, REGION = "000000000001", "us-east-1"
UNTIL = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Told:
    """Stands where Aws does, and gives these pages to each call."""

    def __init__(self, *pages: Mapping[str, Any]) -> None:
        self.given = pages
        self.asked: list[dict[str, Any]] = []

    def pages(self, *_: object, **parameters: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401  # as Aws.pages
        self.asked.append(parameters)
        yield from self.given


def read(told: Told, names: list[str], lane: Callable[[], Lane]) -> Mapping[str, Traffic]:
    return read_traffic(told, lane(), names, UNTIL)  # type: ignore[arg-type]  # its pages are all that is used


@pytest.fixture
def lane(aws: Aws) -> Callable[[], Lane]:
    return lambda: aws.lane(OWN, REGION)


def result(identity: str, *values: float, status: str = "Complete") -> dict[str, Any]:
    return {"Id": identity, "Values": list(values), "StatusCode": status}


def test_values_of_a_function_are_summed_over_pages(lane: Callable[[], Lane]) -> None:
    told = Told(
        {
            "MetricDataResults": [
                result("f0", 1.0, 2.0, status="PartialData"),
                result("f1", 10.5),
                result("f2"),
                result("f3"),
            ]
        },
        {"MetricDataResults": [result("f0", 39.0)]},
    )
    assert read(told, ["orders", "idle"], lane) == {
        "orders": Traffic(invocations=42, duration_ms=10),
        "idle": Traffic(invocations=0, duration_ms=0),
    }


def test_each_query_asks_for_calls_or_durations_of_one_function(lane: Callable[[], Lane]) -> None:
    told = Told({"MetricDataResults": []})
    read(told, ["orders", "idle"], lane)
    (asked,) = told.asked
    stats = [each["MetricStat"] for each in asked["MetricDataQueries"]]
    assert [
        (each["Metric"]["Dimensions"][0]["Value"], each["Metric"]["MetricName"], each["Stat"])
        for each in stats
    ] == [
        ("orders", "Invocations", "Sum"),
        ("orders", "Duration", "Sum"),
        ("idle", "Invocations", "Sum"),
        ("idle", "Duration", "Sum"),
    ]
    assert {each["Metric"]["Namespace"] for each in stats} == {"AWS/Lambda"}


def test_what_has_no_answer_is_unknown_and_not_nought(lane: Callable[[], Lane]) -> None:
    told = Told({"MetricDataResults": [result("f0", 1), result("f3", 7)]})
    assert read(told, ["a", "b", "c"], lane) == {
        "a": Traffic(invocations=1, duration_ms=None),
        "b": Traffic(invocations=None, duration_ms=7),
        "c": Traffic(invocations=None, duration_ms=None),
    }


def test_a_sum_that_was_never_made_whole_is_unknown(lane: Callable[[], Lane]) -> None:
    told = Told({"MetricDataResults": [result("f0", 5, status="PartialData"), result("f1", 9)]})
    assert read(told, ["a"], lane) == {"a": Traffic(invocations=None, duration_ms=9)}


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_metric_that_cannot_be_read_is_a_failure_and_not_nought(
    lane: Callable[[], Lane], status: str
) -> None:
    told = Told({"MetricDataResults": [result("f0", status=status)]})
    with pytest.raises(CallFailed, match=status):
        read(told, ["orders"], lane)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"Id": "f0"},
        {"Id": "f0", "Values": [1.0]},
        result("f7"),
        result("x"),
        result("f0", -1.0),
        result("f0", float("inf")),
        {"Id": 1},
        None,
    ],
)
def test_a_result_of_another_shape_is_a_failed_call(lane: Callable[[], Lane], row: object) -> None:
    with pytest.raises(CallFailed, match="not as the API describes it"):
        read(Told({"MetricDataResults": [row]}), ["orders"], lane)


def test_500_queries_are_asked_at_once_and_no_more(lane: Callable[[], Lane]) -> None:
    told = Told({"MetricDataResults": []})
    read(told, [f"f{number}" for number in range(501)], lane)
    assert [len(each["MetricDataQueries"]) for each in told.asked] == [500, 500, 2]
    assert {each["EndTime"] - each["StartTime"] for each in told.asked} == {timedelta(days=30)}


def test_traffic_is_that_of_all_qualifiers_in_the_thirty_days_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Emulator(Rules(management_account=OWN), clock=UNTIL.timestamp) as emulator:
        for days, calls in ((0.5, 1), (29.9, 10), (30.1, 100)):
            moment = UNTIL - timedelta(days=days)
            # A qualifier's own numbers are in the function's already.
            counted = Calls(qualifier="live", version="7", invocations=calls, duration_ms=20.0)
            emulator.record_calls(OWN, REGION, "orders", moment, counted)
        for name, variable in emulator.environment.items():
            monkeypatch.setenv(name, variable)
        aws = Aws(Clients(emulator.environment), SCAN, role_name="R")
        found = read_traffic(aws, aws.lane(OWN, REGION), ["orders", "idle"], UNTIL)
    assert found == {"orders": Traffic(11, 220), "idle": Traffic(0, 0)}
