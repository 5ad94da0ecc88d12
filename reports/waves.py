"""A plan's functions beside the rows of a scan, and what is left of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import pandas as pd

from fleet.wave_status import MemberStatus, PlanRecord

WAVE_COLUMNS = (
    "wave_plan",
    "wave",
    "wave_planned_start",
    "wave_result",
    "wave_reason",
    "wave_ended",
)
"""What a plan adds to every row of its functions; None in all where no plan names the function."""


def with_waves(functions: pd.DataFrame, records: Sequence[PlanRecord]) -> pd.DataFrame:
    """Add WAVE_COLUMNS to a frame of function versions; `records` in the order of their saving.

    Of two plans that name a function the later one counts, unless an earlier one has moved it.
    """
    if not records:
        return functions.assign(**dict.fromkeys(WAVE_COLUMNS))
    cells = _cells(records)
    nothing = (None,) * len(WAVE_COLUMNS)
    keys = zip(
        functions["account"].tolist(),
        functions["region"].tolist(),
        functions["name"].tolist(),
        strict=True,
    )
    rows = [cells.get(key, nothing) for key in keys]
    columns = zip(*rows, strict=True) if rows else ((),) * len(WAVE_COLUMNS)
    return functions.assign(
        **{
            name: pd.Series(values, index=functions.index, dtype=object)
            for name, values in zip(WAVE_COLUMNS, columns, strict=True)
        }
    )


def left_over(record: PlanRecord) -> list[MemberStatus]:
    """Every function that will not move by itself: failed, untouched, begun and left, staying.

    What left go1.x and was refused arm64, or brought back from it, is among them. What waits or
    bakes is not: the plan goes on with it.
    """
    fine = {"waiting", "running", "baking", "migrated", "already there"}
    return [each for each in record.members if each.word not in fine]


def _cells(
    records: Iterable[PlanRecord],
) -> dict[tuple[str, str, str], tuple[str | None, ...]]:
    found: dict[tuple[str, str, str], tuple[str | None, ...]] = {}
    moved = set()
    for record in records:
        for each in record.members:
            key = (each.ref.account, each.ref.region, each.ref.name)
            if key in moved and not each.moved:
                continue
            if each.moved:
                moved.add(key)
            found[key] = (
                record.status.plan,
                each.wave,
                _moment(each.start),
                each.word,
                each.reason,
                _moment(each.ended),
            )
    return found


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
