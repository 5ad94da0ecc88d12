"""Whether a program was compiled from files that its commit does not hold. Pure.

`git status`, and so vcs.modified, does not see what .gitignore names: generated code among it. The
names of source files tell: old ones are absolute, or trimmed as -trimpath makes all new ones.
A file that only the linker has left out, with what called it, is in the commit all the same.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename, dirname, normpath

from fleet.sources import Accepted
from fleet.toolchain.rebuild.differences import Change, Difference, Pair

_OF_A_CACHE = re.compile(r"@v[0-9]")
"""In the module cache each directory of a module ends in its version."""
_IN_GO = "/src/runtime/proc.go"
_BY_CGO = re.compile(r"(?:^|/)_cgo_[^/]*$|\.cgo1\.go$|(?:^|/)_testmain\.go$")


def file_differences(pair: Pair) -> Iterator[Difference]:
    """Give the files of the main module, and of directories in its stead, that are not there."""
    main = pair.after.main
    if main is None or not pair.allowed.commit:
        # What a published module holds, its sum tells.
        return
    below = _Places(main.path, _replaced(pair))
    told, names = (_as_later(each.files, main.path) for each in (pair.old, pair.new))
    new = {place for name in names if (place := below.of_trimmed(name))}
    roots = below.roots(told, new)
    if not roots:
        yield Difference("files", "none of the main module are told", "", None)
        return
    old = {place for root in roots for place in below.of_all(told, root)}
    directories = {dirname(each) for each in new}
    for place in sorted(old - new - pair.allowed.files):
        if dirname(place) in directories and not _BY_CGO.search(place):
            taken_on = Accepted.MODIFIED in pair.allowed.known.accept
            change = Change.MODIFIED if taken_on else None
            yield Difference(f"file {place}", "compiled in", "in no commit", change)


def _replaced(pair: Pair) -> Mapping[str, str]:
    """Give the directories that stand in for modules, by their paths; from the main module on."""
    return {
        each.path: normpath(each.replacement.path)
        for each in pair.after.dependencies
        if each.replacement and each.replacement.path.startswith(("./", "../"))
    }


def _as_later(names: Iterable[str], module: str) -> frozenset[str]:
    """Give names as Go trims them from 1.14 on: before, the main module has an empty version."""
    empty = f"{module}@/"
    return frozenset(
        f"{module}/{each.removeprefix(empty)}" if each.startswith(empty) else each for each in names
    )


class _Places:
    """Where source files lie, seen from the directory of the main module."""

    def __init__(self, module: str, replaced: Mapping[str, str]) -> None:
        self._trimmed = f"{module}/"
        self._replaced = replaced

    def of_trimmed(self, name: str) -> str | None:
        """Give the place of a file as -trimpath names it, or None for one of another module."""
        module, at, rest = name.partition("@v")
        if at:
            directory, inside = self._replaced.get(module), rest.partition("/")[2]
            return normpath(f"{directory}/{inside}") if directory else None
        return _below(self._trimmed, name)

    def of_all(self, names: Iterable[str], root: str) -> Iterator[str]:
        """Give the places of files where the main module's names began with `root`."""
        others = {normpath(f"{root}{each}") + "/": each for each in self._replaced.values()}
        for name in names:
            if root == self._trimmed:
                place = self.of_trimmed(name)
            elif inside := next((each for each in others if name.startswith(each)), None):
                place = normpath(f"{others[inside]}/{name.removeprefix(inside)}")
            else:
                place = _below(root, name)
            if place is not None:
                yield place

    def roots(self, names: Iterable[str], places: Iterable[str]) -> list[str]:
        """Give what most of the places are found behind; several in doubt."""
        own = tuple(each.removesuffix(_IN_GO) + "/src/" for each in names if each.endswith(_IN_GO))
        by_name: dict[str, list[str]] = defaultdict(list)
        for name in names:
            if not name.startswith(own) and not _OF_A_CACHE.search(name):
                by_name[basename(name)].append(name)
        found = Counter(
            name[: -len(place)]
            for place in places
            if not place.startswith("../")
            for name in by_name[basename(place)]
            if f"/{name}".endswith(f"/{place}")
        )
        most = max(found.values(), default=0)
        return [root for root, times in found.items() if times == most]


def _below(root: str, name: str) -> str | None:
    return name.removeprefix(root) if name.startswith(root) else None
