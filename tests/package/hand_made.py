"""Facts made by hand, for decisions that need no file: a good go1.x package, and how to vary it."""

# ruff: noqa: ANN401 - any field may be varied, each with a type of its own

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zlib import crc32

from fleet.inspection import (
    LAMBDA_LIBRARY,
    BinaryFacts,
    BinaryKind,
    BuildInfo,
    Deployed,
    Entry,
    EntryKind,
    Layer,
    Module,
    PackageFacts,
)

MAIN = "github.com/acme/orders/lambda"
GO1X = Deployed(handler="main")


def build_info(library: str | None = "v1.41.0", **changes: Any) -> BuildInfo:
    dependencies = () if library is None else (Module(LAMBDA_LIBRARY, library),)
    made = BuildInfo(
        go_version="go1.20.14",
        path=MAIN,
        main=Module(MAIN, "(devel)"),
        dependencies=dependencies,
        settings={"GOARCH": "amd64", "vcs.revision": "4f3c2a1"},
        has_modules=True,
    )
    return replace(made, **changes)


def program(entry: str = "main", library: str | None = "v1.41.0", **changes: Any) -> BinaryFacts:
    """Give a handler as `go build` makes it, with this aws-lambda-go and its client in it."""
    made = BinaryFacts(
        entry=entry,
        kind=BinaryKind.EXECUTABLE,
        bits=64,
        machine="x86_64",
        build=build_info(library),
        is_go=True,
        lambda_library=library,
        norpc=True,
        runtime_api=True,
    )
    return replace(made, **changes)


def old(entry: str = "main", library: str | None = "v1.17.0", **changes: Any) -> BinaryFacts:
    """Give a handler that only go1.x can call."""
    return program(entry, library, **{"runtime_api": False, "norpc": False, **changes})


def shared(entry: str, **changes: Any) -> BinaryFacts:
    """Give a shared library."""
    name = entry.rpartition("/")[2]
    made = BinaryFacts(entry, BinaryKind.LIBRARY, 64, "x86_64", soname=name, needed=("libc.so.6",))
    return replace(made, **changes)


def entry(
    name: str,
    *,
    mode: int | None = 0o755,
    size: int = 1000,
    kind: EntryKind = EntryKind.FILE,
    crc: int | None = None,
) -> Entry:
    return Entry(name, kind, size, size // 2, mode, crc32(name.encode()) if crc is None else crc)


def link(name: str) -> Entry:
    return entry(name, mode=0o777, size=10, kind=EntryKind.SYMLINK)


def directory(name: str) -> Entry:
    return entry(name, size=0, kind=EntryKind.DIRECTORY)


def package(
    *binaries: BinaryFacts, also: tuple[Entry, ...] = (), mode: int | None = 0o755, **changes: Any
) -> PackageFacts:
    """Give a package of these binaries, all with this mode, and of other entries."""
    made = PackageFacts(
        code_sha256="",
        size=1000,
        unzipped_size=2000,
        entries=(*(entry(each.entry, mode=mode) for each in binaries), *also),
        binaries=binaries,
    )
    return replace(made, **changes)


def layer(*binaries: BinaryFacts, also: tuple[Entry, ...] = (), **changes: Any) -> Layer:
    arn = "arn:aws:lambda:eu-west-1:123456789012:layer:tools:3"
    return Layer(arn, package(*binaries, also=also, **changes))
