"""Organizations' and the account API's answers as values, also such as AWS should not give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleet.aws.failures import CallFailed, Situation
from fleet.aws.organization import enabled_regions, read_organization
from fleet.aws.session import Aws
from fleet.errors import BadSelection
from tests.aws.canned import XML, Answer, Canned, Request

OWN = "000000000001"
REGIONS = """<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName></item>
</regionInfo></DescribeRegionsResponse>"""


def error(code: str, status: int = 400) -> Answer:
    return Answer(json.dumps({"__type": code, "Message": "said"}), status)


def answers(server: Canned, **by_operation: object) -> None:
    """Answer operations of Organizations by name, with JSON or an Answer."""

    def answer(request: Request) -> Answer:
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if request.path == "/listRegions":
            operation = "ListRegions"
        if "Action=DescribeRegions" in request.body:
            operation = "DescribeRegions"
        given = by_operation.get(operation, {})
        return given if isinstance(given, Answer) else Answer(json.dumps(given))

    server.answer = answer


def organization(**accounts: Any) -> dict[str, object]:  # noqa: ANN401  # what stands beside Id
    return {
        "DescribeOrganization": {"Organization": {"Id": "o-1"}},
        "ListAccounts": {"Accounts": [{"Id": key[1:], **each} for key, each in accounts.items()]},
        "ListRoots": {"Roots": [{"Id": "r-1"}]},
        "ListAccountsForParent": {"Accounts": []},
        "ListOrganizationalUnitsForParent": {"OrganizationalUnits": []},
    }


@pytest.mark.parametrize(
    ("said", "active"),
    [
        ({"State": "ACTIVE"}, True),
        ({"Status": "ACTIVE"}, True),
        ({"State": "ACTIVE", "Status": "SUSPENDED"}, True),
        ({"State": "SUSPENDED", "Status": "ACTIVE"}, False),
        ({"State": "CLOSED"}, False),
        ({"State": "PENDING_CLOSURE"}, False),
        ({"Status": "SUSPENDED"}, False),
        # Of an account of unknown state its coverage has to tell; it is not left out.
        ({}, True),
    ],
)
def test_an_account_is_left_out_only_if_aws_says_it_is_not_active(
    aws: Aws, server: Canned, said: dict[str, str], active: bool
) -> None:
    answers(server, **organization(a000000000002=said))
    (account,) = read_organization(aws).accounts
    assert (account.id, account.active) == ("000000000002", active)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AWSOrganizationsNotInUseException", "in no organization; leave --org out"),
        ("AccessDeniedException", "run from the management account"),
    ],
)
def test_credentials_that_see_no_organization_say_what_to_do(
    aws: Aws, server: Canned, code: str, advice: str
) -> None:
    answers(server, DescribeOrganization=error(code))
    with pytest.raises(BadSelection, match=advice):
        read_organization(aws)


def test_the_call_that_is_denied_is_named(aws: Aws, server: Canned) -> None:
    answers(server, **{**organization(), "ListRoots": error("AccessDeniedException")})
    with pytest.raises(BadSelection, match="organizations:ListRoots"):
        read_organization(aws)


def test_another_trouble_with_the_organization_stays_what_it_is(aws: Aws, server: Canned) -> None:
    answers(server, DescribeOrganization=error("TooManyRequestsException"))
    with pytest.raises(CallFailed) as caught:
        read_organization(aws)
    assert caught.value.situation is Situation.THROTTLED


@pytest.mark.parametrize("refusal", ["AccessDeniedException", "ValidationException"])
def test_regions_come_from_ec2_where_the_account_api_refuses(
    aws: Aws, server: Canned, refusal: str
) -> None:
    answers(server, ListRegions=error(refusal, 403), DescribeRegions=Answer(REGIONS, kind=XML))
    assert enabled_regions(aws, OWN) == ("eu-west-1",)


def test_a_throttled_account_api_is_throttled_and_not_asked_round(aws: Aws, server: Canned) -> None:
    answers(server, ListRegions=error("TooManyRequestsException", 429))
    with pytest.raises(CallFailed) as caught:
        enabled_regions(aws, OWN)
    assert caught.value.situation is Situation.THROTTLED


@pytest.mark.parametrize(
    "nothing",
    [
        {"ListRegions": {"Regions": []}},
        {
            "ListRegions": error("AccessDeniedException", 403),
            "DescribeRegions": Answer(
                "<DescribeRegionsResponse><regionInfo/></DescribeRegionsResponse>", kind=XML
            ),
        },
    ],
)
def test_an_account_without_a_single_region_is_a_failure_not_an_empty_account(
    aws: Aws, server: Canned, nothing: dict[str, object]
) -> None:
    answers(server, **nothing)
    with pytest.raises(CallFailed, match="no enabled region at all"):
        enabled_regions(aws, OWN)


def test_regions_that_are_on_or_on_their_way_are_asked_for(aws: Aws, server: Canned) -> None:
    answers(server, ListRegions={"Regions": [{"RegionName": "b"}, {"RegionName": "a"}]})
    assert enabled_regions(aws, OWN) == ("a", "b")
    sent = json.loads(server.requests[0].body)
    # What is only being switched off may still run functions.
    statuses = {"ENABLED", "ENABLED_BY_DEFAULT", "ENABLING", "DISABLING"}
    assert set(sent["RegionOptStatusContains"]) == statuses
    # ListRegions refuses the management account's own id: it is never sent.
    assert "AccountId" not in sent
