"""What a failed call means: one pure table from AWS's words to a situation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

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
    UNRECOGNIZED = "credentials not recognized"
    """Deleted credentials, those of a deleted role, or a region that is off: AWS says the same."""
    NOT_FOUND = "not found"
    NOT_IN_ORGANIZATION = "not in an organization"
    CONFLICT = "conflict"
    """Something else is under way, or there already."""
    CHANGED = "changed meanwhile"
    """Its RevisionId is no longer the one that was read."""
    RUNTIME_BLOCKED = "runtime blocked"
    """AWS refuses the runtime, by the phase of its end that it is in."""
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
    **dict.fromkeys(("OptInRequired", "RegionDisabledException"), Situation.REGION_NOT_ENABLED),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    **dict.fromkeys(
        ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"),
        Situation.UNRECOGNIZED,
    ),
    **dict.fromkeys(("ResourceNotFoundException", "NoSuchEntity"), Situation.NOT_FOUND),
    "AWSOrganizationsNotInUseException": Situation.NOT_IN_ORGANIZATION,
    "ResourceConflictException": Situation.CONFLICT,
    "PreconditionFailedException": Situation.CHANGED,
}
_POLICY_PHRASES = (
    "service control policy",
    "resource control policy",
    "permissions boundary",
)
_BLOCKED_PHRASE = "no longer supported for creating or updating"


def situation(status: int, code: str, message: str) -> Situation:
    """Name the situation behind an error answer (HTTP status, error code, AWS's message)."""
    found = _BY_CODE.get(code) or _by_status(status)
    if found is Situation.DENIED and any(phrase in message for phrase in _POLICY_PHRASES):
        return Situation.BLOCKED_BY_POLICY
    if code == "InvalidParameterValueException" and _BLOCKED_PHRASE in message:
        return Situation.RUNTIME_BLOCKED
    return found


def _by_status(status: int) -> Situation:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Situation.THROTTLED
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

    @property
    def why(self) -> str:
        """What was asked, and what AWS said, without the place."""
        return f"{self.action}: {self.code}: {self.detail}"

    def __str__(self) -> str:
        place = f"{self.account} {self.region}".strip()
        return f"{self.action} in {place}: {self.code}: {self.detail}"


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

    @property
    def why(self) -> str:
        """Which role, and what AWS said."""
        return f"{self.arn} cannot be assumed: {self.failure.code}: {self.failure.detail}"

    def __str__(self) -> str:
        return self.why


@contextmanager
def readable(action: str, account: str, region: str) -> Iterator[None]:
    """Turn an answer of another shape than the API page's into a CallFailed."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise CallFailed(
            action,
            account,
            region,
            Situation.OTHER,
            "UnreadableAnswer",
            f"an entry is not as the API describes it ({type(error).__name__}: {error})",
        ) from error


# Not being reached and being cut off are no relatives in botocore.
_PASSING = (
    botocore_errors.ConnectionError,
    botocore_errors.HTTPClientError,
    ResponseParserError,
    UnicodeDecodeError,
    UnreadableAnswer,
)


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
    # A parser's error repeats the answer, and AssumeRole's answer is credentials.
    unparsed = isinstance(error, (ResponseParserError, UnicodeDecodeError))
    return CallFailed(
        action,
        account,
        region,
        Situation.TRANSIENT if isinstance(error, _PASSING) else Situation.OTHER,
        type(error).__name__,
        "the answer cannot be parsed" if unparsed else str(error),
    )
