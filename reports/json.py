"""The whole report as one JSON document; report.schema.json describes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TextIO

import orjson
import pandas as pd

from fleet.model import ScanHeader
from reports.arn import arns
from reports.coverage import look
from reports.csv import COLUMNS
from reports.diff import COLUMNS as CHANGE_COLUMNS
from reports.diff import counts
from reports.frames import question
from reports.groups import totals
from reports.projection import project
from reports.report import ReportData
from reports.summary import headline
from reports.waves import with_waves
from reports.waves_json import plan_object
from reports.worth import with_worth
from reports.worth_json import worth_object

FORMAT = 1
"""Rises when a field goes away or changes its meaning."""

LIST_COLUMNS = frozenset({"layers", "aliases", "callers", "tags", "reasons", "warnings"})
CHUNK = 5000
"""Functions a write: the document is never in memory as a whole."""


def write_json(data: ReportData, file: TextIO) -> None:
    """Write the document; the functions come last, so that a reader can stop before them."""
    head = orjson.dumps(_head(data), default=float, option=orjson.OPT_UTC_Z)
    file.write(head.decode()[:-1])
    file.write(',"functions":[')
    functions = with_worth(with_waves(data.functions, data.waves), data.worth).assign(
        arn=arns(data.functions, data.header.partition)
    )
    for start in range(0, len(functions), CHUNK):
        chunk = functions.iloc[start : start + CHUNK]
        # Only sums of money are no plain values.
        rows = orjson.dumps(list(records(chunk, COLUMNS)), default=float)
        file.write("," * bool(start) + rows.decode()[1:-1])
    file.write("]}\n")


def write_diff_json(
    changes: pd.DataFrame, before: ScanHeader, after: ScanHeader, file: TextIO
) -> None:
    """Write what diff.diff found: the two scans, the counts, and a row a function version."""
    document = {
        "format": FORMAT,
        "before": asdict(before),
        "after": asdict(after),
        "counts": counts(changes),
        "changes": list(records(changes, CHANGE_COLUMNS)),
    }
    file.write(orjson.dumps(document, option=orjson.OPT_UTC_Z).decode() + "\n")


def records(frame: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Give each row as JSON-ready values; what is stored as JSON text goes in as it is."""
    values = [_values(frame[name], is_json=name in LIST_COLUMNS) for name in columns]
    return (dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True))


def _values(column: pd.Series, *, is_json: bool) -> list[object]:
    if is_json:
        return [None if text is None else orjson.Fragment(text) for text in column]
    return [None if value is pd.NA else value for value in column.tolist()]


def _head(data: ReportData) -> Mapping[str, object]:
    seen = look(data.header, data.coverage, data.accounts)
    found = totals(data.functions, data.header)
    outlook = project(data.history, question(data.header))
    return {
        "format": FORMAT,
        "generated": data.generated,
        "scan": asdict(data.header),
        "headline": asdict(headline(data.header, seen, found)),
        "totals": asdict(found),
        "deadline": asdict(data.deadline)
        | {
            "days_past": data.deadline.days_past,
            "days_to_block": data.deadline.days_to_block,
        },
        "projection": {"reached": outlook.reached, "sentence": outlook.sentence},
        "complete": seen.complete,
        "coverage": [asdict(row) for row in data.coverage],
        "accounts": [asdict(account) for account in data.accounts],
        "worth": worth_object(data),
        "waves": [plan_object(record) for record in data.waves],
        "history": list(
            records(
                data.history.drop(columns="question").assign(
                    started=[moment.isoformat() for moment in data.history["started"]],
                    comparable=data.history["question"] == question(data.header),
                ),
                ("scan", "started", "findings", "complete", "comparable"),
            )
        ),
    }
