"""Tasks for the workers of a cluster, in a module of their own since workers have to import it."""

from __future__ import annotations

import time
from pathlib import Path

from fleet.cluster import is_wanted

SECONDS = 60


def works_until_unwanted(directory: Path) -> None:
    """Leave a file as it begins, and one as it finds that nobody waits for it any more."""
    (directory / "begun").touch()
    until = time.monotonic() + SECONDS
    while is_wanted() and time.monotonic() < until:
        time.sleep(0.02)
    (directory / f"wanted-{is_wanted()}").touch()
