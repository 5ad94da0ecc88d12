"""Function and facts → verdict, reasons, warnings, and how to repackage. Pure.

The sentences are in remarks.py, with what goes before what. Nothing is ready unless its Runtime
API client was seen in the binary that will be started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from fleet.inspection import (
    Assessment,
    BinaryFacts,
    Deployed,
    EntryKind,
    PackageFacts,
    Remark,
    Strategy,
    Verdict,
)
from fleet.model import GO1X
from fleet.package.verdict import remarks
from fleet.package.verdict.library import speaking
from fleet.package.verdict.loading import loading
from fleet.package.verdict.started import Started, started
from fleet.package.verdict.warnings import warnings

_STRATEGIES = {Verdict.READY: Strategy.RENAME, Verdict.READY_WITH_SHIM: Strategy.SHIM}


def assess(deployed: Deployed, facts: PackageFacts | None) -> Assessment:
    """Judge one function by its package's facts; None where the package was not read.

    Total: whatever the facts are, there is a verdict and at least one reason.
    """
    blank = _without_content(deployed, facts)
    if facts is None or blank is not None:
        return _concluded([blank or remarks.NOT_READ.said()], ())
    start = started(deployed, facts)
    return _concluded(
        [*_package(deployed, facts), *start.remarks, *_program(start, deployed, facts)],
        tuple(warnings(deployed, facts, start)),
    )


def _without_content(deployed: Deployed, facts: PackageFacts | None) -> Remark | None:
    """Give the one thing to say of a function whose package has nothing to look at."""
    if deployed.is_image:
        return remarks.CONTAINER_IMAGE.said()
    runtime = deployed.runtime or GO1X
    if runtime != GO1X and not runtime.startswith("provided"):
        return remarks.OTHER_RUNTIME.said(runtime=runtime)
    if facts is not None and not any(
        entry.size for entry in facts.entries if entry.kind is not EntryKind.DIRECTORY
    ):
        return remarks.EMPTY_PACKAGE.said()
    return None


def _package(deployed: Deployed, facts: PackageFacts) -> Iterator[Remark]:
    if facts.signed or deployed.code_signing:
        yield remarks.SIGNED.said()
    outside = (
        entry.name
        for entry in facts.entries
        if entry.name.startswith("/") or ".." in entry.name.split("/")
    )
    for name in islice(outside, 1):
        yield remarks.ENTRY_OUTSIDE.said(entry=name)


def _program(start: Started, deployed: Deployed, facts: PackageFacts) -> Iterator[Remark]:
    program = start.program
    if program is None:
        return
    if program.upx:
        yield remarks.PACKED.said(entry=program.entry)
        return
    if program.problem:
        yield remarks.UNREADABLE.said(entry=program.entry, problem=program.problem)
        if program.lambda_library is None:
            return
    elif not program.is_go:
        yield remarks.NOT_GO.said(entry=program.entry)
        return
    yield from speaking(program)
    yield from loading(program, facts, deployed)
    if start.brought is not None:
        yield start.brought
    else:
        yield from _keeping_its_place(program, facts)


def _keeping_its_place(program: BinaryFacts, facts: PackageFacts) -> Iterator[Remark]:
    """Say why the program has to be started where it lies, instead of becoming bootstrap."""
    count = len(facts.programs)
    if count > 1:
        yield remarks.SEVERAL_PROGRAMS.said(entry=program.entry, count=str(count))
    if "/" in program.entry.removeprefix("./"):
        yield remarks.HANDLER_IN_DIRECTORY.said(entry=program.entry)
    by_name = [
        *(each.name for each in facts.entries if each.kind is EntryKind.SYMLINK),
        *facts.scripts,
    ]
    if by_name:
        yield remarks.STARTED_BY_NAME.said(entry=program.entry, names=remarks.listed(by_name))
    if program.reads_handler:
        yield remarks.READS_HANDLER.said(entry=program.entry)


def _concluded(found: Iterable[Remark], beside: tuple[Remark, ...]) -> Assessment:
    order = remarks.PRECEDENCE
    ranked = sorted(found, key=lambda remark: order.index(_verdict(remark)))
    verdict = _verdict(ranked[0])
    if not verdict.is_ready:
        # What would be ready but for the reasons is none.
        ranked = [remark for remark in ranked if not _verdict(remark).is_ready]
    return Assessment(verdict, tuple(ranked), beside, _STRATEGIES.get(verdict))


def _verdict(remark: Remark) -> Verdict:
    return remarks.VERDICTS[remark.code]
