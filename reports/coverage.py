"""What a scan saw and what it did not: the part of a report that must not flatter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from fleet.model import EVERY_REGION, Account, CoverageStatus, ScanHeader, ScanState
from reports.words import count, listing

COMPLETE = {status.value for status in CoverageStatus if status.is_complete}


@dataclass(frozen=True, slots=True)
class Gap:
    """Regions of one account that were not seen, for one reason."""

    account: str
    account_name: str
    status: str
    regions: tuple[str, ...]
    """Empty where no region of the account was reached."""
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The coverage of one scan, counted."""

    lanes: int
    """Account-regions that could have answered; those not enabled are not among them."""
    seen: int
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
        return self.finished and self.seen > 0 and not self.gaps

    @property
    def unseen(self) -> str:
        """Say what was not seen, or ''."""
        parts = []
        if self.lanes > self.seen:
            parts.append(f"{self.lanes - self.seen} of {count(self.lanes, 'account-region')}")
        if self.unseen_accounts:
            parts.append(count(self.unseen_accounts, "whole account"))
        return listing(parts)


def look(header: ScanHeader, coverage: pd.DataFrame, accounts: Iterable[Account]) -> Seen:
    """Count what a scan saw.

    An active account of the scan that has no coverage row at all is a gap as well.
    """
    listed = {account.id: account for account in accounts}
    status, region = coverage["status"], coverage["region"]
    rows = coverage[~status.isin(COMPLETE)]
    gaps = [
        Gap(
            account=str(account),
            account_name=listed[account].name if account in listed else "",
            status=str(state),
            regions=() if EVERY_REGION in set(group["region"]) else tuple(group["region"]),
            reason=str(reason),
        )
        for (account, state, reason), group in rows.groupby(
            ["account", "status", "reason"], sort=True
        )
    ]
    answered = set(coverage["account"])
    gaps += [
        Gap(account.id, account.name, CoverageStatus.NOT_ATTEMPTED, (), "the scan has no result")
        for account in listed.values()
        if account.active and account.id not in answered
    ]
    dead = set(coverage.loc[status == CoverageStatus.ACCOUNT_NOT_ACTIVE, "account"])
    countable = ~status.isin(
        {CoverageStatus.REGION_NOT_ENABLED.value, CoverageStatus.ACCOUNT_NOT_ACTIVE.value}
    ) & (region != EVERY_REGION)
    return Seen(
        lanes=int(countable.sum()),
        seen=int((status == CoverageStatus.OK).sum()),
        not_enabled=int((status == CoverageStatus.REGION_NOT_ENABLED).sum()),
        unseen_accounts=len({gap.account for gap in gaps if not gap.regions}),
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.account, gap.regions, gap.status))),
        inactive=tuple(
            listed.get(number, Account(number, active=False))
            for number in sorted(dead | {a.id for a in listed.values() if not a.active})
        ),
        finished=header.state is ScanState.FINISHED,
    )


def filters(header: ScanHeader) -> list[str]:
    """Name each selecting option in force, as it was given."""
    asked = header.options
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
