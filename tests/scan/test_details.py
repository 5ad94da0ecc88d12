"""What is read beside the list, and what it costs when that fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fleet.aws.failures import CallFailed, Situation
from fleet.aws.session import Lane
from fleet.model import (
    ROLLBACK_ALIAS,
    CoverageStatus,
    LaneResult,
)
from fleet.scan.lane import Look, look_at_lane
from moto_fixtures.corrections.log_store import Reports
from moto_fixtures.corrections.metric_store import Calls
from tests.moto_fixtures.small_organization import (
    HOME,
    MEMBER,
    ROLE,
    Client,
    Organization,
)
from tests.scan.conftest import ALONE, EU, Small, row


def called(organization: Organization, name: str, region: str = HOME) -> None:
    """Let a function have been called ten times, once after a cold start."""
    emulator = organization.emulator
    at = datetime.fromtimestamp(organization.clock(), UTC) - timedelta(days=1)
    emulator.record_calls(MEMBER, region, name, at, Calls(invocations=10, duration_ms=7))
    reports = Reports(calls=10, starts=1, init_ms=80)
    emulator.record_reports(MEMBER, region, f"/aws/lambda/{name}", at, reports)


def test_without_a_log_group_cold_starts_are_unknown_and_the_row_has_no_gap(small: Small) -> None:
    with small() as (organization, fleet):
        called(organization, "orders")
        at = datetime.fromtimestamp(organization.clock(), UTC) - timedelta(days=1)
        calls = Calls(invocations=10, duration_ms=7)
        organization.emulator.record_calls(MEMBER, EU, "orders", at, calls)
        found = fleet.scan(replace(ALONE, traffic=True, cold_starts=True))
    starts = {each["region"]: each["cold_starts"] for each in found.rows}
    assert starts == {HOME: 1, EU: None}
    assert row(found, region=EU).status is CoverageStatus.OK


@pytest.mark.parametrize(
    ("action", "column"),
    [
        ("lambda:ListTags", "tags"),
        ("lambda:ListAliases", "aliases"),
        ("lambda:ListFunctionUrlConfigs", "callers"),
        ("lambda:ListEventSourceMappings", "callers"),
        ("lambda:GetPolicy", "callers"),
        ("cloudwatch:GetMetricData", "invocations"),
        ("cloudwatch:GetMetricData", "duration_ms"),
        ("logs:StartQuery", "cold_starts"),
        ("logs:GetQueryResults", "init_ms"),
    ],
)
def test_a_denied_detail_costs_only_itself_and_shows_in_the_row(
    small: Small, action: str, column: str
) -> None:
    options = replace(ALONE, callers=True, traffic=True, cold_starts=True)
    with small(denied=frozenset({(MEMBER, action)})) as (organization, fleet):
        for name in ("billing", "catalog"):
            organization.add_function(name)
        for name in ("billing", "catalog", "orders"):
            called(organization, name)
        organization.emulator.calls.clear()
        scan = fleet.scan(options)
        asked = [call for call in organization.emulator.calls if call.action == action]
    found = row(scan)
    assert (found.status, found.functions) == (CoverageStatus.DENIED, 3)
    assert found.listed
    assert found.reason.startswith("listed, but not everything about the functions")
    assert action in found.reason
    here = [each for each in scan.rows if each["region"] == HOME]
    assert [each["name"] for each in here] == ["billing", "catalog", "orders"]
    of_traffic = {"invocations", "duration_ms", "cold_starts", "init_ms"}
    readable = {"tags", "aliases", "callers", *of_traffic} - {column}
    if column in {"invocations", "duration_ms"}:
        # Whether a log holds every call can't be told without them.
        readable -= of_traffic
    if column in {"cold_starts", "init_ms"}:
        readable -= {"cold_starts", "init_ms"}
    if column == "aliases":
        # Who calls a version through its aliases can't be told without them.
        readable -= {"callers"}
    for each in here:
        assert each[column] is None
        assert all(each[name] is not None for name in readable)
    # What is denied once is not asked again in the same place.
    assert len(asked) == len({call.region for call in asked})


def test_without_its_tags_a_function_asked_for_by_tag_is_kept(small: Small) -> None:
    with small(denied=frozenset({(MEMBER, "lambda:ListTags")})) as (_, fleet):
        scan = fleet.scan(replace(ALONE, tags=("team=payments",)))
    assert len(scan.rows) == 2
    assert row(scan).status is CoverageStatus.DENIED


def test_without_its_aliases_a_published_version_is_of_unknown_use(small: Small) -> None:
    with small(denied=frozenset({(MEMBER, "lambda:ListAliases")})) as (organization, fleet):
        client = organization.add_function("published")
        with organization.emulator.seeding():
            client.publish_version(FunctionName="published")
        scan = fleet.scan(ALONE)
    uses = {(each["name"], each["qualifier"]): each["use"] for each in scan.rows}
    assert uses["published", "1"] == "unknown"
    assert uses["published", "$LATEST"] == "latest"


def test_of_several_details_that_are_denied_the_first_is_named(small: Small) -> None:
    denied = frozenset({(MEMBER, "lambda:ListTags"), (MEMBER, "lambda:ListAliases")})
    with small(denied=denied) as (_, fleet):
        scan = fleet.scan(ALONE)
    assert "lambda:ListTags" in row(scan).reason
    assert "lambda:ListAliases" not in row(scan).reason


def test_a_version_that_only_an_event_source_calls_is_served_without_asking_for_callers(
    small: Small,
) -> None:
    with small() as (organization, fleet):
        client = organization.add_function("published")
        with organization.emulator.seeding():
            client.publish_version(FunctionName="published")
            queue = organization.client("sqs", MEMBER)
            url = queue.create_queue(QueueName="orders")["QueueUrl"]
            queue_arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            client.create_event_source_mapping(
                FunctionName="published:1", EventSourceArn=queue_arn["Attributes"]["QueueArn"]
            )
        scan = fleet.scan(ALONE)
    uses = {(each["name"], each["qualifier"]): each["use"] for each in scan.rows}
    assert uses["published", "1"] == "served"


@pytest.mark.parametrize("alias", ["live", ROLLBACK_ALIAS])
def test_who_may_call_a_version_through_its_alias_is_one_of_its_callers(
    small: Small, alias: str
) -> None:
    with small() as (organization, fleet):
        client = organization.add_function("published")
        with organization.emulator.seeding():
            client.publish_version(FunctionName="published")
            client.create_alias(FunctionName="published", Name=alias, FunctionVersion="1")
            client.add_permission(
                FunctionName="published",
                Qualifier=alias,
                StatementId="once",
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
            )
        scan = fleet.scan(replace(ALONE, callers=True))
    (version,) = [each for each in scan.rows if each["qualifier"] == "1"]
    assert version["use"] == "served"
    assert [(each["kind"], each["qualifier"]) for each in json.loads(version["callers"])] == [
        ("permission", alias)
    ]


def without_the_role(small: Small, *, once: str) -> LaneResult:
    """A look at MEMBER's two functions, whose role is gone before the first such call."""
    with small() as (organization, fleet):
        organization.add_function("billing")
        with fleet.environment_set():
            aws = fleet.aws()
            real = aws.call

            def call(lane: Lane, service: str, operation: str, **more: Any) -> Any:  # noqa: ANN401  # as Aws.call
                if operation == once:
                    world = organization.emulator._world
                    world.rules = replace(world.rules, roles=frozenset())
                    aws._roles.clear()
                return real(lane, service, operation, **more)

            aws.call = call  # type: ignore[method-assign,unused-ignore]  # the moment between two calls
            look = Look(ALONE, (), fleet.clock())
            return look_at_lane(aws, MEMBER, HOME, look)


