"""The files of a package as they lie below /var/task, and what a Handler names among them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from itertools import chain
from typing import Self

from fleet.inspection import Entry, EntryKind


class Nothing(Enum):
    """Why a path leads to no one file or link."""

    MISSING = auto()
    DIRECTORY = auto()
    OUTSIDE = auto()
    """It goes by way of `..`."""
    SEVERAL = auto()
    """More than one entry has the name."""


class Tree:
    """A package's entries by the path they are unpacked to."""

    @classmethod
    def around(cls, entries: Iterable[Entry], *paths: str) -> Self:
        """Keep only what can decide where these paths lead.

        A tree of 65,535 entries would take more memory than all the rest.
        """
        parts = {part for path in paths for part in path.split("/")} - {"", "."}
        return cls(each for each in entries if not parts.isdisjoint(each.name.split("/")))

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._files: dict[str, list[Entry]] = {}
        self._directories = set()
        for entry in entries:
            path = _path(entry.name)
            if entry.kind is EntryKind.DIRECTORY:
                self._directories.add(path)
            else:
                self._files.setdefault(path, []).append(entry)

    def times(self, path: str) -> int:
        """Count the entries that are unpacked to this path."""
        return len(self._files.get(_path(path), ()))

    def find(self, path: str) -> Entry | Nothing:
        """Give the file or link that `$LAMBDA_TASK_ROOT/path` is.

        As the system reads it: `./main` is main, and `main/` only a directory of that name.
        """
        if ".." in path.split("/"):
            return Nothing.OUTSIDE
        clean = _path(path)
        if not clean:
            return Nothing.DIRECTORY
        found = self._files.get(clean, ())
        is_directory = self._is_directory(clean)
        if len(found) > 1 or (found and is_directory):
            return Nothing.SEVERAL
        if found and not path.endswith("/"):
            return found[0]
        return Nothing.DIRECTORY if is_directory else Nothing.MISSING

    def _is_directory(self, path: str) -> bool:
        # Most archives list no directories: a file in it is proof enough. The directories of
        # every file are not kept: one name of 64 KB may have 32,000 of them.
        above = f"{path}/"
        return path in self._directories or any(
            each.startswith(above) for each in chain(self._files, self._directories)
        )


def _path(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in {"", "."})
