"""Reports of 100,000 functions: their CPU, the page's size, and how soon a browser shows it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.browser import measure_opening
from tests.bench.canned import Organization
from tests.bench.figures import Figure, at_most, beside
from tests.bench.worker import worker

ORGANIZATION = Organization(accounts=100, regions=20)
ROUNDS = 5


def measure() -> Iterator[Figure]:
    """CPU and size, then Chromium."""
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "report.html"
        with worker("reports", "rendered", ORGANIZATION, page) as render:
            parts = [render() for _ in range(ROUNDS)]
        yield at_most("CPU of CSV of 100,000 functions", 1, [each.csv for each in parts], unit="s")
        yield at_most(
            "CPU of HTML of 100,000 functions", 2, [each.html for each in parts], unit="s"
        )
        yield beside(
            "CPU of reading 100,000 functions",
            [each.read for each in parts],
            unit="s",
            holds="From SQLite to the frames that every renderer is given, once for all of them; "
            "not in the two figures above.",
        )
        yield at_most(
            "Size of that HTML",
            5,
            [page.stat().st_size / 1e6],
            unit="MB",
            holds="Each function with a name, size and date of its own, and the tags of a stack.",
        )
        yield from measure_opening(page)
