"""The numbers of one function's calls, read from the emulator over HTTP and from canned pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.failures import CallFailed
from fleet.aws.metrics import LATE, NumbersAsked, read_numbers
from fleet.aws.session import Aws, Lane
from fleet.permissions import CANARY, PLAN
from fleet.traffic import Numbers
from moto_fixtures.corrections.metric_store import Calls
from moto_fixtures.server import Emulator, Rules

OWN, REGION = "000000000001", "us-east-1"
NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR_AGO = NOW - timedelta(hours=1)

Read = Callable[..., tuple[Numbers | None, ...]]


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Emulator, Aws]]:
    """An emulator, and calls to it; each test has a function of its own."""
    with (
        Emulator(Rules(management_account=OWN), clock=NOW.timestamp) as emulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, variable in emulator.environment.items():
            patch.setenv(name, variable)
        yield emulator, Aws(Clients(emulator.environment), (*PLAN, *CANARY), role_name="R")


@pytest.fixture
def emulator(running: tuple[Emulator, Aws]) -> Emulator:
    return running[0]


@pytest.fixture
def function(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).replace("[", "-").replace("]", "")[:64]


@pytest.fixture
def read(running: tuple[Emulator, Aws], function: str) -> Read:
    aws = running[1]

    def ask(*asked: NumbersAsked, **params: Any) -> tuple[Numbers | None, ...]:  # noqa: ANN401  # as read_numbers
        return read_numbers(aws, aws.lane(OWN, REGION), function, asked, **{"now": NOW, **params})

    return ask


@pytest.fixture
def record(emulator: Emulator, function: str) -> Callable[[datetime, Calls], None]:
    return lambda at, calls: emulator.record_calls(OWN, REGION, function, at, calls)


def asked(
    qualifier: str | None = "live",
    version: str | None = None,
    start: datetime = HOUR_AGO,
    end: datetime | None = None,
) -> NumbersAsked:
    return NumbersAsked(qualifier=qualifier, version=version, start=start, end=end)


def counted(result: tuple[Numbers | None, ...]) -> list[int]:
    return [each.invocations if each is not None else -1 for each in result]


Record = Callable[[datetime, Calls], None]


def test_the_two_versions_of_a_weighted_alias_are_told_apart(read: Read, record: Record) -> None:
    for minutes in (10, 20):
        at = NOW - minutes * MINUTE
        old = Calls(qualifier="live", version="7", invocations=90, errors=1, duration_ms=20)
        record(at, old)
        record(
            at,
            Calls(
                qualifier="live",
                version="8",
                invocations=10,
                errors=4,
                throttles=3,
                duration_ms=50.5,
            ),
        )
        record(at, Calls(qualifier="other", version="8", invocations=1000, errors=1000))
        record(at, Calls(invocations=1000, errors=1000))
    assert read(asked(version="7"), asked(version="8"), asked()) == (
        Numbers(invocations=180, errors=2, throttles=0, duration_ms=3600.0, timed=180),
        Numbers(invocations=20, errors=8, throttles=6, duration_ms=1010.0, timed=20),
        Numbers(invocations=200, errors=10, throttles=6, duration_ms=4610.0, timed=200),
    )


def test_latest_is_what_is_called_without_a_qualifier_or_by_its_name(
    read: Read, record: Record
) -> None:
    at = NOW - 10 * MINUTE
    record(at, Calls(invocations=3, errors=1, duration_ms=10))
    record(at, Calls(qualifier="$LATEST", invocations=4, duration_ms=20))
    record(at, Calls(qualifier="live", version="7", invocations=100))
    record(at, Calls(qualifier="7", invocations=1000))
    latest, version, whole = read(asked("$LATEST"), asked("7"), asked(None))
    assert latest == Numbers(invocations=7, errors=1, duration_ms=110.0, timed=7)
    assert counted((version, whole)) == [1000, 1107]


def test_only_whole_minutes_count_and_the_newest_are_left_out(read: Read, record: Record) -> None:
    for ago, calls in ((0, 1), (1, 2), (2, 4), (3, 8), (10, 16), (60, 32), (61, 64)):
        record(NOW - ago * MINUTE, Calls(invocations=calls))
    assert counted(read(asked(None))) == [8 + 16]
    assert counted(read(asked(None), late=timedelta())) == [2 + 4 + 8 + 16]
    assert counted(read(asked(None), late=9 * MINUTE)) == [16]
    span = asked(None, start=NOW - 10.5 * MINUTE, end=NOW - 2.5 * MINUTE)
    assert counted(read(span)) == [8 + 16]


def test_a_span_without_a_whole_minute_holds_no_calls_and_is_not_asked_for(
    emulator: Emulator, read: Read, record: Record
) -> None:
    record(NOW, Calls(invocations=5))
    emulator.calls.clear()
    assert read(asked(None, start=NOW - LATE)) == (Numbers(),)
    assert emulator.calls == []


def test_one_call_answers_all_of_a_span(emulator: Emulator, read: Read, record: Record) -> None:
    record(NOW - 10 * MINUTE, Calls(qualifier="live", version="8", invocations=5))
    record(NOW - 90 * MINUTE, Calls(qualifier="live", version="7", invocations=6))
    emulator.calls.clear()
    now = (asked(version="8"), asked(version="7"), asked("$LATEST"))
    assert counted(read(*now)) == [5, 0, 0]
    assert len(emulator.calls) == 1
    before = asked(version="7", start=NOW - timedelta(hours=2), end=HOUR_AGO)
    assert counted(read(*now, before)) == [5, 0, 0, 6]
    assert len(emulator.calls) == 3


def test_what_nobody_calls_is_nought_and_not_unknown(read: Read) -> None:
    assert read(asked(), asked("$LATEST")) == (Numbers(), Numbers())


@pytest.mark.parametrize("status", ["InternalError", "Forbidden", "PartialData"])
def test_what_cloudwatch_cannot_tell_is_unknown_and_not_nought(
    emulator: Emulator, read: Read, record: Record, function: str, status: str
) -> None:
    record(NOW - 10 * MINUTE, Calls(invocations=5))
    emulator.spoil_metrics(OWN, REGION, function, status)
    assert read(asked(None)) == (None,)
    emulator.spoil_metrics(OWN, REGION, function, None)
    assert counted(read(asked(None))) == [5]


def test_older_numbers_are_read_as_coarsely_as_they_are_kept(read: Read, record: Record) -> None:
    began = (NOW - timedelta(days=20)).replace(minute=0, second=0)
    for minutes, calls in ((1, 1), (4, 2), (5, 4), (59, 8), (60, 16)):
        record(began + minutes * MINUTE, Calls(invocations=calls))
    span = asked(None, start=began + MINUTE, end=began + 60 * MINUTE)
    assert counted(read(span)) == [4 + 8]


def test_numbers_that_cloudwatch_has_forgotten_are_unknown(read: Read, record: Record) -> None:
    record(NOW - timedelta(days=64), Calls(invocations=5))
    recent = asked(None, start=NOW - timedelta(days=62))
    assert read(asked(None, start=NOW - timedelta(days=65)), recent) == (None, Numbers())


def test_data_points_of_many_pages_are_added_up(
    emulator: Emulator, read: Read, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moto_fixtures.corrections.metrics.MOST_DATAPOINTS", 7)
    for ago in range(3, 13):
        record(NOW - ago * MINUTE, Calls(qualifier="live", version="8", invocations=2, errors=1))
    emulator.calls.clear()
    found = read(asked(version="8"), asked(version="7"))
    assert found[0] == Numbers(invocations=20, errors=10, timed=20)
    assert found[1] == Numbers()
    assert len(emulator.calls) == 6


class Told:
    """Stands where Aws does, and gives these pages to each call."""

    def __init__(self, *pages: Mapping[str, Any]) -> None:
        self.given = pages
        self.asked: list[dict[str, Any]] = []

    def pages(self, *_: object, **parameters: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401  # as Aws.pages
        self.asked.append(parameters)
        yield from self.given


def row(identity: str, *values: float, status: str = "Complete") -> dict[str, Any]:
    return {"Id": identity, "Values": list(values), "StatusCode": status}


def complete(**others: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # a row, as the API has it
    rows = {f"q{number}": row(f"q{number}", 1.0) for number in range(5)} | others
    return [each for each in rows.values() if each is not None]


def told(lane: Lane, *pages: list[dict[str, Any]]) -> Numbers | None:
    aws: Any = Told(*({"MetricDataResults": page} for page in pages))
    return read_numbers(aws, lane, "orders", [asked()], now=NOW)[0]


@pytest.fixture
def lane(running: tuple[Emulator, Aws]) -> Lane:
    return running[1].lane(OWN, REGION)


@pytest.mark.parametrize(
    "pages",
    [
        [complete(q1=None)],
        [complete(q1=row("q1", 1.0, status="PartialData"))],
        [complete(q1=row("q1", status="InternalError")), [row("q1", 1.0)]],
        [complete(q1=row("q1", 1.0, status="SomethingNew"))],
    ],
    ids=["no answer", "never completed", "a page failed", "unknown status"],
)
def test_one_metric_that_is_not_whole_makes_all_of_them_unknown(
    lane: Lane, pages: list[list[dict[str, Any]]]
) -> None:
    assert told(lane, *pages) is None


def test_partial_data_is_made_good_by_the_page_that_follows(lane: Lane) -> None:
    first = complete(q0=row("q0", 3.0, status="PartialData"))
    assert told(lane, first, [row("q0", 4.0)]) == Numbers(
        invocations=7, errors=1, throttles=1, duration_ms=1.0, timed=1
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"Id": "q0"},
        row("q5", 1.0),
        row("q-1", 1.0),
        row("q0", -1.0),
        row("q0", float("nan")),
        row("q0", float("inf")),
        {"Id": "q0", "Values": ["many"], "StatusCode": "Complete"},
        {"Id": ["q0"], "Values": [], "StatusCode": "Complete"},
    ],
)
def test_an_answer_of_another_shape_is_a_failed_call(lane: Lane, wrong: dict[str, Any]) -> None:
    with pytest.raises(CallFailed, match="not as the API describes it"):
        told(lane, [*complete(q0=None), wrong])


def test_more_than_500_queries_are_asked_for_in_several_calls(lane: Lane) -> None:
    aws: Any = Told({"MetricDataResults": []})
    aliases = [asked(f"alias{number}") for number in range(201)]
    assert read_numbers(aws, lane, "orders", aliases, now=NOW) == (None,) * 201
    assert [len(each["MetricDataQueries"]) for each in aws.asked] == [500, 500, 5]
