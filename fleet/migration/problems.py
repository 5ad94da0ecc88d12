"""What can end the work on one function; the others go on."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.aws.failures import CallFailed, NoCredentials, RoleRefused, Situation
from fleet.errors import FleetError
from fleet.migration.plan import Outcome
from fleet.results import Result

FORBIDDEN = frozenset({Situation.DENIED, Situation.BLOCKED_BY_POLICY})


@dataclass(eq=False)
class Halted(FleetError):
    """A function is left where it is, with the result that says how."""

    result: Result
    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class OutOfCredentials(FleetError):
    """Nothing more can be asked of AWS; `outcome` is how far this function came."""

    outcome: Outcome
    cause: NoCredentials

    def __str__(self) -> str:
        return str(self.cause)


@dataclass(eq=False)
class StillUnderWay(FleetError):
    """What was waited for did not come."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what} after {self.seconds:.0f} seconds still: run the same command again"


def halted_by(failure: CallFailed | RoleRefused) -> Halted:
    """What a refused call means for the function it was made for."""
    if isinstance(failure, RoleRefused):
        return Halted(Result.BLOCKED, failure.why)
    if failure.situation in FORBIDDEN:
        advice = "`fleet policy migrate` prints what to allow; then run the same command again"
        return Halted(Result.BLOCKED, f"{failure.why}; {advice}")
    if failure.situation is Situation.NOT_FOUND:
        return Halted(Result.FAILED, f"it is not there (any more): {failure.why}")
    return Halted(Result.FAILED, f"{failure.why}; run the same command again")
