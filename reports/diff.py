"""What changed between two scans: gone, new, still there, and what nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from fleet.model import GO1X, LATEST, Coverage, CoverageStatus, ScanHeader, Use
from reports.frames import version_order

Key = tuple[str, str, str, str]
Row = dict[str, object]

KEY = ("account", "region", "name", "qualifier")
CARRIED = ("account_name", "ou", "runtime", "owner_kind", "owner_name")
COLUMNS = ("change", *KEY, "use_before", "use_after", *CARRIED)


class Change(StrEnum):
    """What became of one function version between two scans."""

    GONE = "gone"
    """It had to move before; the newer scan saw where it was, and it is not there any more."""
    KEPT_FOR_ROLLBACK = "kept for rollback"
    """It had to move before; now only go1x-rollback holds it."""
    STILL_THERE = "still there"
    NEW = "new"
    NEWLY_SEEN = "newly seen"
    """It has to move now; the older scan did not look where it is, so it may be old."""
    NOT_SEEN = "not seen"
    """It had to move before; the newer scan did not look where it was."""


@dataclass(frozen=True)
class Side:
    """One of the two scans."""

    header: ScanHeader
    functions: pd.DataFrame
    """As frames.function_frame makes it."""
    coverage: tuple[Coverage, ...]


def diff(before: Side, after: Side) -> pd.DataFrame:
    """Compare the findings of two scans: a row each function version, columns as in COLUMNS.

    A version is gone only where the newer scan saw its account and region and would have listed
    it; it is new only where the older one would have. Sorted by account, region, name, version.
    """
    old, new = _findings(before.functions), _findings(after.functions)
    uses_before, uses_after = _uses(before.functions), _uses(after.functions)
    in_older, in_newer = _Sight(before, after), _Sight(after, before)
    rows: list[Row] = []
    for key in sorted(old.keys() | new.keys(), key=_order):
        row = new.get(key) or old[key]
        if key in old and key in new:
            change = Change.STILL_THERE
        elif key in new:
            change = (
                Change.NEW if in_older.would_list(key, row, uses_after[key]) else Change.NEWLY_SEEN
            )
        elif uses_after.get(key) == Use.ROLLBACK:
            change = Change.KEPT_FOR_ROLLBACK
        else:
            change = (
                Change.GONE if in_newer.would_list(key, row, uses_before[key]) else Change.NOT_SEEN
            )
        uses = {"use_before": uses_before.get(key), "use_after": uses_after.get(key)}
        rows.append({"change": change.value, **dict(zip(KEY, key, strict=True)), **uses, **row})
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def counts(changes: pd.DataFrame) -> dict[str, int]:
    """Count each kind of change, zero where there is none."""
    found = changes["change"].value_counts()
    return {change.value: int(found.get(change.value, 0)) for change in Change}


class _Sight:
    """Whether one scan would have listed a function version that the other one listed."""

    def __init__(self, side: Side, other: Side) -> None:
        rows = (row for row in side.coverage if row.status is CoverageStatus.OK)
        self._seen = {(row.account, row.region) for row in rows}
        self._options = side.header.options
        # another choice of tags may hide what the other scan listed
        self._same_tags = self._options.tags in {None, other.header.options.tags}

    def would_list(self, key: Key, row: Row, use: str) -> bool:
        account, region, _, qualifier = key
        return (
            (account, region) in self._seen
            and self._same_tags
            and (GO1X if use == Use.HALFWAY else row["runtime"]) in self._options.runtimes
            and (qualifier == LATEST or not self._options.latest_only)
        )


def _keys(functions: pd.DataFrame) -> zip[Key]:
    return zip(*(functions[name] for name in KEY), strict=True)


def _findings(functions: pd.DataFrame) -> dict[Key, Row]:
    findings = functions[functions["finding"]]
    carried = zip(*(findings[name] for name in CARRIED), strict=True)
    return {
        key: dict(zip(CARRIED, row, strict=True))
        for key, row in zip(_keys(findings), carried, strict=True)
    }


def _uses(functions: pd.DataFrame) -> dict[Key, str]:
    return dict(zip(_keys(functions), functions["use"], strict=True))


def _order(key: Key) -> tuple[object, ...]:
    return (*key[:3], version_order(key[3]))
