"""Every way in which a look at an account and region can end, over HTTP, with a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.aws.clients import Clients
from fleet.model import (
    EVERY_REGION,
    CoverageStatus,
    ScanOptions,
)
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    HOME,
    MANAGEMENT,
    MEMBER,
    ROLE,
    SUSPENDED,
    Clock,
)
from tests.scan.conftest import ALONE, EU, EVERYBODY, Small, row


def test_what_can_be_read_is_ok_and_what_cannot_says_why(small: Small) -> None:
    with small() as (_, fleet):
        scan = fleet.scan(EVERYBODY)
    assert scan.statuses == {
        (MANAGEMENT, HOME): CoverageStatus.OK,
        (MANAGEMENT, EU): CoverageStatus.OK,
        (MEMBER, HOME): CoverageStatus.OK,
        (MEMBER, EU): CoverageStatus.OK,
        (DELEGATE, HOME): CoverageStatus.OK,
        (DELEGATE, EU): CoverageStatus.OK,
        (SUSPENDED, EVERY_REGION): CoverageStatus.ACCOUNT_NOT_ACTIVE,
    }
    assert "suspended" in row(scan, SUSPENDED, EVERY_REGION).reason
    assert scan.versions() == [
        (MEMBER, EU, "orders", "$LATEST"),
        (MEMBER, HOME, "orders", "$LATEST"),
    ]
    assert scan.store.totals(scan.header.id).complete


@pytest.mark.parametrize("action", ["lambda:", "lambda:ListFunctions", "lambda:List*"])
def test_a_denied_list_is_reported_not_counted_as_empty(small: Small, action: str) -> None:
    with small(denied=frozenset({(MEMBER, action)})) as (_, fleet):
        scan = fleet.scan(EVERYBODY)
    for region in (HOME, EU):
        found = row(scan, MEMBER, region)
        assert (found.status, found.functions) == (CoverageStatus.DENIED, 0)
        assert not found.listed
        assert "lambda:ListFunctions" in found.reason
        assert "no identity-based policy allows" in found.reason
    assert row(scan, DELEGATE).status is CoverageStatus.OK
    assert not scan.store.totals(scan.header.id).complete


def test_an_account_without_the_role_is_one_row_that_names_the_role(small: Small) -> None:
    with small(roles=frozenset({(DELEGATE, ROLE)})) as (_, fleet):
        scan = fleet.scan(EVERYBODY)
    found = row(scan, MEMBER, EVERY_REGION)
    assert found.status is CoverageStatus.ROLE_MISSING
    assert f"arn:aws:iam::{MEMBER}:role/{ROLE} cannot be assumed" in found.reason
    assert (MEMBER, HOME) not in scan.coverage


def test_a_caller_that_may_assume_nothing_is_denied_not_told_that_roles_are_missing(
    small: Small,
) -> None:
    with small(denied=frozenset({(MANAGEMENT, "sts:AssumeRole")})) as (_, fleet):
        scan = fleet.scan(EVERYBODY)
    assert row(scan, MEMBER, EVERY_REGION).status is CoverageStatus.DENIED
    assert row(scan, MANAGEMENT).status is CoverageStatus.OK


def test_a_region_behind_a_service_control_policy_is_blocked_and_the_others_are_not(
    small: Small,
) -> None:
    with small(blocked_by_policy=frozenset({(MEMBER, EU)})) as (_, fleet):
        scan = fleet.scan(EVERYBODY)
    found = row(scan, MEMBER, EU)
    assert found.status is CoverageStatus.BLOCKED_BY_POLICY
    assert "explicit deny in a service control policy" in found.reason
    assert row(scan, MEMBER, HOME).status is CoverageStatus.OK


def test_a_region_named_outright_that_is_off_is_a_row_and_is_not_asked(small: Small) -> None:
    with small(opt_in_regions={"ap-east-1": frozenset({DELEGATE})}) as (organization, fleet):
        scan = fleet.scan(replace(EVERYBODY, regions=("ap-east-1",)))
        calls = organization.emulator.calls
        asked = {call.account for call in calls if call.region == "ap-east-1"}
    assert row(scan, MEMBER, "ap-east-1").status is CoverageStatus.REGION_NOT_ENABLED
    assert row(scan, MEMBER, "ap-east-1").reason == "the account has not enabled it"
    assert row(scan, DELEGATE, "ap-east-1").status is CoverageStatus.OK
    assert asked == {DELEGATE}


def test_a_region_newer_than_botocores_list_can_be_named_where_the_account_lists_it(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clients, "regions", lambda _: (HOME,))
    with small() as (_, fleet):
        scan = fleet.scan(replace(ALONE, regions=(EU,)))
    assert scan.statuses == {(MEMBER, EU): CoverageStatus.OK}


def test_a_region_can_be_named_by_a_caller_who_may_not_list_its_own(small: Small) -> None:
    denied = frozenset({(MANAGEMENT, "account:"), (MANAGEMENT, "ec2:")})
    with small(denied=denied) as (_, fleet):
        scan = fleet.scan(replace(ALONE, regions=(EU,)))
    assert scan.statuses == {(MEMBER, EU): CoverageStatus.OK}


def test_a_wildcard_reaches_regions_that_are_on_and_says_nothing_of_others(small: Small) -> None:
    with small(opt_in_regions={"ap-east-1": frozenset({DELEGATE})}) as (_, fleet):
        scan = fleet.scan(replace(EVERYBODY, regions=("ap-e*",), accounts=(MEMBER, DELEGATE)))
    assert scan.statuses == {
        (DELEGATE, "ap-east-1"): CoverageStatus.OK,
        (MEMBER, EVERY_REGION): CoverageStatus.REGION_NOT_ENABLED,
    }


def test_every_enabled_region_is_looked_at_and_an_excluded_one_is_not(small: Small) -> None:
    with small(opt_in_regions={"ap-east-1": frozenset({MEMBER})}) as (organization, fleet):
        organization.add_function("far", region="ap-east-1")
        options = ScanOptions(organization=True, accounts=(MEMBER,), excluded_regions=("us-*",))
        scan = fleet.scan(options)
    regions = {region for _, region in scan.coverage}
    assert len(regions) == 14
    assert "ap-east-1" in regions
    assert not any(region.startswith("us-") for region in regions)
    assert {each["region"] for each in scan.rows} == {"ap-east-1", EU}


def test_a_region_that_stays_throttled_is_throttled_out_and_counts_what_it_met(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with small() as (organization, fleet):
        # The emulator's clock stands still: after one call none is let through again.
        organization.emulator.throttle(MEMBER, HOME, per_second=1)
        organization.client("lambda", MEMBER).list_functions()
        scan = fleet.scan(EVERYBODY)
    found = row(scan)
    assert found.status is CoverageStatus.THROTTLED_OUT
    assert (found.calls, found.throttles, found.functions) == (2, 2, 0)
    assert "TooManyRequestsException" in found.reason
    assert row(scan, MEMBER, EU).status is CoverageStatus.OK


def test_throttling_that_passes_costs_time_and_nothing_else(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ticking(clock: Clock) -> float:
        clock.now += 0.05
        return clock.now

    with small() as (organization, fleet):
        for number in range(6):
            organization.add_function(f"f{number}")
        organization.emulator.throttle(MEMBER, HOME, per_second=3)
        # Whoever looks at the emulator's clock moves it: time goes on with each request.
        monkeypatch.setattr(Clock, "__call__", ticking)
        scan = fleet.scan(ALONE)
    assert not scan.incomplete
    assert len(scan.rows) == 8
    assert row(scan).throttles > 0
    # One list, then tags and aliases of each function, and no answer asked for twice.
    assert row(scan).calls - row(scan).throttles == 1 + 2 * 7
    assert row(scan, region=EU).throttles == 0


def test_regions_come_from_ec2_where_the_account_api_is_denied(small: Small) -> None:
    with small(denied=frozenset({(MEMBER, "account:")})) as (organization, fleet):
        scan = fleet.scan(ALONE)
        asked = {call.action for call in organization.emulator.calls if call.account == MEMBER}
    assert not scan.incomplete
    assert {"account:ListRegions", "ec2:DescribeRegions"} <= asked


def test_an_account_whose_regions_nobody_tells_is_one_denied_row(small: Small) -> None:
    with small(denied=frozenset({(MEMBER, "account:"), (MEMBER, "ec2:")})) as (_, fleet):
        scan = fleet.scan(ALONE)
    found = row(scan, MEMBER, EVERY_REGION)
    assert found.status is CoverageStatus.DENIED
    assert "ec2:DescribeRegions" in found.reason
    assert not scan.store.totals(scan.header.id).complete
