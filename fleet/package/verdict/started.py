"""Which program a custom runtime would start: the package's bootstrap, or what Handler names.

Lambda starts /var/task/bootstrap, else a layer's /opt/bootstrap, and ignores Handler; without
either, repackaging makes one of the program that Handler names.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from fleet.inspection import (
    BOOTSTRAP,
    BinaryFacts,
    Deployed,
    Entry,
    EntryKind,
    Layer,
    PackageFacts,
    Remark,
)
from fleet.package.archive.modes import EXECUTABLE, READABLE, may, spelt
from fleet.package.archive.tree import Nothing, Tree
from fleet.package.shim import SHIM
from fleet.package.verdict import remarks


@dataclass(frozen=True, slots=True)
class Started:
    """The program that a custom runtime comes to start, and what stands between."""

    program: BinaryFacts | None = None
    """None where it is no ELF file, or could not be found or read."""
    entry: Entry | None = None
    remarks: tuple[Remark, ...] = ()
    brought: Remark | None = None
    """How the package starts the program by itself; None where it has no bootstrap yet."""


def started(deployed: Deployed, facts: PackageFacts) -> Started:
    """Find the program."""
    tree = Tree.around(facts.entries, BOOTSTRAP, deployed.handler or "")
    found = tree.find(BOOTSTRAP)
    if found is Nothing.MISSING:
        named = _named(deployed, facts, tree)
        # On go1.x a layer's bootstrap is started by nobody: there it is worth a warning.
        return _by_layers(deployed.layers, named) if is_custom(deployed) else named
    if isinstance(found, Nothing):
        return _beside(_no_file(found, BOOTSTRAP, tree), _named(deployed, facts, tree))
    if _is_shim(found):
        return _by_shim(found, _named(deployed, facts, tree))
    program = facts.binary(found.name)
    if program is not None:
        return _by_bootstrap(found, program, deployed, facts, tree)
    opaque = _opaque_bootstrap(found, deployed, facts)
    # Where it is what runs today, what Handler names counts for nothing.
    named = Started() if is_custom(deployed) else _named(deployed, facts, tree)
    return _beside(opaque, named)


def _opaque_bootstrap(found: Entry, deployed: Deployed, facts: PackageFacts) -> Remark:
    if found.kind is EntryKind.SYMLINK:
        return remarks.BOOTSTRAP_LINK.said()
    if not facts.whole:
        return remarks.INDEX_ONLY.said(entry=BOOTSTRAP)
    return remarks.BOOTSTRAP_SCRIPT.said(entry=deployed.handler or "the function's program")


def _by_bootstrap(
    entry: Entry, program: BinaryFacts, deployed: Deployed, facts: PackageFacts, tree: Tree
) -> Started:
    is_handler = deployed.handler is not None and tree.find(deployed.handler) is entry
    if not is_handler and not is_custom(deployed):
        # Whoever switches the runtime must not switch programs with it.
        named = _named(deployed, facts, tree)
        if not _is_same(entry, named):
            differs = remarks.BOOTSTRAP_DIFFERS.said(handler=deployed.handler or "")
            return _beside(differs, named)
    own = remarks.OWN_BOOTSTRAP.said()
    if may(entry, EXECUTABLE):
        return Started(program, entry, brought=own)
    mode = spelt(entry)
    if is_handler:
        mended = remarks.MODE_OF_BOOTSTRAP.said(entry=entry.name, mode=mode)
        return Started(program, entry, brought=mended)
    stops = remarks.NOT_EXECUTABLE.said(entry=entry.name, mode=mode)
    return Started(program, entry, (stops,), brought=own)


def _by_shim(shim: Entry, named: Started) -> Started:
    needs = ((shim, EXECUTABLE | READABLE), (named.entry, EXECUTABLE))
    stops = [
        remarks.NOT_EXECUTABLE.said(entry=entry.name, mode=spelt(entry))
        for entry, bits in needs
        if entry is not None and not may(entry, bits)
    ]
    brought = remarks.OWN_SHIM.said(entry=named.entry.name) if named.entry else None
    return replace(named, remarks=(*stops, *named.remarks), brought=brought)


def _by_layers(layers: Sequence[Layer], named: Started) -> Started:
    """Judge a function that runs without a bootstrap of its own, by the layer that brings one."""
    # A later layer's file replaces an earlier one's.
    for layer in reversed(layers):
        if layer.facts is None:
            problem = layer.problem or "it was not read"
            return Started(
                remarks=(remarks.LAYER_MAY_START.said(layer=layer.arn, problem=problem),)
            )
        found = bootstrap_of(layer.facts)
        if found is Nothing.MISSING:
            continue
        shim = isinstance(found, Entry) and may(found, EXECUTABLE | READABLE) and _is_shim(found)
        if not shim:
            return Started(remarks=(remarks.LAYER_STARTS.said(layer=layer.arn),))
        if named.entry is None:
            return named
        by_layer = remarks.LAYER_SHIM.said(layer=layer.arn, entry=named.entry.name)
        if may(named.entry, EXECUTABLE):
            return replace(named, brought=by_layer)
        mode = spelt(named.entry)
        stops = remarks.NOT_EXECUTABLE.said(entry=named.entry.name, mode=mode)
        return replace(named, remarks=(stops, *named.remarks), brought=by_layer)
    return named


def _named(deployed: Deployed, facts: PackageFacts, tree: Tree) -> Started:
    """Find what Handler names, as go1.x starts it."""
    if deployed.handler is None:
        return Started(remarks=(remarks.HANDLER_NOT_GIVEN.said(),))
    found = tree.find(deployed.handler)
    if found is Nothing.MISSING:
        missing = remarks.HANDLER_MISSING.said(handler=deployed.handler, programs=_programs(facts))
        return Started(remarks=(missing,))
    if isinstance(found, Nothing):
        return Started(remarks=(_no_file(found, deployed.handler, tree),))
    program = facts.binary(found.name)
    if program is not None:
        return Started(program, found)
    return Started(entry=found, remarks=(_opaque(found, facts).said(entry=found.name),))


def _opaque(found: Entry, facts: PackageFacts) -> remarks.Rule:
    if found.kind is EntryKind.SYMLINK:
        return remarks.HANDLER_LINK
    if not facts.whole:
        return remarks.INDEX_ONLY
    if found.name not in facts.scripts:
        return remarks.NOT_A_PROGRAM
    has_go = any(binary.is_go for binary in facts.binaries)
    return remarks.HANDLER_SCRIPT if has_go else remarks.SCRIPT_WITHOUT_GO


def _programs(facts: PackageFacts) -> str:
    return remarks.listed([program.entry for program in facts.programs]) or "none was seen"


def _no_file(found: Nothing, path: str, tree: Tree) -> Remark:
    if found is Nothing.SEVERAL:
        return remarks.DUPLICATE_NAME.said(entry=path, times=str(tree.times(path)))
    if path == BOOTSTRAP:
        return remarks.BOOTSTRAP_DIRECTORY.said()
    rule = remarks.HANDLER_OUTSIDE if found is Nothing.OUTSIDE else remarks.HANDLER_DIRECTORY
    return rule.said(handler=path)


def _beside(remark: Remark, other: Started) -> Started:
    return replace(other, remarks=(remark, *other.remarks))


def is_custom(deployed: Deployed) -> bool:
    """Whether the function runs on a custom runtime already."""
    return (deployed.runtime or "").startswith("provided")


def bootstrap_of(facts: PackageFacts) -> Entry | Nothing:
    """Give what a package or layer has in the place of bootstrap."""
    return Tree.around(facts.entries, BOOTSTRAP).find(BOOTSTRAP)


def _is_shim(entry: Entry) -> bool:
    return (entry.size, entry.crc) == (len(SHIM), crc32(SHIM))


def _is_same(entry: Entry, other: Started) -> bool:
    """Whether both are the same bytes: another build of one program may do something else.

    By size and CRC, which somebody could forge: but who could do that could as well change the
    program that Handler names, and it is what runs today.
    """
    return (
        other.entry is not None
        and other.program is not None
        and (entry.size, entry.crc) == (other.entry.size, other.entry.crc)
    )
