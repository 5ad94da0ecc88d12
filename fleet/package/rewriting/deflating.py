"""A program, deflated as an entry holds it.

The same program gives the same bytes on every machine: who goes on with a function knows its
package by them. Python's zlib is another library from system to system, and none of them promises
the bytes of its next release; libdeflate comes with its package, which is pinned.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from deflate import deflate_compress

from fleet.errors import FileProblem
from fleet.package.archive.source import PIECE
from fleet.package.limits import UNZIPPED_LIMIT

_LEVEL = 9
"""As fast as zlib at 6, and a percent smaller for a Go program."""
_ADVICE = "build it again, or name a program that you may read"


@dataclass(frozen=True, slots=True)
class Deflated:
    """The content of one entry, in a temporary file."""

    file: IO[bytes]
    at: int
    """Where it begins there."""
    crc: int
    compressed_size: int
    size: int
    sha256: str
    """Of the program, in hex."""

    def pieces(self) -> Iterator[bytes]:
        """Give the deflated bytes. Raises FileProblem where the disk refuses."""
        end = self.at + self.compressed_size
        for at in range(self.at, end, PIECE):
            try:
                yield os.pread(self.file.fileno(), min(PIECE, end - at), at)
            except OSError as error:
                raise _no_room(error) from error


def deflate(path: Path, file: IO[bytes]) -> Deflated:
    """Deflate a program to the end of a temporary file.

    Raises FileProblem where it cannot be read, is larger than what Lambda unzips, or where there
    is no room.
    """
    at = file.seek(0, os.SEEK_END)
    with opened(path) as program:
        # libdeflate takes it whole, which is what Lambda unzips at most.
        content = bytearray()
        for piece in pieces_of(program, path):
            content += piece
    _write(file, deflate_compress(content, _LEVEL))
    return Deflated(
        file,
        at,
        zlib.crc32(content),
        file.tell() - at,
        len(content),
        hashlib.sha256(content).hexdigest(),
    )


@contextmanager
def temporary() -> Iterator[IO[bytes]]:
    """Make a file without a name, of which nothing is left whatever happens."""
    with ExitStack() as held:
        try:
            file = held.enter_context(tempfile.TemporaryFile(buffering=0))
        except OSError as error:
            raise _no_room(error) from error
        yield file


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a program that was built. Raises FileProblem for anything but a file to be read."""
    try:
        # Without O_NONBLOCK, opening a named pipe waits for a writer that may never come.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FileProblem(str(path), "is not a file", _ADVICE)
        if status.st_size > UNZIPPED_LIMIT:
            raise FileProblem(
                str(path),
                f"is larger than the {UNZIPPED_LIMIT:,} bytes that Lambda unzips",
                "make it smaller",
            )
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as program:
            yield program
    finally:
        os.close(descriptor)


def pieces_of(program: BinaryIO, path: Path) -> Iterator[bytes]:
    """Read a program to its end. Raises FileProblem where the disk refuses."""
    try:
        while piece := program.read(PIECE):
            yield piece
    except OSError as error:
        raise _unreadable(path, error) from error


def _write(file: IO[bytes], piece: bytes | bytearray) -> None:
    left = memoryview(piece)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise _no_room(error) from error


def _unreadable(path: Path, error: OSError | ValueError) -> FileProblem:
    said = getattr(error, "strerror", None) or str(error)
    return FileProblem(str(path), f"cannot be read ({said})", _ADVICE)


def _no_room(error: OSError) -> FileProblem:
    return FileProblem(
        tempfile.gettempdir(),
        f"no temporary file can be used there ({error.strerror})",
        "make room there, or set TMPDIR to a directory with 250 MB to spare",
    )
