"""What a failed call means: one pure table from AWS's words to a situation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from botocore import exceptions as botocore_errors

from fleet.errors import FleetError

CREDENTIAL_ERRORS = (
    botocore_errors.NoCredentialsError,
    botocore_errors.PartialCredentialsError,
    botocore_errors.CredentialRetrievalError,
    botocore_errors.TokenRetrievalError,
    botocore_errors.SSOError,
    botocore_errors.LoginError,
)


class Situation(StrEnum):
    """Why a call did not give what was asked, as far as it changes what to do next."""

    THROTTLED = "throttled"
    TRANSIENT = "transient"
    """A fault of the moment: server error, broken connection, an answer that cannot be read."""
    EXPIRED = "expired"
    """The session's credentials ran out; new ones may be had."""
    DENIED = "denied"
    BLOCKED_BY_POLICY = "blocked by policy"
    """A service control policy or permission boundary forbids it, whatever the role allows."""
    REGION_NOT_ENABLED = "region not enabled"
    NOT_FOUND = "not found"
    NOT_IN_ORGANIZATION = "not in an organization"
    OTHER = "other"


_BY_CODE = {
    # What AWS's own SDKs treat as throttling and as passing faults:
    # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    **dict.fromkeys(
        (
            "BandwidthLimitExceeded",
            "EC2ThrottledException",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
            "TransactionInProgressException",
        ),
        Situation.THROTTLED,
    ),
    **dict.fromkeys(
        (
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "InternalServerException",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ),
        Situation.TRANSIENT,
    ),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired"), Situation.EXPIRED),
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"),
        Situation.DENIED,
    ),
    # What a valid session is answered in a region that its account has not enabled:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    **dict.fromkeys(
        (
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "AuthFailure",
            "OptInRequired",
            "RegionDisabledException",
        ),
        Situation.REGION_NOT_ENABLED,
    ),
    **dict.fromkeys(("ResourceNotFoundException", "NoSuchEntity"), Situation.NOT_FOUND),
    "AWSOrganizationsNotInUseException": Situation.NOT_IN_ORGANIZATION,
}
_POLICY_PHRASES = (
    "service control policy",
    "resource control policy",
    "permissions boundary",
)


def situation(status: int, code: str, message: str) -> Situation:
    """Name the situation behind an error answer (HTTP status, error code, AWS's message)."""
    found = _BY_CODE.get(code) or _by_status(status)
    if found is Situation.DENIED and any(phrase in message for phrase in _POLICY_PHRASES):
        return Situation.BLOCKED_BY_POLICY
    return found


def _by_status(status: int) -> Situation:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Situation.THROTTLED
    if status == HTTPStatus.NOT_FOUND:
        return Situation.NOT_FOUND
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Situation.TRANSIENT
    return Situation.OTHER


@dataclass(eq=False)
class CallFailed(FleetError):
    """One AWS call ended without what was asked for, after every retry it deserved."""

    action: str
    """The operation as IAM writes it: `lambda:ListFunctions`."""
    account: str
    region: str
    situation: Situation
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.action} in {self.account} {self.region}: {self.code}: {self.detail}"


@dataclass(eq=False)
class UnreadableAnswer(FleetError):
    """An answer that says it succeeded and does not hold what the API promises."""

    missing: str

    def __str__(self) -> str:
        return f"the answer has no readable {self.missing!r}"


@dataclass(eq=False)
class NoCredentials(FleetError):
    """No usable credentials of the caller: nothing more can be asked of AWS."""

    problem: str

    def __str__(self) -> str:
        return (
            f"AWS credentials: {self.problem}; sign in (`aws sso login`), or set AWS_PROFILE "
            "or --profile to credentials that work"
        )


class Interrupted(FleetError):
    """The command was asked to stop while this call was due; nothing was learnt."""

    def __str__(self) -> str:
        return "interrupted"


@dataclass(eq=False)
class RoleRefused(FleetError):
    """The role of an account could not be assumed; why is in `failure`."""

    arn: str
    failure: CallFailed

    def __str__(self) -> str:
        return f"{self.arn} cannot be assumed: {self.failure.code}: {self.failure.detail}"


def named(error: Exception, action: str, account: str, region: str) -> CallFailed:
    """What went wrong in botocore's or our own words, as a situation.

    Raises NoCredentials where the caller's own credentials are the trouble.
    """
    if isinstance(error, botocore_errors.ClientError):
        answer = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = str(answer.get("Error", {}).get("Code", "")) or str(status)
        detail = str(answer.get("Error", {}).get("Message", ""))
        return CallFailed(action, account, region, situation(status, code, detail), code, detail)
    if isinstance(error, CREDENTIAL_ERRORS):
        raise NoCredentials(str(error)) from error
    passing = isinstance(error, (botocore_errors.HTTPClientError, UnreadableAnswer))
    return CallFailed(
        action,
        account,
        region,
        Situation.TRANSIENT if passing else Situation.OTHER,
        type(error).__name__,
        str(error),
    )
