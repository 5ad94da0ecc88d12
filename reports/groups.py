"""Counts over the frame of function versions: the totals, and findings by group."""

from __future__ import annotations

import pandas as pd

from fleet.model import OwnerKind, Use
from reports.summary import Totals

COLUMNS_OF = {
    "ou": ["ou"],
    "account": ["account", "account_name"],
    "region": ["region"],
    "owner": ["owner_kind", "owner_name"],
}

AT_ROOT = "(no organizational unit)"
NO_OWNER = "(unknown owner)"


def totals(functions: pd.DataFrame) -> Totals:
    """Count the findings and every use."""
    findings = functions.loc[functions["finding"], ["account", "region", "name"]]
    uses = functions["use"].value_counts()
    known = {use.value: int(uses.get(use.value, 0)) for use in Use}
    return Totals(
        versions=len(findings),
        functions=len(
            set(zip(findings["account"], findings["region"], findings["name"], strict=True))
        ),
        by_use=known | {str(use): int(n) for use, n in uses.items() if use not in known},
    )


def owner_labels(functions: pd.DataFrame) -> list[str]:
    """Name the owner of each row: the team, or the stack and what deploys it."""
    return [
        _owner_label(kind, name)
        for kind, name in zip(functions["owner_kind"], functions["owner_name"], strict=True)
    ]


def _owner_label(kind: str, name: str) -> str:
    if kind == OwnerKind.UNKNOWN:
        return NO_OWNER
    # A rule of the user's names the owner as the user wants it read.
    return name if kind == OwnerKind.MAPPED else f"{name} ({kind})".strip()


def group_labels(functions: pd.DataFrame, group: str) -> list[str]:
    """Name the group of each row, for a key of COLUMNS_OF."""
    if group == "owner":
        return owner_labels(functions)
    if group == "ou":
        return [str(ou) or AT_ROOT for ou in functions["ou"]]
    if group == "account":
        return [
            f"{name} {number}" if name else str(number)
            for name, number in zip(functions["account_name"], functions["account"], strict=True)
        ]
    return [str(region) for region in functions["region"]]


def by_group(functions: pd.DataFrame, group: str) -> pd.DataFrame:
    """Count findings per group: columns running, kept, unknown and total, the largest first.

    running is $LATEST or a version that an alias or trigger serves; kept is a version that
    nothing seen points at; unknown is a version of which what points at it could not be read.
    """
    findings = functions.loc[functions["finding"], ["use", *COLUMNS_OF[group]]]
    column = {Use.LATEST.value: "running", Use.SERVED.value: "running", Use.KEPT.value: "kept"}
    kinds = [column.get(use, "unknown") for use in findings["use"]]
    pairs = pd.DataFrame({"label": group_labels(findings, group), "kind": kinds}, dtype=object)
    table = pairs.pivot_table(index="label", columns="kind", aggfunc="size", fill_value=0)
    table = table.reindex(columns=["running", "kept", "unknown"], fill_value=0)
    table["total"] = table.sum(axis=1)
    return table.sort_index().sort_values("total", ascending=False, kind="stable")
