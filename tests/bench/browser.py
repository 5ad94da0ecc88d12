"""How soon Chromium shows a report that can be used, against a page with nothing on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure, at_most, beside
from tests.bench.worker import worker

ROUNDS = 7
USABLE = "() => document.querySelector('#scroller tbody tr') !== null"
"""The table's first rows are there: it can be searched, sorted and scrolled."""
AT_ONCE = "() => true"
BLANK = "<!doctype html><title>blank</title>"


def measure_opening(report: Path) -> Iterator[Figure]:
    """Open both in turn, each time in a browser started anew."""
    blank = report.with_name("blank.html")
    blank.write_text(BLANK, "utf-8")
    with (
        worker("chromium", "opened", report.as_uri(), USABLE, core=None) as open_report,
        worker("chromium", "opened", blank.as_uri(), AT_ONCE, core=None) as open_blank,
    ):
        pairs = [(open_report(), open_blank()) for _ in range(ROUNDS)]
    yield beside("Chromium to a blank page", [blank.from_start for _, blank in pairs], unit="s")
    yield beside("Chromium to the report's table", [full.from_start for full, _ in pairs], unit="s")
    yield at_most(
        "Chromium to the table of 100,000 functions, to a blank page",
        3,
        [full.from_start / blank.from_start for full, blank in pairs],
        holds="From the browser's start, as when the file is opened, to the table's first rows.",
    )
    yield beside(
        "The report's table, from navigation in a running browser",
        [full.from_navigation for full, _ in pairs],
        unit="s",
    )
    yield beside(
        "A blank page, from navigation in a running browser",
        [blank.from_navigation for _, blank in pairs],
        unit="s",
    )
