"""The ledger's entries for a terminal: every step, when, by whom, from what to what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleet.ledger import Entry, EntryState
from fleet.model import NOTHING
from reports.brief import plain
from reports.migration import statement_on

_STATES = {
    EntryState.INTENDED: ("may or may not have happened", "yellow"),
    EntryState.DONE: ("done", "green"),
    EntryState.FAILED: ("failed", "red"),
}


def history_table(
    entries: Sequence[Entry], statements: Mapping[str, str] = NOTHING
) -> RenderableType:
    """Show every step, the oldest first, run by run; times are UTC.

    `statements` tell, by CodeSha256, where packages that were built anew came from.
    """
    if not entries:
        return Text("Nothing is noted about it.")
    ordered = sorted(entries, key=lambda entry: entry.number or 0)
    several = len({entry.ref for entry in entries}) > 1
    runs = groupby(ordered, key=lambda entry: (entry.run, entry.verb, entry.caller))
    return Group(
        *(part for _, run in runs for part in _run(list(run), statements, several=several))
    )


def _run(
    entries: Sequence[Entry], statements: Mapping[str, str], *, several: bool
) -> Iterator[RenderableType]:
    first = entries[0]
    yield Text.assemble(
        (first.verb, "bold"),
        " by ",
        plain(first.caller or "(unknown)"),
        plain(f" (run {first.run})"),
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, justify="right", min_width=6)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for entry in entries:
        said = statement_on(entry, statements)
        lines = Text("\n").join((*_lines(entry, several=several), *_sources(said)))
        table.add_row(str(entry.number or "-"), _moment(entry.began), lines)
    yield table
    yield Text()


def _lines(entry: Entry, *, several: bool) -> Iterable[Text]:
    word, color = _STATES[entry.state]
    yield Text.assemble(plain(entry.action), ": ", (word, color))
    if several:
        # Of a layer's steps: they belong to no function.
        yield plain(entry.ref.arn if entry.ref.name else f"{entry.ref.account} {entry.ref.region}")
    yield plain(entry.what)
    if entry.result:
        yield plain(f"answer: {entry.result}")
    if entry.problem:
        yield plain(f"because: {entry.problem}")
    if entry.request_id:
        yield plain(f"request: {entry.request_id}")


def _sources(statement: str) -> Iterator[Text]:
    """Where the programs of a package came from, by a statement of ours."""
    if not statement:
        return
    resolved = json.loads(statement)["predicate"]["buildDefinition"]["resolvedDependencies"]
    for each in resolved:
        if "gitCommit" in each.get("digest", {}):
            yield plain(f"built from: {each['uri']}")


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
