"""What the emulated organization refuses: frozen values, read by every correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rules:
    """What is refused in the emulated organization; account ids are twelve-digit strings.

    Which accounts exist, and which are suspended, moto's organizations backend knows.
    """

    management_account: str
    roles: frozenset[tuple[str, str]] = frozenset()
    """(account, role name) that the management account and delegated administrators may assume;
    a role with a path is named with it, as in its ARN after `role/`."""
    external_ids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(account, role name) → the ExternalId that its trust policy asks for."""
    denied: frozenset[tuple[str, str]] = frozenset()
    """(account, IAM action) no identity-based policy of the account allows; the action as IAM
    writes it, `lambda:ListAliases` or `lambda:List*`; `lambda:` is the whole service."""
    blocked_by_policy: frozenset[tuple[str, str]] = frozenset()
    """(account, region) that a service control policy denies explicitly."""
    opt_in_regions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Opt-in region → the accounts that enabled it; one not named here is enabled nowhere."""
    delegated_administrators: frozenset[str] = frozenset()
    """Accounts registered as delegated administrator for some service."""
