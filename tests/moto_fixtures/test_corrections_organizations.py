"""Who may read the organization, and its lists in pages."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import (
    DELEGATE,
    MANAGEMENT,
    MEMBER,
    OUTSIDER,
    SUSPENDED,
    Client,
    Organization,
    refused,
)


def collected(
    client: Client, operation: str, key: str, **params: object
) -> list[list[dict[str, Any]]]:
    """The pages of a list, each as it came."""
    return [page[key] for page in client.get_paginator(operation).paginate(**params)]


def root(organization: Organization) -> str:
    found: str = organization.client("organizations").list_roots()["Roots"][0]["Id"]
    return found


@pytest.mark.parametrize("asker", [MANAGEMENT, DELEGATE])
def test_accounts_are_listed_to_administrators_with_their_state(
    organization: Organization, asker: str
) -> None:
    accounts = organization.client("organizations", asker).list_accounts()["Accounts"]
    states = {account["Id"]: account["State"] for account in accounts}
    assert states == {
        MANAGEMENT: "ACTIVE",
        MEMBER: "ACTIVE",
        DELEGATE: "ACTIVE",
        SUSPENDED: "SUSPENDED",
    }


@pytest.mark.parametrize("operation", ["list_accounts", "list_roots"])
def test_other_members_may_not_list(organization: Organization, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(organization.client("organizations", MEMBER), operation)()
    code, _, message = refused(error.value)
    assert code == "AccessDeniedException"
    assert message == "You don't have permissions to access this resource."


def test_a_delegated_administrator_reads_and_does_not_write(organization: Organization) -> None:
    client = organization.client("organizations", DELEGATE)
    assert client.list_roots()["Roots"]
    with pytest.raises(ClientError) as error:
        client.create_organizational_unit(ParentId=root(organization), Name="Mine")
    assert refused(error.value)[0] == "AccessDeniedException"


@pytest.mark.parametrize("asker", [MANAGEMENT, DELEGATE, MEMBER])
def test_every_member_may_describe_its_organization(organization: Organization, asker: str) -> None:
    answer = organization.client("organizations", asker).describe_organization()
    assert answer["Organization"]["MasterAccountId"] == MANAGEMENT


@pytest.mark.parametrize("operation", ["list_accounts", "describe_organization"])
def test_an_account_outside_has_no_organization(organization: Organization, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(organization.client("organizations", OUTSIDER), operation)()
    assert refused(error.value)[0] == "AWSOrganizationsNotInUseException"


def test_lists_come_twenty_a_page_and_lose_nothing(organization: Organization) -> None:
    client = organization.client("organizations")
    parent = root(organization)
    for number in range(45):
        client.create_account(AccountName=f"a{number}", Email=f"a{number}@example.com")
        client.create_organizational_unit(ParentId=parent, Name=f"unit {number}")
    for operation, key, params, total in [
        ("list_accounts", "Accounts", {}, 49),
        ("list_accounts_for_parent", "Accounts", {"ParentId": parent}, 49),
        (
            "list_organizational_units_for_parent",
            "OrganizationalUnits",
            {"ParentId": parent},
            45,
        ),
    ]:
        pages = collected(client, operation, key, **params)
        assert [len(page) for page in pages] == [20, 20, total - 40], operation
        assert len({row["Id"] for page in pages for row in page}) == total, operation


def test_a_parents_list_holds_its_own_children_only(organization: Organization) -> None:
    client = organization.client("organizations")
    parent = root(organization)
    unit = client.create_organizational_unit(ParentId=parent, Name="Prod")
    inside = unit["OrganizationalUnit"]["Id"]
    client.move_account(AccountId=MEMBER, SourceParentId=parent, DestinationParentId=inside)
    accounts = client.list_accounts_for_parent(ParentId=inside)["Accounts"]
    assert [account["Id"] for account in accounts] == [MEMBER]
    assert client.list_organizational_units_for_parent(ParentId=inside)["OrganizationalUnits"] == []


def test_a_parent_that_is_not_there_is_refused(organization: Organization) -> None:
    with pytest.raises(ClientError) as error:
        organization.client("organizations").list_accounts_for_parent(ParentId="ou-none-00000000")
    assert refused(error.value)[0] == "ParentNotFoundException"


@pytest.mark.parametrize("params", [{"NextToken": "none"}, {"MaxResults": 21}])
def test_a_page_that_cannot_be_is_refused(
    organization: Organization, params: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as error:
        organization.client("organizations").list_accounts(**params)
    assert refused(error.value)[0] == "InvalidInputException"


def test_empty_pages_with_a_token_stand_before_full_ones(organization: Organization) -> None:
    organization.emulator.give_empty_pages(on=True)
    client = organization.client("organizations")
    pages = collected(client, "list_accounts", "Accounts", PaginationConfig={"PageSize": 3})
    assert [len(page) for page in pages] == [0, 3, 0, 1]
