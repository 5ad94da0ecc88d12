"""What would be done to a function, and what became of it: the values that are shown. Frozen."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.deployment import Route, Step, Way
from fleet.inspection import Assessment
from fleet.migration.facts import Finding
from fleet.model import UNKNOWN_OWNER, Caller, FunctionRef, Owner
from fleet.results import Result


@dataclass(frozen=True, slots=True)
class Promise:
    """What calls the function, by which name, and whether and how long that can go back."""

    qualifier: str
    """$LATEST, a version number or an alias."""
    callers: tuple[Caller, ...]
    """What was seen to call it; anybody else with the permission may as well."""
    text: str
    """One sentence: whether it moves, and how it can come back."""


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """What would be done to one function, from what it is now."""

    ref: FunctionRef
    result: Result
    """READY, ALREADY_THERE, BLOCKED, STALE or FAILED."""
    reasons: tuple[Finding, ...] = ()
    """Why it is not READY."""
    notes: tuple[Finding, ...] = ()
    """What to know beside it."""
    route: Route | None = None
    steps: tuple[Step, ...] = ()
    """In their order, without waiting; empty unless READY."""
    way: Way | None = None
    """What the steps are steps of, and what they are put into words by; None where there are
    none."""
    promises: tuple[Promise, ...] = ()
    owner: Owner = UNKNOWN_OWNER
    assessment: Assessment | None = None
    """None where the package was not read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one function."""

    ref: FunctionRef
    result: Result
    reason: str = ""
    """One sentence where it is not what was asked for: what happened, and how to go on."""
    done: tuple[str, ...] = ()
    """What was done in this run, a few words each, in order."""
    notes: tuple[str, ...] = ()
    """What to know: aliases that stayed, a proof that was inconclusive."""
