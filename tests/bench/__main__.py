"""Measure what is asked for, print it, and after a whole run write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.bench import (
    custodian,
    helptext,
    inspecting,
    memory,
    pages,
    repackaging,
    reports,
    sessions,
    wall,
    waves,
)
from tests.bench.document import document, table
from tests.bench.figures import Figure, missing

ITEMS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "help": helptext.measure,
    "pages": pages.measure,
    "wall": wall.measure,
    "sessions": sessions.measure,
    "custodian": custodian.measure,
    "memory": memory.measure,
    "reports": reports.measure,
    "inspecting": inspecting.measure,
    "repackaging": repackaging.measure,
    "waves": waves.measure,
}
ON_REQUEST: Mapping[str, Callable[[], Iterator[Figure]]] = {"memory-all": memory.measure_all}
"""Too long for every run."""
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def main() -> None:
    """Run the items named, or all of ITEMS."""
    known = {**ITEMS, **ON_REQUEST}
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("items", nargs="*", metavar="ITEM", help=f"of: {', '.join(known)}")
    asked = parser.parse_args().items
    if unknown := set(asked) - set(known):
        parser.error(f"no such item: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    figures: list[Figure] = []
    for item in asked or ITEMS:
        began = time.monotonic()
        found = _measured(item, known[item])
        figures += found
        took = f"{item}, {time.monotonic() - began:.0f} s"
        sys.stdout.write(f"{took}\n\n{table(found)}\n\n")
        sys.stdout.flush()
    if not asked:
        DOCUMENT.write_text(document(figures), "utf-8")


def _measured(item: str, measure: Callable[[], Iterator[Figure]]) -> list[Figure]:
    figures: list[Figure] = []
    try:
        # What was measured before something broke is kept: extend takes one at a time.
        figures.extend(measure())
    except Exception as error:  # noqa: BLE001  # one broken item must not hide the others
        traceback.print_exc()
        figures.append(missing(item, error))
    return figures


if __name__ == "__main__":
    main()
