"""From a saved scan to what the user gets: files, stdout and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import typer

from fleet.cli.deadline import deadline_of, parse_day
from fleet.cli.files import prepare_directory, written_whole
from fleet.cli.options import Format
from fleet.cli.status import Status
from fleet.cli.terminal import console
from fleet.inspection import Verdict
from fleet.lifecycle import Lifecycle, load_lifecycle
from fleet.model import ScanHeader, Use
from fleet.prices import Prices, load_prices
from fleet.settings import Settings
from fleet.store import Store, Totals

if TYPE_CHECKING:
    from fleet.wave_status import PlanRecord
    from reports.report import Deadline, ReportData

FILES = ("fleet-report.html", "fleet-report.csv", "fleet-report.json")


@dataclass(frozen=True, slots=True)
class Reporting:
    """How results are to be shown; made before the work, so that a bad answer costs no scan."""

    lifecycle: Lifecycle
    prices: Prices
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
        prices = load_prices(settings.prices)
        day = parse_day("--as-of", as_of)
        if output is not None:
            prepare_directory(output)
        return cls(lifecycle, prices, day, output, not no_color)

    def check(self, runtimes: Iterable[str]) -> None:
        """Refuse a runtime nobody knows: a scan for it would find nothing, everywhere."""
        for runtime in runtimes:
            _ = self.lifecycle.runtime(runtime).deadline

    def of_scan(
        self, store: Store, header: ScanHeader, shown: Format, *, fail_on_findings: bool
    ) -> Status:
        """Show a saved scan and write its files; the status it deserves."""
        totals = store.totals(header.id)
        if self.output is None and shown is Format.TABLE:
            self._show_brief(store, header, totals)
        else:
            data = self._data(store, header)
            if self.output is not None:
                _write_files(data, self.output)
            self._show(data, shown)
        if not totals.complete or totals.unread:
            return Status.INCOMPLETE
        return Status.FINDINGS if fail_on_findings and totals.findings else Status.DONE

    def _data(self, store: Store, header: ScanHeader) -> ReportData:
        """Everything the renderers need, read from the store."""
        from reports.frames import function_frame, history_frame
        from reports.report import ReportData

        accounts = store.accounts(header.id)
        now = datetime.now(UTC)
        return ReportData(
            header=header,
            functions=function_frame(store.function_rows(header.id), accounts),
            coverage=tuple(store.coverage(header.id)),
            accounts=accounts,
            history=history_frame(store.history(), store.scans()),
            deadline=self._deadline(header, now),
            generated=now,
            prices=self.prices,
            waves=_plans(store, header),
        )

    def _deadline(self, header: ScanHeader, now: datetime) -> Deadline:
        # The first runtime asked for is the one that is counted down.
        return deadline_of(self.lifecycle, header.options.runtimes[0], self.as_of or now.date())

    def _show_brief(self, store: Store, header: ScanHeader, totals: Totals) -> None:
        # No frame of every function, no pandas: a scan of a large organization stays small.
        from reports.brief import brief
        from reports.summary import Totals as Counted

        found = Counted(
            versions=totals.findings,
            functions=totals.functions,
            by_use={use.value: totals.by_use.get(use, 0) for use in Use},
            by_verdict={each.value: totals.by_verdict.get(each, 0) for each in Verdict}
            if header.options.inspect is not None
            else {},
            unread=totals.unread,
        )
        deadline = self._deadline(header, datetime.now(UTC))
        coverage, accounts = store.coverage(header.id), store.accounts(header.id)
        console(color=self.color).print(brief(header, coverage, accounts, found, deadline))

    def _show(self, data: ReportData, shown: Format) -> None:
        if shown is Format.JSON:
            from reports.json import write_json

            write_json(data, sys.stdout)
        elif shown is Format.CSV:
            from reports.csv import write_csv

            write_csv(data, sys.stdout)
        else:
            from reports.table import summary_table

            console(color=self.color).print(summary_table(data))
            if self.output is not None:
                names = ", ".join(str(self.output / name) for name in FILES)
                typer.echo(f"Reports: {names}")


def _plans(store: Store, header: ScanHeader) -> tuple[PlanRecord, ...]:
    """The plans of the scan's organization, as far as their runs have come."""
    whose = header.organization or header.caller
    saved = [plan for plan in store.plans() if plan.organization == whose]
    if not saved:
        return ()
    from fleet.waves.recorded import recorded

    now = store.now()
    return tuple(recorded(store, plan, now) for plan in saved)


def _write_files(data: ReportData, directory: Path) -> None:
    from reports.csv import write_csv
    from reports.html import render_html
    from reports.json import write_json

    html, csv, json = (directory / name for name in FILES)
    with written_whole(html) as file:
        file.write(render_html(data))
    with written_whole(csv) as file:
        write_csv(data, file)
    with written_whole(json) as file:
        write_json(data, file)
