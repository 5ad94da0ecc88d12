"""When will the last one be gone, if it goes on like this? Least squares, or an honest no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

MINIMUM_SCANS = 3
MINIMUM_DAYS = 7
HORIZON_DAYS = 3653
"""Ten years: a date beyond says nothing that "not at this pace" does not say better."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The line through past scans, and where it reaches nothing left."""

    reached: date | None
    """The day the line meets zero, or None with the reason in `sentence`."""
    sentence: str
    per_week: float = 0.0
    """Function versions a week; negative is fewer."""
    start: tuple[date, float] | None = None
    """First day of the line and its value there; None where no line was drawn."""


def comparable(history: pd.DataFrame, question: str) -> pd.DataFrame:
    """Keep the complete scans that counted what `question` counted (see frames.question)."""
    return history[history["complete"] & (history["question"] == question)]


def project(history: pd.DataFrame, question: str) -> Projection:
    """Fit a straight line to the complete scans that asked the same, and follow it to zero."""
    scans = comparable(history, question)
    if len(scans) and scans["findings"].iloc[-1] == 0:
        day = scans["started"].iloc[-1].date()
        return Projection(day, f"Nothing was left on {day}.")
    if len(scans) < MINIMUM_SCANS:
        return Projection(
            None,
            f"No projected date yet: {len(scans)} complete scans asked the same, "
            f"{MINIMUM_SCANS} are needed.",
        )
    first = scans["started"].iloc[0]
    days = (scans["started"] - first).dt.total_seconds() / 86400
    if days.iloc[-1] < MINIMUM_DAYS:
        return Projection(
            None, f"No projected date yet: the scans span less than {MINIMUM_DAYS} days."
        )
    left = scans["findings"].astype(float)
    slope = float(((days - days.mean()) * (left - left.mean())).sum())
    slope /= float(((days - days.mean()) ** 2).sum())
    at_start = float(left.mean() - slope * days.mean())
    return _read_off(first, float(days.iloc[-1]), at_start, slope, len(scans))


def _read_off(
    first: pd.Timestamp, last_day: float, at_start: float, slope: float, used: int
) -> Projection:
    start = (first.date(), at_start)
    per_week = slope * 7
    basis = f"the {used} complete scans since {first.date()}"
    if slope >= 0:
        return Projection(None, f"No projected date: {basis} show no decline.", per_week, start)
    zero = -at_start / slope
    if zero <= last_day:
        return Projection(
            None,
            f"No projected date: the line through {basis} has ended, yet some are left.",
            per_week,
            start,
        )
    if zero - last_day > HORIZON_DAYS:
        return Projection(
            None,
            f"No projected date: at the pace of {basis} it takes more than ten years.",
            per_week,
            start,
        )
    return Projection(
        (first + timedelta(days=zero)).date(),
        f"At the pace of {basis}: {-per_week:,.1f} function versions fewer a week.",
        per_week,
        start,
    )
