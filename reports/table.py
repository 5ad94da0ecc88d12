"""Tables for a terminal, by rich. What comes from outside is shown, never obeyed."""

from __future__ import annotations

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.brief import brief, plain
from reports.diff import KEY, Change, counts
from reports.frames import question
from reports.groups import by_group, to_rebuild, totals
from reports.projection import project
from reports.report import ReportData
from reports.waves_table import waves_table
from reports.words import count, number
from reports.worth import summary

LARGEST = 10
"""Rows of one group's table; the rest is summed in a last row."""
CHANGES = 200

TITLES = {
    "ou": "organizational unit",
    "account": "account",
    "region": "region",
    "owner": "owner",
}


def summary_table(data: ReportData) -> RenderableType:
    """The summary for stdout: the brief one, the projection, and the counts by group."""
    found = totals(data.functions, data.header)
    outlook = project(data.history, question(data.header))
    reached = f"Projected to be gone on {outlook.reached}. " if outlook.reached else ""
    return Group(
        brief(data.header, data.coverage, data.accounts, found, data.deadline),
        Text(f"{reached}{outlook.sentence}"),
        *(_group(by_group(data.functions, group), title) for group, title in TITLES.items()),
        *_rebuilds(data),
        *(Text(line) for line in ([] if data.worth is None else summary(data.worth))),
        *(waves_table(record) for record in data.waves),
    )


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


def _rebuilds(data: ReportData) -> list[RenderableType]:
    table = by_group(to_rebuild(data.functions), "module")
    return [] if table.empty else [_group(table, "module", "to rebuild, ")]


def _group(table: pd.DataFrame, title: str, what: str = "") -> Table:
    shown = Table(title=f"{what}by {title}", title_justify="left", box=None, pad_edge=False)
    shown.add_column(title)
    for column in table.columns:
        shown.add_column(column, justify="right")
    for label, *values in table.head(LARGEST).itertuples():
        shown.add_row(plain(label), *(number(value) for value in values))
    rest = table.iloc[LARGEST:]
    if len(rest):
        summed = (number(int(value)) for value in rest.sum())
        shown.add_row(count(len(rest), "other"), *summed)
    return shown
