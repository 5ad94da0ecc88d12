"""Numbers and counted nouns as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

_SMALLEST = Decimal("0.01")


def number(value: int) -> str:
    """Write a whole number with thousands apart."""
    return f"{value:,}"


def money(value: Decimal) -> str:
    """Write an amount with two decimals, and never one that is more than nothing as 0.00."""
    return "under 0.01" if 0 < value < _SMALLEST / 2 else f"{value:,.2f}"


def count(value: int, noun: str) -> str:
    """Write a number and its noun, plural where it has to be."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def listing(items: Sequence[str], last: str = "and") -> str:
    """Join as a sentence does: a, b and c."""
    if len(items) < 2:  # noqa: PLR2004 - two items are what a conjunction needs
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
