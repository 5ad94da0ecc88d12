"""CPU of telling what is in a large package, against inflating it and doing nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench.figures import Figure, at_most, beside, in_turn, ratios
from tests.bench.large_binary import large_package
from tests.bench.worker import worker

ROUNDS = 11
INFLATERS = ("zlib", "isal", "zlib-ng")


def measure() -> Iterator[Figure]:
    """Inflating by each library, then inspecting, without and with the checksum of the zip."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as held:
        path = Path(directory) / "package.zip"
        large_package(path)
        size = path.stat().st_size / 1e6
        sides = [
            held.enter_context(worker("inspecting", prepare, str(path), *arguments))
            for prepare, *arguments in (
                *(("inflated", name) for name in INFLATERS),
                ("inspected_with_known_checksum",),
                ("inspected",),
            )
        ]
        *inflating, ours, with_checksum = in_turn(ROUNDS, *sides)
        grown = held.enter_context(worker("inspecting", "grown", str(path)))()
    best = min(inflating, key=median)
    fastest = INFLATERS[inflating.index(best)]
    for name, taken in zip(INFLATERS, inflating, strict=True):
        yield beside(f"CPU of inflating a zip of {size:.0f} MB, {name}", taken, unit="ms", digits=0)
    yield at_most(
        "CPU of inspecting a package, to one inflate by the fastest of these",
        1.3,
        ratios(ours, best),
        holds=f"The fastest was {fastest}, without a CRC. fleet opens the archive, inflates the "
        "one entry of 62 MB, checks its CRC and reads every fact; its CodeSha256 is known, as "
        "it is to a scan, which makes it of what it downloads. The program is a real stripped "
        "build of 6 MB with its sections repeated.",
    )
    yield beside(
        "The same with the CodeSha256 of the zip, as fleet inspect does it",
        ratios(with_checksum, best),
        unit="×",
    )
    yield at_most(
        "Memory that inspecting this package takes",
        32,
        [grown],
        unit="MB",
        digits=0,
        holds="Growth of a process in which everything is imported.",
    )
