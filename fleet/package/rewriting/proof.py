"""Proof that a rewritten package is the old one but for the one change.

It does not know how the result was made: it reads both files, each by its own directory, and
hashes what it reads.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from itertools import islice

from fleet.inspection import Strategy
from fleet.package.archive.directory import Directory, find_directory, records
from fleet.package.archive.local import Listed, Local, read_local
from fleet.package.archive.reader import Archive
from fleet.package.archive.records import (
    LOCAL,
    UNICODE_PATH_EXTRA,
    Malformed,
    without_field,
)
from fleet.package.archive.source import PIECE, Reader
from fleet.package.problems import BadPackage, NotProven
from fleet.package.rewriting.choice import Change
from fleet.package.rewriting.proof_of_records import prove_directory, require, shim_local
from fleet.package.shim import SHIM

_LENGTHS_AT = LOCAL.size - 4
"""4.3.7: a local header ends with the lengths of its name and its extra fields."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What is known of a result that was read back and found right."""

    code_sha256: str
    """Base64, as AWS gives it; of the bytes that were read back."""
    size: int
    unzipped_size: int


def prove(original: Archive, result: Reader, change: Change) -> Proven:
    """Read a result back once, and the original beside it. Raises NotProven.

    Shown are: the same entries in the same order with the same compressed bytes, sizes, CRCs,
    times, attributes, extra fields and comments, but for the one change; that entry's mode 0755,
    made on Unix; one bootstrap in the root; and Lambda's limit on what is unzipped.
    """
    try:
        directory = find_directory(result)
        added = change.strategy is Strategy.SHIM
        require(
            directory.count == original.directory.count + added, "the number of entries is wrong"
        )
        back = ReadBack(original.reader, result)
        shift = _prove_content(original, result, directory, change, back)
        unzipped = prove_directory(original, result, directory, change, shift)
        back.finish()
    except (BadPackage, Malformed) as error:
        problem = error.problem if isinstance(error, BadPackage) else str(error)
        raise NotProven(result.name, problem) from error
    return Proven(back.code_sha256(), result.source.size, unzipped)


class ReadBack:
    """The result, read from its first byte to its last."""

    def __init__(self, original: Reader, result: Reader) -> None:
        self._original, self._result = original, result
        self._digest = hashlib.sha256()
        self.at = 0

    def take(self, length: int) -> bytes:
        """Read so many bytes."""
        taken = self._result.read(self.at, length)
        self._digest.update(taken)
        self.at += length
        return taken

    def same(self, start: int, end: int) -> None:
        """Require that what comes next is what stands there in the original."""
        for at in range(start, end, PIECE):
            was = self._original.read(at, min(PIECE, end - at))
            require(self.take(len(was)) == was, f"bytes of the original's {at:,}th on differ")

    def finish(self) -> None:
        """Read to the end."""
        while left := self._result.source.size - self.at:
            self.take(min(PIECE, left))

    def code_sha256(self) -> str:
        """Give the SHA-256 of what was read, base64, as AWS gives it."""
        return b64encode(self._digest.digest()).decode()


def _prove_content(
    original: Archive, result: Reader, directory: Directory, change: Change, back: ReadBack
) -> int:
    """Read all that comes before the directory; give by how much what follows the change moved."""
    old = original.directory
    was = original.listed(change.index)
    if change.strategy is Strategy.SHIM:
        back.same(0, old.start)
        shim = _local(result, directory, old.count)
        require(back.take(len(shim.raw)) == shim_local(), "the shim's local header is wrong")
        require(back.take(len(SHIM)) == SHIM, "the content of the shim is wrong")
        shift = 0
    else:
        before = original.local(change.index)
        after = _local(result, directory, change.index)
        back.same(0, was.at)
        require(back.take(len(after.raw)) == after.raw, "the renamed entry lies elsewhere")
        require(_without_name(before) == _without_name(after), "its local header differs")
        back.same(was.at + len(before.raw), old.start)
        shift = len(after.raw) - len(before.raw)
    require(back.at == directory.start, "the directory does not follow the last entry")
    return shift


def _local(result: Reader, directory: Directory, index: int) -> Local:
    """Read the local header of an entry of the result, by its directory alone."""
    now = next(islice(records(result, directory), index, None))
    return read_local(
        result,
        Listed(
            raw_name=now.raw_name,
            flags=now.flags,
            method=now.method,
            crc=now.crc,
            compressed_size=now.compressed_size,
            size=now.size,
            at=now.offset,
            limit=directory.start,
        ),
    )


def _without_name(local: Local) -> tuple[bytes, bytes]:
    """Give what a renaming leaves alone: times, CRC and sizes; and the extra fields."""
    name_length = int.from_bytes(local.raw[_LENGTHS_AT : _LENGTHS_AT + 2], "little")
    extra = local.raw[LOCAL.size + name_length :]
    return local.raw[:_LENGTHS_AT], without_field(extra, UNICODE_PATH_EXTRA)
