"""Which accounts a scan looks at, and from which it can be run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.errors import BadSelection, NothingSelected
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
    OUTSIDER,
    SUSPENDED,
)
from tests.scan.conftest import EVERYBODY, Small, row


def test_a_delegated_administrator_scans_the_organization(small: Small) -> None:
    with small() as (organization, fleet):
        fleet.act_as(organization.emulator.credentials_of(DELEGATE))
        scan = fleet.scan(EVERYBODY)
    assert row(scan).status is CoverageStatus.OK
    assert row(scan, DELEGATE).status is CoverageStatus.OK
    # The management account has no such role: it can be seen from itself only.
    assert row(scan, MANAGEMENT, EVERY_REGION).status is CoverageStatus.ROLE_MISSING
    assert scan.header.caller == DELEGATE


def test_from_a_member_account_an_organization_cannot_be_scanned(small: Small) -> None:
    with small() as (organization, fleet):
        fleet.act_as(organization.emulator.credentials_of(MEMBER))
        with pytest.raises(BadSelection, match=r"--org.*management account or a delegated admin"):
            fleet.scan(EVERYBODY)
        assert fleet.store.scans() == []


def test_without_an_organization_the_way_out_is_named(small: Small) -> None:
    with small() as (organization, fleet):
        fleet.act_as(organization.emulator.credentials_of(OUTSIDER))
        with pytest.raises(BadSelection, match="in no organization; leave --org out"):
            fleet.scan(EVERYBODY)


def test_without_org_the_callers_own_account_is_looked_at_without_a_role(small: Small) -> None:
    with small(roles=frozenset()) as (organization, fleet):
        fleet.act_as(organization.emulator.credentials_of(MEMBER))
        scan = fleet.scan(ScanOptions(regions=(HOME,)))
        asked = {call.action for call in organization.emulator.calls}
    assert scan.statuses == {(MEMBER, HOME): CoverageStatus.OK}
    assert len(scan.rows) == 1
    assert scan.header.organization == ""
    assert not {action for action in asked if action.startswith("organizations:")}
    assert "sts:AssumeRole" not in asked


def test_accounts_without_org_are_entered_and_no_organization_is_asked_for(small: Small) -> None:
    with small() as (organization, fleet):
        scan = fleet.scan(ScanOptions(accounts=(MEMBER, OUTSIDER, MEMBER), regions=(HOME,)))
        asked = {call.service for call in organization.emulator.calls}
    assert scan.statuses == {
        (MEMBER, HOME): CoverageStatus.OK,
        (OUTSIDER, EVERY_REGION): CoverageStatus.ROLE_MISSING,
    }
    assert len(scan.rows) == 1
    assert "organizations" not in asked


@pytest.mark.parametrize(
    "options",
    [
        replace(EVERYBODY, accounts=()),
        replace(EVERYBODY, ous=()),
        replace(EVERYBODY, accounts=(MEMBER,), excluded_accounts=(MEMBER,)),
        ScanOptions(accounts=()),
    ],
)
def test_a_selection_that_leaves_no_account_is_refused_and_nothing_is_saved(
    small: Small, options: ScanOptions
) -> None:
    with small() as (_, fleet):
        with pytest.raises(NothingSelected):
            fleet.scan(options)
        assert fleet.store.scans() == []


def test_empty_pages_of_accounts_are_no_end_of_the_list(small: Small) -> None:
    with small() as (organization, fleet):
        organization.emulator.give_empty_pages(on=True)
        scan = fleet.scan(EVERYBODY)
    assert {account for account, _ in scan.coverage} == {MANAGEMENT, MEMBER, DELEGATE, SUSPENDED}


def test_units_are_followed_down_and_chosen_by_id_or_path(small: Small) -> None:
    with small() as (organization, fleet):
        with organization.emulator.seeding():
            client = organization.client("organizations")
            root = client.list_roots()["Roots"][0]["Id"]
            parents = {"": root}
            for path in ("Workloads", "Workloads/Prod", "Workloads/Prod/Deep"):
                above, _, name = path.rpartition("/")
                unit = client.create_organizational_unit(ParentId=parents[above], Name=name)
                parents[path] = unit["OrganizationalUnit"]["Id"]
            for account, path in ((MEMBER, "Workloads/Prod/Deep"), (DELEGATE, "Workloads")):
                client.move_account(
                    AccountId=account, SourceParentId=root, DestinationParentId=parents[path]
                )
        by_path = fleet.scan(replace(EVERYBODY, ous=("Workloads/Prod",)))
        by_id = fleet.scan(replace(EVERYBODY, ous=(parents["Workloads"],)))
        with pytest.raises(BadSelection, match="no such organizational unit"):
            fleet.scan(replace(EVERYBODY, ous=("Sandbox",)))
    assert {account for account, _ in by_path.coverage} == {MEMBER}
    assert {account for account, _ in by_id.coverage} == {MEMBER, DELEGATE}
    placed = {each.id: each.ou for each in by_id.store.accounts(by_id.header.id)}
    assert placed == {MEMBER: "Workloads/Prod/Deep", DELEGATE: "Workloads"}
