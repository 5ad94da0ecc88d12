"""A package's bytes with the content of some entries exchanged, and all others copied."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

from fleet.inspection import BOOTSTRAP
from fleet.package.archive.directory import records
from fleet.package.archive.reader import Archive
from fleet.package.archive.records import (
    DEFLATED,
    EXTRA,
    NAME_IS_UTF8,
    UNICODE_PATH_EXTRA,
    Central,
    extra_field,
)
from fleet.package.rewriting.deflating import Deflated
from fleet.package.rewriting.rewrite import NewEntry, copied, set_offset, trailer

_NEEDED = 20
"""4.4.3: version 2.0 of the format, which has deflated files."""


def exchanged(archive: Archive, contents: Mapping[int, Deflated]) -> Iterator[bytes]:
    """Give the new package in pieces. Raises BadPackage where the old one cannot be read.

    `contents` are by the place of their entries; the place behind the last one is that of an
    added bootstrap. An exchanged entry keeps its place, its name and its comment, and loses the
    extra fields that tell of the old file, and its data descriptor. The archive may have no
    prefix.
    """
    directory = archive.directory
    new = _new_entries(archive, contents)
    # Entries need not lie in the directory's order.
    order = sorted(new.keys() - {directory.count}, key=lambda index: archive.listed(index).at)
    starts, shifts = [], [0]
    done = 0
    for index in order:
        was = archive.listed(index)
        yield from copied(archive, done, was.at)
        yield from _whole(new[index], contents[index])
        starts.append(was.at)
        shifts.append(shifts[-1] + _length(new[index]) - (was.limit - was.at))
        done = was.limit
    yield from copied(archive, done, directory.start)
    start = directory.start + shifts[-1]
    added = b""
    if directory.count in new:
        bootstrap = new[directory.count]
        yield from _whole(bootstrap, contents[directory.count])
        added = bootstrap.central(start)
        start += _length(bootstrap)
    size = len(added)
    for index, record in enumerate(records(archive.reader, directory)):
        offset = record.offset + shifts[bisect_left(starts, record.offset)]
        raw = new[index].central(offset) if index in new else _moved(record, offset)
        size += len(raw)
        yield raw
    yield added + trailer(directory, start, size, directory.count + bool(added))


def _new_entries(archive: Archive, contents: Mapping[int, Deflated]) -> dict[int, NewEntry]:
    told = {
        index: (each.crc, each.compressed_size, each.size, _NEEDED, DEFLATED)
        for index, each in contents.items()
    }
    new = {
        index: NewEntry(
            was.raw_name,
            *told[index],
            was.flags & NAME_IS_UTF8,
            _name_field(was.extra),
            was.comment,
        )
        for index, was in enumerate(records(archive.reader, archive.directory))
        if index in told
    }
    count = archive.directory.count
    return new | ({count: NewEntry(BOOTSTRAP.encode(), *told[count])} if count in told else {})


def _name_field(extra: bytes) -> bytes:
    """Give the field that spells the name in UTF-8: all others tell of the old file."""
    content = extra_field(extra, UNICODE_PATH_EXTRA)
    return EXTRA.pack(UNICODE_PATH_EXTRA, len(content)) + content if content else b""


def _whole(entry: NewEntry, content: Deflated) -> Iterator[bytes]:
    yield entry.local()
    yield from content.pieces()


def _length(entry: NewEntry) -> int:
    return len(entry.local()) + entry.compressed_size


def _moved(record: Central, offset: int) -> bytes:
    if offset == record.offset:
        return record.raw
    raw = bytearray(record.raw)
    set_offset(raw, offset)
    return bytes(raw)
