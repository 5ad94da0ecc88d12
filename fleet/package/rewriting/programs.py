"""Which programs of a package have to be built anew for another architecture. Pure.

Every ELF file that runs today has to run on the other architecture too, whoever starts it: which
of them a function needs cannot be read from them. Scripts and data are for every architecture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.inspection import BinaryFacts, BinaryKind, PackageFacts, Remark
from fleet.package.words import shortened

_OURS = frozenset({"x86_64", "arm64"})
_I386 = "machine 3"
"""EM_386: 32-bit programs, which x86_64 starts as well."""
_UNREADABLE = "machine 0"

SENTENCES: Mapping[str, str] = {
    "rebuild-index-only": "only the index of its package was read, so what has to be built for "
    "{wanted} is not known: inspect the whole package",
    "rebuild-signed": "its package is signed, and with other programs it would carry a signature "
    "that is not valid: build it for {wanted} from its source, and sign that",
    "rebuild-duplicate": "the package holds {entry} more than once, and which of them Lambda "
    "keeps is not known: package it again with one",
    "rebuild-packed": "{entry} is packed by UPX, so what it was built from cannot be seen: give an "
    "artifact for {wanted} that was built from its source",
    "rebuild-unreadable": "{entry} begins as an ELF file and could not be read ({problem}), so "
    "whether anything starts or loads it is not known: take it out of the package, or give an "
    "artifact for {wanted}",
    "rebuild-go-library": "{entry} is a Go plugin or shared library for {machine}, and only "
    "programs are rebuilt: give an artifact for {wanted} that holds it",
    "rebuild-library": "{entry} is a library for {machine}, which {wanted} can't load, and nothing "
    "tells where its source is: give an artifact for {wanted} that holds it",
    "rebuild-not-go": "{entry} is a program for {machine} in which nothing tells of Go, so it "
    "can't be rebuilt: give an artifact for {wanted} that holds it, or take it out of the package",
    "rebuild-no-program": "{entry} is an object file for {machine}, and what it is used for is "
    "not known: take it out of the package, or give an artifact for {wanted}",
    "rebuild-no-build-info": "{entry} is a Go program without build info that can be read, as Go "
    "before 1.13 made them, so it does not tell its source: give an artifact for {wanted} that "
    "was built from its source",
}
"""Code → one sentence with named fields, of all that keeps a package from being rebuilt."""


@dataclass(frozen=True, slots=True)
class ProgramsToReplace:
    """What has to become of the ELF files of a package."""

    rebuild: tuple[BinaryFacts, ...]
    """Go programs to be built anew, each by its own build info, in the package's order."""
    against: tuple[Remark, ...]
    """Why the package cannot be rebuilt as a whole; () where it can."""
    left: tuple[str, ...]
    """Entries that stay: for this architecture already, or for one that cannot run today."""


def programs_to_replace(facts: PackageFacts, architecture: str) -> ProgramsToReplace:
    """Sort the ELF files of a package that is to run on an architecture, x86_64 or arm64.

    Nothing in `rebuild` and nothing in `against` is a package that runs there as it is. Whether
    a build info names a source that can be found is not judged here.
    """
    against = [*_of_package(facts, architecture)]
    rebuild, left = [], []
    times = Counter(each.name for each in facts.entries)
    for binary in facts.binaries:
        if _stays(binary, architecture):
            left.append(binary.entry)
        elif code := _obstacle(binary, times[binary.entry]):
            against.append(_said(code, architecture, binary))
        else:
            rebuild.append(binary)
    return ProgramsToReplace(tuple(rebuild), tuple(dict.fromkeys(against)), tuple(left))


def _of_package(facts: PackageFacts, architecture: str) -> Iterator[Remark]:
    if not facts.whole:
        yield _said("rebuild-index-only", architecture)
    if facts.signed:
        yield _said("rebuild-signed", architecture)


def _stays(binary: BinaryFacts, architecture: str) -> bool:
    if binary.machine == _UNREADABLE:
        return False
    if binary.machine == _I386:
        return architecture == "x86_64"
    # What is for a third machine runs nowhere in Lambda: tools bring such files for all systems.
    return binary.machine == architecture or binary.machine not in _OURS


def _obstacle(binary: BinaryFacts, times: int) -> str:
    """Give the code of what keeps a binary from being rebuilt, '' where nothing does."""
    obstacles = {
        "rebuild-duplicate": times > 1,
        "rebuild-unreadable": binary.machine == _UNREADABLE,
        "rebuild-packed": binary.upx,
        "rebuild-go-library": binary.kind is BinaryKind.LIBRARY and binary.is_go,
        "rebuild-library": binary.kind is BinaryKind.LIBRARY,
        "rebuild-no-program": binary.kind is not BinaryKind.EXECUTABLE,
        "rebuild-not-go": not binary.is_go,
        "rebuild-no-build-info": binary.build is None,
    }
    return next((code for code, is_there in obstacles.items() if is_there), "")


def _said(code: str, architecture: str, binary: BinaryFacts | None = None) -> Remark:
    fields = {"wanted": architecture}
    if binary is not None:
        machine = "i386" if binary.machine == _I386 else binary.machine
        problem = binary.problem or "its header is not whole"
        fields |= {"entry": binary.entry, "machine": machine, "problem": problem}
    shown = {name: shortened(value) for name, value in fields.items()}
    return Remark(code, SENTENCES[code].format_map(shown))
