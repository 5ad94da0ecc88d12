"""What a scan saw and what it did not: the part of a report that must not flatter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.model import (
    EVERY_REGION,
    Account,
    Coverage,
    CoverageStatus,
    ScanHeader,
    ScanOptions,
    ScanState,
    is_complete,
)
from reports.words import count, listing, number

_NOTHING_THERE = frozenset({CoverageStatus.REGION_NOT_ENABLED, CoverageStatus.ACCOUNT_NOT_ACTIVE})


@dataclass(frozen=True, slots=True)
class Gap:
    """Regions of one account that were not seen, for one reason."""

    account: str
    account_name: str
    status: str
    regions: tuple[str, ...]
    """Empty where no region of the account was reached."""
    reason: str
    listed: bool = False
    """Its functions are listed and counted; something about them could not be read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The coverage of one scan, counted."""

    lanes: int
    """Account-regions that could have answered; those not enabled are not among them."""
    seen: int
    listed: int
    """Account-regions whose functions were listed, but not everything about them read."""
    not_enabled: int
    unseen_accounts: int
    """Accounts of which no region was reached."""
    gaps: tuple[Gap, ...]
    inactive: tuple[Account, ...]
    """Accounts that are suspended or closing: not looked at, nothing there answers."""
    finished: bool

    @property
    def complete(self) -> bool:
        """Whether all that was asked for was seen; never when nothing was looked at."""
        state = ScanState.FINISHED if self.finished else ScanState.INTERRUPTED
        return is_complete(state, ok=self.seen, hiding=len(self.gaps))

    @property
    def unseen(self) -> str:
        """Say what was not seen, or ''."""
        parts = []
        missing = self.lanes - self.seen - self.listed
        if missing:
            parts.append(f"{number(missing)} of {count(self.lanes, 'account-region')}")
        if self.unseen_accounts:
            parts.append(count(self.unseen_accounts, "whole account"))
        return listing(parts)


def look(header: ScanHeader, coverage: Iterable[Coverage], accounts: Iterable[Account]) -> Seen:
    """Count what a scan saw.

    An active account of the scan that has no coverage row at all is a gap as well.
    """
    listed = {account.id: account for account in accounts}
    rows = sorted(coverage, key=lambda row: (row.account, row.region))
    counted = Counter(row.status for row in rows)
    gaps = _gaps(rows, listed)
    inactive = {row.account for row in rows if row.status is CoverageStatus.ACCOUNT_NOT_ACTIVE}
    inactive |= {account.id for account in listed.values() if not account.active}
    return Seen(
        lanes=sum(row.region != EVERY_REGION and row.status not in _NOTHING_THERE for row in rows),
        seen=counted[CoverageStatus.OK],
        listed=sum(_is_listed(row) for row in rows),
        not_enabled=counted[CoverageStatus.REGION_NOT_ENABLED],
        unseen_accounts=len({gap.account for gap in gaps if not gap.regions}),
        gaps=gaps,
        inactive=tuple(
            listed.get(number, Account(number, active=False)) for number in sorted(inactive)
        ),
        finished=header.state is ScanState.FINISHED,
    )


def _is_listed(row: Coverage) -> bool:
    return row.listed and not row.status.is_complete


def _gaps(rows: Iterable[Coverage], listed: Mapping[str, Account]) -> tuple[Gap, ...]:
    """One gap an account, status and reason: a refusal in every region is told once."""
    answered: set[str] = set()
    regions: dict[tuple[str, str, str, bool], list[str]] = {}
    for row in rows:
        answered.add(row.account)
        if not row.status.is_complete:
            kind = (row.account, row.status.value, row.reason, _is_listed(row))
            regions.setdefault(kind, []).append(row.region)
    gaps = [
        Gap(
            account=account,
            account_name=listed[account].name if account in listed else "",
            status=status,
            regions=() if EVERY_REGION in unseen else tuple(unseen),
            reason=reason,
            listed=listed_there,
        )
        for (account, status, reason, listed_there), unseen in regions.items()
    ]
    gaps += [
        Gap(account.id, account.name, CoverageStatus.NOT_ATTEMPTED, (), "the scan has no result")
        for account in listed.values()
        if account.active and account.id not in answered
    ]
    return tuple(sorted(gaps, key=lambda gap: (gap.account, gap.regions, gap.status)))


def filters(asked: ScanOptions) -> list[str]:
    """Name each selecting option in force, as it was given."""
    chosen = {
        "--account": asked.accounts,
        "--exclude-account": asked.excluded_accounts or None,
        "--ou": asked.ous,
        "--tag": asked.tags,
        "--region": asked.regions,
        "--exclude-region": asked.excluded_regions or None,
    }
    named = [
        f"{option} {', '.join(values) if values else '(none)'}"
        for option, values in chosen.items()
        if values is not None
    ]
    return [*named, "--latest-only"] if asked.latest_only else named
