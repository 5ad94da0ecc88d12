"""Small scans to report on: two accounts, two regions, and whatever a test puts in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pandas as pd

from fleet.inspection import InspectionDepth, Verdict
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
from fleet.prices import OWN, Price, Prices
from reports.frames import function_frame, history_frame
from reports.report import Deadline, ReportData

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
REVISION = "3f786850e387550fdab836ed7e6dc881de23001b"
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

INSPECTED = replace(HEADER, options=replace(HEADER.options, inspect=InspectionDepth.WHOLE))

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


PRICES = Prices(
    {
        "eu-central-1": Price(
            x86_64=Decimal("0.0000166667"),
            arm64=Decimal("0.0000133334"),
            request=Decimal("0.0000002"),
            source="a table of prices",
            looked_up=date(2026, 8, 30),
        ),
        # Twice as much, so that nobody can take the one for the other.
        "us-east-1": Price(
            x86_64=Decimal("0.0000333334"),
            arm64=Decimal("0.0000266668"),
            request=Decimal("0.0000004"),
            source=OWN,
        ),
    }
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
        "memory_mb": None,
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
        "duration_ms": None,
        "cold_starts": None,
        "init_ms": None,
        "signing_profile": None,
        **dict.fromkeys(FUNCTION_COLUMNS[FUNCTION_COLUMNS.index("verdict") :]),
    }
    assert changes.keys() <= row.keys()
    return tuple((row | changes)[name] for name in FUNCTION_COLUMNS)


def remarks(**said: str) -> str:
    """Remarks as the store keeps them, from code → sentence."""
    return json.dumps(
        [{"code": code.replace("_", "-"), "text": text} for code, text in said.items()]
    )


def inspected(verdict: str, **changes: object) -> tuple[object, ...]:
    """One row of a scan that read its package."""
    told: dict[str, object] = {
        "verdict": str(verdict),
        "reasons": remarks(some_reason="why it is so"),
        "warnings": "[]",
        "go_version": "go1.20.14",
        "lambda_library": "v1.41.0",
        "module": "github.com/acme/orders",
        "module_version": "(devel)",
        "revision": REVISION,
        "modified": False,
    }
    return function(**(told | changes))


def unread(**changes: object) -> tuple[object, ...]:
    """One row whose package could not be read."""
    said = {"reasons": remarks(not_inspected="its package could not be read: AccessDenied")}
    nothing = dict.fromkeys(("go_version", "lambda_library", "module", "module_version"), "")
    return inspected(
        Verdict.UNKNOWN, **(said | nothing | {"revision": "", "modified": None} | changes)
    )


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
    prices: Prices = PRICES,
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
        prices=prices,
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


def many_inspected(count: int) -> list[tuple[object, ...]]:
    """The same functions with verdicts, out of 3,000 repositories with some commits each."""
    rows = []
    chance = Random(0)  # noqa: S311 - nothing secret, and it has to repeat
    for index, row in enumerate(many(count)):
        repository = chance.randrange(3_000)
        module = f"github.com/acme/repository-{repository}"
        commit = hashlib.sha256(f"{module} {chance.randrange(9)}".encode()).hexdigest()[:40]
        library = ("v1.13.3", "v1.19.1", "v1.28.0", "v1.41.0", "v1.47.0")[index % 5]
        entry = f"bin/handler-{chance.randrange(1_000)}"
        old = f"{entry} is built with aws-lambda-go {library}; in {module}, {'change it ' * 30}"
        told = {
            "verdict": Verdict.READY if index % 5 else Verdict.REBUILD,
            "reasons": remarks(runtime_api=f"{entry} holds it") if index % 5 else remarks(old=old),
            "warnings": remarks(rpc_left_in=f"{entry} carries the RPC server"),
            "strategy": "rename" if index % 5 else None,
            "go_version": f"go1.{13 + chance.randrange(11)}.{chance.randrange(13)}",
            "lambda_library": library,
            "module": module,
            "module_version": "(devel)",
            "revision": commit,
            "modified": index % 11 == 0,
        }
        rows.append(tuple((dict(zip(FUNCTION_COLUMNS, row, strict=True)) | told).values()))
    return rows
