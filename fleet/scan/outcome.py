"""How a failed look becomes a row of coverage. Pure."""

from __future__ import annotations

from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.model import CoverageStatus

_STATUS = {
    Situation.THROTTLED: CoverageStatus.THROTTLED_OUT,
    Situation.DENIED: CoverageStatus.DENIED,
    Situation.BLOCKED_BY_POLICY: CoverageStatus.BLOCKED_BY_POLICY,
    Situation.REGION_NOT_ENABLED: CoverageStatus.REGION_NOT_ENABLED,
}


def status_of_failure(error: CallFailed | RoleRefused) -> CoverageStatus:
    """The status of a place whose functions could not be listed at all."""
    if isinstance(error, CallFailed):
        return _STATUS.get(error.situation, CoverageStatus.FAILED)
    # AWS gives one AccessDenied for a role that is missing and for one that does not trust the
    # caller; only where the caller's own policy is at fault does it say so.
    refused = error.failure
    if refused.situation is Situation.DENIED and "identity-based policy" not in refused.detail:
        return CoverageStatus.ROLE_MISSING
    return _STATUS.get(refused.situation, CoverageStatus.FAILED)


def status_of_gap(problem: CallFailed | RoleRefused) -> CoverageStatus:
    """The status of a place that is there, while something about it could not be read.

    That is a region whose list was read, or an account as a whole.
    """
    status = status_of_failure(problem)
    # "Not enabled" would count as nothing there to see, which is known to be wrong here.
    return CoverageStatus.FAILED if status.is_complete else status
