"""Files that are made once and kept under the user's cache directory.

Safe with many processes at once: one of them makes a file while the others wait for it, and a
file appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path


def user_cache(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Give fleet's directory `name` in this user's cache: $XDG_CACHE_HOME or ~/.cache, then fleet.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    base = Path(environ.get("XDG_CACHE_HOME", ""))
    # The specification says that a relative path there is to be ignored.
    root = base if base.is_absolute() else Path.home() / ".cache"
    return root / "fleet" / name


def kept(directory: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Give directory/name, made by `make(path)` if it is not there yet.

    `make` writes to the path it is given, in a directory of its own beside it; when it raises,
    nothing is kept. Raises OSError where the directory cannot be written.
    """
    wanted = directory / name
    if wanted.exists():
        return wanted
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever held the lock before us may have made it.
        if not wanted.exists():
            scratch = directory / f"{name}.part"
            # Whoever held it before us may have been killed on the way.
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            try:
                made = scratch / name
                make(made)
                made.replace(wanted)
            finally:
                shutil.rmtree(scratch)
    return wanted
