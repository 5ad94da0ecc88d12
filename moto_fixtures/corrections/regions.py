"""Regions: which are on for an account, who may ask, and what an endpoint of another answers.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from botocore.loaders import create_loader
from moto.utilities.utils import get_partition

from .answers import Refusal
from .paging import BadToken, page
from .request import ApiRequest
from .rules import Rules
from .world import World

PAGE = 50
"""Regions on a page of ListRegions."""

# Regions that are on in every account and can't be switched off; only partition aws has others.
ENABLED_BY_DEFAULT = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
        *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1"),
        *("eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1"),
        "us-west-2",
    }
)


@cache
def regions_of(partition: str) -> tuple[str, ...]:
    """Every region of the partition, from botocore's table."""
    table = create_loader().load_data("endpoints")["partitions"]
    return tuple(
        sorted(
            name for entry in table if entry["partition"] == partition for name in entry["regions"]
        )
    )


def status(account: str, region: str, rules: Rules) -> str:
    """ENABLED_BY_DEFAULT, ENABLED or DISABLED, as ListRegions calls it."""
    if get_partition(region) != "aws" or region in ENABLED_BY_DEFAULT:
        return "ENABLED_BY_DEFAULT"
    enabled = account in rules.opt_in_regions.get(region, frozenset())
    return "ENABLED" if enabled else "DISABLED"


def is_on(account: str, region: str, rules: Rules) -> bool:
    """Whether the region's endpoints know this account's credentials."""
    exists = region in regions_of(get_partition(region))
    return exists and status(account, region, rules) != "DISABLED"


def list_regions(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListRegions of the Account Management API, for oneself or another account.

    https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
    Raises Refusal: AccessDeniedException to those who may not ask for another account and to the
    management account that names itself, ValidationException for a bad NextToken or MaxResults.
    """
    account = _account_asked_for(request, world)
    wanted = request.params.get("RegionOptStatusContains")
    size = request.params.get("MaxResults") or PAGE
    if not 1 <= size <= PAGE:
        raise Refusal("ValidationException", f"MaxResults has to be between 1 and {PAGE}.")
    found = [
        {"RegionName": region, "RegionOptStatus": opt_status}
        for region in regions_of(get_partition(request.region))
        if (opt_status := status(account, region, world.rules)) in (wanted or {opt_status})
    ]
    token = request.params.get("NextToken")
    try:
        regions, following = page(found, lambda row: (row["RegionName"],), size, account, token)
    except BadToken:
        raise Refusal("ValidationException", "The NextToken is not valid.") from None
    return {"Regions": regions, "NextToken": following}


def _account_asked_for(request: ApiRequest, world: World) -> str:
    account: str | None = request.params.get("AccountId")
    if account is None:
        return request.account
    rules = world.rules
    administrators = {rules.management_account, *rules.delegated_administrators}
    who = f"User: {request.identity.arn} is not authorized to perform: {request.action}"
    if request.account not in administrators or account not in world.members(request.region):
        raise Refusal(
            "AccessDeniedException",
            f"{who} (You don't have permission to access the requested account.)",
            403,
        )
    if account == rules.management_account:
        raise Refusal(
            "AccessDeniedException",
            f"{who} (The management account can only be managed using the standalone context "
            "from the management account.)",
            403,
        )
    return account


def describe_regions(request: ApiRequest, world: World) -> Mapping[str, object]:
    """DescribeRegions of EC2: the regions on for the caller's account, or all with AllRegions.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    Raises Refusal, InvalidParameterValue, for regions that don't exist.
    """
    known = regions_of(get_partition(request.region))
    names = request.params.get("RegionNames") or known
    for name in names:
        if name not in known:
            raise Refusal("InvalidParameterValue", f"Invalid region provided: {name}")
    words = {
        "ENABLED_BY_DEFAULT": "opt-in-not-required",
        "ENABLED": "opted-in",
        "DISABLED": "not-opted-in",
    }
    rows = [
        {
            "RegionName": name,
            "Endpoint": f"ec2.{name}.amazonaws.com",
            "OptInStatus": words[status(request.account, name, world.rules)],
        }
        for name in names
        if request.params.get("AllRegions") or is_on(request.account, name, world.rules)
    ]
    filters = request.params.get("Filters") or []
    return {"Regions": [row for row in rows if all(_passes(row, one) for one in filters)]}


def _passes(row: Mapping[str, str], condition: Mapping[str, object]) -> bool:
    fields = {"region-name": "RegionName", "endpoint": "Endpoint", "opt-in-status": "OptInStatus"}
    field = fields.get(str(condition.get("Name")))
    if field is None:
        raise Refusal("InvalidParameterValue", f"The filter '{condition.get('Name')}' is invalid")
    values = condition.get("Values")
    return isinstance(values, list) and row[field] in values
