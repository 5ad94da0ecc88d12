"""Regions: on, off, and who may ask for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from moto_fixtures.corrections.regions import ENABLED_BY_DEFAULT
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    MANAGEMENT,
    MEMBER,
    OUTSIDER,
    RULES,
    Organization,
    refused,
    running,
)

OPT_IN = {"ap-east-1": frozenset({MEMBER})}


def statuses(answer: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {row["RegionName"]: row["RegionOptStatus"] for row in answer["Regions"]}


@pytest.mark.parametrize(
    ("service", "operation", "code", "message"),
    [
        (
            "lambda",
            "list_functions",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            "sts",
            "get_caller_identity",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        (
            "ec2",
            "describe_regions",
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
        ),
    ],
)
def test_an_opt_in_region_refuses_accounts_that_did_not_enable_it(
    service: str, operation: str, code: str, message: str
) -> None:
    with running(replace(RULES, opt_in_regions=OPT_IN)) as organization:
        getattr(organization.client(service, MEMBER, "ap-east-1"), operation)()
        with pytest.raises(ClientError) as error:
            getattr(organization.client(service, DELEGATE, "ap-east-1"), operation)()
        answered = refused(error.value)
        assert (answered[0], answered[2]) == (code, message)


def test_global_services_do_not_mind_the_region_a_client_signs_for(
    organization: Organization,
) -> None:
    client = organization.client("organizations", region="ap-east-1")
    assert client.describe_organization()["Organization"]["MasterAccountId"] == MANAGEMENT


def test_list_regions_tells_default_enabled_and_disabled_regions_apart() -> None:
    with running(replace(RULES, opt_in_regions=OPT_IN)) as organization:
        found = statuses(organization.client("account", MEMBER).list_regions())
    assert {name for name, status in found.items() if status == "ENABLED_BY_DEFAULT"} == (
        ENABLED_BY_DEFAULT
    )
    assert found["ap-east-1"] == "ENABLED"
    assert found["af-south-1"] == "DISABLED"


def test_list_regions_comes_in_pages_and_filtered(organization: Organization) -> None:
    client = organization.client("account", MEMBER)
    wanted = {"RegionOptStatusContains": ["ENABLED", "ENABLED_BY_DEFAULT"], "MaxResults": 5}
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = client.list_regions(**wanted, **token)
        assert len(page["Regions"]) <= 5
        names += statuses(page)
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert len(names) == len(ENABLED_BY_DEFAULT)
    assert set(names) == ENABLED_BY_DEFAULT


def test_list_regions_refuses_a_token_it_never_gave(organization: Organization) -> None:
    with pytest.raises(ClientError) as error:
        organization.client("account").list_regions(NextToken="bm9uZQ==")
    assert refused(error.value)[0] == "ValidationException"


@pytest.mark.parametrize("asker", [MANAGEMENT, DELEGATE])
def test_list_regions_of_a_member_is_for_administrators_of_the_organization(asker: str) -> None:
    with running(replace(RULES, opt_in_regions=OPT_IN)) as organization:
        answer = organization.client("account", asker).list_regions(AccountId=MEMBER)
        assert statuses(answer)["ap-east-1"] == "ENABLED"


@pytest.mark.parametrize(
    ("asker", "account"), [(MEMBER, DELEGATE), (OUTSIDER, MEMBER), (MANAGEMENT, OUTSIDER)]
)
def test_list_regions_of_a_stranger_is_refused(
    organization: Organization, asker: str, account: str
) -> None:
    with pytest.raises(ClientError) as error:
        organization.client("account", asker).list_regions(AccountId=account)
    assert refused(error.value)[:2] == ("AccessDeniedException", 403)


def test_the_management_account_cannot_name_itself(organization: Organization) -> None:
    with pytest.raises(ClientError) as error:
        organization.client("account").list_regions(AccountId=MANAGEMENT)
    code, _, message = refused(error.value)
    assert code == "AccessDeniedException"
    assert message.endswith(
        "(The management account can only be managed using the standalone context from the "
        "management account.)"
    )


def test_describe_regions_gives_what_is_on_for_the_account() -> None:
    with running(replace(RULES, opt_in_regions=OPT_IN)) as organization:
        mine = organization.client("ec2", MEMBER).describe_regions()["Regions"]
        theirs = organization.client("ec2", DELEGATE).describe_regions()["Regions"]
    assert {row["RegionName"] for row in mine} == {*ENABLED_BY_DEFAULT, "ap-east-1"}
    assert {row["RegionName"] for row in theirs} == ENABLED_BY_DEFAULT


def test_describe_regions_gives_all_with_their_opt_in_status() -> None:
    with running(replace(RULES, opt_in_regions=OPT_IN)) as organization:
        client = organization.client("ec2", MEMBER)
        rows = client.describe_regions(AllRegions=True)["Regions"]
        off = client.describe_regions(
            AllRegions=True, Filters=[{"Name": "opt-in-status", "Values": ["not-opted-in"]}]
        )["Regions"]
    found = {row["RegionName"]: row["OptInStatus"] for row in rows}
    assert found["us-east-1"] == "opt-in-not-required"
    assert found["ap-east-1"] == "opted-in"
    assert found["af-south-1"] == "not-opted-in"
    assert {row["OptInStatus"] for row in off} == {"not-opted-in"}
