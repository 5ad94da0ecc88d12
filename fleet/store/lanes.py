"""Planning and saving lanes. Every step can be repeated, and two commands may repeat it at once."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from fleet.model import EVERY_REGION, Account, Coverage, CoverageStatus, LaneResult
from fleet.store import rows
from fleet.store.schema import ACCOUNT, COVERAGE, FUNCTION

_WAITING = "not reached before the scan ended"


class Lanes:
    """The statements that write accounts, coverage and functions, built once.

    Building a statement costs more than running it, and a scan saves thousands of lanes.
    """

    def __init__(self, dialect: Dialect) -> None:
        upsert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        account, lane = upsert(ACCOUNT), upsert(COVERAGE)
        self._save_account = account.on_conflict_do_update(
            index_elements=list(ACCOUNT.primary_key),
            set_={name: account.excluded[name] for name in ("name", "ou", "active")},
        )
        self._plan = lane.on_conflict_do_nothing()
        ok = CoverageStatus.OK.value
        self._replace = lane.on_conflict_do_update(
            index_elements=list(COVERAGE.primary_key),
            set_={column.name: lane.excluded[column.name] for column in COVERAGE.c},
            # Of two that looked, the one that saw more is kept.
            where=or_(
                lane.excluded.status == ok,
                and_(COVERAGE.c.status != ok, or_(lane.excluded.listed, not_(COVERAGE.c.listed))),
            ),
        ).returning(COVERAGE.c.region)
        self._end_account = _delete(COVERAGE, COVERAGE.c.region == EVERY_REGION)
        self._regions = (
            select(COVERAGE.c.region)
            .where(
                COVERAGE.c.scan == bindparam("in_scan"),
                COVERAGE.c.account == bindparam("in_account"),
                COVERAGE.c.region != EVERY_REGION,
            )
            .limit(1)
        )
        self._clear = _delete(FUNCTION, FUNCTION.c.region == bindparam("in_region"))
        # Run as plain SQL: for 100,000 rows SQLAlchemy's handling of parameters costs a second.
        self._save_functions = str(insert(FUNCTION).compile(dialect=dialect))

    def plan_accounts(
        self, connection: Connection, scan_id: str, accounts: Iterable[Account]
    ) -> None:
        """Save accounts, each as not attempted unless it has coverage already."""
        new = [rows.account_row(scan_id, account) for account in accounts]
        if not new:
            return
        connection.execute(self._save_account, new)
        covered = select(COVERAGE.c.account).distinct().where(COVERAGE.c.scan == scan_id)
        uncovered = {row["id"] for row in new}.difference(connection.scalars(covered))
        self._plan_rows(connection, scan_id, [(account, EVERY_REGION) for account in uncovered])

    def plan_lanes(
        self, connection: Connection, scan_id: str, account: str, regions: Iterable[str]
    ) -> None:
        """Replace the row for every region, if there are regions, by one for each."""
        lanes = [(account, region) for region in regions]
        if lanes:
            connection.execute(self._end_account, {"in_scan": scan_id, "in_account": account})
            self._plan_rows(connection, scan_id, lanes)

    def _plan_rows(
        self, connection: Connection, scan_id: str, lanes: list[tuple[str, str]]
    ) -> None:
        if lanes:
            never = CoverageStatus.NOT_ATTEMPTED
            connection.execute(
                self._plan,
                [rows.coverage_row(scan_id, Coverage(*lane, never, _WAITING)) for lane in lanes],
            )

    def save(self, connection: Connection, scan_id: str, result: LaneResult) -> None:
        """Put a lane in the place of what was saved of it, unless that saw more.

        What is said of a whole account gives way to lanes that somebody else planned for it.
        """
        row, functions = rows.lane_rows(scan_id, result)
        lane = {"in_scan": scan_id, "in_account": row["account"]}
        whole = row["region"] == EVERY_REGION
        if whole and connection.scalar(self._regions, lane) is not None:
            return
        # First of all: on PostgreSQL this row is what two savers of one lane queue for.
        if connection.scalar(self._replace, row) is None:
            return
        if not whole:
            connection.execute(self._end_account, lane)
        connection.execute(self._clear, {**lane, "in_region": row["region"]})
        if functions:
            connection.exec_driver_sql(self._save_functions, functions)


def _delete(table: Table, which: ColumnElement[bool]) -> Delete:
    return delete(table).where(
        table.c.scan == bindparam("in_scan"), table.c.account == bindparam("in_account"), which
    )
