"""The central directory of a zip: where it is, and its records one after the other.

A zip is read from its end, and readers differ in how they find it. What two readers could read
in two ways is refused here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fleet.package.archive.records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END64,
    END64_LOCATOR,
    END64_LOCATOR_SIGNATURE,
    END64_SIGNATURE,
    END_SIGNATURE,
    FULL_16,
    FULL_32,
    LOCAL_SIGNATURE,
    Central,
    Malformed,
    central_length,
    parse_central,
)
from fleet.package.archive.source import PIECE, Reader

MAX_ENTRIES = 65_535
"""What a zip without zip64 can count; Lambda's packages need no more."""
MAX_DIRECTORY = 8 << 20
"""Bytes: 128 for each of MAX_ENTRIES. It bounds what entries take in memory."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where a central directory is. Offsets are those of the file."""

    start: int
    size: int
    count: int
    prefix: int
    """Bytes before the archive that its own offsets do not count."""
    trailer: bytes = field(repr=False)
    """All that follows the directory: zip64 records if any, the end record, the comment."""
    end_at: int
    """Of the end record in the trailer."""

    @property
    def is_zip64(self) -> bool:
        """Whether zip64 records stand before the end record."""
        return self.end_at > 0

    @property
    def comment(self) -> bytes:
        """The archive's comment."""
        return self.trailer[self.end_at + END.size :]


def find_directory(reader: Reader) -> Directory:
    """Find the central directory with one read of the last 64 KB. Raises BadPackage."""
    size = reader.source.size
    tail_at = max(0, size - END64.size - END64_LOCATOR.size - END.size - FULL_16)
    tail = reader.read(tail_at, size - tail_at)
    signatures = list(_all_of(END_SIGNATURE, tail))
    # The comment of the true end reaches the very last byte: a nested zip's does not.
    ends = [at for at in signatures if at + END.size + _comment_length(tail, at) == len(tail)]
    if not ends:
        raise reader.bad(_no_end(reader, size))
    if ends != signatures[-1:]:
        # Readers look for the last signature, some go on where it leads nowhere.
        raise reader.bad("has two ends, so that readers would disagree on what is in it")
    try:
        return _directory(reader, tail, tail_at, ends[0])
    except Malformed as error:
        raise reader.bad(str(error)) from error


def records(reader: Reader, directory: Directory) -> Iterator[Central]:
    """Give the records of the directory in its order. Raises BadPackage."""
    window = _Window(reader, directory.start, directory.start + directory.size)
    try:
        for _ in range(directory.count):
            yield parse_central(window.take(central_length(window.peek(CENTRAL.size))))
    except Malformed as error:
        raise reader.bad(str(error)) from error
    if not window.is_empty:
        raise reader.bad("its central directory holds more than the entries it counts")


class _Window:
    """A stretch of the source, read piece by piece from its start to its end."""

    def __init__(self, reader: Reader, start: int, end: int) -> None:
        self._reader = reader
        self._next, self._end = start, end
        self._held, self._at = b"", 0

    @property
    def is_empty(self) -> bool:
        return self._at == len(self._held) and self._next == self._end

    def peek(self, length: int) -> bytes:
        while len(self._held) - self._at < length:
            if self._next == self._end:
                raise Malformed("its central directory ends within an entry")
            piece = self._reader.read(self._next, min(PIECE, self._end - self._next))
            self._next += len(piece)
            self._held, self._at = self._held[self._at :] + piece, 0
        return self._held[self._at : self._at + length]

    def take(self, length: int) -> bytes:
        taken = self.peek(length)
        self._at += length
        return taken


def _all_of(signature: bytes, tail: bytes) -> Iterator[int]:
    at = -1
    while (at := tail.find(signature, at + 1)) >= 0:
        yield at


def _comment_length(tail: bytes, at: int) -> int:
    return int.from_bytes(tail[at + END.size - 2 : at + END.size], "little")


def _no_end(reader: Reader, size: int) -> str:
    if not size:
        return "is empty, not a zip"
    if reader.read(0, min(4, size)) == LOCAL_SIGNATURE:
        return "is a zip that was cut off, or that has more behind its end"
    return "is not a zip"


def _directory(reader: Reader, tail: bytes, tail_at: int, at: int) -> Directory:
    """Read one end record, which promises a directory just before it. Raises Malformed."""
    _, disk, first_disk, here, count, size, offset, _ = END.unpack_from(tail, at)
    end = tail_at + at
    start_of_ends = end
    locator_at = at - END64_LOCATOR.size
    if locator_at >= 0 and tail.startswith(END64_LOCATOR_SIGNATURE, locator_at):
        start_of_ends, wide = _zip64(tail, tail_at, locator_at)
        narrow = (disk, first_disk, here, count, size, offset)
        full = (FULL_16, FULL_16, FULL_16, FULL_16, FULL_32, FULL_32)
        if any(a not in {b, c} for a, b, c in zip(narrow, wide, full, strict=True)):
            raise Malformed("its end and its zip64 end disagree")
        disk, first_disk, here, count, size, offset = wide
    elif FULL_32 in {size, offset} or (count == FULL_16 and size < count * CENTRAL.size):
        raise Malformed("leaves its sizes to a zip64 end that is missing")
    if disk or first_disk or here != count:
        raise Malformed("is one part of an archive in several parts")
    if count > MAX_ENTRIES or (not count and size):
        raise Malformed(f"has more than {MAX_ENTRIES:,} entries")
    if size > MAX_DIRECTORY:
        raise Malformed(
            f"its central directory of {size:,} bytes is larger than the {MAX_DIRECTORY:,} "
            "that are read"
        )
    start = start_of_ends - size
    prefix = start - offset
    if size < count * CENTRAL.size or start < 0 or prefix < 0:
        raise Malformed("its central directory is not where its end says")
    if count and reader.read(start, len(CENTRAL_SIGNATURE)) != CENTRAL_SIGNATURE:
        raise Malformed("its central directory is not where its end says")
    trailer_from = start_of_ends - tail_at
    if trailer_from < 0:
        raise Malformed("its zip64 end is too long")
    return Directory(start, size, count, prefix, tail[trailer_from:], end - start_of_ends)


def _zip64(tail: bytes, tail_at: int, locator_at: int) -> tuple[int, tuple[int, ...]]:
    """Give where the zip64 end is in the file, and its numbers in END's order."""
    _, disk, offset, disks = END64_LOCATOR.unpack_from(tail, locator_at)
    at = locator_at - END64.size
    if at < 0 or not tail.startswith(END64_SIGNATURE, at):
        # A longer one holds private data of some tool (4.3.14.2), which nothing here can judge.
        raise Malformed("its zip64 end is not where it has to be")
    _, rest, _, _, number, first, here, count, size, start = END64.unpack_from(tail, at)
    if rest != END64.size - 12:
        raise Malformed("its zip64 end is longer than it has to be")
    if disk or disks > 1 or not 0 <= tail_at + at - offset == tail_at + at - size - start:
        raise Malformed("its zip64 end is not where it has to be")
    return tail_at + at, (number, first, here, count, size, start)
