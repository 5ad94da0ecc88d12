"""A commit laid out for one build: exactly what it holds, and nothing that leads out of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fleet.errors import FileProblem
from fleet.inspection import BuildInfo, Module
from fleet.provenance import origin_of
from fleet.sources import Address, SourceRule, address, is_import_path, rule_for
from fleet.toolchain.rebuild.cloning import Clone, cloned
from fleet.toolchain.rebuild.git import Git, Say
from fleet.toolchain.rebuild.main_version import tag_for
from fleet.toolchain.rebuild.modules import Tree, module_directory, tree_of
from fleet.toolchain.rebuild.order import Checkout
from fleet.toolchain.rebuild.problems import NoSourceRule, NotTold, listed

_COMMIT = re.compile(r"[0-9a-f]{7,40}|[0-9a-f]{64}")
_LARGE_FILES = (
    "files of this commit are kept by Git LFS and are not fetched; the program embeds none of them"
)
_SUBMODULES = "submodules of this commit are not fetched: their directories are empty"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be checked out, as a binary tells it, or people where it does not."""

    module: str
    """Path of the main module."""
    package: str
    """Import path of the main package."""
    commit: str
    """In full, or its beginning where people gave it."""
    version: str = ""
    """Of the main module as recorded: `v1.2.3`, a pseudo-version, `(devel)` or ''."""
    directory: str | None = None
    """Of the module in the repository, where people had to say it."""


def address_of(module: str, rules: Iterable[SourceRule]) -> Address:
    """Give the repository of a module; raises NotTold, NoSourceRule or BadAddress.

    Nothing is guessed: who clones by a name that a binary tells may clone from a stranger.
    """
    _check(module, "path of a module")
    rule = rule_for(module, rules)
    if rule is None:
        origin = origin_of(BuildInfo("", main=Module(module, "")))
        where = origin.repository or "HOST/REPOSITORY"
        line = f"- {{module: {origin.repository or module}, git: 'https://{where}'}}"
        raise NoSourceRule(module, line)
    return address(rule, module)


def checkout(
    git: Git, address: Address, wanted: Wanted, target: Path, *, clones: Path, note: Say
) -> Checkout:
    """Lay out a commit in the new directory `target`; `clones` holds the clones of all builds.

    `note` is told what to know of it: submodules, large files, links that were left out. Raises
    SourceProblem, or FileProblem where a directory cannot be written; nothing is left then.
    """
    _check(wanted.module, "path of a module")
    _check(wanted.package, "path of a package")
    if not _COMMIT.fullmatch(wanted.commit):
        raise NotTold("commit", wanted.commit)
    clone = cloned(git, address, wanted.commit, clones)
    tree = tree_of(git, clone)
    directory = module_directory(tree, clone, wanted.module, wanted.package, wanted.directory)
    try:
        _lay_out(git, clone, target)
        left_out = _leave_out(git, tree, target)
        _tag(git, clone, wanted, tree, target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    for remark in _remarks(tree, left_out):
        note(remark)
    return Checkout(
        root=target,
        module_directory=target / directory,
        module=wanted.module,
        commit=clone.commit,
        version="",
        origin=clone.origin,
        beside=(clone.path,),
        submodules=tree.submodules,
    )


def go_files(checkout: Checkout) -> frozenset[str]:
    """Give the paths of all Go files, seen from the directory of the main module."""
    found: set[str] = set()
    for place, directories, names in os.walk(checkout.root):
        if ".git" in directories:
            directories.remove(".git")
        go = [each for each in names if each.endswith(".go")]
        if go:
            below = PurePosixPath(os.path.relpath(place, checkout.module_directory))
            found.update(str(below / each) for each in go)
    return frozenset(found)


def _remarks(tree: Tree, left_out: Sequence[str]) -> Iterator[str]:
    if tree.submodules:
        yield _SUBMODULES
    if tree.has_large_files:
        yield _LARGE_FILES
    if left_out:
        yield f"links that lead out of the repository are left out: {listed(left_out)}"


def _check(path: str, what: str) -> None:
    if not is_import_path(path):
        raise NotTold(what, path)


def _lay_out(git: Git, clone: Clone, target: Path) -> None:
    try:
        target.mkdir(parents=True)
    except OSError as error:
        advice = "a source was to be checked out there"
        raise FileProblem(str(target), error.strerror or str(error), advice) from None
    how = ("--quiet", "--shared", "--no-checkout", "--no-tags", "--template=", "--")
    git(("clone", *how, str(clone.path), str(target)), clone.path)
    git(("checkout", "--quiet", "--detach", clone.commit), target)


def _leave_out(git: Git, tree: Tree, target: Path) -> list[str]:
    """Take away links that lead out of the repository, and give them.

    Go follows links to files: what they lead to on this machine is none of the commit.
    """
    root = Path(os.path.realpath(target))
    out = [
        each
        for each in tree.links
        # Path.resolve raises for links that lead to each other.
        if not Path(os.path.realpath(target / each)).is_relative_to(root)
    ]
    for each in out:
        (target / each).unlink()
    if out:
        names = b"".join(os.fsencode(each) + b"\0" for each in out)
        # Else git calls the work tree changed.
        git(("update-index", "--skip-worktree", "-z", "--stdin"), target, names)
    return out


def _tag(git: Git, clone: Clone, wanted: Wanted, tree: Tree, target: Path) -> None:
    tag = tag_for(wanted.version, wanted.module, tree.root_module)
    if tag is None:
        return
    commit = clone.commit
    if tag.is_before:
        parents = git(("rev-list", "--parents", "--max-count=1", commit), target).split()[1:]
        if not parents:
            return
        commit = parents[0].decode()
    git(("update-ref", f"refs/tags/{tag.name}", commit), target)
