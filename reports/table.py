"""Tables for a terminal, by rich. What comes from outside is shown, never obeyed."""

from __future__ import annotations

import unicodedata

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports.coverage import Seen, look
from reports.diff import KEY, Change, counts
from reports.frames import question
from reports.projection import project
from reports.report import Deadline, ReportData
from reports.summary import Totals, by_group, headline, totals
from reports.words import count, number

LARGEST = 10
"""Rows of one group's table; the rest is summed in a last row."""
GAPS = 25
CHANGES = 200

TITLES = {
    "ou": "organizational unit",
    "account": "account",
    "region": "region",
    "owner": "owner",
}


def plain(text: object) -> Text:
    """Show a text from outside: no markup, and control characters made visible.

    A function's tag could otherwise move the cursor or turn the reading direction around.
    """
    return Text(
        "".join(
            "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter)[0] == "C" else letter
            for letter in str(text)
        )
    )


def summary_table(data: ReportData) -> RenderableType:
    """The summary for stdout: headline, what was not seen, dates, and the counts by group."""
    seen = look(data.header, data.coverage, data.accounts)
    found = totals(data.functions)
    said = headline(data.header, seen, found)
    outlook = project(data.history, question(data.header))
    parts: list[RenderableType] = [Text(said.sentence, style="bold")]
    parts += [Text.assemble(("! ", "bold yellow"), plain(warning)) for warning in said.warnings]
    parts += [plain(f"  {note}") for note in said.notes]
    parts += [_gaps(seen), *(Text(line) for line in countdown(data.deadline))]
    reached = f"Projected to be gone on {outlook.reached}. " if outlook.reached else ""
    parts.append(Text(f"{reached}{outlook.sentence}"))
    parts.append(_uses(found))
    parts += [_group(by_group(data.functions, group), title) for group, title in TITLES.items()]
    return Group(*parts)


def countdown(deadline: Deadline) -> list[str]:
    """Say the dates in sentences."""
    past = deadline.days_past
    away = f"{count(past, 'day')} past" if past >= 0 else f"{count(-past, 'day')} before"
    today = f"as of {deadline.as_of}. Phase: {deadline.phase}."
    lines = [f"{away} the announced end of {deadline.runtime} ({deadline.announced}), {today}"]
    left = deadline.days_to_block
    if left is None:
        lines.append("No day is announced from which updates are blocked.")
    elif left > 0:
        lines.append(f"{count(left, 'day')} until updates are blocked ({deadline.update_block}).")
    else:
        lines.append(f"Updates are blocked since {deadline.update_block}.")
    return lines


def diff_table(changes: pd.DataFrame) -> RenderableType:
    """The changes between two scans for stdout: the counts, then the first rows that changed."""
    summed = Table(box=None, pad_edge=False)
    for change in counts(changes):
        summed.add_column(change, justify="right")
    summed.add_row(*(number(value) for value in counts(changes).values()))
    changed = changes[changes["change"] != Change.STILL_THERE]
    rows = Table(box=None, pad_edge=False)
    shown = ["change", *KEY]
    for name in shown:
        rows.add_column(name)
    for row in changed.head(CHANGES)[shown].itertuples(index=False):
        rows.add_row(*(plain(value) for value in row))
    more = len(changed) - CHANGES
    rest = [Text(f"… {number(more)} more: --format csv has all.")] if more > 0 else []
    return Group(summed, Text(), rows, *rest)


def _gaps(seen: Seen) -> RenderableType:
    if not seen.gaps:
        return Text(f"Seen: {seen.seen} of {count(seen.lanes, 'account-region')}.")
    table = Table(title="not seen", title_justify="left", box=None, pad_edge=False)
    for name in ("account", "status", "regions", "reason"):
        table.add_column(name)
    for gap in seen.gaps[:GAPS]:
        table.add_row(
            plain(f"{gap.account_name} {gap.account}".strip()),
            gap.status,
            plain(", ".join(gap.regions) or "all"),
            plain(gap.reason),
        )
    more = len(seen.gaps) - GAPS
    rest = [Text(f"… {number(more)} more rows: --format json has all.")] if more > 0 else []
    return Padding(Group(table, *rest), (1, 0))


def _uses(found: Totals) -> Table:
    table = Table(title="function versions by use", title_justify="left", box=None, pad_edge=False)
    for use in found.by_use:
        table.add_column(use, justify="right")
    table.add_row(*(number(value) for value in found.by_use.values()))
    return table


def _group(table: pd.DataFrame, title: str) -> Table:
    shown = Table(title=f"by {title}", title_justify="left", box=None, pad_edge=False)
    shown.add_column(title)
    for column in table.columns:
        shown.add_column(column, justify="right")
    for label, *values in table.head(LARGEST).itertuples():
        shown.add_row(plain(label), *(number(value) for value in values))
    rest = table.iloc[LARGEST:]
    if len(rest):
        summed = (number(int(value)) for value in rest.sum())
        shown.add_row(f"{number(len(rest))} others", *summed)
    return shown
