"""Files that a program embeds, and whether they are what they were. Build info tells nothing of it.

What git keeps by a filter lies in a checkout otherwise than on the machine of whoever built it:
Git LFS leaves pointers (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). And whole
directories may have held what .gitignore names, which is why no status tells of it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fleet.toolchain.rebuild.build_problems import (
    Circumstances,
    EmbeddedUnknown,
    PointerEmbedded,
    SourcesMissing,
    TookTooLong,
    problem_in,
    told,
)
from fleet.toolchain.rebuild.git import SILENTLY, Git
from fleet.toolchain.rebuild.golang import FETCHING_SECONDS, Go, goroot
from fleet.toolchain.rebuild.order import BuildOrder, Checkout
from fleet.toolchain.rebuild.ordered import checked, listing_flags, target_environment, workspace
from fleet.toolchain.rebuild.outside import TimeOver
from fleet.toolchain.rebuild.probing import covers, probes
from fleet.toolchain.rebuild.problems import GitFailed

_POINTER = b"version https://git-lfs.github.com/spec/"
_EMBEDS = (1, 16)
"""The first Go that embeds; https://go.dev/doc/go1.16#library-embed."""
_LISTED = (
    "{{if .EmbedPatterns}}{{printf `[%q` .Dir}}"
    "{{range .EmbedPatterns}}{{printf `,%q` .}}{{end}},null"
    "{{range .EmbedFiles}}{{printf `,%q` .}}{{end}}{{`]`}}\n{{end}}"
)
_LONGEST_GITIGNORE = 1 << 20
"""Bytes; of a longer one only git knows."""
_ATTRIBUTES = ("filter", "working-tree-encoding")
_NOT_SET = {b"unspecified", b"unset"}


@dataclass(frozen=True, slots=True)
class _Embedding:
    """A package that embeds; paths are below the root of the checkout."""

    directory: PurePosixPath
    patterns: tuple[str, ...]
    files: tuple[PurePosixPath, ...]


def check_embedded(
    go: Go,
    git: Git,
    checkout: Checkout,
    order: BuildOrder,
    *,
    is_sure: bool,
    stop: threading.Event,
) -> None:
    """Raise PointerEmbedded or EmbeddedUnknown where a program may embed other than it did.

    `is_sure` where the old program has to come out again byte for byte, or somebody takes on what
    directories may have held. Raises what fetch raises besides, for what is asked for is fetched;
    GitFailed and Stopped.
    """
    if not checkout.commit or checked(checkout, order).line < _EMBEDS:
        return
    embedding = list(_embedding(go, checkout, order, stop))
    files = sorted({each for one in embedding for each in one.files})
    for file in files:
        if _is_pointer(checkout.root / file):
            raise PointerEmbedded(order.package, f"it embeds {file}")
    for name, attribute in _filtered(git, checkout, files):
        raise PointerEmbedded(order.package, f"it embeds {name} ({attribute})")
    if is_sure:
        return
    for one in embedding:
        for pattern in one.patterns:
            _check_pattern(git, checkout, order, one, pattern)


def _check_pattern(
    git: Git, checkout: Checkout, order: BuildOrder, one: _Embedding, pattern: str
) -> None:
    where = one.directory / pattern.removeprefix("all:")
    for each in checkout.submodules:
        if covers(str(where), each):
            said = f"it embeds {where}, which holds the submodule {each}"
            raise EmbeddedUnknown(order.package, said)
    asked = probes(
        one.directory,
        pattern,
        [str(each) for each in one.files],
        _ignoring(checkout, {where, *(one.directory / each for each in one.files)}),
        is_directory=(checkout.root / where).is_dir(),
    )
    if ignored := _ignored(git, checkout, sorted(asked)):
        said = f"it embeds {where}, and .gitignore there leaves out files such as {ignored}"
        raise EmbeddedUnknown(order.package, said)


