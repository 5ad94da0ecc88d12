from __future__ import annotations

import pytest

from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.model import CoverageStatus
from fleet.scan.outcome import status_of_failure

LISTED = {
    Situation.THROTTLED: CoverageStatus.THROTTLED_OUT,
    Situation.TRANSIENT: CoverageStatus.FAILED,
    Situation.EXPIRED: CoverageStatus.FAILED,
    Situation.DENIED: CoverageStatus.DENIED,
    Situation.BLOCKED_BY_POLICY: CoverageStatus.BLOCKED_BY_POLICY,
    # Only regions that AWS listed as enabled are asked.
    Situation.REGION_NOT_ENABLED: CoverageStatus.FAILED,
    # Might be a region that is off, might be a role that was deleted: never "nothing there".
    Situation.UNRECOGNIZED: CoverageStatus.FAILED,
    Situation.NOT_FOUND: CoverageStatus.FAILED,
    Situation.NOT_IN_ORGANIZATION: CoverageStatus.FAILED,
    # Answers to writes, which a scan makes none of.
    Situation.CONFLICT: CoverageStatus.FAILED,
    Situation.CHANGED: CoverageStatus.FAILED,
    Situation.RUNTIME_BLOCKED: CoverageStatus.FAILED,
    Situation.OTHER: CoverageStatus.FAILED,
}
WHO = "User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: arn"


def failed(situation: Situation, detail: str = "") -> CallFailed:
    return CallFailed("lambda:ListFunctions", "1", "eu-west-1", situation, "Code", detail)


def refused(situation: Situation, detail: str = "") -> RoleRefused:
    return RoleRefused("arn:aws:iam::2:role/R", failed(situation, detail))


@pytest.mark.parametrize("situation", Situation)
def test_every_situation_of_a_list_has_its_row(situation: Situation) -> None:
    assert status_of_failure(failed(situation)) is LISTED[situation]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("", CoverageStatus.ROLE_MISSING),
        (" with an explicit deny in a resource-based policy", CoverageStatus.ROLE_MISSING),
        (
            " because no identity-based policy allows the sts:AssumeRole action",
            CoverageStatus.DENIED,
        ),
        (" with an explicit deny in an identity-based policy", CoverageStatus.DENIED),
    ],
)
def test_a_role_is_missing_unless_the_callers_own_policy_forbids_it(
    ending: str, status: CoverageStatus
) -> None:
    assert status_of_failure(refused(Situation.DENIED, WHO + ending)) is status


def test_a_role_behind_an_organizations_policy_is_blocked_not_missing() -> None:
    assert status_of_failure(refused(Situation.BLOCKED_BY_POLICY)) is (
        CoverageStatus.BLOCKED_BY_POLICY
    )


@pytest.mark.parametrize("situation", Situation)
def test_what_could_not_be_read_never_counts_as_complete(situation: Situation) -> None:
    assert not status_of_failure(failed(situation)).is_complete
    assert not status_of_failure(refused(situation)).is_complete
