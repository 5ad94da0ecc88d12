"""The organization: its accounts, where they hang in the tree, and their regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleet.aws.failures import CallFailed, Situation
from fleet.aws.session import Aws
from fleet.errors import BadSelection
from fleet.model import Account

_ACTIVE = "ACTIVE"
# On the way in or out a region still may answer: whether it does, its coverage tells.
_OPTED_IN = ("ENABLED", "ENABLED_BY_DEFAULT", "ENABLING", "DISABLING")


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization as its management account or a delegated administrator sees it."""

    id: str
    accounts: tuple[Account, ...]
    units: Mapping[str, str]
    """Organizational unit id → its path below the root, `Workloads/Prod`."""


def read_organization(aws: Aws) -> Organization:
    """Every account with its organizational unit, whatever its state.

    Raises BadSelection where the caller's account has no organization or may not list it,
    CallFailed otherwise.
    """
    try:
        described = _call(aws, "DescribeOrganization", "Organization")["Organization"]
        accounts = {
            each["Id"]: Account(
                id=each["Id"],
                name=each.get("Name", ""),
                # `State` replaces `Status`, which AWS retires in September 2026:
                # https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
                # An account of unknown state is looked at: its coverage then tells.
                active=each.get("State", each.get("Status", _ACTIVE)) == _ACTIVE,
            )
            for each in _list(aws, "ListAccounts", "Accounts")
        }
        units: dict[str, str] = {}
        for root in _list(aws, "ListRoots", "Roots"):
            _place(aws, root["Id"], "", accounts, units)
    except CallFailed as failure:
        raise _explained(failure, aws.caller.account) from failure
    return Organization(described["Id"], tuple(accounts.values()), units)


def _place(
    aws: Aws, parent: str, path: str, accounts: dict[str, Account], units: dict[str, str]
) -> None:
    for each in _list(aws, "ListAccountsForParent", "Accounts", ParentId=parent):
        if each["Id"] in accounts:
            accounts[each["Id"]] = replace(accounts[each["Id"]], ou=path)
    for unit in _list(
        aws, "ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent
    ):
        # A name may hold the sign that parts the path: two units must not share one.
        name = unit["Name"].replace("/", "%2F")
        below = f"{path}/{name}" if path else name
        units[unit["Id"]] = below
        _place(aws, unit["Id"], below, accounts, units)


def enabled_regions(aws: Aws, account: str) -> tuple[str, ...]:
    """Names of the regions enabled in an account, sorted.

    Asked inside the account, where ListRegions needs no AccountId (and refuses the management
    account's). https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
    Raises CallFailed or RoleRefused.
    """
    lane = aws.lane(account, aws.home_region)
    try:
        pages = aws.pages(
            lane,
            "account",
            "ListRegions",
            holds="Regions",
            RegionOptStatusContains=list(_OPTED_IN),
            MaxResults=50,
        )
        names = [each["RegionName"] for page in pages for each in page["Regions"]]
    except CallFailed as refused:
        if refused.situation is Situation.THROTTLED:
            raise
        # The account API has one endpoint, which a region policy may close; not in every partition.
        answer = aws.call(lane, "ec2", "DescribeRegions", holds="Regions")
        names = [each["RegionName"] for each in answer["Regions"]]
    if not names:
        # Nobody can switch off every region: passed on, this would be an account without functions.
        raise CallFailed(
            "account:ListRegions",
            account,
            aws.home_region,
            Situation.OTHER,
            "NoRegions",
            "AWS listed no enabled region at all",
        )
    return tuple(sorted(names))


def _call(aws: Aws, operation: str, holds: str) -> dict[str, Any]:
    return aws.call(aws.home(), "organizations", operation, holds=holds)


def _list(aws: Aws, operation: str, holds: str, **parameters: str) -> Iterator[dict[str, Any]]:
    pages = aws.pages(aws.home(), "organizations", operation, holds=holds, **parameters)
    for page in pages:
        yield from page[holds]


def _explained(failure: CallFailed, account: str) -> Exception:
    if failure.situation is Situation.NOT_IN_ORGANIZATION:
        return BadSelection("--org", account, "this account is in no organization; leave --org out")
    if failure.situation in {Situation.DENIED, Situation.BLOCKED_BY_POLICY}:
        return BadSelection(
            "--org",
            account,
            f"these credentials may not call {failure.action}; run from the management account "
            "or a delegated administrator, with the permissions of `fleet policy scan`",
        )
    return failure
