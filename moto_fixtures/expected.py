"""What a scan of the seeded organization has to find, counted plainly from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Self

from fleet.model import EVERY_REGION, GO1X, ROLLBACK_ALIAS, CoverageStatus, Use
from moto_fixtures.definition import Account, Organization
from moto_fixtures.function import Function

Lane = tuple[str, str]
"""Account id and region."""


@dataclass(frozen=True, slots=True)
class Count:
    """Functions of one account and region, of every runtime and of the one asked for."""

    functions: int = 0
    versions: int = 0
    """Function versions, $LATEST included."""
    images: int = 0
    latest: int = 0
    """Functions whose $LATEST has the runtime."""
    served: int = 0
    """Published versions of the runtime that an alias or a trigger serves."""
    kept: int = 0
    """Published versions of the runtime that nothing points at."""
    rollback: int = 0
    """Published versions of the runtime that only go1x-rollback holds."""

    @property
    def findings(self) -> int:
        """Function versions that have to move."""
        return self.latest + self.served + self.kept

    def __add__(self, other: Self) -> Count:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Count(*(one + another for one, another in pairs))


def expected(organization: Organization, runtime: str = GO1X) -> Mapping[Lane, Count]:
    """Count every account and region that has functions, reachable or not."""
    counts: dict[Lane, Count] = {}
    for account in organization.accounts:
        for function in account.functions:
            lane = (account.id, function.region)
            counts[lane] = counts.get(lane, Count()) + _count(function, runtime)
    return counts


def expected_coverage(organization: Organization) -> Mapping[Lane, CoverageStatus]:
    """Say how the look at every account and region of the files has to end.

    From the management account, without a filter; other regions than the files' are empty and ok.
    """
    return {
        (account.id, region): status
        for account in organization.accounts
        for region, status in _coverage(account, organization)
    }


def _coverage(account: Account, organization: Organization) -> Iterator[tuple[str, CoverageStatus]]:
    if account.status == "SUSPENDED":
        yield EVERY_REGION, CoverageStatus.ACCOUNT_NOT_ACTIVE
        return
    if not account.role and account.id != organization.management:
        yield EVERY_REGION, CoverageStatus.ROLE_MISSING
        return
    for region in organization.regions:
        if region in organization.opt_in_regions and region not in account.opted_in:
            yield region, CoverageStatus.REGION_NOT_ENABLED
        elif region in account.blocked_regions:
            yield region, CoverageStatus.BLOCKED_BY_POLICY
        elif account.denied:
            yield region, CoverageStatus.DENIED
        else:
            yield region, CoverageStatus.OK


def use_of(function: Function, version: int) -> Use:
    """Say why a published version matters: served, kept, or kept for rollback."""
    holders = {
        name
        for name, alias in function.aliases.items()
        if version == alias.version or version in alias.weights
    }
    called = {source.qualifier for source in function.event_sources}
    called |= {permission.qualifier for permission in function.permissions}
    if holders - {ROLLBACK_ALIAS} or str(version) in called:
        return Use.SERVED
    return Use.ROLLBACK if holders else Use.KEPT


def _count(function: Function, runtime: str) -> Count:
    uses = [
        use_of(function, number)
        for number, state in enumerate(function.published, 1)
        if state.runtime == runtime
    ]
    return Count(
        functions=1,
        versions=1 + len(function.versions),
        images=int(function.image is not None),
        latest=int(function.runtime == runtime),
        served=uses.count(Use.SERVED),
        kept=uses.count(Use.KEPT),
        rollback=uses.count(Use.ROLLBACK),
    )
