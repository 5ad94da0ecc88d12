"""The part of the proof that holds the directory of the result against the original's."""

from __future__ import annotations

import stat
from zlib import crc32

from fleet.inspection import BOOTSTRAP, Strategy
from fleet.package.archive.directory import Directory, records
from fleet.package.archive.reader import Archive
from fleet.package.archive.records import (
    LOCAL,
    LOCAL_SIGNATURE,
    STORED,
    UNICODE_PATH_EXTRA,
    UNIX,
    ZIP64_EXTRA,
    Central,
    Malformed,
    without_field,
)
from fleet.package.archive.source import Reader
from fleet.package.limits import UNZIPPED_LIMIT
from fleet.package.rewriting.choice import Change
from fleet.package.shim import SHIM
from fleet.package.words import shortened

MODE = stat.S_IFREG | 0o755
MADE_ON_UNIX = UNIX << 8 | 20
_DOS_KEPT = 0xFFEE
"""Of the attributes that DOS knows all but read-only and directory."""


def prove_directory(
    original: Archive, result: Reader, directory: Directory, change: Change, shift: int
) -> int:
    """Hold both directories together, record by record; give the unzipped size.

    `shift` is by how much moved what follows the changed entry. Raises Malformed, or BadPackage
    where a directory cannot be read.
    """
    old = original.directory
    require(directory.prefix == 0 and directory.comment == old.comment, "the comment differs")
    require(versions(directory) == versions(old), "its zip64 end differs")
    changed_at = original.listed(change.index).at
    unzipped = bootstraps = 0
    found = records(result, directory)
    for index, was in enumerate(records(original.reader, old)):
        now = next(found)
        moved = shift if was.offset > changed_at else 0
        if now.offset != was.offset + moved:
            raise Malformed(f"{shown(was)} lies elsewhere")
        if index == change.index:
            _prove_changed(was, now, change.strategy)
        elif told(now) != told(was):
            raise Malformed(f"{shown(was)} differs")
        bootstraps += is_bootstrap(now)
        unzipped += now.size
    for shim in found:
        _prove_shim(shim, old.start)
        bootstraps += is_bootstrap(shim)
        unzipped += shim.size
    require(bootstraps == 1, f"there are {bootstraps} bootstraps in the root")
    require(unzipped <= UNZIPPED_LIMIT, f"it would unzip to {unzipped:,} bytes")
    return unzipped


def versions(directory: Directory) -> bytes:
    """Give what zip64 ends hold besides sizes and offsets, b'' without them: 4.3.14, 4.3.15."""
    ends = directory.trailer[: directory.end_at]
    return ends[:16] + ends[-4:]


def _prove_changed(was: Central, now: Central, strategy: Strategy) -> None:
    expected = was._replace(
        made_by=UNIX << 8 | was.made_by & 0xFF,
        external=MODE << 16 | was.external & _DOS_KEPT,
    )
    if strategy is Strategy.RENAME:
        extra = without_field(was.extra, UNICODE_PATH_EXTRA)
        expected = expected._replace(raw_name=BOOTSTRAP.encode(), extra=extra)
    require(told(now) == told(expected), f"{shown(was)} is not what it has to become")


def _prove_shim(shim: Central, at: int) -> None:
    where = (shim.made_by, shim.external, shim.offset)
    require(where == (MADE_ON_UNIX, MODE << 16, at), "the shim's mode or place is wrong")
    local = LOCAL.pack(LOCAL_SIGNATURE, *shim[1:9], len(shim.raw_name), 0) + shim.raw_name
    require(local == shim_local(), "the shim's entry is wrong")
    require((shim.internal, shim.extra, shim.comment) == (0, b"", b""), "the shim's entry is wrong")


def shim_local() -> bytes:
    """Give the header of a stored bootstrap of 1980-01-01, the first day that a zip can tell."""
    sizes = (crc32(SHIM), len(SHIM), len(SHIM))
    fields = (10, 0, STORED, 0, 0x21, *sizes, len(BOOTSTRAP), 0)
    return LOCAL.pack(LOCAL_SIGNATURE, *fields) + BOOTSTRAP.encode()


def told(record: Central) -> Central:
    """Give what a record says, but for where its entry lies.

    The zip64 field holds that place, and sizes that stand among the numbers already.
    """
    return record._replace(offset=0, raw=b"", extra=without_field(record.extra, ZIP64_EXTRA))


def is_bootstrap(record: Central) -> bool:
    """Whether an entry is unpacked to /var/task/bootstrap, or below it."""
    parts = [part for part in record.name.split("/") if part not in {"", "."}]
    return parts[:1] == [BOOTSTRAP]


def shown(record: Central) -> str:
    """Name an entry in a sentence."""
    return f"the entry {shortened(record.name)!r}"


def require(holds: object, problem: str) -> None:
    """Raise Malformed with the problem unless it holds."""
    if not holds:
        raise Malformed(problem)
