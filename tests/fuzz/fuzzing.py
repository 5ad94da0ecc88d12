"""What the targets share: the first inputs, the limits, and the call into atheris."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

KEPT = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"
LIMITS = ("-timeout=20", "-rss_limit_mb=400", "-max_len=65536")
"""Seconds an input may take, megabytes the process may take, bytes an input may have."""


def fuzz(name: str, target: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Run until an input fails or libFuzzer's limits are reached; ends the process.

    Inputs that led somewhere new are kept for the next run, and those that failed beside them.
    """
    place = KEPT / name
    place.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(seeds):
        (place / f"seed-{index}").write_bytes(seed)
    found = f"-artifact_prefix={place}-"
    atheris.Setup([sys.argv[0], *LIMITS, found, *sys.argv[1:], str(place)], target)
    atheris.Fuzz()
