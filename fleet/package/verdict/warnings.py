"""What to know of a function besides its verdict: about the program, and about its size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleet.inspection import (
    BOOTSTRAP,
    BinaryFacts,
    Deployed,
    EntryKind,
    Layer,
    PackageFacts,
    Remark,
)
from fleet.package.archive.modes import EXECUTABLE, may, spelt
from fleet.package.archive.tree import Nothing
from fleet.package.limits import DIRECT_UPLOAD_LIMIT, UNZIPPED_LIMIT
from fleet.package.verdict import remarks
from fleet.package.verdict.layers import about_layers
from fleet.package.verdict.library import KEEPS_REQUEST_ID_SINCE, replacement_of, version_of
from fleet.package.verdict.started import Started, bootstrap_of, is_custom
from fleet.provenance import origin_of

CLOSE = UNZIPPED_LIMIT * 95 // 100
"""Bytes from which the limit is worth a word."""
_MEGABYTE = 1 << 20
"""As Lambda counts its limits."""


def warnings(deployed: Deployed, facts: PackageFacts, start: Started) -> Iterator[Remark]:
    """Say everything that decides nothing."""
    if start.program is not None:
        yield from _program(start.program)
        yield from _place(start.program, deployed, start)
    yield from _names(facts)
    yield from about_layers(deployed.layers)
    if not is_custom(deployed) and bootstrap_of(facts) is Nothing.MISSING:
        yield from _bootstraps(deployed.layers)
    yield from _sizes(deployed, facts)


def _program(program: BinaryFacts) -> Iterator[Remark]:
    entry = program.entry
    if program.runtime_api:
        version = version_of(program)
        replacement = replacement_of(program)
        if replacement is not None:
            yield remarks.LIBRARY_REPLACED.said(
                replacement=f"{replacement.path} {replacement.version}".rstrip(),
            )
        elif version is None:
            yield remarks.LIBRARY_VERSION_UNKNOWN.said(entry=entry)
        elif version < KEEPS_REQUEST_ID_SINCE:
            yield remarks.REQUEST_ID_LOST.said(version=f"v{version}")
        if program.norpc is False:
            yield remarks.WITH_RPC.said(entry=entry)
    if program.reads_execution_env:
        yield remarks.EXECUTION_ENV_READ.said(entry=entry)
    origin = origin_of(program.build)
    if origin.modified:
        yield remarks.BUILT_MODIFIED.said(entry=entry, commit=origin.commit or "its commit")


def _place(program: BinaryFacts, deployed: Deployed, start: Started) -> Iterator[Remark]:
    """Speak of a program that go1.x starts, and that repackaging may move."""
    if not is_custom(deployed) and program.norpc:
        yield remarks.WITHOUT_RPC.said(entry=program.entry)
    if start.brought is not None or start.entry is None:
        return
    if program.asks_where_it_stands and "/" not in program.entry:
        yield remarks.OWN_NAME.said(entry=program.entry)
    if not may(start.entry, EXECUTABLE):
        yield remarks.MODE_MENDED.said(entry=program.entry, mode=spelt(start.entry))


def _names(facts: PackageFacts) -> Iterator[Remark]:
    for entry in facts.entries:
        is_other = entry.name != BOOTSTRAP and entry.name.lower() == BOOTSTRAP
        if is_other and entry.kind is not EntryKind.DIRECTORY:
            yield remarks.BOOTSTRAP_CASE.said(entry=entry.name)


def _bootstraps(layers: Iterable[Layer]) -> Iterator[Remark]:
    for layer in layers:
        if layer.facts is not None and bootstrap_of(layer.facts) is not Nothing.MISSING:
            yield remarks.LAYER_BOOTSTRAP.said(layer=layer.arn)


def _sizes(deployed: Deployed, facts: PackageFacts) -> Iterator[Remark]:
    if facts.size > DIRECT_UPLOAD_LIMIT:
        yield remarks.LARGE_ZIP.said(size=_megabytes(facts.size))
    layers = sum(layer.facts.unzipped_size for layer in deployed.layers if layer.facts)
    unzipped = facts.unzipped_size + layers
    if unzipped > CLOSE:
        yield remarks.LARGE_UNZIPPED.said(size=_megabytes(unzipped))


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:.1f} MB"
