from __future__ import annotations

import pytest
from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from fleet.aws.failures import (
    CallFailed,
    NoCredentials,
    RoleRefused,
    Situation,
    UnreadableAnswer,
    named,
    situation,
)

# The endings of AWS's messages:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
WHO = "User: arn:aws:sts::1:assumed-role/R/fleet is not authorized to perform: lambda:ListFunctions"
DENIALS = {
    "because no identity-based policy allows the lambda:ListFunctions action": Situation.DENIED,
    "with an explicit deny in an identity-based policy": Situation.DENIED,
    "because no session policy allows the lambda:ListFunctions action": Situation.DENIED,
    "because no resource-based policy allows the lambda:ListFunctions action": Situation.DENIED,
    "with an explicit deny in a VPC endpoint policy": Situation.DENIED,
    "with an explicit deny in a service control policy": Situation.BLOCKED_BY_POLICY,
    "because no service control policy allows the lambda:ListFunctions action": (
        Situation.BLOCKED_BY_POLICY
    ),
    "with an explicit deny in a resource control policy": Situation.BLOCKED_BY_POLICY,
    "with an explicit deny in a permissions boundary": Situation.BLOCKED_BY_POLICY,
    "because no permissions boundary allows the lambda:ListFunctions action": (
        Situation.BLOCKED_BY_POLICY
    ),
}


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
@pytest.mark.parametrize(("ending", "meant"), DENIALS.items())
def test_a_denial_says_whether_role_or_organization_forbids(
    code: str, ending: str, meant: Situation
) -> None:
    assert situation(403, code, f"{WHO} on resource: * {ending}") is meant


@pytest.mark.parametrize(
    ("status", "code", "meant"),
    [
        (429, "TooManyRequestsException", Situation.THROTTLED),
        (400, "ThrottlingException", Situation.THROTTLED),
        (400, "Throttling", Situation.THROTTLED),
        (503, "RequestLimitExceeded", Situation.THROTTLED),
        (503, "SlowDown", Situation.THROTTLED),
        (429, "", Situation.THROTTLED),
        (500, "ServiceException", Situation.TRANSIENT),
        (503, "ServiceUnavailable", Situation.TRANSIENT),
        (502, "", Situation.TRANSIENT),
        (599, "NeverHeardOf", Situation.TRANSIENT),
        (400, "ExpiredToken", Situation.EXPIRED),
        (403, "ExpiredTokenException", Situation.EXPIRED),
        (400, "RequestExpired", Situation.EXPIRED),
        (403, "OptInRequired", Situation.REGION_NOT_ENABLED),
        (403, "RegionDisabledException", Situation.REGION_NOT_ENABLED),
        (404, "ResourceNotFoundException", Situation.NOT_FOUND),
        (400, "AWSOrganizationsNotInUseException", Situation.NOT_IN_ORGANIZATION),
        (400, "ValidationException", Situation.OTHER),
        (418, "", Situation.OTHER),
    ],
)
def test_a_code_or_else_the_status_names_the_situation(
    status: int, code: str, meant: Situation
) -> None:
    assert situation(status, code, "") is meant


@pytest.mark.parametrize(
    "code", ["UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"]
)
def test_unrecognized_credentials_are_not_taken_for_a_region_that_is_off(code: str) -> None:
    # AWS says the same of a region that is off and of a role or key that was deleted; only the
    # first would mean that there is nothing to see.
    assert situation(403, code, "The security token included in the request is invalid.") is (
        Situation.UNRECOGNIZED
    )


def test_a_404_of_another_kind_is_not_taken_for_a_deleted_function() -> None:
    assert situation(404, "UnknownOperationException", "") is Situation.OTHER
    assert situation(404, "404", "") is Situation.OTHER


@given(st.integers(100, 599), st.text(max_size=30), st.text(max_size=30))
def test_a_code_never_heard_of_is_tried_again_only_where_the_status_asks_for_it(
    status: int, code: str, message: str
) -> None:
    meant = Situation.TRANSIENT if status >= 500 else Situation.OTHER
    meant = Situation.THROTTLED if status == 429 else meant
    assert situation(status, f"NeverHeardOf{code}", message) is meant


def error(status: int, code: str | None = None, message: str = "") -> botocore_errors.ClientError:
    said = {"Message": message} if code is None else {"Message": message, "Code": code}
    answer = {"Error": said, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore_errors.ClientError(answer, "ListFunctions")


def test_an_error_answer_keeps_what_aws_said() -> None:
    failure = named(error(403, "AccessDenied", "because"), "lambda:ListFunctions", "1", "eu-west-1")
    assert failure.situation is Situation.DENIED
    assert str(failure) == "lambda:ListFunctions in 1 eu-west-1: AccessDenied: because"


def test_a_failure_before_the_account_is_known_leaves_no_hole_in_its_sentence() -> None:
    failure = named(error(403, "AccessDenied", "because"), "sts:GetCallerIdentity", "", "eu-west-1")
    assert str(failure) == "sts:GetCallerIdentity in eu-west-1: AccessDenied: because"


def test_an_error_without_a_code_is_named_by_its_status() -> None:
    assert named(error(502), "lambda:ListFunctions", "1", "eu-west-1").code == "502"


@pytest.mark.parametrize(
    "broken",
    [
        botocore_errors.EndpointConnectionError(endpoint_url="https://lambda"),
        botocore_errors.ConnectionClosedError(endpoint_url="https://lambda"),
        botocore_errors.ReadTimeoutError(endpoint_url="https://lambda"),
        botocore_errors.ConnectTimeoutError(endpoint_url="https://lambda"),
        ResponseParserError("no XML"),
        UnreadableAnswer("Functions"),
    ],
)
def test_broken_connections_and_answers_are_faults_of_the_moment(broken: Exception) -> None:
    assert named(broken, "lambda:ListFunctions", "1", "eu-west-1").situation is Situation.TRANSIENT


@pytest.mark.parametrize(
    "broken",
    [
        botocore_errors.NoCredentialsError(),
        botocore_errors.UnauthorizedSSOTokenError(),
        botocore_errors.CredentialRetrievalError(provider="process", error_msg="status 1"),
    ],
)
def test_credentials_that_cannot_be_had_end_everything_and_say_what_to_do(
    broken: Exception,
) -> None:
    with pytest.raises(NoCredentials, match=r"aws sso login.*--profile"):
        named(broken, "lambda:ListFunctions", "1", "eu-west-1")


def test_a_refused_role_names_itself_and_the_reason() -> None:
    failure = CallFailed(
        "sts:AssumeRole", "1", "r", Situation.DENIED, "AccessDenied", "not trusted"
    )
    said = str(RoleRefused("arn:aws:iam::2:role/Scan", failure))
    assert said == "arn:aws:iam::2:role/Scan cannot be assumed: AccessDenied: not trusted"
