"""Which entry of a package a repackaging changes, and whether it may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fleet.inspection import BOOTSTRAP, Entry, EntryKind, Strategy
from fleet.package.archive.directory import MAX_DIRECTORY, MAX_ENTRIES
from fleet.package.archive.reader import Archive
from fleet.package.archive.records import CENTRAL
from fleet.package.archive.tree import Nothing, Tree
from fleet.package.limits import UNZIPPED_LIMIT
from fleet.package.problems import CannotRepackage
from fleet.package.shim import SHIM
from fleet.package.words import shortened

ANEW = "zip its files anew"
_HANDLER = "give the Handler as the function has it"
_RUN_ALREADY = "custom runtimes run that one: see that it is right, or take it out"
_WHY_NOTHING = {
    Nothing.MISSING: "names no file of the package",
    Nothing.DIRECTORY: "names a directory, not a file",
    Nothing.OUTSIDE: "leads outside the package",
    Nothing.SEVERAL: "names more than one entry",
}


@dataclass(frozen=True, slots=True)
class Change:
    """The one change to a package."""

    strategy: Strategy
    index: int
    """Place of the handler's entry among the archive's entries."""


def choose(archive: Archive, handler: str, strategy: Strategy) -> Change:
    """Decide what to change. Raises CannotRepackage where the outcome would not be certain.

    The handler is a path below /var/task as the system reads it: `./main` is main, and `main/`
    could only be a directory. Links are not followed: what they lead to has a name of its own,
    and others may start it by that.
    """
    doubt = next(_doubts(archive, handler, strategy), None)
    if doubt is not None:
        raise CannotRepackage(archive.reader.name, *doubt)
    found = _tree(archive.entries, handler).find(handler)
    places = (index for index, entry in enumerate(archive.entries) if entry is found)
    return Change(strategy, next(places))


def _doubts(archive: Archive, handler: str, strategy: Strategy) -> Iterator[tuple[str, str]]:
    """Give what stands against it, each with what to do; the first is told."""
    yield from doubts_of_archive(archive)
    tree = _tree(archive.entries, handler)
    yield from doubts_of_path(tree, handler, f"Handler {shortened(handler)!r}", _HANDLER)
    if strategy is Strategy.SHIM or tree.find(handler) is not tree.find(BOOTSTRAP):
        yield from _doubts_of_bootstrap(archive.entries, tree)
    if strategy is Strategy.SHIM:
        yield from doubts_of_room(archive, growth=len(SHIM), added=True)


def doubts_of_archive(archive: Archive) -> Iterator[tuple[str, str]]:
    """Give what stands against any rewriting of a package, each with what to do."""
    if archive.directory.prefix:
        yield f"has {archive.directory.prefix:,} foreign bytes before the archive", ANEW
    for entry in archive.entries:
        if entry.name.startswith("/") or ".." in entry.name.split("/"):
            yield f"has an entry {shortened(entry.name)!r} that leads outside the package", ANEW


def doubts_of_path(tree: Tree, path: str, shown: str, advice: str) -> Iterator[tuple[str, str]]:
    """Give why a path is not certain to lead to one file; `shown` is how it is called."""
    found = tree.find(path)
    if isinstance(found, Nothing):
        yield f"{shown} {_WHY_NOTHING[found]}", advice
    elif found.kind is EntryKind.SYMLINK:
        yield f"{shown} names a symbolic link", "zip the file itself under that name"
    parts = path.split("/")
    for depth in range(1, len(parts)):
        above = tree.find("/".join(parts[:depth]) or ".")
        if above is not Nothing.DIRECTORY:
            yield f"{shown} leads through something that is not a directory", ANEW


def _doubts_of_bootstrap(entries: Iterable[Entry], tree: Tree) -> Iterator[tuple[str, str]]:
    found = tree.find(BOOTSTRAP)
    if isinstance(found, Entry) and found.kind is EntryKind.FILE:
        yield "has a file called bootstrap already", _RUN_ALREADY
    yield from doubts_of_bootstrap_place(entries, found)


def doubts_of_bootstrap_place(
    entries: Iterable[Entry], found: Entry | Nothing
) -> Iterator[tuple[str, str]]:
    """Give why no file can be, or take the place of, the bootstrap; `found` is what is there."""
    if found is Nothing.DIRECTORY:
        yield "has a directory called bootstrap", "move it: Lambda runs a file of that name"
    elif found is Nothing.SEVERAL:
        yield "has more than one bootstrap already", ANEW
    elif isinstance(found, Entry) and found.kind is EntryKind.SYMLINK:
        yield "has a symbolic link called bootstrap already", _RUN_ALREADY
    # Unpacked by some tools, as those of Windows mean it, it would lie where ours does.
    windows = (
        replace(entry, name=entry.name.replace("\\", "/"))
        for entry in entries
        if "\\" in entry.name and BOOTSTRAP in entry.name
    )
    if Tree(windows).find(BOOTSTRAP) is not Nothing.MISSING:
        yield "has a bootstrap named with a backslash", ANEW


def doubts_of_room(archive: Archive, *, growth: int, added: bool) -> Iterator[tuple[str, str]]:
    """Give which limit is passed by so many bytes more, unzipped, and by a bootstrap more."""
    directory = archive.directory
    record = CENTRAL.size + len(BOOTSTRAP)
    full = directory.count == MAX_ENTRIES or directory.size + record > MAX_DIRECTORY
    if added and full:
        yield "has no room for one more entry", "take files out that the function does not need"
    if archive.unzipped_size + growth > UNZIPPED_LIMIT:
        yield (
            f"would unzip to more than Lambda's {UNZIPPED_LIMIT:,} bytes",
            "take files out that the function does not need",
        )


def _tree(entries: Iterable[Entry], handler: str) -> Tree:
    """Give the tree without what neither of the two paths can touch.

    A tree of 65,535 entries would take more memory than all the rest.
    """
    parts = {part for part in handler.split("/") if part not in {"", "."}} | {BOOTSTRAP}
    return Tree(entry for entry in entries if not parts.isdisjoint(entry.name.split("/")))
