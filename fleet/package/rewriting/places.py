"""Which entries of a package get other content, and whether they may."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from fleet.inspection import BOOTSTRAP, Entry
from fleet.package.archive.reader import Archive
from fleet.package.archive.tree import Tree
from fleet.package.problems import CannotRepackage
from fleet.package.rewriting.choice import (
    doubts_of_archive,
    doubts_of_bootstrap_place,
    doubts_of_path,
    doubts_of_room,
)
from fleet.package.words import shortened

_NAME = "name an entry as the package lists it"


def places_of(archive: Archive, programs: Collection[str], *, bootstrap: bool) -> dict[str, int]:
    """Give the place of each entry among the archive's, by its name.

    A bootstrap that is not there yet has the place behind the last one. Raises CannotRepackage
    where the outcome would not be certain: links are not followed, and of two entries of one
    name nobody knows which Lambda keeps.
    """
    tree = Tree.around(archive.entries, BOOTSTRAP, *programs)
    doubt = next(_doubts(archive, tree, programs, bootstrap=bootstrap), None)
    if doubt is not None:
        raise CannotRepackage(archive.reader.name, *doubt)
    wanted = {name: tree.find(name) for name in programs}
    if bootstrap:
        wanted[BOOTSTRAP] = tree.find(BOOTSTRAP)
    indices = {id(entry): index for index, entry in enumerate(archive.entries)}
    return {name: indices.get(id(entry), len(indices)) for name, entry in wanted.items()}


def _doubts(
    archive: Archive, tree: Tree, programs: Collection[str], *, bootstrap: bool
) -> Iterator[tuple[str, str]]:
    yield from doubts_of_archive(archive)
    found = tree.find(BOOTSTRAP)
    for name in programs:
        shown = f"the entry to replace, {shortened(name)!r},"
        yield from doubts_of_path(tree, name, shown, _NAME)
        entry = tree.find(name)
        if isinstance(entry, Entry) and entry.name != name:
            yield f"{shown} is called {shortened(entry.name)!r} in it", _NAME
        if bootstrap and entry is found:
            yield "is to get two programs as its bootstrap", "give one of them"
    if bootstrap:
        yield from doubts_of_bootstrap_place(archive.entries, found)


def check_room(archive: Archive, sizes: Mapping[int, int]) -> None:
    """Raise CannotRepackage where the package would pass a limit; sizes are unzipped bytes."""
    count = len(archive.entries)
    growth = sum(sizes.values())
    growth -= sum(archive.entries[index].size for index in sizes if index < count)
    doubt = next(doubts_of_room(archive, growth=growth, added=count in sizes), None)
    if doubt is not None:
        raise CannotRepackage(archive.reader.name, *doubt)
