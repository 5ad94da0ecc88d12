"""A module whose aws-lambda-go is raised to one that speaks to custom runtimes, and the patch.

The least that does it: `go get` of that one library, and go.sum completed for the package that is
built. No `go mod tidy`, which would change what has nothing to do with it. Outside of the walls,
for it needs the network; neither `go get` (-d before 1.18) nor `go list` nor `go mod vendor` runs
anything of the source.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.inspection import LAMBDA_LIBRARY, Module
from fleet.toolchain.rebuild import outside
from fleet.toolchain.rebuild.build_problems import (
    Circumstances,
    NotRaised,
    TookTooLong,
    problem_in,
    told,
)
from fleet.toolchain.rebuild.fetching import fetch
from fleet.toolchain.rebuild.git import Git
from fleet.toolchain.rebuild.golang import FETCHING_SECONDS, Go, goroot
from fleet.toolchain.rebuild.order import RAISED_TO, BuildOrder, Checkout
from fleet.toolchain.rebuild.ordered import checked, is_vendored, target_environment, workspace
from fleet.toolchain.rebuild.outside import TimeOver
from fleet.toolchain.rebuild.versions import GoVersion

_GET_BUILDS = GoVersion(1, 18)
"""Before it, `go get` builds and installs unless told -d; https://go.dev/doc/go1.18#go-get."""
_KNOWS_MOD = GoVersion(1, 14)
"""The first Go with -mod=mod, which until then was what it did unasked."""
_MODULE_FILES = ("go.mod", "go.sum")
_WRITTEN = {*_MODULE_FILES, "go.work", "go.work.sum", "modules.txt"}
_DIFFERENT = 1
"""What git diff ends with where it found a difference."""
_DIFF_SECONDS = 60.0
_WRITABLE = 0o700


@dataclass(frozen=True, slots=True)
class RaisedModule:
    """A module that is another in the raised build; versions are '' where it was not in one.

    Of one that is replaced, the replacement's path stands before its version.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Raised:
    """A source with its library raised."""

    checkout: Checkout
    """A copy; not clean any more."""
    patch: str
    """Of go.mod and go.sum, for `git apply` in the repository's root."""
    modules: tuple[RaisedModule, ...]
    """Every module of the program that is another now, the library among them."""


def raise_library(
    go: Go,
    checkout: Checkout,
    order: BuildOrder,
    directory: Path,
    *,
    stop: threading.Event,
    version: str = RAISED_TO,
    say: Callable[[str], None] = lambda _: None,
) -> Raised:
    """Copy a source into `directory`, which is not there yet, with aws-lambda-go at `version`.

    Raises GoNotHad, NotRaised, another BuildProblem, problems.Stopped, and OSError where it cannot
    be copied.
    """
    go_version = checked(checkout, order)
    say(f"raising {LAMBDA_LIBRARY} to {version} for {order.package}")
    root = goroot(go, order.go_version, stop=stop)
    before = fetch(go, root, checkout, order, stop=stop)
    copied = _copy(checkout, directory)
    _check_places(copied, order, version)
    steps = [("get", *(["-d"] if go_version < _GET_BUILDS else []), f"{LAMBDA_LIBRARY}@{version}")]
    if is_vendored(copied):
        steps.append(("work" if workspace(copied) else "mod", "vendor"))
    _run(go, root, copied, order, steps[0], stop)
    # go.sum is completed for what the package needs; before 1.14 that is all that go does.
    completing = ("-mod=mod",) if go_version >= _KNOWS_MOD else ("-mod=",)
    after = fetch(go, root, copied, _with(order, completing), stop=stop)
    for step in steps[1:]:
        _run(go, root, copied, order, step, stop)
    if _versions(after).get(LAMBDA_LIBRARY) != version:
        raise NotRaised(order.package, version, "another module, or a replacement, keeps it back")
    patch = _patch(checkout, copied, order, version, stop)
    return Raised(copied, patch, tuple(_changed(before, after)))


