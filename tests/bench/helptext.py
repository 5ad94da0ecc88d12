"""`fleet --help` against a Python that imports typer and ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.command import FLEET
from tests.bench.figures import Figure, at_most, beside, in_turn, ratios

ROUNDS = 15


def measure() -> Iterator[Figure]:
    """Wall time of both, in turn."""
    ours, least = in_turn(
        ROUNDS,
        lambda: _wall(FLEET, "--help"),
        lambda: _wall(sys.executable, "-c", "import typer"),
    )
    yield beside("Wall time of a Python that imports typer", least, unit="ms", digits=0)
    yield beside("Wall time of fleet --help", ours, unit="ms", digits=0)
    yield at_most("fleet --help to a Python that imports typer", 1.2, ratios(ours, least))


def _wall(*command: str) -> float:
    before = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - before) * 1000
