"""The new package of a function from its running one and from programs that were built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import FileProblem
from fleet.inspection import BOOTSTRAP
from fleet.package.archive.reader import Archive
from fleet.package.archive.source import Reader, file_source
from fleet.package.rewriting.deflating import deflate, temporary
from fleet.package.rewriting.exchange import exchanged
from fleet.package.rewriting.places import check_room, places_of
from fleet.package.rewriting.placing import is_same, placed_whole
from fleet.package.rewriting.proof_of_exchange import prove_exchange
from fleet.package.rewriting.repackage import notes_on


@dataclass(frozen=True, slots=True)
class Replaced:
    """A package that was written and proven."""

    code_sha256: str
    """Base64, as AWS gives it."""
    size: int
    """Bytes, zipped."""
    unzipped_size: int
    programs: Mapping[str, str]
    """Entry → SHA-256 of the program it holds now, in hex; of all that were given."""
    notes: tuple[str, ...] = ()
    """What to know when it is uploaded."""


def replace_programs(
    source: Path, target: Path, programs: Mapping[str, Path], *, bootstrap: Path | None = None
) -> Replaced:
    """Write `target` from `source`: the entries named in `programs` get those files' content.

    With `bootstrap`, that file becomes the entry bootstrap in the root as well, in place of the
    one that is there or as a new one, and what Handler names stays: go1.x goes on starting that,
    and a custom runtime starts bootstrap. New content is deflated, has mode 0755 and the date
    1980-01-01. Everything else is copied as it is, compressed bytes too, and the result is read
    back and held against the package and the files before it gets its name. The same input gives
    the same bytes everywhere.

    Raises BadPackage for a zip that contradicts itself, CannotRepackage where the outcome would
    not be certain, NotProven where what was written is not what it has to be, and FileProblem
    where a file cannot be read or written; in each case there is no new `target`.
    """
    given = dict(programs) | ({} if bootstrap is None else {BOOTSTRAP: bootstrap})
    with Archive.open(source) as archive, temporary() as room:
        for each in (source, *given.values()):
            if is_same(each, target):
                what = "the package itself" if each is source else "a program that goes into it"
                raise FileProblem(str(target), f"is {what}", "name another file for the result")
        places = places_of(archive, programs, bootstrap=bootstrap is not None)
        contents = {places[name]: deflate(path, room) for name, path in given.items()}
        check_room(archive, {place: each.size for place, each in contents.items()})
        for index in range(len(archive.entries)):
            archive.check(index)
        files = {places[name]: path for name, path in given.items()}
        with placed_whole(target) as (file, partial):
            file.writelines(exchanged(archive, contents))
            file.flush()
            with file_source(partial) as written:
                proven = prove_exchange(archive, Reader(written, str(target)), files)
        return Replaced(
            proven.code_sha256,
            proven.size,
            proven.unzipped_size,
            {name: contents[places[name]].sha256 for name in given},
            notes_on(proven.size),
        )