def _embedding(
    go: Go, checkout: Checkout, order: BuildOrder, stop: threading.Event
) -> Iterator[_Embedding]:
    """Give the packages of the checkout, vendored ones too, that embed."""
    root = checkout.root.resolve()
    for line in _listing(go, checkout, order, stop).splitlines():
        try:
            directory, *words = json.loads(line)
        except ValueError:
            said = "what it embeds has names that cannot be read"
            raise SourcesMissing(order.package, said) from None
        place = Path(directory).resolve()
        if not place.is_relative_to(root):
            continue
        end = words.index(None)
        below = PurePosixPath(place.relative_to(root))
        files = tuple(below / each for each in words[end + 1 :])
        yield _Embedding(below, tuple(words[:end]), files)


def _listing(go: Go, checkout: Checkout, order: BuildOrder, stop: threading.Event) -> str:
    version = checked(checkout, order)
    words = ["list", "-deps", "-f", _LISTED, *listing_flags(checkout, order, version)]
    root = goroot(go, order.go_version, stop=stop)
    try:
        done = go.run(
            [*words, order.package],
            checkout.module_directory,
            stop=stop,
            root=root,
            environment={
                **target_environment(order),
                "GOWORK": str(workspace(checkout) or "off"),
            },
        )
    except TimeOver:
        step = "listing what it embeds"
        raise TookTooLong(order.package, step, FETCHING_SECONDS) from None
    except OSError as error:
        raise SourcesMissing(order.package, f"{root}: {error.strerror}") from None
    if done.status:
        around = Circumstances(order.package, order.go_version, str(go.cache), 0)
        shown = told(done.said, (f"{checkout.root}/", ""), (f"{go.modules}/", ""))
        raise problem_in(done.said, shown, around) or SourcesMissing(order.package, shown)
    return done.output


def _filtered(
    git: Git, checkout: Checkout, files: Iterable[PurePosixPath]
) -> Iterator[tuple[str, str]]:
    """Give the files that git keeps otherwise than they are, and the attribute that says so."""
    names = b"".join(os.fsencode(str(each)) + b"\0" for each in files)
    if not names:
        return
    told_of = git(("check-attr", "-z", "--stdin", *_ATTRIBUTES), checkout.root, names)
    words = told_of.split(b"\0")
    for file, attribute, value in zip(words[::3], words[1::3], words[2::3], strict=False):
        if value not in _NOT_SET:
            shown = f"{attribute.decode()}={value.decode(errors='replace')}"
            yield os.fsdecode(file), shown


def _ignoring(checkout: Checkout, places: Iterable[PurePosixPath]) -> dict[str, str]:
    """Give what the .gitignore files in and above these places say, by their directories."""
    found: dict[str, str] = {}
    for directory in {above for place in places for above in (place, *place.parents)}:
        file = checkout.root / directory / ".gitignore"
        if file.is_file() and file.stat().st_size <= _LONGEST_GITIGNORE:
            found[str(directory)] = file.read_text(encoding="utf-8", errors="replace")
    return found


def _ignored(git: Git, checkout: Checkout, names: Iterable[str]) -> str:
    """Give the first of these names that would be ignored, or ''."""
    # git fails for what lies behind a link, and Go embeds nothing of it.
    asked = [each for each in names if not _is_behind_link(checkout, PurePosixPath(each))]
    given = b"".join(os.fsencode(each) + b"\0" for each in asked)
    try:
        found = git(("check-ignore", "--no-index", "-z", "--stdin"), checkout.root, given)
    except GitFailed as problem:
        # Its exit status is 1 where nothing is.
        if problem.words == SILENTLY:
            return ""
        raise
    return os.fsdecode(found.split(b"\0")[0])


def _is_behind_link(checkout: Checkout, place: PurePosixPath) -> bool:
    return any((checkout.root / above).is_symlink() for above in place.parents[:-1])


def _is_pointer(place: Path) -> bool:
    try:
        with place.open("rb") as file:
            return file.read(len(_POINTER)) == _POINTER
    except OSError:
        return False
