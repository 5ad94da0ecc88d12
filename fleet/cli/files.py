"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from fleet.errors import FileProblem

ADVICE = "name a directory you may write to with --output"


def prepare_directory(directory: Path) -> None:
    """Make sure that files can be written there, before hours of work. Raises FileProblem."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise FileProblem(str(directory), error.strerror or str(error), ADVICE) from error


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """Open a file that takes its name only once all of it is written. Raises FileProblem."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise FileProblem(str(path), error.strerror or str(error), ADVICE) from error
    finally:
        partial.unlink(missing_ok=True)
