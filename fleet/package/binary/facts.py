"""What one ELF file of a package is, and, if Go made it, how it was built and what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fleet.inspection import LAMBDA_LIBRARY, BinaryFacts, BinaryKind, BuildInfo
from fleet.package.archive.source import Source
from fleet.package.binary.buildinfo import made_by_go, read_build_info
from fleet.package.binary.elf import Elf, FileType, Malformed
from fleet.package.binary.elf_tables import read_elf
from fleet.package.binary.linking import Linking, read_linking
from fleet.package.binary.markers import NAMES, VARIABLES, Marker, find_markers

UPX_MARK = b"UPX!"
"""Stands behind the program headers of a packed file; further on, any program may have it."""
_UPX_HEAD = 512
_Fact = TypeVar("_Fact")
_MACHINES = {62: "x86_64", 183: "arm64"}


def read_binary(source: Source, entry: str) -> BinaryFacts:
    """Read an ELF file, whatever is in it: what cannot be read is told in `problem`.

    Takes some megabytes at most, and time in proportion to the file's size. Raises nothing of
    its own; what `source` raises passes through.
    """
    try:
        elf = read_elf(source)
    except Malformed as problem:
        return BinaryFacts(entry, BinaryKind.OTHER, 0, "machine 0", problem=f"header: {problem}")
    problems = [*elf.problems]
    linking = read_linking(elf)
    problems += linking.problems

    def tried(what: str, read: Callable[[], _Fact], otherwise: _Fact) -> _Fact:
        try:
            return read()
        except Malformed as problem:
            problems.append(f"{what}: {problem}")
            return otherwise

    build = tried("Go build info", lambda: read_build_info(elf), None)
    is_go = build is not None or tried("notes", lambda: made_by_go(elf), otherwise=False)
    # Without section headers nothing else may tell that Go made it, so its names are looked for.
    wanted = VARIABLES | NAMES if is_go or not elf.sections else VARIABLES
    found = tried("strings", lambda: find_markers(elf, wanted), frozenset[Marker]())
    head = tried("beginning", lambda: source.read_at(0, _UPX_HEAD), b"")
    legible = Marker.LEGIBLE in found
    return BinaryFacts(
        entry,
        _kind(elf, linking),
        elf.header.bits,
        machine(elf),
        interpreter=linking.interpreter,
        soname=linking.soname,
        needed=linking.needed,
        glibc=linking.glibc,
        build=build,
        is_go=is_go or legible,
        lambda_library=None if build is None else _library_version(build),
        norpc=_norpc(found),
        runtime_api=Marker.RUNTIME_API_CLIENT in found if legible else None,
        reads_handler=Marker.HANDLER in found,
        asks_where_it_stands=Marker.EXECUTABLE in found,
        reads_execution_env=Marker.EXECUTION_ENV in found,
        upx=UPX_MARK in head,
        problem="; ".join(problems),
    )


def machine(elf: Elf) -> str:
    """Give `x86_64` or `arm64`, the words of Lambda's Architectures, else `machine N`."""
    return _MACHINES.get(elf.header.machine, f"machine {elf.header.machine}")


def _kind(elf: Elf, linking: Linking) -> BinaryKind:
    if elf.header.type == FileType.EXECUTABLE:
        return BinaryKind.EXECUTABLE
    if elf.header.type != FileType.SHARED:
        return BinaryKind.OTHER
    if linking.is_program:
        return BinaryKind.EXECUTABLE
    # libc.so.6 has an interpreter as well: it can be started, to print its version.
    startable = linking.interpreter is not None and linking.soname is None
    return BinaryKind.EXECUTABLE if startable else BinaryKind.LIBRARY


def _library_version(build: BuildInfo) -> str | None:
    """Give the version of the code that is in the binary, None where a version does not tell it.

    A fork counts its own versions and a directory has none; the replacement stays in `build`.
    """
    module = build.dependency(LAMBDA_LIBRARY)
    if module is None and build.main is not None and build.main.path == LAMBDA_LIBRARY:
        module = build.main
    if module is not None and module.replacement is not None:
        module = module.replacement
    if module is None or module.path != LAMBDA_LIBRARY:
        return None
    return module.version if module.version.startswith("v") else None


def _norpc(found: frozenset[Marker]) -> bool | None:
    if Marker.RPC_SERVER in found:
        return False
    return True if Marker.RUNTIME_API_CLIENT in found else None
