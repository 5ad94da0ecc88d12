"""From a saved scan to what the user gets: files, stdout and the exit status."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fleet.cli.deadline import deadline_of, parse_day
from fleet.cli.files import prepare_directory, written_whole
from fleet.cli.options import Format
from fleet.cli.status import Status
from fleet.lifecycle import Lifecycle, load_lifecycle
from fleet.model import ScanHeader, ScanState
from fleet.settings import Settings
from fleet.store import Store

if TYPE_CHECKING:
    from reports.report import ReportData

FILES = ("fleet-report.html", "fleet-report.csv", "fleet-report.json")


@dataclass(frozen=True, slots=True)
class Reporting:
    """How results are to be shown; made before the work, so that a bad answer costs no scan."""

    lifecycle: Lifecycle
    as_of: date | None
    output: Path | None
    """Directory for the files; None writes none."""
    color: bool

    @classmethod
    def prepared(
        cls, settings: Settings, *, as_of: str | None, output: Path | None, no_color: bool
    ) -> Self:
        """Check everything that can be wrong. Raises BadSelection or FileProblem."""
        lifecycle = load_lifecycle(settings.lifecycle)
        day = parse_day("--as-of", as_of)
        if output is not None:
            prepare_directory(output)
        return cls(lifecycle, day, output, not no_color)

    def of_scan(
        self, store: Store, header: ScanHeader, shown: Format, *, fail_on_findings: bool
    ) -> Status:
        """Show a saved scan and write its files; the status it deserves."""
        if self.output is None and shown is Format.TABLE:
            self._say_headline(store, header)
        else:
            data = self.data(store, header)
            if self.output is not None:
                _write_files(data, self.output)
            self._show(data, shown)
        totals = store.totals(header.id)
        if header.state is ScanState.INTERRUPTED:
            return Status.INTERRUPTED
        if not totals.complete:
            return Status.INCOMPLETE
        return Status.FINDINGS if fail_on_findings and totals.findings else Status.DONE

    def data(self, store: Store, header: ScanHeader) -> ReportData:
        """Everything the renderers need, read from the store."""
        from reports.frames import coverage_frame, function_frame, history_frame
        from reports.report import ReportData

        accounts = store.accounts(header.id)
        now = datetime.now(UTC)
        return ReportData(
            header=header,
            functions=function_frame(store.function_rows(header.id), accounts),
            coverage=coverage_frame(store.coverage(header.id)),
            accounts=accounts,
            history=history_frame(store.history()),
            deadline=deadline_of(
                self.lifecycle, header.options.runtimes[0], self.as_of or now.date()
            ),
            generated=now,
        )
