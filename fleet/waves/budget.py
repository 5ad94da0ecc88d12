"""The brake's arithmetic: how many functions of a wave, or of a plan, may fail. Pure.

What begins functions and what shows the status ask here, so that they never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from fleet.results import Result
from fleet.wave import MemberState, Phase
from fleet.waves.plan import Budget

FAILURES = frozenset({Result.FAILED, Result.ROLLED_BACK, Result.PARTLY_BACK})
"""What a budget counts. Blocked and stale functions were not touched: told, and not counted."""


def failures(states: Iterable[MemberState]) -> int:
    """Count the functions that ended as a failure; one that is tried again counts no more.

    So does one whose canary has failed and that could not be brought back yet. An end without a
    result counts: nobody can say that it went well.
    """
    return sum(map(is_failure, states))


def is_failure(state: MemberState) -> bool:
    """Whether a function counts; not where people had it brought back."""
    if state.phase is Phase.BAKING:
        return state.result in FAILURES
    failed = state.result is None or state.result in FAILURES
    return state.phase is Phase.ENDED and failed and not state.ordered


def is_spent(budget: Budget, failed: int, total: int) -> bool:
    """Whether no further function may be begun: more have failed than the budget allows.

    A count of 0 is spent by the first failure. `total` counts the functions of the wave, or of
    the plan, whose percentage is meant.
    """
    allowed = _allowed(budget, total)
    return allowed is not None and failed > allowed


def left(budget: Budget, failed: int, total: int) -> int | None:
    """How many more may fail before one too many has; None where nothing limits."""
    allowed = _allowed(budget, total)
    return None if allowed is None else max(0, allowed - failed)


def _allowed(budget: Budget, total: int) -> int | None:
    limits = [] if budget.count is None else [budget.count]
    if budget.percent is not None:
        # Exactly as it is written: in floating point 0.57 % of 10,000 is less than 57, and the
        # brake would come one function early.
        limits.append(int(Fraction(str(budget.percent)) * total / 100))
    return min(limits, default=None)
