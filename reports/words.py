"""Numbers and counted nouns as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def number(value: int) -> str:
    """Write a whole number with thousands apart."""
    return f"{value:,}"


def count(value: int, noun: str) -> str:
    """Write a number and its noun, plural where it has to be."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def listing(items: Sequence[str], last: str = "and") -> str:
    """Join as a sentence does: a, b and c."""
    if len(items) < 2:  # noqa: PLR2004 - two items are what a conjunction needs
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
