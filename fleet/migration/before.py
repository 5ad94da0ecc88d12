"""What the aliases of a function's owners were before a migration moved them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.deployment import OWN_ALIASES
from fleet.ledger import Entry, EntryState, Verb
from fleet.model import Alias


@dataclass(frozen=True, slots=True)
class _Moved:
    first: Alias
    """What the alias was before the first of the moves that belong together."""
    where: frozenset[str]
    """The versions that the last of them may have left it at."""


def before_images(entries: Iterable[Entry], *, kept: str | None = None) -> Mapping[str, Alias]:
    """Give what each alias was before a migration moved it, by name.

    `entries` are the steps of one function, oldest first. A move that is only intended counts: it
    may have happened. Moves that go on from one another (first the runtime, then the architecture)
    are one, and what was before the first counts; a move from anywhere else shows that somebody
    has deployed in between, and what they left counts. An alias that is all the way back is
    forgotten; one that went back from the architecture alone is not. With `kept`, a version number,
    only moves away from that version count: those of one way, whatever was before it.
    """
    moved: dict[str, _Moved] = {}
    for entry in entries:
        was, becomes = entry.alias_before, entry.alias_after
        if was is None or becomes is None or was.name in OWN_ALIASES:
            continue
        if entry.state is EntryState.FAILED:
            continue
        if kept is not None and entry.verb is Verb.MIGRATE and was.version != kept:
            continue
        earlier = moved.get(was.name)
        if entry.verb is Verb.MIGRATE:
            goes_on = earlier is not None and was.version in earlier.where
            first = earlier.first if earlier and goes_on else was
        elif entry.verb is Verb.ROLLBACK and earlier is not None:
            first = earlier.first
            if entry.state is EntryState.DONE and becomes.version == first.version:
                del moved[was.name]
                continue
        else:
            continue
        # An intended one that has not happened is made again from where it began.
        began = {was.version} if entry.state is EntryState.INTENDED else set()
        moved[was.name] = _Moved(first, frozenset({becomes.version, *began}))
    return {name: each.first for name, each in moved.items()}
