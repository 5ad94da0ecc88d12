"""How a failed look becomes a row of coverage. Pure."""

from __future__ import annotations

from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.model import CoverageStatus

_STATUS = {
    Situation.THROTTLED: CoverageStatus.THROTTLED_OUT,
    Situation.DENIED: CoverageStatus.DENIED,
    Situation.BLOCKED_BY_POLICY: CoverageStatus.BLOCKED_BY_POLICY,
}
"""Everything else is *failed*: a region is only asked where AWS has listed it as enabled, so one
that says it is not has contradicted AWS, and "not enabled" would count as nothing to see."""


def status_of_failure(error: CallFailed | RoleRefused) -> CoverageStatus:
    """The status of a place about which something could not be read."""
    if isinstance(error, CallFailed):
        return _STATUS.get(error.situation, CoverageStatus.FAILED)
    # AWS gives one AccessDenied for a role that is missing and for one that does not trust the
    # caller; only where the caller's own policy is at fault does it say so.
    refused = error.failure
    if refused.situation is Situation.DENIED and "identity-based policy" not in refused.detail:
        return CoverageStatus.ROLE_MISSING
    return _STATUS.get(refused.situation, CoverageStatus.FAILED)
