"""Proof that a package is the old one but for the content of some entries.

It does not know how the result was made: it reads the result by its own directory, inflates what
is new with another library than the one that deflated it, and holds that against the files.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path

from fleet.inspection import BOOTSTRAP
from fleet.package.archive.directory import records
from fleet.package.archive.reader import Archive
from fleet.package.archive.records import (
    DEFLATED,
    EXTRA,
    LOCAL,
    LOCAL_SIGNATURE,
    NAME_IS_UTF8,
    UNICODE_PATH_EXTRA,
    Central,
    Malformed,
    extra_field,
)
from fleet.package.archive.source import PIECE, Reader
from fleet.package.problems import BadPackage, NotProven
from fleet.package.rewriting.deflating import opened, pieces_of
from fleet.package.rewriting.proof import Proven, ReadBack
from fleet.package.rewriting.proof_of_records import (
    MADE_ON_UNIX,
    MODE,
    is_bootstrap,
    require,
    shown,
    told,
    versions,
)

_FIRST_DAY = 0x21
"""1980-01-01 as 4.4.6 writes it."""
_NEW = Central(
    MADE_ON_UNIX, 20, 0, DEFLATED, 0, _FIRST_DAY, 0, 0, 0, 0, MODE << 16, 0, b"", b"", b"", b""
)
"""What the records of all new content have in common."""


def prove_exchange(original: Archive, result: Reader, files: Mapping[int, Path]) -> Proven:
    """Read a result back once, and original and files beside it. Raises NotProven, FileProblem.

    `files` are by the place of their entries, the place behind the last being that of an added
    bootstrap. Shown are: the same entries in the same order, each but those with the same
    compressed bytes, sizes, CRCs, times, attributes, extra fields and comments; for those the
    same names and comments, mode 0755, made on Unix, and the bytes of their files; and Lambda's
    limit on what is unzipped.
    """
    try:
        new = Archive.of(result.source, result.name)
        count = original.directory.count
        require(new.directory.count == count + (count in files), "the number of entries is wrong")
        back = ReadBack(original.reader, result)
        starts, shifts = _prove_content(original, new, files, back)
        _prove_records(original, new, files, starts, shifts)
        back.finish()
    except (BadPackage, Malformed) as error:
        problem = error.problem if isinstance(error, BadPackage) else str(error)
        raise NotProven(result.name, problem) from error
    return Proven(back.code_sha256(), new.size, new.unzipped_size)


def _prove_content(
    original: Archive, new: Archive, files: Mapping[int, Path], back: ReadBack
) -> tuple[list[int], list[int]]:
    """Read all that comes before the directory.

    Gives where each exchanged entry began, in order, and by how much moved what follows it; a 0
    for what comes before the first stands ahead.
    """
    count = original.directory.count
    extras = {
        index: _of_the_name(was.extra)
        for index, was in enumerate(records(original.reader, original.directory))
        if index in files
    }
    at, starts, shifts = 0, [], [0]
    for index in sorted(files.keys() - {count}, key=lambda index: original.listed(index).at):
        was = original.listed(index)
        back.same(at, was.at)
        _prove_entry(new, index, files[index], extras[index], back)
        at = was.limit
        starts.append(was.at)
        shifts.append(back.at - at)
    back.same(at, original.directory.start)
    if count in files:
        _prove_entry(new, count, files[count], b"", back)
    require(back.at == new.directory.start, "the directory does not follow the last entry")
    return starts, shifts


def _prove_entry(new: Archive, index: int, path: Path, extra: bytes, back: ReadBack) -> None:
    """Read one new entry, by its directory's word and from its local header on."""
    listed, entry, local = new.listed(index), new.entries[index], new.local(index)
    name = f"the new {listed.raw_name.decode('utf-8', 'backslashreplace')!r}"
    require(listed.at == back.at, f"{name} lies elsewhere")
    require(back.take(len(local.raw)) == local.raw, f"{name} lies elsewhere")
    fields = LOCAL.unpack_from(local.raw)
    sizes = entry.crc, entry.compressed_size, entry.size
    expected = (
        *(LOCAL_SIGNATURE, 20, listed.flags & NAME_IS_UTF8, DEFLATED, 0, _FIRST_DAY),
        *(*sizes, len(listed.raw_name), len(extra)),
    )
    told_extra = local.raw[LOCAL.size + len(listed.raw_name) :]
    require((fields, told_extra) == (expected, extra), f"the header of {name} is wrong")
    left = entry.compressed_size
    while left:
        left -= len(back.take(min(PIECE, left)))
    require(_content(new, index) == _file(path), f"{name} is not the program that was given")


def _content(new: Archive, index: int) -> bytes:
    digest = hashlib.sha256()
    for piece in new.chunks(new.entries[index]):
        digest.update(piece)
    return digest.digest()


def _file(path: Path) -> bytes:
    digest = hashlib.sha256()
    with opened(path) as program:
        for piece in pieces_of(program, path):
            digest.update(piece)
    return digest.digest()


def _prove_records(
    original: Archive,
    new: Archive,
    files: Mapping[int, Path],
    starts: list[int],
    shifts: list[int],
) -> None:
    """Hold both directories together, record by record."""
    old = original.directory
    require(
        new.directory.prefix == 0 and new.directory.comment == old.comment, "the comment differs"
    )
    require(versions(new.directory) == versions(old), "its zip64 end differs")
    bootstraps = 0
    found = records(new.reader, new.directory)
    for index, was in enumerate(records(original.reader, old)):
        now = next(found)
        moved = shifts[bisect_left(starts, was.offset)]
        require(now.offset == was.offset + moved, f"{shown(was)} lies elsewhere")
        expected = _expected(was, now) if index in files else told(was)
        require(told(now) == expected, f"{shown(was)} is not what it has to be")
        bootstraps += is_bootstrap(now)
    for now in found:
        added = _NEW._replace(raw_name=BOOTSTRAP.encode())
        require(told(now) == _expected(added, now), "the added bootstrap is not what it has to be")
        bootstraps += is_bootstrap(now)
    if old.count in files:
        require(bootstraps == 1, f"there are {bootstraps} bootstraps in the root")


def _expected(was: Central, now: Central) -> Central:
    """Give what the record of new content has to say; CRC and sizes were held to it before."""
    return _NEW._replace(
        flags=was.flags & NAME_IS_UTF8,
        crc=now.crc,
        compressed_size=now.compressed_size,
        size=now.size,
        raw_name=was.raw_name,
        extra=_of_the_name(was.extra),
        comment=was.comment,
    )


def _of_the_name(extra: bytes) -> bytes:
    content = extra_field(extra, UNICODE_PATH_EXTRA)
    return EXTRA.pack(UNICODE_PATH_EXTRA, len(content)) + content if content else b""
