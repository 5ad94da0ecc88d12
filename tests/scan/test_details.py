"""What is read beside the list, and what it costs when that fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fleet.aws.failures import CallFailed, Situation
from fleet.aws.session import Lane
from fleet.model import (
    UNKNOWN_OWNER,
    CoverageStatus,
    LaneResult,
)
from fleet.scan.lane import Look, look_at_lane
from tests.moto_fixtures.small_organization import (
    HOME,
    MEMBER,
    Client,
)
from tests.scan.conftest import ALONE, Small, row


@pytest.mark.parametrize(
    ("action", "column"),
    [
        ("lambda:ListTags", "tags"),
        ("lambda:ListAliases", "aliases"),
        ("lambda:ListFunctionUrlConfigs", "callers"),
        ("lambda:ListEventSourceMappings", "callers"),
        ("lambda:GetPolicy", "callers"),
        ("cloudwatch:GetMetricData", "invocations"),
    ],
)
def test_a_denied_detail_costs_only_itself_and_shows_in_the_row(
    small: Small, action: str, column: str
) -> None:
    options = replace(ALONE, callers=True, traffic=True)
    with small(denied=frozenset({(MEMBER, action)})) as (organization, fleet):
        for name in ("billing", "catalog"):
            organization.add_function(name)
        organization.emulator.calls.clear()
        scan = fleet.scan(options)
        asked = [call for call in organization.emulator.calls if call.action == action]
    found = row(scan)
    assert (found.status, found.functions) == (CoverageStatus.DENIED, 3)
    assert found.reason.startswith("listed, but not everything about the functions")
    assert action in found.reason
    here = [each for each in scan.rows if each["region"] == HOME]
    assert [each["name"] for each in here] == ["billing", "catalog", "orders"]
    readable = {"tags", "aliases", "callers", "invocations"} - {column}
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
            look = Look(ALONE, lambda _: UNKNOWN_OWNER, fleet.clock())
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
