"""Names from outside, made fit for a sentence."""

from __future__ import annotations

LONGEST = 240
"""Characters of a name from outside that are shown in a sentence."""


def shortened(text: str) -> str:
    """Give a text from outside without what could move a cursor, and not longer than LONGEST."""
    kept = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in kept)
