"""What calls of a new version cost beside the old one's, where a GB-second has another price. Pure.

Both versions have the same memory, so a call costs its duration times that price. Init is billed
as well and is in no duration that CloudWatch tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fleet.traffic import Numbers

_BILLED_MS = 1.0
"""Durations are billed rounded up to it: https://aws.amazon.com/lambda/pricing/"""
_STANDARD_ERRORS = 2.0
"""How far apart averages have to be before it is no chance. CloudWatch tells no spread of the
durations: they are taken to be spread as widely as they are long on average."""
_SAME = 0.001
"""Share below which nobody wants to know of a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCheck:
    """How it is told whether calls cost more than before."""

    roll_back: bool
    """Whether a version whose calls do is rolled back; else it goes on, and the reason says so."""
    ratio: float | None
    """Price of a GB-second of the new version, as a share of the old one's; None: not known."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What came of a comparison."""

    said: str = ""
    """A clause for people; '' where nothing was compared."""
    more: bool = False
    """Whether calls of the new version cost more, and not by chance."""


def compared(
    check: PriceCheck,
    shared: tuple[Numbers | None, Numbers | None] | None,
    with_before: tuple[Numbers, Numbers] | None,
    *,
    minimum: int,
) -> Cost:
    """Compare the old version's numbers with the new one's.

    `shared` are of the time in which both had the calls of one alias, so of the same kind of
    calls. Where there are not `minimum` calls of each in them, `with_before` are taken, and it is
    said that the calls may have been others; None: those can't be had yet.
    """
    if check.ratio is None:
        return Cost("what they cost was not compared, since no price of its region is known")
    alike = shared is not None and _enough(shared, minimum)
    old, new = (shared if alike else with_before) or (None, None)
    if old is None or new is None or not _enough((old, new), minimum):
        return Cost("what they cost was not compared, since there were too few calls")
    now, before = new.average_ms or 0.0, old.average_ms or 0.0
    chance = _STANDARD_ERRORS * math.sqrt(1 / old.timed + 1 / new.timed)
    more = now * check.ratio * (1 - chance) > before + _BILLED_MS
    said = (
        f"{took(now, before)}: at {check.ratio * 100:.3g} % of the price of a GB-second they cost "
        f"{_change(now * check.ratio, before)}"
    )
    if not more and now * check.ratio > before * (1 + _SAME):
        said += ", which may be chance"
    if not alike:
        said += " (the old version's are of the day before, and may have been other calls)"
    return Cost(said, more=more)


def took(now: float, before: float) -> str:
    """Two average durations, in ms, as a clause."""
    return f"calls took {now:.1f} ms on average, {before:.1f} ms with the old version"


def _enough(pair: tuple[Numbers | None, Numbers | None], minimum: int) -> bool:
    return all(each is not None and each.timed >= minimum for each in pair)


def _change(now: float, before: float) -> str:
    if not before:
        return "more" if now else "the same"
    share = now / before - 1
    if abs(share) <= _SAME:
        return "the same"
    return f"{abs(share) * 100:.3g} % {'more' if share > 0 else 'less'}"
