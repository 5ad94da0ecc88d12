"""One program built behind walls: no network, nothing writable but what a build writes.

Go compiles without running anything of the source. What it starts are its own tools, git for the
revision, and the C compiler where the order has cgo. What was built is never started.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from fleet.toolchain.rebuild.build_problems import (
    Circumstances,
    DiskFull,
    NotCompiled,
    TookTooLong,
    TookTooMuchMemory,
    problem_in,
    told,
)
from fleet.toolchain.rebuild.compiling import End, Ran, run_behind_walls
from fleet.toolchain.rebuild.fetching import fetch
from fleet.toolchain.rebuild.golang import Go, goroot
from fleet.toolchain.rebuild.order import BuildOrder, Built, Checkout
from fleet.toolchain.rebuild.ordered import arguments, checked, target_environment, workspace
from fleet.toolchain.rebuild.problems import Stopped
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.room import room
from fleet.toolchain.sandbox.walls import Given

LIMITS = Limits(seconds=600, memory=4 << 30, processes=1024, files=4096, temporary=2 << 30)
"""What one build may take; seconds of wall time without downloads."""

_GOROOT = "/fleet/go"
_GOPATH = "/fleet/path"
_MODULES = f"{_GOPATH}/pkg/mod"
_OUT = f"{_GOPATH}/bin"
_BUILDS = "/fleet/builds"
_SOURCE = "/fleet/tree/source"
_PROGRAM = "program"
_SCRATCH = "/tmp"  # noqa: S108 - the sandbox's own


def build(
    go: Go,
    checkout: Checkout,
    order: BuildOrder,
    target: Path,
    *,
    stop: threading.Event,
    limits: Limits = LIMITS,
    say: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build a program and write it to `target`, which appears whole or not at all.

    Downloads what is needed first: the order's Go, and modules. Many at once is fine. Raises
    GoNotHad, a BuildProblem, NoSandbox or Stopped, and OSError where `target` cannot be written.
    """
    began = time.monotonic()
    checked(checkout, order)
    say(f"fetching what {order.package} needs")
    root = goroot(go, order.go_version, stop=stop)
    fetch(go, root, checkout, order, stop=stop)
    say(f"building {order.package} for {order.architecture} with {order.go_version}")
    go.builds.mkdir(parents=True, exist_ok=True)
    go.modules.mkdir(parents=True, exist_ok=True)
    with room() as place:
        # Root would not get into the room of the sandbox's user without its privileges.
        os.chown(place, os.geteuid(), os.getegid())
        made = _behind_walls(go, root, checkout, order, place, limits, stop)
        digest = _moved(made, target, order)
    return Built(target, digest, order.go_version, time.monotonic() - began)


def _behind_walls(
    go: Go,
    root: Path,
    checkout: Checkout,
    order: BuildOrder,
    place: Path,
    limits: Limits,
    stop: threading.Event,
) -> Path:
    for name in ("out", "tree"):
        (place / name).mkdir()
    inner_root = str(root) if root.is_relative_to("/usr") else _GOROOT
    version = checked(checkout, order)
    words = arguments(checkout, order, version, f"{_OUT}/{_PROGRAM}")
    ran = run_behind_walls(
        [f"{inner_root}/bin/go", *words],
        _environment(checkout, order, inner_root),
        tuple(_given(go, root, checkout, place)),
        etc=place / "etc",
        begin_in=_within(checkout, checkout.module_directory),
        limits=limits,
        stop=stop,
    )
    _check(ran, go, order, limits)
    return _only_program(place / "out", order, ran)


def _given(go: Go, root: Path, checkout: Checkout, place: Path) -> Iterator[Given]:
    if not root.is_relative_to("/usr"):
        yield Given(root, _GOROOT)
    yield Given(go.modules, _MODULES)
    yield Given(go.builds, _BUILDS, writable=True)
    yield Given(place / "out", _OUT, writable=True)
    # Go locks what it asks of a repository by a file beside it.
    yield Given(place / "tree", str(PurePosixPath(_SOURCE).parent), writable=True)
    yield Given(checkout.root, _SOURCE)
    for each in checkout.beside:
        # A shared clone names them by where they are.
        yield Given(each, str(each))


def _environment(checkout: Checkout, order: BuildOrder, root: str) -> dict[str, str]:
    work = workspace(checkout)
    return {
        "PATH": f"{root}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": _SCRATCH,
        "TMPDIR": _SCRATCH,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GOROOT": root,
        "GOPATH": _GOPATH,
        "GOMODCACHE": _MODULES,
        "GOCACHE": _BUILDS,
        "GOENV": "off",
        "GOFLAGS": "",
        "GO111MODULE": "on",
        "GOTOOLCHAIN": "local",
        "GOTELEMETRY": "off",
        # A directory says of what it lacks that it is not there; `off` only that it may not look.
        "GOPROXY": f"file://{_MODULES}/cache/download",
        # Each download was verified when it was made.
        "GOSUMDB": "off",
        "GOWORK": "off" if work is None else _within(checkout, work),
        **target_environment(order),
    }


def _within(checkout: Checkout, path: Path) -> str:
    return str(PurePosixPath(_SOURCE) / path.relative_to(checkout.root))


def _check(ran: Ran, go: Go, order: BuildOrder, limits: Limits) -> None:
    if ran.end is End.STOPPED:
        raise Stopped
    if ran.end is End.TIME:
        raise TookTooLong(order.package, "its build", limits.seconds)
    if ran.end is End.MEMORY:
        raise TookTooMuchMemory(order.package, limits.memory)
    if ran.status:
        shown = told(ran.said, (f"{_SOURCE}/", ""), (f"{_MODULES}/", ""), (f"{_GOROOT}/", ""))
        around = Circumstances(order.package, order.go_version, str(go.cache), limits.memory)
        raise problem_in(ran.said, shown, around) or NotCompiled(order.package, shown)


def _only_program(out: Path, order: BuildOrder, ran: Ran) -> Path:
    """Go installs the programs of another machine into a directory of that machine's name."""
    found = [each for each in out.rglob("*") if stat.S_ISREG(each.lstat().st_mode)]
    if len(found) != 1:
        raise NotCompiled(order.package, told(ran.said) or "Go wrote no program")
    return found[0]


def _moved(made: Path, target: Path, order: BuildOrder) -> str:
    """Copy it beside the target, and give it its name only then; gives its SHA-256."""
    part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        shutil.copyfile(made, part)
        part.chmod(0o755)
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        part.replace(target)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(order.package, str(target.parent), str(error.strerror)) from None
        raise
    finally:
        part.unlink(missing_ok=True)
    return digest
