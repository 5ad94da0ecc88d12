"""The figures as a Markdown page."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from tests.bench.figures import Figure

_PAGE = """\
# Benchmarks

Written by `make bench`; nothing here is a test with a timer. Every ratio is of one run in which
both sides took turns: median (least to most). The machine: {cores} cores, {machine},
Python {python}.

{table}

## What is in each figure

{holds}
"""


def document(figures: Sequence[Figure]) -> str:
    """All of docs/benchmarks.md."""
    return _PAGE.format(
        cores=os.cpu_count(),
        machine=f"{platform.system()} on {platform.machine()}",
        python=platform.python_version(),
        table=table(figures),
        holds="\n".join(f"- **{each.name}**: {each.holds}" for each in figures if each.holds),
    )


def table(figures: Sequence[Figure]) -> str:
    """One row a figure."""
    rows = [("Figure", "Target", "Measured", "Verdict"), ("---",) * 4]
    rows += [(each.name, each.target, each.measured, each.verdict) for each in figures]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
