"""Make of a go1.x package one that a custom runtime starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import FileProblem
from fleet.inspection import BOOTSTRAP, Entry, Strategy
from fleet.package.archive.reader import Archive
from fleet.package.archive.source import Reader, file_source
from fleet.package.limits import DIRECT_UPLOAD_LIMIT
from fleet.package.rewriting.choice import Change, choose
from fleet.package.rewriting.placing import is_same, placed_whole
from fleet.package.rewriting.proof import prove
from fleet.package.rewriting.rewrite import rewritten
from fleet.package.words import shortened

_EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class Repackaged:
    """A package that was written and proven."""

    strategy: Strategy
    entry: Entry
    """The handler's, as it was."""
    code_sha256: str
    """Base64, as AWS gives it."""
    size: int
    """Bytes, zipped."""
    unzipped_size: int
    changed: tuple[str, ...]
    """What was done, a few words each; empty where nothing had to be."""
    notes: tuple[str, ...] = ()
    """What to know when it is uploaded."""


def repackage(source: Path, target: Path, *, handler: str, strategy: Strategy) -> Repackaged:
    """Write `target` from `source`: rename the handler's entry to bootstrap, or put a shim there.

    Everything else is copied as it is, compressed bytes too, and the result is read back and
    held against the original before it gets its name. The handler is the function's Handler; it
    stays as it is with a shim, and counts no more after a renaming.

    Raises BadPackage for a zip that contradicts itself, CannotRepackage where the outcome would
    not be certain, NotProven where what was written is not what it has to be, and FileProblem
    where a file cannot be read or written; in each case there is no new `target`.
    """
    with Archive.open(source) as archive:
        if is_same(source, target):
            raise FileProblem(
                str(target), "is the package itself", "name another file for the result"
            )
        change = choose(archive, handler, strategy)
        for index in range(len(archive.entries)):
            archive.check(index)
        with placed_whole(target) as (file, partial):
            file.writelines(rewritten(archive, change))
            file.flush()
            with file_source(partial) as written:
                proven = prove(archive, Reader(written, str(target)), change)
        entry = archive.entries[change.index]
    return Repackaged(
        strategy,
        entry,
        proven.code_sha256,
        proven.size,
        proven.unzipped_size,
        tuple(_done(entry, change)),
        notes_on(proven.size),
    )


def _done(entry: Entry, change: Change) -> Iterator[str]:
    name = shortened(entry.name)
    if change.strategy is Strategy.SHIM:
        yield f"{BOOTSTRAP} added, which starts the Handler"
    elif entry.name != BOOTSTRAP:
        yield f"{name} renamed to {BOOTSTRAP}"
        name = BOOTSTRAP
    if entry.mode != _EXECUTABLE:
        before = "not told" if entry.mode is None else f"{entry.mode:04o}"
        yield f"mode of {name} 0755, before {before}"


def notes_on(size: int) -> tuple[str, ...]:
    """Give what to know when a zip of so many bytes is uploaded."""
    through_s3 = (
        f"with {size:,} bytes it has to be uploaded through S3: "
        f"more than {DIRECT_UPLOAD_LIMIT:,} cannot be sent directly"
    )
    return (through_s3,) if size > DIRECT_UPLOAD_LIMIT else ()
