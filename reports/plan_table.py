"""What a plan in waves comes to, and what has become of its functions: tables and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TextIO

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.brief import plain
from reports.words import count, number

FORMAT = 1
"""Rises when a field goes away or changes its meaning."""
REASONS = 20
"""Reasons to stay that a table shows, those of most functions first."""
NAMED = 50
"""Functions that are named in a table; --format json names all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveLine:
    """One wave as the calendar shows it."""

    name: str
    start: datetime
    """In the window's zone, with its offset."""
    zone: str
    window: str
    """In words: days and hours."""
    freeze: tuple[str, ...]
    functions: int
    accounts: int
    account_regions: int
    parallelism: int
    route: str
    canary: str
    """In words; '' without one."""
    arm64: bool
    rebuild: bool
    """Whether its builds for arm64 are made here, from source."""
    begins: datetime | None
    """When its first function is expected to begin; None: its window never opens."""
    ends: datetime | None
    """When its last function is expected to have moved and baked; None: not in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StayingLine:
    """Functions that stay for one reason."""

    verdict: str
    reason: str
    functions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """A whole plan."""

    name: str
    organization: str
    scan: str
    target: str
    waves: tuple[WaveLine, ...]
    staying: tuple[StayingLine, ...]
    moving: int
    ends: datetime | None
    update_block: date | None
    """None: no day is announced."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """One function of a plan, as it was found."""

    wave: str
    function: str
    """ARN."""
    standing: str
    reason: str


def plan_calendar(plan: PlanShown) -> RenderableType:
    """Show the waves in their order, what stays and why, and when all is done."""
    title = Text.assemble(
        "plan ", plain(plan.name), " for ", plain(plan.organization), ", of scan ", plain(plan.scan)
    )
    title.stylize("bold")
    return Group(title, Text(), _waves(plan.waves), Text(), *_ending(plan), *_staying(plan))


def _waves(waves: Iterable[WaveLine]) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    table.add_column("wave", no_wrap=True)
    for name in ("functions", "accounts", "acct-regions", "at once"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("starts", no_wrap=True)
    table.add_column("ends about", no_wrap=True)
    table.add_column("window", overflow="fold")
    table.add_column("how", overflow="fold")
    for wave in waves:
        how = (wave.route, wave.canary, _arm64(wave))
        frozen = f"; not on {', '.join(wave.freeze)}" if wave.freeze else ""
        table.add_row(
            plain(wave.name),
            number(wave.functions),
            number(wave.accounts),
            number(wave.account_regions),
            number(wave.parallelism),
            Text(_moment(wave.start)),
            Text(_moment(wave.ends) if wave.ends else "not in sight"),
            plain(f"{wave.window} {wave.zone}{frozen}"),
            plain(", ".join(each for each in how if each)),
        )
    return table


def _arm64(wave: WaveLine) -> str:
    if not wave.arm64:
        return ""
    return "then arm64, built here from source" if wave.rebuild else "then arm64"


def _ending(plan: PlanShown) -> Iterable[RenderableType]:
    yield Text(
        f"{count(plan.moving, 'function')} in {count(len(plan.waves), 'wave')}, "
        f"{number(sum(each.functions for each in plan.staying))} staying.",
        "bold",
    )
    ends = f"expected to end {_moment(plan.ends)}" if plan.ends else "no end is in sight"
    block = (
        f"AWS blocks updates of go1.x on {plan.update_block.isoformat()}"
        if plan.update_block
        else "no day is announced on which AWS blocks updates of go1.x"
    )
    yield Text(f"{ends[0].upper()}{ends[1:]}; {block}.")
    for warning in plan.warnings:
        yield Text.assemble(("! ", "yellow"), plain(warning))


def _staying(plan: PlanShown) -> Iterable[RenderableType]:
    if not plan.staying:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("staying", justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("why", overflow="fold")
    for line in plan.staying[:REASONS]:
        table.add_row(number(line.functions), plain(line.verdict), plain(line.reason))
    yield Group(Text(), table)
    if len(plan.staying) > REASONS:
        left = plan.staying[REASONS:]
        functions = count(sum(each.functions for each in left), "function")
        yield Text(
            f"{functions} more for {count(len(left), 'other reason')}; --format json has them all."
        )


def _moment(at: datetime) -> str:
    return f"{at:%a %Y-%m-%d %H:%M %z}"


def write_plan_json(plan: PlanShown, file: TextIO) -> None:
    """Write the calendar as JSON; times in ISO 8601 with their offsets."""
    _write("plan calendar", asdict(plan), file)


def check_table(lines: Sequence[MemberLine], *, good: frozenset[str]) -> RenderableType:
    """Name the functions that are in no `good` standing, and count all."""
    bad = [line for line in lines if line.standing not in good]
    table = Table(box=None, pad_edge=False)
    for name in ("wave", "standing"):
        table.add_column(name, no_wrap=True)
    table.add_column("function", overflow="fold")
    table.add_column("why", overflow="fold")
    for line in bad[:NAMED]:
        table.add_row(*(plain(each) for each in (line.wave, line.standing)),
                      plain(line.function), plain(line.reason))  # fmt: skip
    counted = Counter(line.standing for line in lines)
    summed = ", ".join(f"{number(found)} {name}" for name, found in sorted(counted.items()))
    parts: list[RenderableType] = [table, Text()] if bad else []
    if len(bad) > NAMED:
        parts.append(Text(f"and {number(len(bad) - NAMED)} more; --format json names all."))
    return Group(*parts, Text(f"{count(len(lines), 'function')}: {summed}.", "bold"))


def write_check_json(lines: Sequence[MemberLine], file: TextIO) -> None:
    """Write every function and its standing."""
    _write("plan check", {"functions": [asdict(line) for line in lines]}, file)


def _write(kind: str, content: dict[str, object], file: TextIO) -> None:
    json.dump(
        {"format": FORMAT, "kind": kind, **content}, file, default=lambda value: value.isoformat()
    )
    file.write("\n")
