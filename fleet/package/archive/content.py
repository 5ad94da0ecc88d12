"""The content of one entry, inflated piece by piece and held to what the directory promises."""

from __future__ import annotations

from collections.abc import Iterator

from isal import isal_zlib

from fleet.inspection import Entry
from fleet.package.archive.records import DEFLATED, STORED
from fleet.package.archive.source import PIECE, Reader
from fleet.package.problems import BadPackage
from fleet.package.words import shortened

_IsalError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub is wrong

_READ = 128 << 10
"""Bytes of deflated data read at once; several times as many come out of them."""


def content(reader: Reader, entry: Entry, method: int, at: int) -> Iterator[bytes]:
    """Give the content whose data begins at `at`, in pieces of at most PIECE bytes.

    Raises BadPackage before it gives more than the entry's size, and at the end where size or
    CRC is not as promised: what came before must not be trusted until the end is reached.
    """
    if method not in {STORED, DEFLATED}:
        problem = f"is compressed by method {method}, which Lambda cannot unzip"
        raise bad_entry(reader, entry, problem)
    crc = 0
    for piece in (_stored if method == STORED else _inflated)(reader, entry, at):
        crc = isal_zlib.crc32(piece, crc)
        yield piece
    if crc != entry.crc:
        raise bad_entry(reader, entry, "does not have the CRC that the directory promises")


def bad_entry(reader: Reader, entry: Entry, problem: str) -> BadPackage:
    """Give the error that says this of an entry."""
    return reader.bad(f"the entry {shortened(entry.name)!r} {problem}")


def _stored(reader: Reader, entry: Entry, at: int) -> Iterator[bytes]:
    end = at + entry.size
    while at < end:
        piece = reader.read(at, min(PIECE, end - at))
        at += len(piece)
        yield piece


def _inflated(reader: Reader, entry: Entry, at: int) -> Iterator[bytes]:
    if not entry.compressed_size and not entry.size:
        return  # as some tools write directories, and all others read them
    stream = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    end = at + entry.compressed_size
    left = entry.size
    pending = b""
    while not stream.eof:
        if not pending:
            pending = reader.read(at, min(_READ, end - at))
            at += len(pending)
        try:
            # One byte more than promised is enough to know that there is more.
            piece = stream.decompress(pending, min(PIECE, left + 1))
        except _IsalError as error:
            raise bad_entry(reader, entry, "holds data that cannot be inflated") from error
        left -= len(piece)
        if left < 0:
            raise bad_entry(reader, entry, "goes on beyond the size that the directory promises")
        if not (piece or pending or stream.eof):
            raise bad_entry(reader, entry, "breaks off before its end")
        pending = stream.unconsumed_tail
        if piece:
            yield piece
    if left or at < end or stream.unused_data:
        raise bad_entry(reader, entry, "does not have the size that the directory promises")
