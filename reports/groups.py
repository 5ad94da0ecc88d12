"""Counts over the frame of function versions: the totals, and findings by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pandas as pd

from fleet.model import OwnerKind, Use
from reports.summary import Totals

COLUMNS_OF = {
    "ou": ["ou"],
    "account": ["account", "account_name"],
    "region": ["region"],
    "owner": ["owner_kind", "owner_name"],
}

KINDS = ["running", "kept", "unknown"]
AT_ROOT = "(no organizational unit)"
NO_OWNER = "(unknown owner)"


def totals(functions: pd.DataFrame) -> Totals:
    """Count the findings and every use."""
    findings = _rows(functions[functions["finding"]], ["account", "region", "name"])
    uses = functions["use"].value_counts()
    known = {use.value: int(uses.get(use.value, 0)) for use in Use}
    return Totals(
        versions=len(findings),
        functions=len(set(findings)),
        by_use=known | {str(use): int(n) for use, n in uses.items() if use not in known},
    )


def owner_labels(functions: pd.DataFrame) -> list[str]:
    """Name the owner of each row: the team, or the stack and what deploys it."""
    owners = _rows(functions, COLUMNS_OF["owner"])
    labels = {owner: _owner(*owner) for owner in set(owners)}
    return [labels[owner] for owner in owners]


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
}
"""From the values of COLUMNS_OF to what a person reads."""


def by_group(functions: pd.DataFrame, group: str) -> pd.DataFrame:
    """Count findings per group: columns running, kept, unknown and total, the largest first.

    running is $LATEST or a version that an alias or trigger serves; kept is a version that
    nothing seen points at; unknown is a version of which what points at it could not be read.
    """
    kinds = {Use.LATEST.value: "running", Use.SERVED.value: "running", Use.KEPT.value: "kept"}
    counts: dict[str, dict[str, int]] = {}
    findings = functions[functions["finding"]]
    for (use, *values), number in Counter(_rows(findings, ["use", *COLUMNS_OF[group]])).items():
        counted = counts.setdefault(LABELS[group](*values), dict.fromkeys(KINDS, 0))
        counted[kinds.get(use, "unknown")] += number
    table = pd.DataFrame.from_dict(counts, orient="index", columns=KINDS, dtype="int64")
    table["total"] = table.sum(axis=1)
    return table.sort_index().sort_values("total", ascending=False, kind="stable")
