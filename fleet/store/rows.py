"""Model values to database rows and back. Pure.

What is read back and makes no sense raises ValueError, KeyError or TypeError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from types import NoneType
from typing import Any, TypeAlias

import msgspec
import orjson

from fleet.inspection import Strategy, Verdict
from fleet.model import (
    FUNCTION_COLUMNS,
    Account,
    CallerKind,
    Coverage,
    FunctionRecord,
    LaneResult,
    OwnerKind,
    PackageType,
    ScanHeader,
    ScanOptions,
    Use,
)

FunctionRow: TypeAlias = tuple[str | int | None, ...]
"""One function version, flat, in the order of FUNCTION_COLUMNS."""

Row: TypeAlias = dict[str, Any]


class _Alias(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    version: str
    weights: dict[str, float]


class _Caller(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    kind: CallerKind
    source: str
    qualifier: str


class _Remark(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    code: str
    text: str


_OPTIONS = frozenset(each.name for each in fields(ScanOptions))
_TEXT = frozenset({str, NoneType})
_NUMBER = frozenset({int, NoneType})
_KINDS = {
    "code_size": _NUMBER,
    "memory_mb": _NUMBER,
    "invocations": _NUMBER,
    "duration_ms": _NUMBER,
    "cold_starts": _NUMBER,
    "init_ms": _NUMBER,
    "modified": frozenset({bool, NoneType}),
}
"""What a column holds that is no text."""
_WORDS: Mapping[str, frozenset[Any]] = {
    "use": frozenset(each.value for each in Use),
    "package_type": frozenset(each.value for each in PackageType),
    "owner_kind": frozenset(each.value for each in OwnerKind),
    "verdict": frozenset([None, *(each.value for each in Verdict)]),
    "strategy": frozenset([None, *(each.value for each in Strategy)]),
}
_read_remarks = msgspec.json.Decoder(list[_Remark]).decode
_JSON: Mapping[str, Callable[[Any], object]] = {
    "layers": msgspec.json.Decoder(list[str]).decode,
    "aliases": msgspec.json.Decoder(list[_Alias]).decode,
    "callers": msgspec.json.Decoder(list[_Caller]).decode,
    "tags": msgspec.json.Decoder(dict[str, str]).decode,
    "reasons": _read_remarks,
    "warnings": _read_remarks,
}
_NOTHING = frozenset({None})


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
    """Undo scan_row; options this fleet does not know raise ValueError."""
    options = orjson.loads(row["options"])
    header = msgspec.convert({**named(row), "options": options}, ScanHeader)
    # Left out where a dataclass is read; passed over, an option would be another question.
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"no such options: {sorted(unknown)}")
    if header.started.tzinfo is None or (header.finished and header.finished.tzinfo is None):
        raise ValueError(f"scan {header.id} has times without a time zone")
    return header


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
    return msgspec.convert(named(row), Account)


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
    return msgspec.convert(named(row), Coverage)


def check_function_columns(columns: Iterable[Sequence[object]]) -> None:
    """Make sure that columns, in the order of FUNCTION_COLUMNS, hold what fleet writes there.

    SQLite keeps any value in any column, and the reports hand JSON on as it stands. Raises
    ValueError.
    """
    for name, values in zip(FUNCTION_COLUMNS, columns, strict=True):
        if not _fits(name, values):
            raise ValueError(f"{name} holds something else")


def _fits(name: str, values: Sequence[object]) -> bool:
    # A look at each cell would cost as much as reading it: whole columns, and each JSON text once.
    if name in _WORDS:
        return _WORDS[name].issuperset(values)
    if name in _KINDS:
        return _KINDS[name].issuperset(map(type, values))
    if name not in _JSON:
        return _is_text(values)
    texts = set(values) - _NOTHING
    return _is_text(texts) and all(_JSON[name](text) is not None for text in texts)


def _is_text(values: Iterable[Any]) -> bool:
    try:
        "".join(values)
    except TypeError:
        return _TEXT.issuperset(map(type, values))
    return True


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
        "memory_mb": config.memory_mb,
        "duration_ms": record.duration_ms,
        "cold_starts": record.cold_starts,
        "init_ms": record.init_ms,
    }


def named(row: Mapping[Any, Any]) -> Row:
    """A row by its columns' names."""
    # SQLAlchemy's names are more than texts, which msgspec does not take for names.
    return {str(name): value for name, value in row.items()}


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
