from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from cfnlint.api import lint
from hypothesis import given
from hypothesis import strategies as st

from fleet.permissions import (
    ARTIFACT,
    BUCKET,
    BUCKET_UNRECORDED,
    CLEANUP,
    COLD_STARTS,
    DELETE,
    INSPECT,
    INVOKE,
    MOVE,
    PLAN,
    SCAN,
    UNRECORDED,
    Permission,
    Where,
    actions,
    session_policy,
)
from fleet.policy import caller_policy, member_policy, role_template

ROLE = "fleet-scan"
READS = ("List", "Get", "Describe")
MIGRATE = (*PLAN, *MOVE, *UNRECORDED, *INVOKE, *BUCKET, *BUCKET_UNRECORDED, *ARTIFACT)
"""All that one command can ask for."""

permissions = st.lists(
    st.builds(
        Permission,
        service=st.sampled_from(["lambda", "ec2", "sts"]),
        operation=st.sampled_from(["ListTags", "GetPolicy", "AssumeRole"]),
        action=st.sampled_from(["lambda:ListTags", "lambda:GetPolicy", "sts:AssumeRole"]),
        where=st.sampled_from(Where),
        reason=st.just("because"),
    ),
    max_size=8,
)


def allowed(document: dict[str, Any]) -> set[str]:
    """Every action that a policy allows, on anything."""
    found: set[str] = set()
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        named = statement["Action"]
        found.update([named] if isinstance(named, str) else named)
    return found


def linted(template: dict[str, Any]) -> list[str]:
    return [str(match) for match in lint(yaml.safe_dump(template, sort_keys=False))]


def test_the_members_policy_allows_exactly_what_the_table_needs_there() -> None:
    needed = {each.action for each in SCAN if each.where is Where.MEMBER}
    assert allowed(member_policy(SCAN)) == needed


def test_the_callers_policy_allows_exactly_what_the_whole_table_needs() -> None:
    # The caller's own account is looked at without a role.
    assert allowed(caller_policy(SCAN, ROLE, "aws")) == {each.action for each in SCAN}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_caller_may_assume_this_role_in_any_account_and_no_other(partition: str) -> None:
    statements = caller_policy(SCAN, ROLE, partition)["Statement"]
    (assume,) = [each for each in statements if "sts:AssumeRole" in each["Action"]]
    assert assume["Action"] == "sts:AssumeRole"
    assert assume["Resource"] == f"arn:{partition}:iam::*:role/{ROLE}"


@given(permissions)
def test_no_document_allows_more_or_less_than_its_table(table: list[Permission]) -> None:
    members = {each.action for each in table if each.where is Where.MEMBER}
    assert allowed(member_policy(table)) == members
    assert allowed(json.loads(session_policy(table))) == members
    template = role_template(table, ROLE)["Resources"]["FleetScanRole"]["Properties"]
    (policy,) = template["Policies"]
    assert allowed(policy["PolicyDocument"]) == members
    callers = {each.action for each in table if each.where is Where.CALLER}
    assert allowed(caller_policy(table, ROLE, "aws")) == members | callers | {"sts:AssumeRole"}
    assert actions(table, Where.MEMBER) == tuple(sorted(members))


QUERYING = {"logs:StartQuery", "logs:StopQuery"}
"""Actions that begin and end the reading of logs, and change nothing."""


@pytest.mark.parametrize("table", [SCAN, INSPECT, COLD_STARTS, PLAN, CLEANUP, ARTIFACT])
def test_what_goes_without_apply_only_reads(table: tuple[Permission, ...]) -> None:
    for each in table:
        verb = each.action.partition(":")[2]
        assert verb.startswith(READS) or each.action in {"sts:AssumeRole", *QUERYING}
        assert "*" not in each.action


def test_the_table_names_no_call_twice_and_says_why_for_each() -> None:
    assert len({(each.service, each.operation) for each in SCAN}) == len(SCAN)
    assert all(each.reason for each in SCAN)


def test_a_session_cannot_pass_its_rights_on() -> None:
    assert "sts:AssumeRole" not in session_policy(SCAN)


def test_what_needs_apply_is_in_no_table_that_goes_without() -> None:
    writing = {each.action for each in (*MOVE, *DELETE, *INVOKE, *BUCKET)}
    reading = {each.action for each in (*SCAN, *INSPECT, *PLAN, *CLEANUP, *ARTIFACT, *UNRECORDED)}
    assert not writing & reading


@pytest.mark.parametrize("table", [SCAN + INSPECT + COLD_STARTS, MIGRATE, CLEANUP + DELETE])
def test_the_session_policy_is_as_short_as_sts_wants_it(table: tuple[Permission, ...]) -> None:
    assert len(session_policy(table)) <= 2048


def test_the_documents_are_json() -> None:
    for document in (
        member_policy(SCAN),
        caller_policy(SCAN, ROLE, "aws"),
        role_template(SCAN, ROLE),
    ):
        assert json.loads(json.dumps(document)) == document


def test_cfn_lint_has_nothing_to_say_of_the_template() -> None:
    assert linted(role_template(SCAN, ROLE)) == []


def test_what_a_table_keeps_by_hand_is_no_call_and_has_its_reason() -> None:
    for each in (*UNRECORDED, *BUCKET_UNRECORDED):
        assert (each.operation, bool(each.reason)) == ("", True)


def test_cfn_lint_would_say_that_an_action_does_not_exist() -> None:
    wrong = [replace(each, action=each.action.replace("List", "Lsit")) for each in SCAN]
    assert any("lsit" in said.lower() for said in linted(role_template(wrong, ROLE)))


def test_the_role_is_trusted_to_one_account_and_with_the_external_id_if_there_is_one() -> None:
    properties = role_template(SCAN, ROLE)["Resources"]["FleetScanRole"]["Properties"]
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {
        "AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${TrustedAccountId}:root"}
    }
    assert trust["Action"] == "sts:AssumeRole"
    assert trust["Condition"] == {
        "Fn::If": [
            "WithExternalId",
            {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
            {"Ref": "AWS::NoValue"},
        ]
    }
    assert "ManagedPolicyArns" not in properties
