"""A binary of 60 MB in a zip of 25 MB, renamed to bootstrap: against a copy, and other ways."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench.figures import Figure, at_least, at_most, beside, in_turn, ratios
from tests.bench.large_binary import large_package
from tests.bench.worker import Block, worker

ROUNDS = 21
SLOW_ROUNDS = 3


def measure() -> Iterator[Figure]:
    """CPU of each way in turn, then memory."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as workers:
        source = Path(name) / "package.zip"
        large_package(source)

        def side(way: str) -> Block:
            target = Path(name) / f"{way}.zip"
            return workers.enter_context(worker("repackaging", way, source, target))

        fleet, copying = side("by_fleet"), side("by_copying")
        ours, floor = in_turn(ROUNDS, fleet, copying)
        size = source.stat().st_size / 1e6
        yield beside(
            "CPU of copying and hashing a zip",
            floor,
            unit="ms",
            digits=1,
            holds=f"{size:.1f} MB, shutil.copyfile and SHA-256.",
        )
        yield beside("CPU of repackaging it", ours, unit="ms", digits=1)
        yield at_most(
            "Repackaging to copying and hashing",
            1.25,
            ratios(ours, floor),
            holds="Renamed, read back, held against the original, hashed and synced to the disk.",
        )
        yield at_most(
            "Peak memory of repackaging",
            32,
            [side("peak")()],
            unit="MB",
            digits=1,
            holds="Largest resident set of the whole process, Python included.",
        )
        yield from _slower(fleet, side("by_zipfile"), "zipfile with deflate")
        yield from _slower(fleet, side("by_programs"), "unzip, mv and zip")


def _slower(fleet: Block, other: Block, name: str) -> Iterator[Figure]:
    ours, theirs = in_turn(SLOW_ROUNDS, fleet, other)
    yield beside(f"CPU of {name}", theirs, unit="ms", digits=0)
    yield at_least(f"{name[0].upper()}{name[1:]} to repackaging", 80, ratios(theirs, ours))
