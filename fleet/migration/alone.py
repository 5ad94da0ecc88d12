"""One function changed by one command at a time: whoever acts on it holds its lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fleet.leasing import Leases, Taken, function_key
from fleet.migration.ground import Ground
from fleet.migration.plan import Outcome
from fleet.migration.prepared import Prepared
from fleet.results import Result

_LOST = "its lease was lost, and another command may be at it: run the same command again"


def alone(
    leases: Leases, ground: Ground, one: Prepared, act: Callable[[Ground, Prepared], Outcome]
) -> Outcome:
    """What becomes of a function; BLOCKED, and nothing is asked of AWS, where another is at it.

    Where the lease is lost on the way it leaves off as for Ctrl-C: at the next place where
    invocations work. Raises FileProblem, and what `act` raises.
    """
    ref = one.plan.ref
    try:
        with leases.holding(function_key(ref.arn)) as lease:
            told = leases.leaving(lease, ground.patience.leave_off)
            patience = replace(ground.patience, leave_off=told)
            outcome = act(replace(ground, patience=patience), one)
            if outcome.result is Result.INTERRUPTED and leases.lost(lease):
                return replace(outcome, reason=_LOST)
            return outcome
    except Taken as taken:
        return Outcome(ref, Result.BLOCKED, str(taken))
