"""A file that takes its name once it is whole and proven, and not before."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fleet.errors import FileProblem

_ADVICE = "name another file, or make room and see that you may write there"


@contextmanager
def placed_whole(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Give a file to write, and its name for now; it becomes `target` if the block ends well.

    The file is readable by its owner only. What was at `target` stays until it is replaced in
    one step; a link there is followed. Raises FileProblem where the disk refuses, or where
    something other than a file is there; a process that is killed leaves at most a file whose
    name begins with `.fleet-`.
    """
    try:
        place = target.resolve()
        if place.exists() and not stat.S_ISREG(place.stat().st_mode):
            raise FileProblem(str(target), "is not a file", "name a file to write")
        descriptor, name = tempfile.mkstemp(prefix=".fleet-", suffix=".partial", dir=place.parent)
    except (OSError, RuntimeError, ValueError) as error:
        raise _unwritable(target, error) from error
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, partial
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place)
        _keep_name(place.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        partial.unlink(missing_ok=True)


def is_same(source: Path, target: Path) -> bool:
    """Whether two names lead to one file, so that writing the one would destroy the other."""
    try:
        return target.samefile(source)
    except (OSError, ValueError):
        return False  # what is wrong with the target is said when it is written


def _keep_name(directory: Path) -> None:
    """Have the new name survive a loss of power, too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(target: Path, error: Exception) -> FileProblem:
    said = getattr(error, "strerror", None) or str(error)
    return FileProblem(str(target), f"cannot be written ({said})", _ADVICE)
