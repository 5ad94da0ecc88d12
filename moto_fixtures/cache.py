"""Files that are made once and kept under the user's cache directory.

Safe with many processes at once: one of them makes a file while the others wait for it, and a
file appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def default_cache() -> Path:
    """Give the cache directory of this user: $XDG_CACHE_HOME or ~/.cache, then fleet/handlers.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path there is to be ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "fleet" / "handlers"


def kept(directory: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Give directory/name, made by `make(path)` if it is not there yet.

    `make` writes to the path it is given, in the same directory; when it raises, nothing is kept.
    """
    wanted = directory / name
    if wanted.exists():
        return wanted
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever held the lock before us may have made it.
        if not wanted.exists():
            with tempfile.TemporaryDirectory(dir=directory) as scratch:
                made = Path(scratch) / name
                make(made)
                made.replace(wanted)
    return wanted
