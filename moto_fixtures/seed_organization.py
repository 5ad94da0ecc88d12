"""Accounts and organizational units, with ids that are the same in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.organizations.models import organizations_backends

from moto_fixtures.definition import Account, Organization

PARTITION = "aws"
ROOT_ID = "r-f1ee"

# One of the services moto lets an administrator be delegated for.
_DELEGATED_SERVICE = "config-multiaccountsetup.amazonaws.com"
# moto counts times without a zone as UTC, and stumbles over any that have one.
_FOUNDED = datetime(2018, 4, 3, 9, tzinfo=UTC).replace(tzinfo=None)


def unit_id(path: str) -> str:
    """Give the id of an organizational unit; the path '' is the root's."""
    if not path:
        return ROOT_ID
    return f"ou-{ROOT_ID[2:]}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def create_organization(organization: Organization) -> None:
    """Create the organization in moto, as its management account would have over the years."""
    backend = organizations_backends[organization.management][PARTITION]
    backend.create_organization(region="us-east-1")
    org, root, management = backend.org, backend.ou[0], backend.accounts[0]
    # moto draws ids by lot; those of the files take their place before anything refers to them.
    org.id = root.organization_id = organization.id
    org.root_id = root.id = ROOT_ID
    for path in organization.units:
        parent, _, name = path.rpartition("/")
        backend.create_organizational_unit(ParentId=unit_id(parent), Name=name)
        backend.ou[-1].id = unit_id(path)
    for number, account in enumerate(organization.accounts):
        joined = _FOUNDED + timedelta(days=90 * number)
        if account.id == organization.management:
            _describe(management, account, organization, _FOUNDED)
        else:
            _join(backend, account, organization, joined)


def _join(backend: Any, account: Account, organization: Organization, joined: datetime) -> None:  # noqa: ANN401 - moto's backend has no types
    email = f"aws+{account.id}@example.com"
    backend.create_account(AccountName=account.name, Email=email)
    member = backend.accounts[-1]
    masters: dict[str, Any] = organizations_backends.master_accounts
    masters[account.id] = masters.pop(member.id)
    _describe(member, account, organization, joined)
    if account.delegated_administrator:
        backend.register_delegated_administrator(
            AccountId=account.id, ServicePrincipal=_DELEGATED_SERVICE
        )
    if account.status == "SUSPENDED":
        backend.close_account(AccountId=account.id)


def _describe(member: Any, account: Account, organization: Organization, joined: datetime) -> None:  # noqa: ANN401 - moto's account has no types
    facts: Mapping[str, object] = {
        "id": account.id,
        "name": account.name,
        "organization_id": organization.id,
        "parent_id": unit_id(account.ou),
        "joined_method": account.joined,
        "create_time": joined,
    }
    for name, value in facts.items():
        setattr(member, name, value)
