"""Everything that is saved and read back; every write is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, RowMapping, insert, select, update

from fleet.errors import BadSelection, FileProblem
from fleet.inspection import Inspection, PackageFacts
from fleet.ledger import Entry, EntryState
from fleet.model import (
    EVERY_REGION,
    FUNCTION_COLUMNS,
    Account,
    Coverage,
    FunctionConfig,
    FunctionRef,
    LaneResult,
    ScanHeader,
    ScanState,
)
from fleet.store import inspections, ledger, rows, summaries
from fleet.store.database import Database
from fleet.store.lanes import Lanes
from fleet.store.leases import LeasePart
from fleet.store.rows import FunctionRow
from fleet.store.schema import ACCOUNT, COVERAGE, SCAN
from fleet.store.statements import StatementPart
from fleet.store.summaries import HistoryPoint, Totals
from fleet.store.waves import WavePart

_ROWS_AT_ONCE = 1000
_IDS_NAMED = 5


class Store(WavePart, LeasePart, StatementPart):
    """Everything that is remembered, in an SQLite file or PostgreSQL; threads may share it.

    Every method raises FileProblem when the database refuses, and then changed nothing.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._lanes = Lanes(database.dialect)
        self._save_inspection = inspections.saving(database.dialect)

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Open a path, an SQLite URL or a PostgreSQL URL, and create what is missing there.

        Without `create` a file that is not there stays away, and is a FileProblem.

        Raises FileProblem: no place fleet can use, another program's, or a newer fleet's.
        """
        return cls(Database.open(url, create=create))

    @property
    def shown(self) -> str:
        """Where it is, for messages: without user, password and parameters."""
        return self._database.shown

    def close(self) -> None:
        """Give up every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def begin_scan(self, header: ScanHeader, accounts: Iterable[Account] = ()) -> None:
        """Save a new scan and the accounts it is to look at, each as not attempted.

        As one: no scan is left behind that does not know its accounts. Raises FileProblem if its
        id is taken.
        """
        with self._database.writing() as connection:
            if self._row(connection, header.id):
                raise FileProblem(
                    self._database.shown, f"holds a scan {header.id} already", "scan again"
                )
            connection.execute(insert(SCAN), rows.scan_row(header))
            self._lanes.plan_accounts(connection, header.id, accounts)

    def plan_accounts(self, scan_id: str, accounts: Iterable[Account]) -> None:
        """Save the accounts a scan is to look at, each as not attempted.

        An account that has coverage already keeps it: planning again is how a scan is resumed.
        """
        with self._database.writing() as connection:
            self._hold(connection, scan_id)
            self._lanes.plan_accounts(connection, scan_id, accounts)

    def plan_lanes(self, scan_id: str, account: str, regions: Iterable[str]) -> None:
        """Replace what is said of a whole account by one row a region, not attempted.

        A region that has a row keeps it. Without regions nothing changes: the account stays not
        attempted until a lane says why there is nothing to look at.
        """
        with self._database.writing() as connection:
            self._hold(connection, scan_id)
            self._lanes.plan_lanes(connection, scan_id, account, regions)

    def save_lane(self, scan_id: str, result: LaneResult) -> None:
        """Save all that one account and region gave, in place of what was saved of it.

        A lane of one region ends what was said of the whole account; what is said of the whole
        account is dropped where its regions are known. A lane is never replaced by one that saw
        less: ok goes before listed, listed before anything else. Raises ValueError for a record
        of another lane.
        """
        with self._database.writing() as connection:
            if result.coverage.region == EVERY_REGION:
                self._hold(connection, scan_id)
            self._lanes.save(connection, scan_id, result)

    def finish_scan(self, scan_id: str, state: ScanState, finished: datetime) -> None:
        """Save how far a scan came, and when it stopped. Raises FileProblem if it is not saved."""
        with self._database.writing() as connection:
            self._hold(connection, scan_id)
            connection.execute(
                update(SCAN)
                .where(SCAN.c.id == scan_id)
                .values(state=state.value, finished=rows.iso(finished))
            )

    def scans(self) -> list[ScanHeader]:
        """Every saved scan, oldest first."""
        return self._all(select(SCAN).order_by(SCAN.c.started, SCAN.c.id), rows.scan_header)

    def scan(self, which: str | None) -> ScanHeader:
        """Find a scan by its id or a beginning that fits no other; None is the last one.

        Raises BadSelection, naming what there is, and FileProblem where there is no scan at all.
        """
        saved = self.scans()
        if not saved:
            raise FileProblem(
                self._database.shown,
                "holds no scan yet",
                "run fleet scan, or name another place with --state or FLEET_STATE",
            )
        if which is None:
            return saved[-1]
        fitting = [header for header in saved if which and header.id.startswith(which)]
        # An id may be the beginning of a longer one.
        fitting = [header for header in fitting if header.id == which] or fitting
        if len(fitting) == 1:
            return fitting[0]
        known = fitting or saved
        named = ", ".join(header.id for header in reversed(known[-_IDS_NAMED:]))
        more = f" and {len(known) - _IDS_NAMED} older" if len(known) > _IDS_NAMED else ""
        said = "fits several scans" if fitting else f"is no scan in {self._database.shown}"
        raise BadSelection("scan", which, f"{said}; choose one of {named}{more}")

    def accounts(self, scan_id: str) -> list[Account]:
        """Give the accounts of a scan, by id."""
        return self._all(
            select(ACCOUNT).where(ACCOUNT.c.scan == scan_id).order_by(ACCOUNT.c.id), rows.account
        )

    def coverage(self, scan_id: str) -> list[Coverage]:
        """How the look at each account and region ended, by account and region."""
        return self._all(
            select(COVERAGE)
            .where(COVERAGE.c.scan == scan_id)
            .order_by(COVERAGE.c.account, COVERAGE.c.region),
            rows.coverage,
        )

    def function_rows(self, scan_id: str) -> Iterator[FunctionRow]:
        """Stream the saved function versions by account, region, name and qualifier.

        All rows are of the moment the first one is asked for.
        """
        statement = inspections.with_functions(FUNCTION_COLUMNS, scan_id)
        with (
            self._database.reading() as connection,
            # Closed by hand: a reader may stop half-way, and PostgreSQL's cursors warn of that.
            connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(statement) as streamed,
        ):
            for part in streamed.partitions():
                found = [*map(tuple, part)]
                with self._database.making_sense():
                    rows.check_function_columns(zip(*found, strict=True))
                yield from found

    def to_inspect(self, scan_id: str) -> list[FunctionConfig]:
        """Give the function versions whose packages have not been read, without last_modified.

        Those that only go1x-rollback holds are left out: nobody is to move them.
        """
        with self._database.reading() as connection, self._database.making_sense():
            return inspections.pending(connection, self._header(connection, scan_id))

    def save_inspections(
        self, scan_id: str, found: Iterable[tuple[FunctionConfig, Inspection]]
    ) -> None:
        """Save verdicts, each in the place of an earlier one.

        A function that another command has meanwhile saved with other code, or dropped, is left
        alone.
        """
        saved = [inspections.saved_row(scan_id, *each) for each in found]
        if saved:
            with self._database.writing() as connection:
                connection.execute(self._save_inspection, saved)

    def facts(self, content: str) -> PackageFacts | None:
        """Give what was read of a package (CodeSha256) or layer version (ARN).

        None where nothing was, or where what is saved of it cannot be read any more.
        """
        with self._database.reading() as connection, self._database.making_sense():
            return inspections.facts(connection, content)

    def save_facts(self, content: str, facts: PackageFacts) -> None:
        """Keep what was read of a package or layer version, for every scan to come."""
        with self._database.writing() as connection:
            inspections.save_facts(connection, content, facts)

    def totals(self, scan_id: str) -> Totals:
        """What a scan comes to so far, from one moment."""
        with self._database.reading() as connection, self._database.making_sense():
            return summaries.totals(connection, self._header(connection, scan_id))

    def history(self) -> list[HistoryPoint]:
        """One point a saved scan, oldest first."""
        with self._database.reading() as connection, self._database.making_sense():
            return summaries.history(connection)

    def begin_step(self, entry: Entry) -> int:
        """Note a step that is about to be made; gives its number, for end_step.

        It outlasts a power cut once this returns, so the call to AWS comes after it. Raises
        ValueError for a step that has ended, and for one of a version or alias.
        """
        with self._database.writing(durable=True) as connection:
            return ledger.begin(connection, entry)

    def end_step(
        self,
        number: int,
        *,
        state: EntryState,
        ended: datetime,
        request_id: str = "",
        result: str = "",
        problem: str = "",
    ) -> None:
        """Note how a step ended, once and for all.

        Raises FileProblem where the ledger has no such step under way: it has ended already, or
        another file has taken the place of the one it was noted in.
        """
        with self._database.writing(durable=True) as connection:
            noted = ledger.end(
                connection,
                number,
                state=state,
                ended=ended,
                request_id=request_id,
                result=result,
                problem=problem,
            )
        if not noted:
            raise FileProblem(
                self._database.shown,
                f"has no step {number} under way in its ledger",
                "make sure that nothing puts another file in its place, then run the command again",
            )

    def steps(self, ref: FunctionRef) -> list[Entry]:
        """Every step of a function, whatever the qualifier; oldest first."""
        with self._database.reading() as connection, self._database.making_sense():
            return ledger.steps(connection, ref)

    def moved_lanes(self) -> list[tuple[str, str, str]]:
        """Partition, account and region of all that the ledger names, sorted."""
        with self._database.reading() as connection, self._database.making_sense():
            return ledger.lanes(connection)

    def hash_key(self) -> bytes:
        """Give the 32 random bytes that settings are hashed with, made when first asked for.

        With them and a hash an environment could be guessed at: they go nowhere else.
        """
        with self._database.reading() as connection, self._database.making_sense():
            key = ledger.hash_key(connection)
        if key is not None:
            return key
        with self._database.writing(durable=True) as connection:
            ledger.make_hash_key(connection)
        return self.hash_key()

    def _row(self, connection: Connection, scan_id: str) -> RowMapping | None:
        return connection.execute(select(SCAN).where(SCAN.c.id == scan_id)).mappings().first()

    def _header(self, connection: Connection, scan_id: str) -> ScanHeader:
        row = self._row(connection, scan_id)
        if row is None:
            raise self._unknown(scan_id)
        return rows.scan_header(row)

    def _hold(self, connection: Connection, scan_id: str) -> None:
        """Let one command at a time plan or end a scan, while others save its lanes."""
        statement = select(SCAN.c.id).where(SCAN.c.id == scan_id).with_for_update(key_share=True)
        if connection.scalar(statement) is None:
            raise self._unknown(scan_id)

    def _unknown(self, scan_id: str) -> FileProblem:
        return FileProblem(self._database.shown, f"holds no scan {scan_id}", "scan again")
