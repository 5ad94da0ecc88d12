"""A package's bytes with the one change made: copied as they are, but for names, modes, offsets.

The same package and change give the same bytes wherever and whenever it is done.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from fleet.inspection import BOOTSTRAP, Strategy
from fleet.package.archive.directory import Directory, records
from fleet.package.archive.reader import Archive
from fleet.package.archive.records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END64,
    END64_LOCATOR,
    EXTRA,
    FULL_16,
    FULL_32,
    LOCAL,
    LOCAL_SIGNATURE,
    STORED,
    UNICODE_PATH_EXTRA,
    UNIX,
    ZIP64_EXTRA,
    extra_fields,
    without_field,
)
from fleet.package.archive.source import PIECE
from fleet.package.rewriting.choice import Change
from fleet.package.shim import SHIM

_NAME = BOOTSTRAP.encode()
_EXTERNAL = (stat.S_IFREG | 0o755) << 16
"""4.4.15: made on Unix, the upper half is the file's mode."""
_DOS_READ_ONLY_OR_DIRECTORY = 0x11
_NEEDED = 10
"""4.4.3: version 1.0 of the format, which has stored files."""
_MADE_BY = UNIX << 8 | 20
_DATE = 1 << 5 | 1
"""1980-01-01, the first day that a zip can tell."""

_NARROW, _WIDE = Struct("<L"), Struct("<Q")
_HOST_AT = 5
_EXTERNAL_AT = 38
_OFFSET_AT = 42
"""4.3.12: where these stand in a central record."""


def rewritten(archive: Archive, change: Change) -> Iterator[bytes]:
    """Give the new package in pieces. Raises BadPackage where the old one cannot be read.

    Everything keeps its place, before the directory moved or not by the one difference; the
    shim's entry comes last. The archive may have no prefix.
    """
    directory = archive.directory
    at = archive.listed(change.index).at
    if change.strategy is Strategy.RENAME:
        old = archive.local(change.index).raw
        new = _renamed_local(old)
        yield from copied(archive, 0, at)
        yield new
        yield from copied(archive, at + len(old), directory.start)
        moved, start, added = len(new) - len(old), directory.start + len(new) - len(old), b""
    else:
        shim = _shim()
        new = shim.local() + SHIM
        yield from copied(archive, 0, directory.start)
        yield new
        moved, start, added = 0, directory.start + len(new), shim.central(directory.start)
    size = 0
    for index, record in enumerate(records(archive.reader, directory)):
        raw = bytearray(record.raw)
        if record.offset > at:
            set_offset(raw, record.offset + moved)
        if index == change.index:
            _make_executable(raw)
            if change.strategy is Strategy.RENAME:
                raw = _renamed_central(raw)
        size += len(raw)
        yield bytes(raw)
    yield added + trailer(directory, start, size + len(added), directory.count + bool(added))


def copied(archive: Archive, start: int, end: int) -> Iterator[bytes]:
    """Give a stretch of the old package in pieces."""
    for at in range(start, end, PIECE):
        yield archive.reader.read(at, min(PIECE, end - at))


# The Unicode Path is left out: it would give the entry its old name back.


def _renamed_local(old: bytes) -> bytes:
    *fields, name_length, _ = LOCAL.unpack_from(old)
    extra = without_field(old[LOCAL.size + name_length :], UNICODE_PATH_EXTRA)
    return LOCAL.pack(*fields, len(_NAME), len(extra)) + _NAME + extra


def _renamed_central(old: bytearray) -> bytearray:
    *head, name_length, extra_length, comment_length, disk, internal, external, offset = (
        CENTRAL.unpack_from(old)
    )
    name_end = CENTRAL.size + name_length
    extra = without_field(bytes(old[name_end : name_end + extra_length]), UNICODE_PATH_EXTRA)
    comment = old[name_end + extra_length :]
    fields = (len(_NAME), len(extra), comment_length, disk, internal, external, offset)
    return bytearray(CENTRAL.pack(*head, *fields) + _NAME + extra + comment)


def _make_executable(raw: bytearray) -> None:
    raw[_HOST_AT] = UNIX
    (external,) = _NARROW.unpack_from(raw, _EXTERNAL_AT)
    dos = external & FULL_16 & ~_DOS_READ_ONLY_OR_DIRECTORY
    _NARROW.pack_into(raw, _EXTERNAL_AT, _EXTERNAL | dos)


def set_offset(raw: bytearray, offset: int) -> None:
    """Say in a central record that its entry lies elsewhere now."""
    *_, compressed, size, name_length, extra_length, _, _, _, _, narrow = CENTRAL.unpack_from(raw)
    if narrow != FULL_32:
        _NARROW.pack_into(raw, _OFFSET_AT, offset)
        return
    # 4.5.3: in the zip64 field, behind those of the two sizes that stand there as well.
    before = (compressed, size).count(FULL_32) * _WIDE.size
    name_end = CENTRAL.size + name_length
    for id_, start, _ in extra_fields(bytes(raw[name_end : name_end + extra_length])):
        if id_ == ZIP64_EXTRA:
            _WIDE.pack_into(raw, name_end + start + EXTRA.size + before, offset)
            return


class NewEntry(NamedTuple):
    """What the two records say of an entry that is not the old package's."""

    name: bytes
    crc: int
    compressed_size: int
    size: int
    needed: int
    """4.4.3: the version of the format that can read it."""
    method: int
    flags: int = 0
    extra: bytes = b""
    comment: bytes = b""

    def local(self) -> bytes:
        """Give the header that stands before its data."""
        lengths = len(self.name), len(self.extra)
        head = LOCAL.pack(LOCAL_SIGNATURE, *self._told(), *lengths)
        return head + self.name + self.extra

    def central(self, offset: int) -> bytes:
        """Give its record in the directory: a file of mode 0755, made on Unix."""
        lengths = len(self.name), len(self.extra), len(self.comment)
        tail = *lengths, 0, 0, _EXTERNAL, offset
        head = CENTRAL.pack(CENTRAL_SIGNATURE, _MADE_BY, *self._told(), *tail)
        return head + self.name + self.extra + self.comment

    def _told(self) -> tuple[int, ...]:
        sizes = self.crc, self.compressed_size, self.size
        return self.needed, self.flags, self.method, 0, _DATE, *sizes


def _shim() -> NewEntry:
    return NewEntry(_NAME, crc32(SHIM), len(SHIM), len(SHIM), _NEEDED, STORED)


def trailer(old: Directory, start: int, size: int, count: int) -> bytes:
    """Give the end records and the comment for a directory that lies elsewhere now."""
    new = bytearray(old.trailer)
    signature, disk, first, here, old_count, old_size, old_start, comment = END.unpack_from(
        new, old.end_at
    )
    if old.is_zip64:
        signature64, rest, made_by, needed, *_ = END64.unpack_from(new)
        head = signature64, rest, made_by, needed, 0, 0
        END64.pack_into(new, 0, *head, count, count, size, start)
        locator, _, _, disks = END64_LOCATOR.unpack_from(new, END64.size)
        END64_LOCATOR.pack_into(new, END64.size, locator, 0, start + size, disks)
        # What the end leaves to its zip64 record stays there.
        here, old_count = (each if each == FULL_16 else count for each in (here, old_count))
        size = old_size if old_size == FULL_32 else size
        start = old_start if old_start == FULL_32 else start
    else:
        here = old_count = count
    END.pack_into(new, old.end_at, signature, disk, first, here, old_count, size, start, comment)
    return bytes(new)