def test_a_role_that_is_gone_before_the_list_is_a_row_that_names_it(small: Small) -> None:
    result = without_the_role(small, once="ListFunctions")
    assert result.coverage.status is CoverageStatus.ROLE_MISSING
    assert f"{MEMBER}:role/{ROLE} cannot be assumed" in result.coverage.reason
    assert not result.coverage.listed
    assert result.records == ()


def test_a_role_that_is_gone_after_the_list_costs_details_and_no_function(small: Small) -> None:
    result = without_the_role(small, once="ListTags")
    assert result.coverage.status is CoverageStatus.ROLE_MISSING
    assert f"{MEMBER}:role/{ROLE} cannot be assumed" in result.coverage.reason
    assert result.coverage.listed
    assert [(each.config.ref.name, each.tags) for each in result.records] == [
        ("billing", None),
        ("orders", None),
    ]


def test_versions_that_are_listed_apart_belong_to_one_function_that_is_asked_about_once(
    small: Small,
) -> None:
    asked: list[str] = []
    with small() as (organization, fleet):
        client = organization.add_function("billing")
        with organization.emulator.seeding():
            for name in ("billing", "orders"):
                client.publish_version(FunctionName=name)
        with fleet.environment_set():
            aws = fleet.aws()
            real = aws.call

            def call(lane: Lane, service: str, operation: str, **more: Any) -> Any:  # noqa: ANN401  # as Aws.call
                asked.append(operation)
                answer = real(lane, service, operation, **more)
                if operation == "ListFunctions":
                    # In which order they come, AWS does not say.
                    answer["Functions"].sort(key=lambda each: each.Version)
                return answer

            aws.call = call  # type: ignore[method-assign,unused-ignore]  # another order of a page
            look = Look(ALONE, (), fleet.clock())
            result = look_at_lane(aws, MEMBER, HOME, look)
    assert len(result.records) == 4
    assert asked.count("ListTags") == asked.count("ListAliases") == 2


