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
    last: Entry
    """The latest of them."""

    def leads_to(self, alias: Alias) -> bool:
        """Whether the alias is where these moves may have left it, and nobody else has put it."""
        moves = [self.last.alias_after]
        if self.last.state is EntryState.INTENDED:
            # It may not have happened, and is then made again from where it began.
            moves.append(self.last.alias_before)
        return any(move is not None and move.version == alias.version for move in moves)


def before_images(entries: Iterable[Entry]) -> Mapping[str, Alias]:
    """Give what each alias was before a migration moved it, by name.

    `entries` are the steps of one function, oldest first. A move that is only intended counts: it
    may have happened. Moves that go on from one another (first the runtime, then the architecture)
    are one, and what was before the first counts; a move from anywhere else shows that somebody
    has deployed in between, and what they left counts. An alias that went back is forgotten.
    """
    moved: dict[str, _Moved] = {}
    for entry in entries:
        was = entry.alias_before
        if was is None or was.name in OWN_ALIASES or entry.state is EntryState.FAILED:
            continue
        if entry.verb is Verb.MIGRATE:
            earlier = moved.get(was.name)
            goes_on = earlier is not None and earlier.leads_to(was)
            moved[was.name] = _Moved(earlier.first if earlier and goes_on else was, entry)
        elif entry.verb is Verb.ROLLBACK and entry.state is EntryState.DONE:
            moved.pop(was.name, None)
    return {name: each.first for name, each in moved.items()}
