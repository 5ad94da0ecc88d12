"""Small values to save, where only one thing about them matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fleet.ledger import Action, Entry, Verb
from fleet.model import (
    FUNCTION_COLUMNS,
    GO1X,
    Alias,
    Coverage,
    CoverageStatus,
    FunctionConfig,
    FunctionRecord,
    FunctionRef,
    LaneResult,
    PackageType,
    ScanHeader,
    ScanOptions,
    ScanState,
    Use,
)
from fleet.store import Store

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SCAN = "20261121T100000Z-0001"
ACCOUNT = "000000000001"


def header(scan_id: str = SCAN, *, minutes: int = 0) -> ScanHeader:
    return ScanHeader(
        id=scan_id,
        started=START + timedelta(minutes=minutes),
        finished=None,
        state=ScanState.RUNNING,
        caller=ACCOUNT,
        organization="o-1",
        partition="aws",
        options=ScanOptions(),
    )


def record(
    name: str,
    qualifier: str = "$LATEST",
    *,
    use: Use = Use.LATEST,
    account: str = ACCOUNT,
    region: str = "eu-west-1",
) -> FunctionRecord:
    return FunctionRecord(
        config=FunctionConfig(
            ref=FunctionRef("aws", account, region, name, qualifier),
            package_type=PackageType.ZIP,
            runtime=GO1X,
            handler="main",
            architecture="x86_64",
            code_size=1,
            code_sha256="q80=",
            last_modified=START,
        ),
        use=use,
        latest_runtime=GO1X,
    )


def lane(
    *functions: str,
    account: str = ACCOUNT,
    region: str = "eu-west-1",
    status: CoverageStatus = CoverageStatus.OK,
    reason: str = "",
    listed: bool = False,
) -> LaneResult:
    """One lane with functions of these names."""
    return LaneResult(
        Coverage(account, region, status, reason, functions=len(functions), calls=1, listed=listed),
        tuple(record(name, account=account, region=region) for name in functions),
    )


USED = ("memory_mb", "duration_ms", "cold_starts", "init_ms")
"""What the fifth schema has of a function and the ones before it have not."""


def without_use() -> list[str]:
    """Statements that take a state back to before the fifth schema."""
    return [f"ALTER TABLE fleet_function DROP COLUMN {name}" for name in USED]


def column(store: Store, name: str, scan_id: str = SCAN) -> list[object]:
    """One column of the saved function versions, in their order."""
    at = FUNCTION_COLUMNS.index(name)
    return [row[at] for row in store.function_rows(scan_id)]


def statuses(store: Store, scan_id: str = SCAN) -> dict[tuple[str, str], CoverageStatus]:
    return {(row.account, row.region): row.status for row in store.coverage(scan_id)}


def intended(
    name: str = "orders",
    *,
    run: str = "20261121T100000Z-0002",
    verb: Verb = Verb.MIGRATE,
    action: Action = Action.PUT_ALIAS,
    account: str = ACCOUNT,
    region: str = "eu-west-1",
) -> Entry:
    """A step that is about to be made: the alias live of a function moves from 1 to 2."""
    return Entry(
        run=run,
        verb=verb,
        ref=FunctionRef("aws", account, region, name),
        action=action,
        what="Point the alias live at version 2.",
        caller=f"arn:aws:iam::{account}:user/ada",
        began=START,
        alias_before=Alias("live", "1"),
        alias_after=Alias("live", "2"),
    )
