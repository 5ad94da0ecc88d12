"""Whose credentials a request carries, and when they end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from moto_fixtures.corrections.credentials import account_of, keys_of
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    MANAGEMENT,
    MEMBER,
    OUTSIDER,
    ROLE,
    RULES,
    SUSPENDED,
    Organization,
    refused,
    running,
)

NOT_AUTHORIZED = (
    f"User: arn:aws:iam::{MANAGEMENT}:user/administrator is not authorized to perform: "
    "sts:AssumeRole on resource: "
)


@given(st.integers(0, 10**12 - 1).map(lambda number: f"{number:012d}"))
def test_keys_tell_their_account_with_its_leading_zeros(account: str) -> None:
    assert account_of(keys_of(account).access_key) == account


@given(st.text(max_size=24) | st.from_regex(r"AKIA[A-Z2-7]{16}", fullmatch=True))
def test_keys_that_nobody_was_given_belong_to_no_account(access_key: str) -> None:
    assert account_of(access_key) is None


@pytest.mark.parametrize("account", ["", "1", "12345678901x", "1234567890123"])
def test_keys_of_what_is_no_account_id_are_refused(account: str) -> None:
    with pytest.raises(ValueError, match="twelve digits"):
        keys_of(account)


def test_keys_never_show_their_secret_in_a_repr() -> None:
    assert keys_of(MEMBER).secret_key not in repr(keys_of(MEMBER))


@pytest.mark.parametrize("account", [MANAGEMENT, MEMBER])
def test_keys_act_as_their_own_account(organization: Organization, account: str) -> None:
    identity = organization.client("sts", account).get_caller_identity()
    assert identity["Account"] == account
    assert identity["Arn"] == f"arn:aws:iam::{account}:user/administrator"


def test_accounts_do_not_see_each_others_functions(organization: Organization) -> None:
    organization.add_function("mine")
    mine = organization.client("lambda", MEMBER).list_functions()["Functions"]
    theirs = organization.client("lambda", DELEGATE).list_functions()["Functions"]
    assert [function["FunctionName"] for function in mine] == ["mine"]
    assert theirs == []


def test_the_printed_environment_is_the_management_accounts(organization: Organization) -> None:
    environment = organization.emulator.environment
    assert environment["AWS_ENDPOINT_URL"] == organization.emulator.url
    assert account_of(environment["AWS_ACCESS_KEY_ID"]) == MANAGEMENT


def test_an_assumed_role_acts_in_its_account(organization: Organization) -> None:
    session = organization.assume()
    identity = organization.client("sts", session=session).get_caller_identity()
    assert identity["Account"] == MEMBER
    assert identity["Arn"] == f"arn:aws:sts::{MEMBER}:assumed-role/{ROLE}/fleet"


@pytest.mark.parametrize(
    ("account", "role"),
    [(MEMBER, "NoSuchRole"), (OUTSIDER, ROLE), ("999999999999", ROLE), (SUSPENDED, ROLE)],
)
def test_a_role_that_cannot_be_assumed_is_refused(
    organization: Organization, account: str, role: str
) -> None:
    with pytest.raises(ClientError) as error:
        organization.assume(account, role)
    arn = f"arn:aws:iam::{account}:role/{role}"
    assert refused(error.value) == ("AccessDenied", 403, NOT_AUTHORIZED + arn)


def test_a_role_is_not_assumed_by_an_account_it_does_not_trust(organization: Organization) -> None:
    arn = f"arn:aws:iam::{DELEGATE}:role/{ROLE}"
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        organization.client("sts", MEMBER).assume_role(RoleArn=arn, RoleSessionName="fleet")


@pytest.mark.parametrize("params", [{}, {"ExternalId": "wrong"}])
def test_a_role_that_wants_an_external_id_is_refused_without_it(params: dict[str, Any]) -> None:
    with running(replace(RULES, external_ids={(MEMBER, ROLE): "right"})) as organization:
        with pytest.raises(ClientError) as error:
            organization.assume(MEMBER, **params)
        assert refused(error.value)[0] == "AccessDenied"
        assert organization.assume(MEMBER, ExternalId="right")["SessionToken"]


def test_a_session_ends_when_its_duration_is_over(organization: Organization) -> None:
    session = organization.assume(DurationSeconds=900)
    start = organization.clock.now
    assert session["Expiration"].timestamp() == start + 900
    client = organization.client("lambda", session=session)
    organization.clock.now = start + 899
    client.list_functions()
    organization.clock.now = start + 900
    with pytest.raises(ClientError) as error:
        client.list_functions()
    assert refused(error.value) == (
        "ExpiredTokenException",
        403,
        "The security token included in the request is expired",
    )


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("lambda", "list_functions", "ExpiredTokenException"),
        ("account", "list_regions", "ExpiredTokenException"),
        ("organizations", "list_accounts", "ExpiredTokenException"),
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("cloudwatch", "list_metrics", "ExpiredToken"),
        ("s3", "list_buckets", "ExpiredToken"),
        ("ec2", "describe_regions", "RequestExpired"),
    ],
)
def test_every_service_refuses_an_expired_session_under_its_own_code(
    organization: Organization, service: str, operation: str, code: str
) -> None:
    client = organization.client(service, session=organization.assume())
    organization.clock.now += 3600
    with pytest.raises(ClientError) as error:
        getattr(client, operation)()
    assert refused(error.value)[0] == code


@pytest.mark.parametrize("seconds", [899, 3601])
def test_a_duration_that_the_role_does_not_allow_is_refused(
    organization: Organization, seconds: int
) -> None:
    with pytest.raises(ClientError) as error:
        organization.assume(DurationSeconds=seconds)
    assert refused(error.value)[0] == "ValidationError"


def test_a_role_assumed_from_a_session_lasts_an_hour_at_most() -> None:
    rules = replace(RULES, roles=RULES.roles | {(MANAGEMENT, ROLE)})
    with running(rules) as chained:
        client = chained.client("sts", session=chained.assume(MANAGEMENT))
        with pytest.raises(ClientError, match="session limit for roles assumed by role chaining"):
            client.assume_role(
                RoleArn=f"arn:aws:iam::{MEMBER}:role/{ROLE}",
                RoleSessionName="fleet",
                DurationSeconds=3601,
            )


@pytest.mark.parametrize(
    ("role_arn", "session_name"),
    [
        (f"arn:aws:iam::{MEMBER}:user/{ROLE}", "fleet"),
        (f"arn:aws:iam::1:role/{ROLE}", "fleet"),
        (f"arn:aws:iam::{MEMBER}:role/{ROLE}", "f"),
        (f"arn:aws:iam::{MEMBER}:role/{ROLE}", "two words"),
    ],
)
def test_a_role_or_session_that_cannot_be_one_is_refused(
    organization: Organization, role_arn: str, session_name: str
) -> None:
    with pytest.raises(ClientError) as error:
        organization.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
    assert refused(error.value)[0] == "ValidationError"


@pytest.mark.parametrize("change", ["AccessKeyId", "SessionToken"])
def test_keys_and_tokens_of_two_sessions_do_not_mix(
    organization: Organization, change: str
) -> None:
    session, other = organization.assume(), organization.assume(DELEGATE)
    client = organization.client("lambda", session={**session, change: other[change]})
    with pytest.raises(ClientError) as error:
        client.list_functions()
    assert refused(error.value) == (
        "UnrecognizedClientException",
        403,
        "The security token included in the request is invalid.",
    )


def test_long_term_keys_go_without_a_session_token(organization: Organization) -> None:
    keys, session = organization.emulator.credentials_of(MEMBER), organization.assume()
    mixed = {
        "AccessKeyId": keys["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": session["SessionToken"],
    }
    with pytest.raises(ClientError) as error:
        organization.client("lambda", session=mixed).list_functions()
    assert refused(error.value)[0] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("lambda", "list_functions", "UnrecognizedClientException", 403),
        ("organizations", "list_accounts", "UnrecognizedClientException", 400),
        ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
        ("cloudwatch", "list_metrics", "InvalidClientTokenId", 403),
        ("ec2", "describe_regions", "AuthFailure", 401),
    ],
)
def test_unknown_keys_are_refused_and_never_some_default_account(
    organization: Organization, service: str, operation: str, code: str, status: int
) -> None:
    keys = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x", "SessionToken": None}
    with pytest.raises(ClientError) as error:
        getattr(organization.client(service, session=keys), operation)()
    assert refused(error.value)[:2] == (code, status)


def policy(*actions: str, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_session_policy_stops_what_it_does_not_allow(organization: Organization) -> None:
    session = organization.assume(Policy=policy("lambda:List*"))
    client = organization.client("lambda", session=session)
    client.list_functions()
    with pytest.raises(ClientError) as error:
        client.get_function(FunctionName="any")
    assert refused(error.value) == (
        "AccessDeniedException",
        403,
        (
            f"User: arn:aws:sts::{MEMBER}:assumed-role/{ROLE}/fleet is not authorized to perform: "
            f"lambda:GetFunction on resource: arn:aws:lambda:us-east-1:{MEMBER}:function:any "
            "because no session policy allows the lambda:GetFunction action"
        ),
    )


def test_a_session_policy_cannot_take_get_caller_identity_away(organization: Organization) -> None:
    session = organization.assume(Policy=policy("lambda:ListFunctions"))
    assert organization.client("sts", session=session).get_caller_identity()["Account"] == MEMBER


def test_a_session_policys_deny_wins(organization: Organization) -> None:
    text = json.dumps(
        {
            "Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "NotAction": "sts:*", "Resource": "*"},
            ]
        }
    )
    client = organization.client("lambda", session=organization.assume(Policy=text))
    with pytest.raises(ClientError, match="with an explicit deny in a session policy"):
        client.list_functions()


def test_a_session_policy_of_more_than_2048_characters_is_refused(
    organization: Organization,
) -> None:
    fitting = policy("lambda:ListFunctions")
    organization.assume(Policy=fitting + " " * (2048 - len(fitting)))
    with pytest.raises(ClientError) as error:
        organization.assume(Policy=fitting + " " * (2049 - len(fitting)))
    code, _, message = refused(error.value)
    assert code == "ValidationError"
    assert "Member must have length less than or equal to 2048" in message


@pytest.mark.parametrize("text", ["{", "[]", "{}", policy("lambda"), policy("*", effect="allow")])
def test_a_session_policy_that_is_none_is_refused(organization: Organization, text: str) -> None:
    with pytest.raises(ClientError) as error:
        organization.assume(Policy=text)
    assert refused(error.value)[0] == "MalformedPolicyDocument"
