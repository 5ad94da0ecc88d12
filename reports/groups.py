"""Counts over the frame of function versions: the totals, and findings by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pandas as pd

from fleet.inspection import Verdict
from fleet.model import OwnerKind, ScanHeader, Use
from reports.summary import Totals
from reports.verdicts import is_unread

COLUMNS_OF = {
    "ou": ["ou"],
    "account": ["account", "account_name"],
    "region": ["region"],
    "owner": ["owner_kind", "owner_name"],
    "module": ["module"],
}

KINDS = ["running", "kept", "unknown"]
AT_ROOT = "(no organizational unit)"
NO_OWNER = "(unknown owner)"
NO_MODULE = "(unknown module)"


def totals(functions: pd.DataFrame, header: ScanHeader) -> Totals:
    """Count the findings, every use and, where the scan was to read packages, every verdict."""
    moving = functions[functions["finding"]]
    findings = _rows(moving, ["account", "region", "name"])
    uses = functions["use"].value_counts()
    known = {use.value: int(uses.get(use.value, 0)) for use in Use}
    by_verdict: dict[str, int] = {}
    unread = 0
    if header.options.inspect is not None:
        by_verdict = dict.fromkeys((verdict.value for verdict in Verdict), 0)
        for (verdict, reasons), number in Counter(_rows(moving, ["verdict", "reasons"])).items():
            unread += number * is_unread(verdict, reasons)
            if verdict is not None:
                by_verdict[verdict] = by_verdict.get(verdict, 0) + number
    return Totals(
        versions=len(findings),
        functions=len(set(findings)),
        by_use=known | {str(use): int(n) for use, n in uses.items() if use not in known},
        by_verdict=by_verdict,
        unread=unread,
    )


def to_rebuild(functions: pd.DataFrame) -> pd.DataFrame:
    """Give the rows whose verdict is a rebuild."""
    return functions[functions["verdict"] == Verdict.REBUILD.value]


def group_labels(functions: pd.DataFrame, group: str) -> list[str]:
    """Name the group of each row, as by_group does."""
    rows = _rows(functions, COLUMNS_OF[group])
    labels = {values: LABELS[group](*values) for values in set(rows)}
    return [labels[values] for values in rows]


def owner_labels(functions: pd.DataFrame) -> list[str]:
    """Name the owner of each row: the team, or the stack and what deploys it."""
    return group_labels(functions, "owner")


def _rows(frame: pd.DataFrame, columns: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*(frame[column].tolist() for column in columns), strict=True))


def _account(number: str, name: str) -> str:
    return f"{name} {number}" if name else number


def _owner(kind: str, name: str) -> str:
    if kind == OwnerKind.UNKNOWN:
        return NO_OWNER
    # A rule of the user's names the owner as the user wants it read.
    return name if kind == OwnerKind.MAPPED else f"{name} ({kind})".strip()


LABELS: dict[str, Callable[..., str]] = {
    "ou": lambda path: path or AT_ROOT,
    "account": _account,
    "region": str,
    "owner": _owner,
    "module": lambda path: path or NO_MODULE,
}
"""From the values of COLUMNS_OF to what a person reads."""


def by_group(functions: pd.DataFrame, group: str) -> pd.DataFrame:
    """Count findings per group: columns running, kept, unknown and total, the largest first.

    running is $LATEST, halfway too, or a version that an alias or trigger serves; kept is a
    version that nothing seen points at; unknown is a version of which what points at it could not
    be read.
    """
    kinds = {use.value: "running" for use in (Use.LATEST, Use.HALFWAY, Use.SERVED)}
    kinds[Use.KEPT.value] = "kept"
    counts: dict[str, dict[str, int]] = {}
    findings = functions[functions["finding"]]
    for (use, *values), number in Counter(_rows(findings, ["use", *COLUMNS_OF[group]])).items():
        counted = counts.setdefault(LABELS[group](*values), dict.fromkeys(KINDS, 0))
        counted[kinds.get(use, "unknown")] += number
    table = pd.DataFrame.from_dict(counts, orient="index", columns=KINDS, dtype="int64")
    table["total"] = table.sum(axis=1)
    return table.sort_index().sort_values("total", ascending=False, kind="stable")
