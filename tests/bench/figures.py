"""A figure: what was to be reached, what was measured, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table."""

    name: str
    target: str
    """In words; '–' for a figure that only stands beside another."""
    measured: str
    verdict: str
    """met, missed, – or why there is no figure."""
    holds: str = ""
    """What is in it."""


def spread(values: Sequence[float], digits: int = 2, unit: str = "") -> str:
    """Median (least to most), or the one value, to so many digits after the point."""
    middle, least, most = (
        f"{each:,.{digits}f}" for each in (median(values), min(values), max(values))
    )
    return f"{middle}{unit} ({least} to {most})" if len(values) > 1 else f"{middle}{unit}"


def at_most(
    name: str,
    limit: float,
    values: Sequence[float],
    *,
    unit: str = "×",
    digits: int = 2,
    holds: str = "",
) -> Figure:
    """A figure whose median may not be above the limit."""
    verdict = "met" if median(values) <= limit else "missed"
    return Figure(
        name, f"at most {limit:g} {unit}", spread(values, digits, f" {unit}"), verdict, holds
    )


def at_least(
    name: str, limit: float, values: Sequence[float], *, digits: int = 1, holds: str = ""
) -> Figure:
    """A ratio whose median may not be below the limit."""
    verdict = "met" if median(values) >= limit else "missed"
    return Figure(name, f"at least {limit:g} ×", spread(values, digits, " ×"), verdict, holds)


def beside(
    name: str, values: Sequence[float], *, unit: str, digits: int = 2, holds: str = ""
) -> Figure:
    """A figure without a target, for the scale of one that has."""
    return Figure(name, "–", spread(values, digits, f" {unit}"), "–", holds)


def missing(name: str, error: Exception) -> Figure:
    """In the place of figures that could not be measured.

    Only the kind of error: its words may name places on this machine, and the page is published.
    """
    return Figure(name, "–", "–", f"not measured: {type(error).__name__}")


def in_turn(rounds: int, *sides: Callable[[], float]) -> tuple[list[float], ...]:
    """Measure every side once a round, in turn; one list a side."""
    taken = [[side() for side in sides] for _ in range(rounds)]
    return tuple(list(values) for values in zip(*taken, strict=True))


def ratios(over: Iterable[float], under: Iterable[float]) -> list[float]:
    """Ratios within each round."""
    return [one / other for one, other in zip(over, under, strict=True)]