def looked_at(small: Small, before: Callable[[Any, Client, str], None]) -> LaneResult:
    """A look at the function `billing`, with something done before each call about it."""
    with small() as (organization, fleet):
        client = organization.add_function("billing")
        with fleet.environment_set():
            aws = fleet.aws()
            real = aws.call

            def call(lane: Lane, service: str, operation: str, **more: Any) -> Any:  # noqa: ANN401  # as Aws.call
                if "billing" in f"{more.get('FunctionName')} {more.get('Resource')}":
                    before(organization, client, operation)
                return real(lane, service, operation, **more)

            aws.call = call  # type: ignore[method-assign,unused-ignore]  # the moment between two calls
            look = Look(ALONE, (), fleet.clock())
            return look_at_lane(aws, MEMBER, HOME, look)


@pytest.mark.parametrize("deleted_before", ["ListTags", "ListAliases"])
def test_a_function_deleted_during_the_look_is_gone_and_no_failure(
    small: Small, deleted_before: str
) -> None:
    def delete(organization: Any, client: Client, operation: str) -> None:  # noqa: ANN401  # the small organization
        if operation == deleted_before:
            with organization.emulator.seeding(), suppress(ClientError):
                client.delete_function(FunctionName="billing")

    result = looked_at(small, delete)
    assert result.coverage.status is CoverageStatus.OK
    assert [each.config.ref.name for each in result.records] == ["orders"]


@pytest.mark.parametrize("lying", ["ListTags", "ListAliases"])
def test_a_function_that_one_answer_alone_calls_gone_is_kept_and_told(
    small: Small, lying: str
) -> None:
    def lie(_organization: Any, _client: Client, operation: str) -> None:  # noqa: ANN401  # same
        if operation == lying:
            raise CallFailed(f"lambda:{lying}", MEMBER, HOME, Situation.NOT_FOUND, "404", "gone")

    result = looked_at(small, lie)
    assert result.coverage.status is CoverageStatus.FAILED
    assert [each.config.ref.name for each in result.records] == ["billing", "orders"]
