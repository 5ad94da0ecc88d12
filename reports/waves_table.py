"""Where a plan stands, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleet.wave_status import Counts, PlanRecord, PlanStatus, WaveState, WaveStatus
from reports.brief import plain
from reports.waves import left_over
from reports.words import count, number

_COLORS = {
    WaveState.DONE: "green",
    WaveState.RUNNING: "green",
    WaveState.BAKING: "green",
    WaveState.STOPPED: "bold red",
    WaveState.CANCELLED: "yellow",
    WaveState.PAUSED: "yellow",
    WaveState.DONE_NOT_ALL_MOVED: "yellow",
    WaveState.DONE_WITH_FAILURES: "red",
}
_NUMBERS = ("functions", "done", "running", "baking", "waiting", "failed", "not moved", "may fail")


NAMED = 25
"""Functions that are named with why they did not move; the rest is counted."""


def waves_table(record: PlanRecord) -> RenderableType:
    """Show every wave and the totals, and below them why something does not go on; in UTC."""
    status = record.status
    table = Table(box=None, pad_edge=False)
    for name in ("wave", "start", "state"):
        table.add_column(name, no_wrap=name == "start")
    for name in _NUMBERS:
        table.add_column(name, justify="right")
    for name in ("began", "ended"):
        table.add_column(name, no_wrap=True)
    for wave in status.waves:
        table.add_row(
            plain(wave.name),
            _moment(wave.start),
            Text(wave.state, _COLORS.get(wave.state, "")),
            *_numbers(wave.counts),
            _moment(wave.began),
            _end(wave),
        )
    table.add_row("all", "", "", *_numbers(status.totals), style="bold")
    head = f"Plan {status.plan}, made of scan {status.scan}; as of {_moment(status.as_of)} UTC"
    return Group(plain(head), Text(), table, Text(), *_notes(status), *_named(record))


def _numbers(counts: Counts) -> tuple[str, ...]:
    left = "any" if counts.budget_left is None else number(counts.budget_left)
    running = counts.running + counts.unattended
    numbers = (counts.functions, counts.done, running, counts.baking, counts.waiting)
    ended = (counts.all_failed, counts.all_not_moved)
    return (*(number(value) for value in (*numbers, *ended)), left)


def _end(wave: WaveStatus) -> str:
    if wave.expected_end is not None:
        return f"not before {_moment(wave.expected_end)}"
    return _moment(wave.ended)


def _notes(status: PlanStatus) -> Iterator[RenderableType]:
    for wave in status.waves:
        if wave.why:
            yield plain(f"{wave.name}: {wave.why}")
        parts = {**wave.counts.failed, **wave.counts.not_moved}
        if parts:
            told = ", ".join(f"{number(value)} {word}" for word, value in parts.items())
            yield plain(f"{wave.name}: {told}")
    totals = status.totals
    if totals.unattended:
        yield Text(
            f"{count(totals.unattended, 'function')} begun by a run that is gone; the next run "
            "goes on with what it left."
        )
    if totals.unjudged:
        yield Text(
            f"{count(totals.unjudged, 'function')} went on without numbers enough to judge by."
        )
    if status.staying:
        yield Text(f"{count(status.staying, 'function')} cannot move and are in no wave.")
    if status.removed:
        yield Text(
            f"{count(status.removed, 'function')} of an earlier text of the plan are in it no more."
        )


def _named(record: PlanRecord) -> Iterator[RenderableType]:
    found = [each for each in left_over(record) if each.wave]
    if not found:
        return
    table = Table(title="not moved", title_justify="left", box=None, pad_edge=False)
    for name in ("wave", "function", "account", "region", "result", "why"):
        table.add_column(name, overflow="fold")
    for each in found[:NAMED]:
        place = (each.ref.name, each.ref.account, each.ref.region)
        table.add_row(*(plain(text) for text in (each.wave, *place, each.word, each.reason)))
    yield Text()
    yield table
    if len(found) > NAMED:
        yield Text(f"… {number(len(found) - NAMED)} more: --format json has all.")


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
