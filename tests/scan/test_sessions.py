"""The sessions in which other accounts are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fleet.aws.failures import NoCredentials
from fleet.model import (
    EVERY_REGION,
    CoverageStatus,
    ScanState,
)
from moto_fixtures.corrections.credentials import Identity, Sessions
from tests.moto_fixtures.small_organization import (
    MEMBER,
    ROLE,
    Clock,
)
from tests.scan.conftest import ALONE, EVERYBODY, Small, row


def test_another_role_by_name_is_the_one_assumed(small: Small) -> None:
    with small(roles=frozenset({(MEMBER, "path/scan")})) as (_, fleet):
        scan = fleet.scan(replace(ALONE, role_name="path/scan"), role_name="path/scan")
    assert not scan.incomplete


@pytest.mark.parametrize(("given", "status"), [("secret", CoverageStatus.OK), ("wrong", None)])
def test_an_external_id_opens_the_role_that_wants_it(
    small: Small, given: str, status: CoverageStatus | None
) -> None:
    with small(external_ids={(MEMBER, ROLE): "secret"}) as (_, fleet):
        scan = fleet.scan(ALONE, external_id=given)
    if status is None:
        assert row(scan, MEMBER, EVERY_REGION).status is CoverageStatus.ROLE_MISSING
    else:
        assert row(scan).status is status


def test_a_session_is_narrowed_so_that_it_could_not_write(small: Small) -> None:
    with small() as (organization, fleet), fleet.environment_set():
        aws = fleet.aws()
        keys = aws._credentials_of(MEMBER)
        session = {
            "AccessKeyId": keys.access_key,
            "SecretAccessKey": keys.secret_key,
            "SessionToken": keys.token,
        }
        client = organization.client("lambda", session=session)
        assert client.list_functions()["Functions"]
        for refused in (
            lambda: client.delete_function(FunctionName="orders"),
            lambda: client.get_function(FunctionName="orders"),
            lambda: client.invoke(FunctionName="orders"),
            organization.client("iam", session=session).list_users,
        ):
            with pytest.raises(Exception, match="no session policy allows"):
                refused()


def test_credentials_are_renewed_in_time_in_the_middle_of_a_long_run(small: Small) -> None:
    with small() as (organization, fleet):
        organization.add_function("billing")

        def ten_minutes_later() -> datetime:
            # Fleet looks at its clock before each call; the emulator's goes with it.
            organization.clock.now += 600
            return datetime.fromtimestamp(organization.clock.now, UTC)

        fleet.clock = ten_minutes_later
        organization.emulator.calls.clear()
        scan = fleet.scan(ALONE, threads=1)
        assumed = sum(call.operation == "AssumeRole" for call in organization.emulator.calls)
    assert not scan.incomplete
    assert len(scan.rows) == 3
    assert assumed > 1
    # A list in each region, tags and aliases of each function: no call had to be made twice.
    assert sum(each.calls for each in scan.coverage.values()) == 2 + 2 * 3


def test_credentials_that_aws_ends_early_are_renewed_too(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ten_minutes_later(clock: Clock) -> float:
        clock.now += 600
        return clock.now

    with small() as (organization, fleet):
        start = fleet.clock()
        fleet.clock = lambda: start
        monkeypatch.setattr(Clock, "__call__", ten_minutes_later)
        organization.emulator.calls.clear()
        scan = fleet.scan(ALONE, threads=1)
        assumed = sum(call.operation == "AssumeRole" for call in organization.emulator.calls)
    assert not scan.incomplete
    assert len(scan.rows) == 2
    assert assumed > 1


def test_credentials_that_are_deleted_in_the_middle_keep_what_was_found(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small() as (organization, fleet):
        calls, real = organization.emulator.calls, Sessions.identify

        def known_until_something_was_listed(
            sessions: Sessions, access_key: str, token: str | None, region: str
        ) -> Identity | None:
            listed = any(call.operation == "ListFunctions" for call in calls)
            return None if listed else real(sessions, access_key, token, region)

        monkeypatch.setattr(Sessions, "identify", known_until_something_was_listed)
        with pytest.raises(NoCredentials, match="AWS does not know them"):
            fleet.scan(EVERYBODY, threads=1)
        scan = fleet.saved()
    assert scan.header.state is ScanState.INTERRUPTED
    # The first list came before; what came after is not taken for a region that is off.
    assert list(scan.statuses.values()).count(CoverageStatus.OK) == 1
    assert CoverageStatus.REGION_NOT_ENABLED not in scan.statuses.values()
    assert CoverageStatus.NOT_ATTEMPTED in scan.statuses.values()
    assert not scan.store.totals(scan.header.id).complete
