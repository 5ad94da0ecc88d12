"""Cold starts from the logs, read from the emulator over HTTP and from canned answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.cold_starts import ColdStarts, Patience, read_cold_starts
from fleet.aws.failures import CallFailed
from fleet.aws.metrics import Traffic
from fleet.aws.session import Aws, Lane
from fleet.permissions import COLD_STARTS, SCAN
from moto_fixtures.corrections.log_store import Reports
from moto_fixtures.server import Emulator, Rules

OWN, REGION = "000000000001", "us-east-1"
UNTIL = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT_ONCE = Patience(seconds=0)
YESTERDAY = UNTIL - timedelta(days=1)

Read = Callable[..., Mapping[str, ColdStarts]]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with (
        Emulator(Rules(management_account=OWN), clock=UNTIL.timestamp) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, variable in running.environment.items():
            patch.setenv(name, variable)
        yield running


@pytest.fixture
def log(emulator: Emulator) -> Callable[..., None]:
    """Let a log group hold so many calls, cold starts and milliseconds of init of a time."""

    def record(
        group: str, calls: int, starts: int = 0, init: float = 0, at: datetime = YESTERDAY
    ) -> None:
        reports = Reports(calls=calls, starts=starts, init_ms=init)
        emulator.record_reports(OWN, REGION, group, at, reports)

    return record


@pytest.fixture
def read(emulator: Emulator) -> Read:
    aws = Aws(Clients(emulator.environment), (*SCAN, *COLD_STARTS), role_name="R", first_wait=0.01)
    emulator.calls.clear()

    def ask(
        groups: Mapping[str, tuple[str, ...]],
        patience: Patience = AT_ONCE,
        **calls: int | None,
    ) -> Mapping[str, ColdStarts]:
        traffic = {name: Traffic(number, 1) for name, number in calls.items()}
        return read_cold_starts(
            aws, aws.lane(OWN, REGION), groups, traffic, UNTIL, patience=patience
        )

    return ask


def operations(emulator: Emulator) -> list[str]:
    return [call.operation for call in emulator.calls if call.service == "logs"]


Log = Callable[..., None]


def test_cold_starts_and_their_time_are_told_by_function(read: Read, log: Log) -> None:
    log("/a", 60, 2, 150.4)
    log("/a", 40, 1, 75.2, at=UNTIL - timedelta(days=29))
    log("/b", 10)
    found = read({"a": ("/a",), "b": ("/b",)}, a=100, b=10)
    assert found == {"a": ColdStarts(3, 226), "b": ColdStarts(0, 0)}


def test_only_the_thirty_days_count(read: Read, log: Log) -> None:
    log("/a", 5, 1, 80)
    log("/a", 5, 5, 400, at=UNTIL - timedelta(days=31))
    assert read({"a": ("/a",)}, a=5) == {"a": ColdStarts(1, 80)}


def test_versions_that_log_elsewhere_count_together(read: Read, log: Log) -> None:
    log("/a", 50, 1, 100)
    log("/a-before", 50, 2, 200)
    assert read({"a": ("/a", "/a-before")}, a=100) == {"a": ColdStarts(3, 300)}


@pytest.mark.parametrize("logged", [0, 23, 94, 106, 1000])
def test_a_log_that_holds_other_calls_than_the_metrics_tells_nothing(
    read: Read, log: Log, logged: int
) -> None:
    log("/a", logged, min(logged, 1), 90)
    assert read({"a": ("/a",)}, a=100) == {}


@pytest.mark.parametrize("logged", [95, 100, 105])
def test_a_twentieth_more_or_less_is_the_edge_of_the_span(
    read: Read, log: Log, logged: int
) -> None:
    log("/a", logged, 1, 90)
    assert read({"a": ("/a",)}, a=100) == {"a": ColdStarts(1, 90)}


def test_a_log_group_that_is_missing_costs_only_its_function(
    read: Read, log: Log, emulator: Emulator
) -> None:
    names = [f"f{number:02}" for number in range(20)]
    for name in names:
        if name not in {"f03", "f17"}:
            log(f"/{name}", 10, 1, 50)
    found = read({name: (f"/{name}",) for name in names}, **dict.fromkeys(names, 10))
    assert set(names) - found.keys() == {"f03", "f17"}
    assert set(found.values()) == {ColdStarts(1, 50)}
    # Halves of halves, for each of the two: not one query a function.
    assert operations(emulator).count("StartQuery") < 20


def test_a_query_has_at_most_fifty_log_groups(read: Read, log: Log, emulator: Emulator) -> None:
    names = [f"f{number:03}" for number in range(101)]
    for name in names:
        log(f"/{name}", 1)
    assert len(read({name: (f"/{name}",) for name in names}, **dict.fromkeys(names, 1))) == 101
    assert operations(emulator) == ["StartQuery", "GetQueryResults"] * 3


def test_who_was_not_called_costs_no_query_and_had_no_cold_start(
    read: Read, emulator: Emulator
) -> None:
    assert read({"idle": ("/idle",)}, idle=0) == {"idle": ColdStarts(0, 0)}
    assert operations(emulator) == []


def test_without_the_number_of_calls_nothing_is_known_and_nothing_asked(
    read: Read, log: Log, emulator: Emulator
) -> None:
    log("/a", 10, 1, 50)
    assert read({"a": ("/a",), "b": ("/b",)}, a=None) == {}
    assert operations(emulator) == []


def test_a_query_is_looked_at_until_it_has_ended(read: Read, log: Log, emulator: Emulator) -> None:
    log("/a", 10, 1, 50)
    emulator.end_queries("Scheduled", "Running", "Running")
    assert read({"a": ("/a",)}, a=10) == {"a": ColdStarts(1, 50)}
    assert operations(emulator).count("GetQueryResults") == 4


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_a_query_that_does_not_end_well_is_a_failure_and_not_nought(
    read: Read, log: Log, emulator: Emulator, status: str
) -> None:
    log("/a", 10, 1, 50)
    emulator.end_queries("Running", status)
    with pytest.raises(CallFailed, match=f"ended as {status}"):
        read({"a": ("/a",)}, a=10)


def test_a_query_that_takes_too_long_is_stopped(read: Read, log: Log, emulator: Emulator) -> None:
    log("/a", 10, 1, 50)
    emulator.end_queries(*["Running"] * 100)
    ticks = count()
    with pytest.raises(CallFailed, match="took more than 5 s"):
        read({"a": ("/a",)}, Patience(0, 5, lambda: float(next(ticks))), a=10)
    assert operations(emulator)[-1] == "StopQuery"


class Told:
    """Stands where Aws does, and gives these rows."""

    def __init__(self, rows: object) -> None:
        self.rows = rows

    def call(self, *asked: object, **_: object) -> dict[str, Any]:
        if asked[2] == "StartQuery":
            return {"queryId": "q"}
        return {"status": "Complete", "results": self.rows}


def row(**fields: str) -> list[dict[str, str]]:
    told = {"@log": f"{OWN}:/a", "reports": "10", "starts": "1", "init_ms": "5.5"} | fields
    return [{"field": name, "value": value} for name, value in told.items()]


@pytest.mark.parametrize(
    "rows",
    [
        [[]],
        [None],
        None,
        [row(starts="many")],
        [row(starts="-1")],
        [row(starts="1.5")],
        [row(reports="nan")],
        [row(init_ms="inf")],
        [row(init_ms="-3")],
        [row(init_ms="")],
        [[{"field": "@log"}]],
    ],
)
def test_an_answer_of_another_shape_is_a_failed_call(aws: Aws, rows: object) -> None:
    lane: Lane = aws.lane(OWN, REGION)
    with pytest.raises(CallFailed, match="not as the API describes it"):
        read_cold_starts(
            Told(rows),  # type: ignore[arg-type]  # its call is all that is used
            lane,
            {"a": ("/a",)},
            {"a": Traffic(10, 1)},
            UNTIL,
        )
