"""What saved scans come to, counted by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, case, func, select

from fleet.inspection import Verdict
from fleet.model import CoverageStatus, ScanHeader, ScanOptions, ScanState, Use, is_complete
from fleet.store import inspections, rows
from fleet.store.schema import COVERAGE, FUNCTION, SCAN


@dataclass(frozen=True, slots=True)
class Totals:
    """What a saved scan comes to, without its rows."""

    findings: int
    """Function versions that have to move."""
    functions: int
    """Functions with at least one such version."""
    by_use: Mapping[Use, int]
    """Saved function versions; a use that none has is left out."""
    by_verdict: Mapping[Verdict | None, int]
    """Findings; None counts those without a verdict, and a verdict that none has is left out."""
    unread: int
    """Findings whose packages the scan was to read and has not; 0 where it was to read none."""
    by_status: Mapping[CoverageStatus, int]
    """Coverage rows; a status that none has is left out."""
    listed_functions: int
    """Functions listed, of any runtime."""
    listed_versions: int
    """Function versions listed, of any runtime."""
    calls: int
    throttles: int
    complete: bool
    """The scan finished and every coverage row is complete: only then is 0 found an answer."""


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One saved scan in a row of them; the counts mean what they mean in Totals."""

    id: str
    started: datetime
    state: ScanState
    options: ScanOptions
    findings: int
    functions: int
    complete: bool


def totals(connection: Connection, header: ScanHeader) -> Totals:
    """Sum up one scan, as far as it came."""
    uses = _counts(connection, FUNCTION, "use", header.id)
    statuses = _counts(connection, COVERAGE, "status", header.id)
    names = ("findings", "finding_functions", "functions", "versions", "calls", "throttles")
    findings, functions, listed, versions, calls, throttles = connection.execute(
        select(*(func.coalesce(func.sum(COVERAGE.c[name]), 0) for name in names)).where(
            COVERAGE.c.scan == header.id
        )
    ).one()
    by_verdict, unread = _verdicts(connection, header)
    by_status = {CoverageStatus(status): count for status, count in statuses.items()}
    return Totals(
        findings=findings,
        functions=functions,
        by_use={Use(use): count for use, count in uses.items()},
        by_verdict=by_verdict,
        unread=unread,
        by_status=by_status,
        listed_functions=listed,
        listed_versions=versions,
        calls=calls,
        throttles=throttles,
        complete=is_complete(
            header.state,
            ok=by_status.get(CoverageStatus.OK, 0),
            hiding=sum(not status.is_complete for status in by_status),
        ),
    )


def history(connection: Connection) -> list[HistoryPoint]:
    """Sum up every scan, oldest first."""
    complete = sorted(status.value for status in CoverageStatus if status.is_complete)
    hiding = case((COVERAGE.c.status.in_(complete), 0), else_=1)
    ok = case((COVERAGE.c.status == CoverageStatus.OK.value, 1), else_=0)
    sums = (
        select(
            COVERAGE.c.scan,
            func.sum(COVERAGE.c.findings).label("findings"),
            func.sum(COVERAGE.c.finding_functions).label("functions"),
            func.sum(hiding).label("hiding"),
            func.sum(ok).label("ok"),
        )
        .group_by(COVERAGE.c.scan)
        .subquery()
    )
    statement = (
        select(SCAN, sums.c.findings, sums.c.functions, sums.c.hiding, sums.c.ok)
        .outerjoin(sums, sums.c.scan == SCAN.c.id)
        .order_by(SCAN.c.started, SCAN.c.id)
    )
    return [_point(row) for row in connection.execute(statement).mappings()]


def _counts(connection: Connection, table: Table, column: str, scan_id: str) -> dict[str, int]:
    grouped = table.c[column]
    statement = select(grouped, func.count()).where(table.c.scan == scan_id).group_by(grouped)
    return {value: count for value, count in connection.execute(statement)}  # noqa: C416 - dict() takes a result for a mapping


def _verdicts(connection: Connection, header: ScanHeader) -> tuple[dict[Verdict | None, int], int]:
    """Count the findings by verdict, and those whose packages are still to be read."""
    names = ("use", "verdict", "reasons")
    row = inspections.with_functions(names, header.id).order_by(None).subquery().c
    missed = case((inspections.unread(row), 1), else_=0)
    counted = connection.execute(
        select(row.verdict, func.count(), func.sum(missed))
        .where(row.use.in_(use.value for use in Use if use.is_finding))
        .group_by(row.verdict)
    ).all()
    return (
        {word if word is None else Verdict(word): count for word, count, _ in counted},
        sum(missing for *_, missing in counted) if header.options.inspect is not None else 0,
    )


def _point(row: Mapping[Any, Any]) -> HistoryPoint:
    header = rows.scan_header(row)
    return HistoryPoint(
        id=header.id,
        started=header.started,
        state=header.state,
        options=header.options,
        findings=row["findings"] or 0,
        functions=row["functions"] or 0,
        complete=is_complete(header.state, ok=row["ok"] or 0, hiding=row["hiding"] or 0),
    )
