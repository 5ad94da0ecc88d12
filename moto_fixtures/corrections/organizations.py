"""AWS Organizations: who may read it, and lists that come in small or empty pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .answers import Refusal
from .paging import BadToken, page
from .request import ApiRequest
from .untyped import MotoBackend
from .world import World

PAGE = 20
"""Items on a page, of accounts as of organizational units."""

_EMPTY = "empty:"
"""Begins the token of a page that stands before an empty one."""


def backend_account(request: ApiRequest, world: World) -> str:
    """The account whose backend moto shall ask, once the caller is known to be allowed.

    DescribeOrganization is open to every member, the lists only to the management account and
    delegated administrators:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
    Raises Refusal: AWSOrganizationsNotInUseException outside any organization, else
    AccessDeniedException.
    """
    rules = world.rules
    if request.account == rules.management_account:
        return request.account
    if world.organization(request.region).org is None or request.account not in world.members(
        request.region
    ):
        raise Refusal(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        )
    readers = rules.delegated_administrators
    reads = request.operation.startswith(("List", "Describe"))
    if request.operation != "DescribeOrganization" and not (reads and request.account in readers):
        raise Refusal(
            "AccessDeniedException", "You don't have permissions to access this resource."
        )
    return rules.management_account


def list_accounts(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListAccounts, 20 a page, with empty pages between where the emulator is told to.

    AWS tells clients to go on until NextToken is null, whatever a page holds:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    backend = _backend(request, world)
    token = request.params.get("NextToken")
    if world.empty_pages and not (token or "").startswith(_EMPTY):
        return {"Accounts": [], "NextToken": _EMPTY + (token or "")}
    token = (token or "").removeprefix(_EMPTY) or None
    rows = _page(request, backend.accounts, "accounts", token)
    return {
        "Accounts": [account.describe() for account in rows[0]],
        "NextToken": rows[1],
    }


def list_accounts_for_parent(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListAccountsForParent, 20 a page, only the parent's own accounts.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
    """
    backend, parent = _backend(request, world), _parent(request, world)
    inside = [account for account in backend.accounts if account.parent_id == parent]
    rows, following = _page(request, inside, parent, request.params.get("NextToken"))
    return {"Accounts": [account.describe() for account in rows], "NextToken": following}


def list_organizational_units_for_parent(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListOrganizationalUnitsForParent, 20 a page, only the parent's own children.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html
    """
    backend, parent = _backend(request, world), _parent(request, world)
    inside = [unit for unit in backend.ou if unit.parent_id == parent]
    rows, following = _page(request, inside, parent, request.params.get("NextToken"))
    units = [{"Id": unit.id, "Arn": unit.arn, "Name": unit.name} for unit in rows]
    return {"OrganizationalUnits": units, "NextToken": following}


def _backend(request: ApiRequest, world: World) -> MotoBackend:
    backend = world.organization(request.region)
    if backend.org is None:
        raise Refusal(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        )
    return backend


def _parent(request: ApiRequest, world: World) -> str:
    parent: str = request.params.get("ParentId", "")
    if all(unit.id != parent for unit in world.organization(request.region).ou):
        raise Refusal("ParentNotFoundException", "You specified parent that doesn't exist.")
    return parent


def _page(
    request: ApiRequest, items: Iterable[Any], scope: str, token: str | None
) -> tuple[Iterable[Any], str | None]:
    size = request.params.get("MaxResults") or PAGE
    invalid: Callable[[], Refusal] = lambda: Refusal(  # noqa: E731
        "InvalidInputException", "You specified an invalid value.", 400
    )
    if not 1 <= size <= PAGE:
        raise invalid()
    try:
        return page(list(items), lambda item: (item.id,), size, scope, token)
    except BadToken:
        raise invalid() from None
