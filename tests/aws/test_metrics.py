from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.failures import CallFailed
from fleet.aws.metrics import read_invocations
from fleet.aws.session import Aws, Lane
from fleet.permissions import SCAN
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


def read(told: Told, names: list[str], lane: Callable[[], Lane]) -> Mapping[str, int]:
    return read_invocations(told, lane(), names, UNTIL)  # type: ignore[arg-type]  # its pages are all that is used


@pytest.fixture
def lane(aws: Aws) -> Callable[[], Lane]:
    return lambda: aws.lane(OWN, REGION)


def result(identity: str, *values: float, status: str = "Complete") -> dict[str, Any]:
    return {"Id": identity, "Values": list(values), "StatusCode": status}


def test_values_of_a_function_are_summed_over_pages(lane: Callable[[], Lane]) -> None:
    told = Told(
        {"MetricDataResults": [result("f0", 1.0, 2.0, status="PartialData"), result("f1")]},
        {"MetricDataResults": [result("f0", 39.0)]},
    )
    assert read(told, ["orders", "idle"], lane) == {"orders": 42, "idle": 0}


def test_a_function_without_an_answer_is_unknown_and_not_idle(lane: Callable[[], Lane]) -> None:
    assert read(Told({"MetricDataResults": [result("f0", 1)]}), ["a", "b"], lane) == {"a": 1}


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_metric_that_cannot_be_read_is_a_failure_and_not_nought(
    lane: Callable[[], Lane], status: str
) -> None:
    told = Told({"MetricDataResults": [result("f0", status=status)]})
    with pytest.raises(CallFailed, match=status):
        read(told, ["orders"], lane)


@pytest.mark.parametrize(
    "row",
    [{}, {"Id": "f0"}, {"Id": "f7", "Values": []}, {"Id": "x", "Values": []}, {"Id": 1}, None],
)
def test_a_result_of_another_shape_is_a_failed_call(lane: Callable[[], Lane], row: object) -> None:
    with pytest.raises(CallFailed, match="not as the API describes it"):
        read(Told({"MetricDataResults": [row]}), ["orders"], lane)


def test_500_functions_are_asked_for_at_once_and_no_more(lane: Callable[[], Lane]) -> None:
    told = Told({"MetricDataResults": []})
    read(told, [f"f{number}" for number in range(1001)], lane)
    assert [len(each["MetricDataQueries"]) for each in told.asked] == [500, 500, 1]
    assert {each["EndTime"] - each["StartTime"] for each in told.asked} == {timedelta(days=30)}


def test_invocations_are_those_of_all_qualifiers_in_the_thirty_days_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Emulator(Rules(management_account=OWN), clock=UNTIL.timestamp) as emulator:
        for days, value in ((0.5, 1.0), (29.9, 10.0), (30.1, 100.0)):
            moment = UNTIL - timedelta(days=days)
            emulator.record_invocations(OWN, REGION, "orders", {moment: value})
            # A qualifier's own numbers are in the function's already.
            emulator.record_invocations(OWN, REGION, "orders", {moment: value}, qualifier="live")
        for name, variable in emulator.environment.items():
            monkeypatch.setenv(name, variable)
        aws = Aws(Clients(emulator.environment), SCAN, role_name="R")
        found = read_invocations(aws, aws.lane(OWN, REGION), ["orders", "idle"], UNTIL)
    assert found == {"orders": 11, "idle": 0}
