"""The reports of a saved scan, rendered as `fleet report` does once everything is imported."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from fleet.cli.result import Reporting
from fleet.settings import Settings
from fleet.store import Store
from reports.csv import write_csv
from reports.html import render_html
from tests.bench.canned import Organization
from tests.bench.records import save_scan
from tests.bench.worker import Block


@dataclass(frozen=True, slots=True)
class Parts:
    """CPU seconds of one rendering, part by part."""

    read: float
    """From the store to pandas frames; every report needs it."""
    csv: float
    html: float


def rendered(organization: Organization, page: Path) -> Block:
    """Parts of one rendering each time; the HTML is left as `page`."""
    store = Store.open(str(page.with_suffix(".db")))
    save_scan(store, organization)
    header = store.scan(None)
    reporting = Reporting.prepared(
        Settings.load(None, {}), as_of="2026-11-21", output=None, no_color=True
    )

    def block() -> Parts:
        began = time.process_time()
        # What the command does, whatever frames that takes.
        data = reporting._data(store, header)
        read = time.process_time()
        with page.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
            write_csv(data, file)
        csv = time.process_time()
        page.write_text(render_html(data), "utf-8")
        return Parts(read - began, csv - read, time.process_time() - csv)

    return block
