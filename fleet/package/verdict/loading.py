"""Will the system of a custom runtime load this program: architecture, loader, libraries, GLIBC?

What go1.x loads and a custom runtime may not: libraries that came with Amazon Linux 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from fleet.inspection import (
    BinaryFacts,
    BinaryKind,
    Deployed,
    EntryKind,
    PackageFacts,
    Remark,
    Target,
)
from fleet.package.verdict import remarks

GLIBC = {Target.AL2: (2, 26), Target.AL2023: (2, 34)}
"""The C library of each target's system.

https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html
"""
GLIBC_LOADERS = frozenset({"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"})
GLIBC_LIBRARIES = frozenset(
    {
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
        "libc.so.6",
        "libdl.so.2",
        "libm.so.6",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
    }
)
"""What every system with glibc has."""

PACKAGE_DIRECTORIES = ("", "lib/")
LAYER_DIRECTORIES = ("lib/",)
"""Where LD_LIBRARY_PATH of Lambda's runtimes looks, below /var/task and below /opt.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""
_ROOTS = {"package": "/var/task/", "layer": "/opt/"}
_DIGITS = 4
"""More than any part of a GLIBC version will ever have."""


def loading(program: BinaryFacts, facts: PackageFacts, deployed: Deployed) -> Iterator[Remark]:
    """Say what keeps the program from being loaded; nothing where nothing does."""
    if program.kind is BinaryKind.LIBRARY:
        yield remarks.SHARED_LIBRARY.said(entry=program.entry)
    elif program.kind is not BinaryKind.EXECUTABLE:
        yield remarks.NO_EXECUTABLE.said(entry=program.entry)
    if program.bits != 64:  # noqa: PLR2004 - it says itself what it is
        yield remarks.BITS_32.said(entry=program.entry, target=deployed.target)
    elif program.machine != deployed.architecture:
        yield remarks.OTHER_MACHINE.said(
            entry=program.entry, machine=program.machine, architecture=deployed.architecture
        )
    files = _Files(facts, deployed)
    loader = program.interpreter
    if loader is not None and loader not in GLIBC_LOADERS and not files.has_path(loader):
        yield remarks.LOADER_MISSING.said(
            entry=program.entry, loader=loader, target=deployed.target
        )
    missing, glibc = _needed(program, files)
    if missing:
        yield remarks.LIBRARIES_MISSING.said(
            entry=program.entry, libraries=remarks.listed(missing), target=deployed.target
        )
    given = GLIBC[deployed.target]
    for entry, asked in glibc.items():
        if not _at_most(asked, given):
            yield remarks.GLIBC_TOO_NEW.said(
                entry=entry,
                asked=asked,
                target=deployed.target,
                given=".".join(str(number) for number in given),
            )


class _Files:
    """What is there at run time besides the system: the package and the layers that were read."""

    def __init__(self, facts: PackageFacts, deployed: Deployed) -> None:
        self._places: list[tuple[str, _Tree]] = [("package", _Tree(facts, PACKAGE_DIRECTORIES))]
        self._places += [
            ("layer", _Tree(layer.facts, LAYER_DIRECTORIES))
            for layer in deployed.layers
            if layer.facts is not None
        ]

    def has_path(self, path: str) -> bool:
        """Whether a file is brought to this absolute path."""
        return any(
            path.startswith(_ROOTS[kind]) and tree.has_file(path.removeprefix(_ROOTS[kind]))
            for kind, tree in self._places
        )

    def library(self, name: str, machine: str) -> BinaryFacts | None:
        """Give the library that the loader finds under this name, if it is one for `machine`."""
        for _, tree in self._places:
            found = tree.library(name)
            if found is not None and found.machine == machine:
                return found
        return None


class _Tree:
    def __init__(self, facts: PackageFacts, directories: tuple[str, ...]) -> None:
        self._facts = facts
        self._directories = directories

    @cached_property
    def _kinds(self) -> Mapping[str, EntryKind]:
        # Made only for programs that need a file: most are static, and packages may be large.
        return {entry.name.removeprefix("./"): entry.kind for entry in self._facts.entries}

    @cached_property
    def _binaries(self) -> Mapping[str, BinaryFacts]:
        return {binary.entry.removeprefix("./"): binary for binary in self._facts.binaries}

    @cached_property
    def _by_soname(self) -> Mapping[str, BinaryFacts]:
        return {
            binary.soname: binary
            for binary in self._facts.binaries
            if binary.soname is not None and binary.kind is BinaryKind.LIBRARY
        }

    def has_file(self, path: str) -> bool:
        return self._kinds.get(path) is EntryKind.FILE

    def library(self, name: str) -> BinaryFacts | None:
        for directory in self._directories:
            path = f"{directory}{name}"
            kind = self._kinds.get(path)
            if kind is EntryKind.FILE:
                return self._binaries.get(path)
            if kind is EntryKind.SYMLINK:
                # libx.so.1 leads to libx.so.1.2, whose soname it is. Where it leads is not
                # among the facts: only a library of that very soname makes it believable.
                return self._by_soname.get(name)
        return None


def _needed(program: BinaryFacts, files: _Files) -> tuple[list[str], Mapping[str, str]]:
    """Follow what it needs, and what that needs: what is missing, and the GLIBC each asks for."""
    missing: dict[str, None] = {}
    glibc = {program.entry: program.glibc} if program.glibc is not None else {}
    seen = set(GLIBC_LIBRARIES)
    pending = list(program.needed)
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        library = files.library(name, program.machine)
        if library is None or library.problem:
            missing[name] = None
            continue
        pending += library.needed
        if library.glibc is not None:
            glibc[library.entry] = library.glibc
    return sorted(missing), glibc


def _at_most(asked: str, given: tuple[int, ...]) -> bool:
    """Compare `2.17` or `2.2.5` with what the system has; what is no number is not at most."""
    parts = asked.split(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in parts):
        return False
    return tuple(int(part) for part in parts) <= given
