"""CloudWatch Logs Insights, as far as it counts calls and cold starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moto_fixtures.corrections.log_store import Reports
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    HOME,
    MEMBER,
    Client,
    Organization,
    refused,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
QUERY = (
    "fields coalesce(@initDuration, record.metrics.initDurationMs) as init "
    '| filter @type = "REPORT" or type = "platform.report" '
    "| stats count(*) as lines, count(init) as cold, sum(init) as ms by @log"
)


def start(client: Client, *groups: str, query: str = QUERY, **changes: int) -> str:
    span = {"startTime": int((NOW - 30 * DAY).timestamp()), "endTime": int(NOW.timestamp())}
    asked = {"logGroupNames": list(groups), "queryString": query, **span, **changes}
    return str(client.start_query(**asked)["queryId"])


def ask(client: Client, *groups: str, **changes: Any) -> list[dict[str, str]]:  # noqa: ANN401  # as start
    answer = client.get_query_results(queryId=start(client, *groups, **changes))
    assert answer["status"] == "Complete"
    return [{each["field"]: each["value"] for each in row} for row in answer["results"]]


@pytest.fixture
def client(organization: Organization) -> Client:
    record = organization.emulator.record_reports
    record(MEMBER, HOME, "/a", NOW - DAY, Reports(calls=7, starts=2, init_ms=90.5))
    record(MEMBER, HOME, "/a", NOW - 2 * DAY, Reports(calls=1, starts=1, init_ms=30))
    record(MEMBER, HOME, "/a", NOW - 31 * DAY, Reports(calls=1000))
    record(MEMBER, HOME, "/warm", NOW - DAY, Reports(calls=3))
    record(MEMBER, HOME, "/silent", NOW - DAY, Reports())
    return organization.client("logs", MEMBER)


def test_each_log_group_with_lines_gives_a_row_of_what_was_asked_for(client: Client) -> None:
    assert ask(client, "/a", "/warm", "/silent") == [
        {"@log": f"{MEMBER}:/a", "lines": "8", "cold": "3", "ms": "120.5"},
        # A sum of nothing is left out.
        {"@log": f"{MEMBER}:/warm", "lines": "3", "cold": "0"},
    ]


def test_one_log_group_that_is_missing_refuses_the_whole_query(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        start(client, "/a", "/none")
    code, status, message = refused(caught.value)
    assert (code, status) == ("ResourceNotFoundException", 400)
    assert message == f"Log group '/none' does not exist for account ID '{MEMBER}'"


def test_log_groups_are_those_of_an_account_and_region(organization: Organization) -> None:
    record = organization.emulator.record_reports
    record(MEMBER, HOME, "/a", NOW - DAY, Reports(calls=1))
    for account, region in ((DELEGATE, HOME), (MEMBER, "eu-west-1")):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            start(organization.client("logs", account, region), "/a")


@pytest.mark.parametrize(
    ("groups", "changes", "code"),
    [
        ([], {}, "InvalidParameterException"),
        ([f"/{number}" for number in range(51)], {}, "InvalidParameterException"),
        (["/a"], {"endTime": 1}, "InvalidParameterException"),
        (["/a"], {"query": "fields @message"}, "MalformedQueryException"),
        (["/a"], {"query": QUERY.replace("REPORT", "END")}, "MalformedQueryException"),
        (["/a"], {"query": QUERY.replace(" by @log", "")}, "MalformedQueryException"),
    ],
)
def test_what_aws_or_the_emulator_cannot_answer_is_refused(
    client: Client, groups: list[str], changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        start(client, *groups, **changes)
    assert refused(caught.value)[0] == code


def test_a_query_runs_as_long_and_ends_as_a_test_wants(
    organization: Organization, client: Client
) -> None:
    organization.emulator.end_queries("Scheduled", "Running", "Failed")
    query = start(client, "/a")
    seen = [client.get_query_results(queryId=query) for _ in range(4)]
    assert [each["status"] for each in seen] == ["Scheduled", "Running", "Failed", "Failed"]
    assert [each["results"] for each in seen] == [[]] * 4
    assert ask(client, "/warm")


def test_a_query_can_be_stopped_while_it_runs(organization: Organization, client: Client) -> None:
    organization.emulator.end_queries("Running")
    query = start(client, "/a")
    client.get_query_results(queryId=query)
    assert client.stop_query(queryId=query)["success"] is True
    assert client.get_query_results(queryId=query)["status"] == "Cancelled"
    with pytest.raises(ClientError, match="InvalidParameterException"):
        client.stop_query(queryId=query)


def test_nobody_sees_the_queries_of_another_account(
    organization: Organization, client: Client
) -> None:
    query = start(client, "/a")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        organization.client("logs", DELEGATE).get_query_results(queryId=query)
