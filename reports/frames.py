"""The store's rows as pandas frames: one for functions, one for coverage, one for past scans.

Text columns hold str or None (None: not looked at, or not readable), never NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Protocol

import pandas as pd

from fleet.model import FUNCTION_COLUMNS, LATEST, Account, ScanHeader, Use

DISTINCT = frozenset({"name", "code_size", "code_sha256", "last_modified", "tags"})
"""Columns in which hardly any two rows are alike."""
ROWS_AT_ONCE = 1000
IS_FINDING = {use.value: use.is_finding for use in Use}


class HistoryPoint(Protocol):
    """What the store sums up of one saved scan."""

    @property
    def id(self) -> str:
        """The scan's id, as in its header."""

    @property
    def findings(self) -> int:
        """Function versions that had to move."""

    @property
    def complete(self) -> bool:
        """Whether the scan finished and every account and region it asked was seen."""


def version_order(qualifier: str) -> tuple[int, int, str]:
    """Sort $LATEST first, then versions by number, then whatever else comes."""
    if qualifier == LATEST:
        return (0, 0, qualifier)
    if qualifier.isascii() and qualifier.isdigit():
        return (1, int(qualifier), qualifier)
    return (2, 0, qualifier)


def function_frame(rows: Iterable[tuple[object, ...]], accounts: Iterable[Account]) -> pd.DataFrame:
    """Make the frame of function versions from tuples in the order of FUNCTION_COLUMNS.

    Adds account_name and ou ('' for an account the organization did not list) and finding
    (whether the version has to move), and sorts by account, region, name and version.
    Raises ValueError if a row has another number of fields.
    """
    columns = _columns(rows)
    frame = pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in columns.items()}
    )
    frame = frame.take(_order(columns)).reset_index(drop=True)
    numbers = frame["account"].tolist()
    for column, text in (
        ("account_name", {account.id: account.name for account in accounts}),
        ("ou", {account.id: account.ou for account in accounts}),
    ):
        frame[column] = pd.Series([text.get(number, "") for number in numbers], dtype=object)
    # a use nobody has heard of is treated as one that has to move: unknown is never fine
    findings = [IS_FINDING.get(use, True) for use in frame["use"].tolist()]
    frame["finding"] = pd.Series(findings, dtype=bool)
    frame["code_size"] = frame["code_size"].astype("int64")
    frame["invocations"] = frame["invocations"].astype("Int64")
    return frame


def _columns(rows: Iterable[tuple[object, ...]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in FUNCTION_COLUMNS}
    # every row brings its own copy of the same region and runtime; one object for all of them
    # takes less memory, and what looks at a column later finds it in the processor's cache
    same: dict[str, dict[object, object]] = {name: {} for name in FUNCTION_COLUMNS}
    stream = iter(rows)
    while part := list(islice(stream, ROWS_AT_ONCE)):
        for name, values in zip(FUNCTION_COLUMNS, zip(*part, strict=True), strict=True):
            one = same[name]
            columns[name] += values if name in DISTINCT else map(one.setdefault, values, values)
    return columns


def _order(columns: dict[str, list[Any]]) -> list[int]:
    versions = {qualifier: version_order(str(qualifier)) for qualifier in set(columns["qualifier"])}
    ranks = map(versions.__getitem__, columns["qualifier"])
    keys = list(zip(columns["account"], columns["region"], columns["name"], ranks, strict=True))
    # the store's order is nearly this one, which the sort turns to account
    return sorted(range(len(keys)), key=keys.__getitem__)


def question(header: ScanHeader) -> str:
    """Name what a scan counted, so that only scans that counted the same are compared.

    What was looked at besides (callers, traffic, the role used) does not change the count.
    """
    asked = header.options
    return repr(
        (
            header.partition,
            header.organization or header.caller,
            asked.organization,
            sorted(asked.runtimes),
            asked.latest_only,
            *(
                None if chosen is None else sorted(chosen)
                for chosen in (asked.accounts, asked.ous, asked.tags, asked.regions)
            ),
            sorted(asked.excluded_accounts),
            sorted(asked.excluded_regions),
        )
    )


def history_frame(points: Iterable[HistoryPoint], headers: Iterable[ScanHeader]) -> pd.DataFrame:
    """Make the frame of saved scans, oldest first: scan, started, findings, complete, question.

    A point whose header is not among `headers` (saved in between two looks) is left out.
    """
    by_id = {header.id: header for header in headers}
    ordered = sorted(
        ((by_id[point.id], point) for point in points if point.id in by_id),
        key=lambda pair: (pair[0].started, pair[0].id),
    )
    return pd.DataFrame(
        {
            "scan": pd.Series([header.id for header, _ in ordered], dtype=object),
            "started": pd.Series(
                [header.started for header, _ in ordered], dtype="datetime64[us, UTC]"
            ),
            "findings": pd.Series([point.findings for _, point in ordered], dtype="int64"),
            "complete": pd.Series([point.complete for _, point in ordered], dtype=bool),
            "question": pd.Series([question(header) for header, _ in ordered], dtype=object),
        }
    )
