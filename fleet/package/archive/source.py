"""Where the bytes of a package come from: a file, or anything that reads at an offset."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleet.errors import FileProblem
from fleet.package.problems import BadPackage

PIECE = 512 << 10
"""Bytes read at once of what is long: less costs more calls, more costs memory."""

ANEW = "download it again, or zip its files anew"


class Source(Protocol):
    """Bytes at offsets, all there at once: a file, or ranged requests for one."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset` on, fewer only where the source ends before."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """An open file; reading moves no shared position."""

    descriptor: int
    size: int
    name: str

    def read_at(self, offset: int, length: int) -> bytes:
        """Read from the file. Raises FileProblem where the disk refuses."""
        try:
            piece = os.pread(self.descriptor, length, offset)
            while len(piece) < length and (
                more := os.pread(self.descriptor, length - len(piece), offset + len(piece))
            ):
                piece += more
        except OSError as error:
            raise _unreadable(self.name, error) from error
        return piece


@contextmanager
def file_source(path: Path) -> Iterator[FileSource]:
    """Open a regular file for reading. Raises FileProblem for anything else."""
    try:
        # Without O_NONBLOCK, opening a named pipe waits for a writer that may never come.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unreadable(str(path), error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FileProblem(str(path), "is not a file", "name a zip file")
        yield FileSource(descriptor, status.st_size, str(path))
    finally:
        os.close(descriptor)


def _unreadable(path: str, error: OSError | ValueError) -> FileProblem:
    said = getattr(error, "strerror", None) or str(error)
    return FileProblem(path, f"cannot be read ({said})", "name a zip file you may read")


@dataclass(frozen=True, slots=True)
class Reader:
    """A source with the name that errors give it."""

    source: Source
    name: str

    def read(self, offset: int, length: int) -> bytes:
        """Give exactly these bytes. Raises BadPackage if they are not there."""
        piece = self.source.read_at(offset, length)
        if len(piece) != length:
            raise self.bad("ends before what its directory lists, or was changed meanwhile")
        return piece

    def bad(self, problem: str, advice: str = ANEW) -> BadPackage:
        """Give the error that says this of the package."""
        return BadPackage(self.name, problem, advice)
