"""What a commit holds, as far as it counts for a build: its modules, and what is told of the rest.

Read from the objects of a bare clone: nothing is checked out for it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from fleet.sources import is_import_path
from fleet.toolchain.rebuild.cloning import Clone
from fleet.toolchain.rebuild.git import Git
from fleet.toolchain.rebuild.problems import (
    GitTooMuch,
    ModuleAmbiguous,
    PackageMissing,
    UnsafeSource,
    WrongMapping,
)

_MOST_FILES = 1_000_000
_MOST_BYTES = 8 << 30
_LONGEST_GO_MOD = 16 << 20
"""Bytes; Go reads no longer one."""
_LINK = b"120000"
_SUBMODULE = b"160000"
_MODULE_LINE = re.compile(r"^[ \t]*module(?:[ \t]+|[ \t]*\(\s*)([^\s()]+)", re.MULTILINE)
_LFS = re.compile(rb"^[^#\n]*\sfilter=lfs(\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tree:
    """What a commit holds; directories and files by their path, '' for the root."""

    modules: Mapping[str, str]
    """Path of each module, by the directory of its go.mod."""
    go_directories: frozenset[str]
    """That hold Go files."""
    links: tuple[str, ...]
    """Symbolic ones."""
    submodules: tuple[str, ...]
    """Directories that are other repositories."""
    has_large_files: bool
    """Whether .gitattributes leaves files to Git LFS."""

    @property
    def root_module(self) -> str:
        """Path of the module in the root, or ''."""
        return self.modules.get("", "")


@dataclass(frozen=True, slots=True)
class _Entry:
    blob: bytes
    size: int
    path: str

    @property
    def directory(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def tree_of(git: Git, clone: Clone) -> Tree:
    """Read what the commit of a clone holds.

    Raises UnsafeSource where it is more than a million files or 8 GiB, GitFailed, Stopped.
    """
    links: list[str] = []
    go_mods: list[_Entry] = []
    attributes: list[_Entry] = []
    go_directories: set[str] = set()
    submodules: list[str] = []
    total = 0
    listing = _listing(git, clone)
    for line in listing:
        facts, _, name = line.partition(b"\t")
        mode, _, blob, size = facts.split()
        if mode == _SUBMODULE:
            submodules.append(os.fsdecode(name))
            continue
        entry = _Entry(blob, int(size), os.fsdecode(name))
        total += entry.size
        if mode == _LINK:
            links.append(entry.path)
        elif entry.name == "go.mod" and _counts(entry.directory):
            go_mods.append(entry)
        elif entry.name == ".gitattributes" and entry.size <= _LONGEST_GO_MOD:
            attributes.append(entry)
        if entry.name.endswith(".go"):
            go_directories.add(entry.directory)
    if len(listing) > _MOST_FILES or total > _MOST_BYTES:
        raise _too_much(clone)
    return Tree(
        modules=_modules(git, clone, go_mods),
        go_directories=frozenset(go_directories),
        links=tuple(links),
        submodules=tuple(submodules),
        has_large_files=any(map(_LFS.search, _contents(git, clone, attributes))),
    )


def module_directory(
    tree: Tree, clone: Clone, module: str, package: str, directory: str | None = None
) -> str:
    """Give the directory of the module that holds a main package.

    `directory` is what people say where there are several of that path. Raises WrongMapping,
    ModuleAmbiguous or PackageMissing.
    """
    named = [each for each, path in tree.modules.items() if path == module]
    if directory is not None:
        wanted = str(PurePosixPath(directory))
        named = [each for each in named if each == ("" if wanted == "." else wanted)]
    if not named:
        there = tuple(sorted(set(tree.modules.values())))
        raise WrongMapping(clone.origin, clone.commit, module, there)
    inside = package.removeprefix(module).lstrip("/")
    is_below = package == module or package.startswith(f"{module}/")
    fitting = [each for each in named if is_below and _has_package(tree, each, inside)]
    if not fitting:
        raise PackageMissing(clone.origin, clone.commit, module, package)
    if len(fitting) > 1:
        places = tuple(sorted(each or "." for each in fitting))
        raise ModuleAmbiguous(clone.origin, clone.commit, module, places)
    return fitting[0]


def _listing(git: Git, clone: Clone) -> list[bytes]:
    asked = ("ls-tree", "-r", "-l", "-z", "--full-tree", clone.commit)
    try:
        return git(asked, clone.path).split(b"\0")[:-1]
    except GitTooMuch:
        # A few objects are enough for trees within trees without end.
        raise _too_much(clone) from None


def _too_much(clone: Clone) -> UnsafeSource:
    problem = f"it holds more than {_MOST_FILES:,} files or {_MOST_BYTES >> 30} GiB"
    return UnsafeSource(clone.origin, clone.commit, problem)


def _modules(git: Git, clone: Clone, go_mods: Sequence[_Entry]) -> Mapping[str, str]:
    short = [each for each in go_mods if each.size <= _LONGEST_GO_MOD]
    contents = _contents(git, clone, short)
    paths = (module_path(each.decode("utf-8", errors="replace")) for each in contents)
    return {entry.directory: path for entry, path in zip(short, paths, strict=True) if path}


def module_path(go_mod: str) -> str:
    """Give the path that a go.mod says its module has, or ''.

    https://go.dev/ref/mod#go-mod-file-module
    """
    without_comments = re.sub(r"//.*", "", go_mod)
    found = _MODULE_LINE.search(without_comments)
    path = _unquoted(found[1]) if found else ""
    return path if is_import_path(path) else ""


def _unquoted(word: str) -> str:
    try:
        return str(json.loads(word)) if word.startswith('"') else word
    except ValueError:
        return ""


def _contents(git: Git, clone: Clone, entries: Sequence[_Entry]) -> list[bytes]:
    """Give what files hold, in their order."""
    if not entries:
        return []
    names = b"".join(each.blob + b"\n" for each in entries)
    data = git(("cat-file", "--batch"), clone.path, names)
    found, at = [], 0
    for entry in entries:
        start = data.index(b"\n", at) + 1
        at = start + entry.size + 1
        found.append(data[start : at - 1])
    return found


def _counts(directory: str) -> bool:
    """Whether Go looks there for packages; https://pkg.go.dev/cmd/go#hdr-Package_lists."""
    elements = directory.split("/") if directory else []
    return not any(each in {"vendor", "testdata"} or each[0] in "_." for each in elements)


def _has_package(tree: Tree, directory: str, inside: str) -> bool:
    """Whether a package lies in this module, and in no other one below."""
    place = "/".join(filter(None, (directory, inside)))
    below = (each for each in tree.modules if len(each) > len(directory))
    is_hidden = any(f"{place}/".startswith(f"{each}/") for each in below)
    return place in tree.go_directories and not is_hidden
