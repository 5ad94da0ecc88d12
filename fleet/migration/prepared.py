"""What a look leaves for the move, and the frame that both are put into."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.deployment import Way
from fleet.migration.facts import Finding
from fleet.migration.ground import Ground
from fleet.migration.observing import Observer
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.problems import Halted, halted_by
from fleet.migration.work import Recipe, Work
from fleet.model import Alias, FunctionRef
from fleet.results import Result

GONE = "gone"
"""Code of the reason why a function that is not there is not moved."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A function that was looked at, and what the look has left for the move."""

    plan: FunctionPlan
    observer: Observer | None = None
    """None where there is nothing to be done."""
    recipe: Recipe | None = None
    images: Mapping[str, Alias] = field(default_factory=dict)
    """Of the way back: what each alias was before it was moved."""
    stays: str = ""
    """Of the way back: why $LATEST can't go, or ''."""
    unknown: bool = False
    """Of the way back: whether there are aliases of which nothing tells what they were."""


def not_moving(ref: FunctionRef, result: Result, code: str, text: str) -> Prepared:
    """A function with which nothing is done, and why."""
    return Prepared(FunctionPlan(ref=ref, result=result, reasons=(Finding(code, text),)))


def looked_at(ref: FunctionRef, look: Callable[[], Prepared]) -> Prepared:
    """What a look gives, or what AWS refused it, as the function's result.

    Raises NoCredentials, Interrupted, and OSError where there is no room for its package here.
    """
    try:
        return look()
    except (CallFailed, RoleRefused) as failure:
        halted = halted_by(failure)
        gone = isinstance(failure, CallFailed) and failure.situation is Situation.NOT_FOUND
        return not_moving(ref, halted.result, GONE if gone else "refused-by-aws", halted.reason)
    except Halted as halted:
        return not_moving(ref, halted.result, "out-of-reach", halted.reason)


def carried_out(
    ground: Ground, prepared: Prepared, act: Callable[[Work, Way], Outcome], *, blocked: str
) -> Outcome:
    """What becomes of a function that is ready, or why nothing was done with it.

    `blocked` says what it means if AWS refuses a runtime. Raises OutOfCredentials.
    """
    plan, observer, recipe = prepared.plan, prepared.observer, prepared.recipe
    if plan.result is not Result.READY or plan.way is None or observer is None or recipe is None:
        return Outcome(plan.ref, plan.result, "; ".join(each.text for each in plan.reasons))
    way = plan.way
    with tempfile.TemporaryDirectory(prefix="fleet-") as room:
        work = Work(ground, plan.ref, observer, recipe, Path(room))
        return work.outcome(lambda: act(work, way), way, blocked=blocked)
