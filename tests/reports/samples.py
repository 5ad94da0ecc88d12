"""Small scans to report on: two accounts, two regions, and whatever a test puts in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from fleet.model import (
    FUNCTION_COLUMNS,
    GO1X,
    LATEST,
    Account,
    Coverage,
    CoverageStatus,
    ScanHeader,
    ScanOptions,
    ScanState,
)
from reports.frames import function_frame, history_frame
from reports.report import Deadline, ReportData

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
PAYMENTS = Account("001234567890", "payments", "Workloads/Prod")
SEARCH = Account("222222222222", "search", "Workloads/Dev")
SUSPENDED = Account("333333333333", "old-sandbox", "Attic", active=False)
ACCOUNTS = (PAYMENTS, SEARCH, SUSPENDED)
REGIONS = ("eu-central-1", "us-east-1")

HEADER = ScanHeader(
    id="20261121T100000Z-abcd",
    started=START,
    finished=START + timedelta(minutes=3),
    state=ScanState.FINISHED,
    caller="001234567890",
    organization="o-abc123",
    partition="aws",
    options=ScanOptions(organization=True),
)

DEADLINE = Deadline(
    runtime=GO1X,
    announced=date(2023, 12, 31),
    as_of=date(2026, 11, 21),
    phase="create blocked",
    allows=("Functions keep being invoked.", "Existing functions can be updated."),
    update_block=date(2027, 3, 3),
    rollback="$LATEST can never go back; a published version behind an alias can.",
    source="a table of dates",
    looked_up=date(2026, 8, 30),
)


@dataclass(frozen=True)
class Point:
    """A past scan, as the store sums it up."""

    id: str
    findings: int
    complete: bool = True


def function(**changes: object) -> tuple[object, ...]:
    """One row as the store gives it."""
    row: dict[str, object] = {
        "account": PAYMENTS.id,
        "region": "eu-central-1",
        "name": "orders",
        "qualifier": LATEST,
        "use": "latest",
        "runtime": GO1X,
        "latest_runtime": GO1X,
        "package_type": "Zip",
        "handler": "main",
        "architecture": "x86_64",
        "code_size": 1_000_000,
        "code_sha256": "q83vEjRWeJA=",
        "last_modified": "2022-05-04T03:02:01+00:00",
        "layers": "[]",
        "aliases": "[]",
        "callers": None,
        "tags": "{}",
        "owner_kind": "unknown",
        "owner_name": "",
        "invocations": None,
    }
    assert changes.keys() <= row.keys()
    return tuple((row | changes)[name] for name in FUNCTION_COLUMNS)


def seen(account: str, region: str) -> Coverage:
    return Coverage(account, region, CoverageStatus.OK, functions=40, versions=80, calls=2)


def everything_seen() -> list[Coverage]:
    lanes = [seen(a.id, region) for a in (PAYMENTS, SEARCH) for region in REGIONS]
    return [*lanes, Coverage(SUSPENDED.id, "*", CoverageStatus.ACCOUNT_NOT_ACTIVE, "suspended")]


def with_status(status: CoverageStatus, reason: str, region: str = "us-east-1") -> list[Coverage]:
    """Everything seen, but one region of the account search."""
    gap = Coverage(SEARCH.id, region, status, reason)
    return [
        row for row in everything_seen() if (row.account, row.region) != (SEARCH.id, region)
    ] + [gap]


def header(state: ScanState = ScanState.FINISHED, **options: object) -> ScanHeader:
    return replace(HEADER, state=state, options=replace(HEADER.options, **options))  # type: ignore[arg-type] # the names are checked by replace()


def past(findings: Mapping[int, int], asked: ScanHeader = HEADER) -> pd.DataFrame:
    """A history: days before START → function versions left; all complete, all asked the same."""
    headers = [
        replace(asked, id=f"{days:04}", started=START - timedelta(days=days)) for days in findings
    ]
    return history_frame([Point(f"{days:04}", left) for days, left in findings.items()], headers)


def report(
    rows: Iterable[tuple[object, ...]] = (),
    coverage: Iterable[Coverage] | None = None,
    *,
    asked: ScanHeader = HEADER,
    accounts: Iterable[Account] = ACCOUNTS,
    history: pd.DataFrame | None = None,
    deadline: Deadline = DEADLINE,
) -> ReportData:
    listed = list(accounts)
    return ReportData(
        header=asked,
        functions=function_frame(rows, listed),
        coverage=tuple(everything_seen() if coverage is None else coverage),
        accounts=listed,
        history=past({}) if history is None else history,
        deadline=deadline,
        generated=START,
    )


def many(count: int) -> list[tuple[object, ...]]:
    """So many functions over both accounts and regions, every use among them."""
    uses = ("latest", "served", "kept", "kept for rollback", "unknown", "image")
    return [
        function(
            account=(PAYMENTS, SEARCH)[index % 2].id,
            region=REGIONS[index // 2 % 2],
            name=f"fn-{index:06}",
            qualifier=LATEST
            if (use := uses[index % 6]) in {"latest", "image"}
            else str(index % 9 + 1),
            use=use,
            runtime=None if use == "image" else GO1X,
            package_type="Image" if use == "image" else "Zip",
            code_size=1_000 + index * 7919 % 1_000_003,
            tags=json.dumps({"team": f"team-{index % 40}", "cost-center": str(index * 31 % 997)}),
            owner_kind="cloudformation",
            owner_name=f"stack-{index % 700}",
            invocations=index * 101 % 5_000,
        )
        for index in range(count)
    ]
