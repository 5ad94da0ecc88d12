"""AssumeRole and GetCallerIdentity: roles that may be assumed, sessions that end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from . import session_policy
from .answers import Refusal
from .request import ApiRequest
from .world import World

SHORTEST, LONGEST = 900, 3600
"""Seconds of a session; a role's own maximum is an hour unless somebody raised it."""

_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/([\w+=,.@/-]+)")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")


def assume_role(request: ApiRequest, world: World) -> Mapping[str, object]:
    """AssumeRole: a session for those whom the role trusts.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    AWS says the same of a role that does not exist, one that does not trust the caller or wants
    another ExternalId, and one in a suspended account: AccessDenied, not authorized to perform
    sts:AssumeRole on that resource. Other Refusals: ValidationError, MalformedPolicyDocument.
    """
    params = request.params
    role_arn, session_name = params.get("RoleArn", ""), params.get("RoleSessionName", "")
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None:
        raise Refusal("ValidationError", f"{role_arn} is invalid")
    if not _SESSION_NAME.fullmatch(session_name):
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value '{session_name}' at 'roleSessionName' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        )
    seconds = _duration(params.get("DurationSeconds"), chained=request.identity.is_session)
    text = params.get("Policy")
    policy = session_policy.parse(text) if text is not None else None
    if params.get("PolicyArns"):
        # A managed policy's statements aren't known here, so it narrows nothing.
        policy = None
    if not _trusts(match[2], match[3], request, world):
        raise Refusal(
            "AccessDenied",
            f"User: {request.identity.arn} is not authorized to perform: sts:AssumeRole "
            f"on resource: {role_arn}",
            403,
        )
    keys, identity = world.sessions.issue(role_arn, session_name, seconds, policy)
    result: dict[str, object] = {
        "Credentials": {
            "AccessKeyId": keys.access_key,
            "SecretAccessKey": keys.secret_key,
            "SessionToken": keys.token,
            "Expiration": datetime.fromtimestamp(identity.expires or 0, UTC),
        },
        "AssumedRoleUser": {"AssumedRoleId": identity.user_id, "Arn": identity.arn},
    }
    if text is not None:
        result["PackedPolicySize"] = 100 * len(text) // session_policy.MAXIMUM_LENGTH
    return result


def _duration(asked: int | None, *, chained: bool) -> int:
    seconds = LONGEST if asked is None else asked
    if seconds < SHORTEST:
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to "
            f"satisfy constraint: Member must have value greater than or equal to {SHORTEST}",
        )
    if seconds > LONGEST and chained:
        raise Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining",
        )
    if seconds > LONGEST:
        raise Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    return seconds


def _trusts(account: str, role: str, request: ApiRequest, world: World) -> bool:
    rules = world.rules
    wanted = rules.external_ids.get((account, role))
    member = world.members(request.region).get(account)
    return (
        (account, role) in rules.roles
        and request.account in {rules.management_account, *rules.delegated_administrators}
        and (wanted is None or request.params.get("ExternalId") == wanted)
        and (member is None or member.state == "ACTIVE")
    )


def get_caller_identity(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """GetCallerIdentity, which moto answers for long-term keys as one user of its own.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    identity = request.identity
    return {"UserId": identity.user_id, "Account": identity.account, "Arn": identity.arn}