def _run(
    go: Go,
    root: Path,
    copied: Checkout,
    order: BuildOrder,
    words: Sequence[str],
    stop: threading.Event,
) -> None:
    step = f"go {' '.join(words[:-1]) or words[0]}"
    own = {**target_environment(order), "GOWORK": str(workspace(copied) or "off")}
    try:
        done = go.run(words, copied.module_directory, stop=stop, root=root, environment=own)
    except TimeOver:
        raise TookTooLong(order.package, step, FETCHING_SECONDS) from None
    if done.status:
        shown = told(done.said, (f"{copied.root}/", ""), (f"{go.modules}/", ""))
        around = Circumstances(order.package, order.go_version, str(go.cache), 0)
        problem = problem_in(done.said, shown, around)
        raise problem or NotRaised(order.package, words[-1].rpartition("@")[2], shown)


def _with(order: BuildOrder, flags: tuple[str, ...]) -> BuildOrder:
    kept = (each for each in order.flags if not each.startswith("-mod="))
    return replace(order, flags=(*kept, *flags))


def _changed(before: Iterable[Module], after: Iterable[Module]) -> Iterator[RaisedModule]:
    old, new = _versions(before), _versions(after)
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            yield RaisedModule(path, old.get(path, ""), new.get(path, ""))


def _versions(modules: Iterable[Module]) -> dict[str, str]:
    return {each.path: _version(each) for each in modules}


def _version(module: Module) -> str:
    if module.replacement is None:
        return module.version
    return f"{module.replacement.path} {module.replacement.version}".strip()


def _copy(checkout: Checkout, directory: Path) -> Checkout:
    shutil.copytree(checkout.root, directory, symlinks=True)
    for parent, _, files in os.walk(directory):
        # A module cache is read only, directories too.
        Path(parent).chmod(Path(parent).stat().st_mode | _WRITABLE)
        for name in _WRITTEN & set(files):
            file = Path(parent) / name
            if not file.is_symlink():
                file.chmod(file.stat().st_mode | _WRITABLE)
    module = directory / checkout.module_directory.relative_to(checkout.root)
    return replace(checkout, root=directory, module_directory=module, version="", clean=False)


def _check_places(copied: Checkout, order: BuildOrder, version: str) -> None:
    """What go writes to may be a link of the repository's, to anywhere."""
    for each in _written(copied):
        outside_of_it = not each.resolve().is_relative_to(copied.root.resolve())
        if each.is_symlink() or outside_of_it:
            shown = each.relative_to(copied.root)
            raise NotRaised(order.package, version, f"its {shown} is a link, or lies behind one")


def _written(checkout: Checkout) -> list[Path]:
    """Give the files that raising may write, those that are not there too."""
    work = workspace(checkout)
    beside = [] if work is None else [work, work.with_name("go.work.sum")]
    return [*(checkout.module_directory / name for name in _MODULE_FILES), *beside]


def _patch(
    before: Checkout, after: Checkout, order: BuildOrder, version: str, stop: threading.Event
) -> str:
    """Give the difference as git writes it, whatever the repository's attributes say."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as scratch:
        for side, checkout in (("a", before), ("b", after)):
            for file in _written(after):
                name = file.relative_to(after.root)
                copy = Path(scratch) / side / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                if (checkout.root / name).is_file():
                    shutil.copyfile(checkout.root / name, copy)
        words = ("diff", "--no-index", "--no-prefix", "--no-color", "--no-ext-diff", "a", "b")
        settings = {"PATH": os.defpath, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        git = Git.found()
        done = outside.run(
            [git.program, *words], Path(scratch), settings, seconds=_DIFF_SECONDS, stop=stop
        )
    if done.status != _DIFFERENT:
        problem = f"git cannot tell what was changed: {told(done.said)}"
        raise NotRaised(order.package, version, problem)
    return done.output
