"""A deployment package as a directory of entries, and their content, checked on the way.

Opening reads the central directory alone; content is inflated piece by piece, never kept.
Whatever contradicts itself raises BadPackage; what is merely odd can be read.
"""

from __future__ import annotations

import stat
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from fleet.inspection import Entry, EntryKind
from fleet.package.archive.content import bad_entry, content
from fleet.package.archive.directory import Directory, find_directory, records
from fleet.package.archive.local import Listed, Local, check_descriptor, read_local
from fleet.package.archive.records import (
    ENCRYPTED,
    LOCAL,
    MACOS,
    NAME_IS_UTF8,
    STORED,
    UNIX,
    Central,
    Malformed,
    other_name,
)
from fleet.package.archive.source import Reader, Source, file_source
from fleet.package.limits import UNZIPPED_LIMIT

SIZE_LIMIT = UNZIPPED_LIMIT + (64 << 20)
"""Bytes: what Lambda unzips, and room for the records around it, with something to spare."""

_MODES = tuple(range(0o1000))
"""The one int of each mode, which 65,535 entries may share."""


class Archive:
    """A deployment package, open for reading: use it in a `with`, or close it."""

    entries: tuple[Entry, ...]
    """In the order of the central directory."""
    size: int
    """Bytes, zipped."""
    unzipped_size: int
    """Bytes, as the directory promises; `chunks` holds each entry to its share."""
    directory: Directory
    reader: Reader

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.size = reader.source.size
        if self.size > SIZE_LIMIT:
            raise reader.bad(
                f"of {self.size:,} bytes is larger than anything that Lambda unzips",
                "name a deployment package",
            )
        self.directory = find_directory(reader)
        self._at, self._limit = array("Q"), array("Q")
        self._flags, self._method = array("H"), array("H")
        self._held = ExitStack()
        self._places: dict[int, int] = {}
        self.entries = tuple(self._entry(each) for each in records(reader, self.directory))
        self._find_limits()
        self.unzipped_size = sum(each.size for each in self.entries)
        if self.unzipped_size > UNZIPPED_LIMIT:
            raise reader.bad(
                f"would unzip to {self.unzipped_size:,} bytes, more than Lambda's "
                f"{UNZIPPED_LIMIT:,}",
                "make it smaller",
            )

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file. Raises BadPackage, or FileProblem where the file cannot be read."""
        with ExitStack() as held:
            archive = cls(Reader(held.enter_context(file_source(path)), str(path)))
            archive._held = held.pop_all()
        return archive

    @classmethod
    def of(cls, source: Source, name: str) -> Self:
        """Read a source that stays the caller's; errors give it this name. Raises BadPackage."""
        return cls(Reader(source, name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if `open` opened one."""
        self._held.close()

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Give the content of one of `entries`, in pieces of at most 512 KB.

        Raises BadPackage before it gives more than the entry's size, and at the end where size
        or CRC is not as promised: what came before must not be trusted until the end is reached.
        """
        index = self._index(entry)
        return content(self.reader, entry, self._method[index], self.local(index).data_at)

    def listed(self, index: int) -> Listed:
        """Give what the directory says of the entry at this place in `entries`."""
        entry, flags = self.entries[index], self._flags[index]
        return Listed(
            entry.name.encode("utf-8" if flags & NAME_IS_UTF8 else "cp437"),
            flags,
            self._method[index],
            entry.crc,
            entry.compressed_size,
            entry.size,
            self._at[index],
            self._limit[index],
        )

    def local(self, index: int) -> Local:
        """Read the local header of the entry at this place. Raises BadPackage if it disagrees."""
        return read_local(self.reader, self.listed(index))

    def check(self, index: int) -> None:
        """Raise BadPackage if anything around the entry's data disagrees with the directory."""
        check_descriptor(self.reader, self.listed(index), self.local(index))

    def _entry(self, record: Central) -> Entry:
        try:
            name = record.name
        except Malformed as error:
            raise self.reader.bad(str(error)) from error
        at = record.offset + self.directory.prefix
        entry = Entry(
            name=name,
            kind=_kind(name, record.external >> 16),
            size=record.size,
            compressed_size=record.compressed_size,
            mode=_MODES[record.external >> 16 & 0o777] if record.host in {UNIX, MACOS} else None,
            crc=record.crc,
        )
        if not name or "\0" in name:
            raise bad_entry(self.reader, entry, "has a name that no file can have")
        if other_name(record):
            raise bad_entry(self.reader, entry, "has another name in its Unicode Path field")
        if record.flags & ENCRYPTED:
            raise bad_entry(self.reader, entry, "is encrypted, which Lambda cannot unzip")
        if record.method == STORED and record.size != record.compressed_size:
            raise bad_entry(self.reader, entry, "is stored as it is, and has two sizes")
        end = at + LOCAL.size + len(record.raw_name) + record.compressed_size
        if end > self.directory.start:
            raise bad_entry(self.reader, entry, "ends beyond where the directory begins")
        self._at.append(at)
        self._limit.append(end)
        self._flags.append(record.flags)
        self._method.append(record.method)
        return entry

    def _find_limits(self) -> None:
        """Turn the least end of each entry into where the next begins; none may overlap."""
        order = sorted(range(len(self.entries)), key=self._at.__getitem__)
        for index, following in pairwise(order):
            if self._limit[index] > self._at[following]:
                raise bad_entry(self.reader, self.entries[index], "lies over another entry")
            self._limit[index] = self._at[following]
        if order:
            self._limit[order[-1]] = self.directory.start

    def _index(self, entry: Entry) -> int:
        # By identity: two entries of one name may be equal in everything but their place.
        if not self._places:
            self._places = {id(each): index for index, each in enumerate(self.entries)}
        index = self._places.get(id(entry))
        return self.entries.index(entry) if index is None else index


def _kind(name: str, mode: int) -> EntryKind:
    """Tell what an entry is, from the mode even where it was not made on Unix: readers differ."""
    if name.endswith("/") or stat.S_ISDIR(mode):
        return EntryKind.DIRECTORY
    return EntryKind.SYMLINK if stat.S_ISLNK(mode) else EntryKind.FILE
