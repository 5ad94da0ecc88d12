"""Model values to database rows and back. Pure.

What is read back and makes no sense raises ValueError, KeyError or TypeError.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson

from fleet.inspection import InspectionDepth
from fleet.model import (
    Account,
    Coverage,
    CoverageStatus,
    FunctionRecord,
    LaneResult,
    ScanHeader,
    ScanOptions,
    ScanState,
)

FunctionRow: TypeAlias = tuple[str | int | None, ...]
"""One function version, flat, in the order of FUNCTION_COLUMNS."""

Row: TypeAlias = dict[str, Any]


def scan_row(header: ScanHeader) -> Row:
    """Flatten a header; its options become JSON."""
    return {
        "id": header.id,
        "started": iso(header.started),
        "finished": iso(header.finished),
        "state": header.state.value,
        "caller": header.caller,
        "organization": header.organization,
        "partition": header.partition,
        "options": orjson.dumps(header.options).decode(),
    }


def scan_header(row: Mapping[Any, Any]) -> ScanHeader:
    """Undo scan_row; options this fleet does not know raise TypeError."""
    options: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in orjson.loads(row["options"]).items()
    }
    if options.get("inspect") is not None:
        options["inspect"] = InspectionDepth(options["inspect"])
    return ScanHeader(
        id=row["id"],
        started=datetime.fromisoformat(row["started"]),
        finished=None if row["finished"] is None else datetime.fromisoformat(row["finished"]),
        state=ScanState(row["state"]),
        caller=row["caller"],
        organization=row["organization"],
        partition=row["partition"],
        options=ScanOptions(**options),
    )


def account_row(scan_id: str, account: Account) -> Row:
    """Flatten an account of a scan."""
    return {
        "scan": scan_id,
        "id": account.id,
        "name": stored_text(account.name),
        "ou": stored_text(account.ou),
        "active": account.active,
    }


def account(row: Mapping[Any, Any]) -> Account:
    """Undo account_row."""
    return Account(row["id"], row["name"], row["ou"], active=row["active"])


def coverage_row(
    scan_id: str, coverage: Coverage, *, findings: int = 0, finding_functions: int = 0
) -> Row:
    """Flatten a coverage row, with what its lane's records come to."""
    return {
        "scan": scan_id,
        "account": coverage.account,
        "region": coverage.region,
        "status": coverage.status.value,
        "reason": stored_text(coverage.reason),
        "functions": coverage.functions,
        "versions": coverage.versions,
        "calls": coverage.calls,
        "throttles": coverage.throttles,
        "listed": coverage.listed,
        "findings": findings,
        "finding_functions": finding_functions,
    }


def coverage(row: Mapping[Any, Any]) -> Coverage:
    """Undo coverage_row."""
    return Coverage(
        account=row["account"],
        region=row["region"],
        status=CoverageStatus(row["status"]),
        reason=row["reason"],
        functions=row["functions"],
        versions=row["versions"],
        calls=row["calls"],
        throttles=row["throttles"],
        listed=row["listed"],
    )


def lane_rows(scan_id: str, result: LaneResult) -> tuple[Row, list[Row]]:
    """Flatten a lane to its coverage row and one row a function version.

    A version listed twice (a function made between two pages shifts the rest) counts once.
    Raises ValueError for a record of another account or region.
    """
    lane = result.coverage
    records: dict[tuple[str, str], FunctionRecord] = {}
    for record in result.records:
        ref = record.config.ref
        if (ref.account, ref.region) != (lane.account, lane.region):
            raise ValueError(f"{ref.arn} does not belong to {lane.account} {lane.region}")
        records[ref.name, ref.qualifier] = record
    found = [name for (name, _), record in records.items() if record.use.is_finding]
    return (
        coverage_row(scan_id, lane, findings=len(found), finding_functions=len(set(found))),
        [_function_row(scan_id, record) for record in records.values()],
    )


def _function_row(scan_id: str, record: FunctionRecord) -> Row:
    config = record.config
    return {
        "scan": scan_id,
        "account": config.ref.account,
        "region": config.ref.region,
        "name": config.ref.name,
        "qualifier": config.ref.qualifier,
        "use": record.use.value,
        "runtime": config.runtime,
        "latest_runtime": record.latest_runtime,
        "package_type": config.package_type.value,
        "handler": None if config.handler is None else stored_text(config.handler),
        "architecture": config.architecture,
        "code_size": config.code_size,
        "code_sha256": config.code_sha256,
        "last_modified": iso(config.last_modified),
        "layers": json_text(config.layers),
        "aliases": None if record.aliases is None else json_text(record.aliases),
        "callers": None if record.callers is None else json_text(record.callers),
        "tags": None
        if record.tags is None
        else json_text(
            {stored_text(key): stored_text(value) for key, value in record.tags.items()}
        ),
        "owner_kind": record.owner.kind.value,
        "owner_name": stored_text(record.owner.name),
        "invocations": record.invocations,
        "signing_profile": config.signing_profile,
    }


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC; such texts sort by time.

    Raises ValueError for a time without a zone, which could be any.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat()


def json_text(value: object) -> str:
    """A value as JSON that SQLite and PostgreSQL can both hold."""
    # Aliases carry read-only mappings, which orjson knows only as dicts.
    return orjson.dumps(value, default=dict, option=orjson.OPT_SORT_KEYS).decode()


def stored_text(value: str) -> str:
    """A text without what a database cannot hold."""
    # JSON can carry NUL and lone surrogates, which PostgreSQL and UTF-8 can't: one hostile reason
    # or tag must not cost the whole lane.
    if value.isascii() and "\0" not in value:
        return value
    return (
        value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
