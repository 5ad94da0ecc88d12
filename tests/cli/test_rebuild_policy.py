"""`fleet policy rebuild` against the calls that `fleet rebuild` really makes."""

from __future__ import annotations

import json

import pytest
import yaml
from cfnlint.api import lint

from moto_fixtures.server import Call
from tests.cli.inside import NO_TRIAL, Desk
from tests.moto_fixtures.small_organization import MANAGEMENT, MEMBER, Organization

TAGS = "lambda:ListTags"
"""GetFunction shows tags only with it; no recorded call shows that."""


@pytest.fixture(scope="module")
def ran(organization: Organization, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """Every call for a function whose package was read; what follows is nothing of AWS's."""
    desk = Desk(organization, tmp_path_factory.mktemp("policy"))
    arn = desk.function("orders")
    ended, calls = desk.recorded("rebuild", arn, NO_TRIAL)
    assert "it does not tell the commit" in ended.out, ended
    return calls


def printed(desk: Desk, *arguments: str) -> set[str]:
    """Every action that a printed policy allows."""
    ended = desk.fleet("policy", "rebuild", *arguments)
    assert ended.status == 0, ended.err
    actions: set[str] = set()
    for statement in json.loads(ended.out)["Statement"]:
        named = statement["Action"]
        actions |= {named} if isinstance(named, str) else set(named)
    return actions


def test_the_role_s_policy_is_what_it_calls_and_shows_tags(desk: Desk, ran: list[Call]) -> None:
    called = {call.action for call in ran if call.account == MEMBER}
    assert printed(desk, "--for", "member") == {*called, TAGS}


def test_the_callers_policy_is_what_it_calls_and_the_role_s(desk: Desk, ran: list[Call]) -> None:
    own = printed(desk) - printed(desk, "--for", "member")
    assert own == {call.action for call in ran if call.account == MANAGEMENT}


def test_each_action_is_printed_with_its_reason(desk: Desk) -> None:
    said = desk.fleet("policy", "rebuild", "--for", "reasons").out.splitlines()
    told = {line.split(None, 1)[0]: line.split(None, 1)[1] for line in said}
    assert set(told) == printed(desk)
    assert all(told.values())


def test_the_template_is_a_role_that_only_reads_and_that_cfn_lint_has_nothing_to_say_of(
    desk: Desk,
) -> None:
    ended = desk.fleet("policy", "rebuild", "--for", "template")
    template = yaml.safe_load(ended.out)
    assert template["Parameters"]["RoleName"]["Default"] == "fleet-rebuild"
    assert [str(each) for each in lint(ended.out)] == []
    (role,) = template["Resources"].values()
    (policy,) = role["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == printed(desk, "--for", "member")
    assert all(action.split(":")[1].startswith(("Get", "List")) for action in statement["Action"])
