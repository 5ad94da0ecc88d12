"""Tags belong to functions, and are shown to those who may list them."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from moto_fixtures.corrections.answers import Refusal
from moto_fixtures.corrections.tags import check_tags
from moto_fixtures.corrections.world import World
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    HOME,
    MEMBER,
    RULES,
    Client,
    Organization,
    refused,
    running,
    zip_of,
)

ARN = f"arn:aws:lambda:{HOME}:{MEMBER}:function:one"
AWSS_OWN = {"aws:cloudformation:stack-name": "orders"}


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(0)
    return organization.add_function("one", Tags=AWSS_OWN)


def refusal(client: Client, operation: str, **params: object) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**params)
    return refused(caught.value)


def test_tags_are_added_replaced_taken_off_and_shown(client: Client) -> None:
    client.tag_resource(Resource=ARN, Tags={"team": "orders", "fleet:language": "go"})
    client.tag_resource(Resource=ARN, Tags={"team": "payments"})
    expected = {**AWSS_OWN, "team": "payments", "fleet:language": "go"}
    assert client.list_tags(Resource=ARN)["Tags"] == expected
    version = client.publish_version(FunctionName="one")["Version"]
    for name in ("one", f"one:{version}"):
        assert client.get_function(FunctionName=name)["Tags"] == expected
    client.untag_resource(Resource=ARN, TagKeys=["team", "nothing"])
    assert client.list_tags(Resource=ARN)["Tags"] == {**AWSS_OWN, "fleet:language": "go"}


def test_get_function_of_one_without_tags_has_none(organization: Organization) -> None:
    client = organization.add_function("bare")
    assert not {"Tags", "TagsError"} & client.get_function(FunctionName="bare").keys()


def test_who_may_not_list_tags_is_told_so_by_get_function() -> None:
    rules = replace(RULES, denied=frozenset({(MEMBER, "lambda:ListTags")}))
    with running(rules) as organization:
        client = organization.add_function("one", Tags={"team": "orders"})
        answer = client.get_function(FunctionName="one")
        assert "Tags" not in answer
        assert answer["TagsError"]["ErrorCode"] == "AccessDeniedException"
        assert f"lambda:ListTags on resource: {ARN}" in answer["TagsError"]["Message"]


def test_tagging_changes_the_revision_and_minds_no_update(
    organization: Organization, client: Client
) -> None:
    def revision() -> str:
        found: str = client.get_function_configuration(FunctionName="one")["RevisionId"]
        return found

    seen = [revision()]
    client.tag_resource(Resource=ARN, Tags={"team": "orders"})
    seen.append(revision())
    organization.emulator.take_for_updates(5)
    client.update_function_configuration(FunctionName="one", MemorySize=512)
    seen.append(revision())
    client.untag_resource(Resource=ARN, TagKeys=["team"])
    seen.append(revision())
    assert len(set(seen)) == 4


@pytest.mark.parametrize("operation", ["tag_resource", "untag_resource", "list_tags"])
def test_versions_and_aliases_have_no_tags(client: Client, operation: str) -> None:
    params: dict[str, dict[str, object]] = {
        "tag_resource": {"Tags": {"team": "orders"}},
        "untag_resource": {"TagKeys": ["team"]},
        "list_tags": {},
    }
    for qualifier in ("1", "live", "$LATEST"):
        found = refusal(client, operation, Resource=f"{ARN}:{qualifier}", **params[operation])
        assert found[:2] == ("InvalidParameterValueException", 400)
        assert found[2].startswith("Tags on function aliases and versions are not supported.")
    unknown = refusal(client, operation, Resource=f"{ARN}s", **params[operation])
    assert unknown == ("ResourceNotFoundException", 404, f"Function not found: {ARN}s")
    name = refusal(client, operation, Resource="one", **params[operation])
    assert name[:2] == ("ValidationException", 400)
    foreign = ARN.replace(MEMBER, DELEGATE)
    assert refusal(client, operation, Resource=foreign, **params[operation])[:2] == (
        "AccessDeniedException",
        403,
    )


@pytest.mark.parametrize("key", ["aws:cloudformation:stack-name", "AWS:own"])
def test_only_aws_itself_sets_and_takes_off_its_tags(client: Client, key: str) -> None:
    for operation, params in (
        ("tag_resource", {"Tags": {key: "mine"}}),
        ("untag_resource", {"TagKeys": [key]}),
    ):
        found = refusal(client, operation, Resource=ARN, **params)
        assert found[:2] == ("InvalidParameterValueException", 400)
    created = refusal(
        client,
        "create_function",
        FunctionName="two",
        Role=f"arn:aws:iam::{MEMBER}:role/run",
        Runtime="provided.al2023",
        Handler="bootstrap",
        Code={"ZipFile": zip_of(bootstrap=b"new")},
        Tags={key: "mine"},
    )
    assert created[0] == "InvalidParameterValueException"
    assert client.list_tags(Resource=ARN)["Tags"] == AWSS_OWN


def test_fifty_tags_are_the_most_beside_awss_own(client: Client) -> None:
    client.tag_resource(Resource=ARN, Tags={f"tag{number}": "" for number in range(50)})
    client.tag_resource(Resource=ARN, Tags={"tag1": "changed"})
    assert refusal(client, "tag_resource", Resource=ARN, Tags={"tag50": ""})[2] == (
        "Number of tags exceeds resource tag limit."
    )
    assert len(client.list_tags(Resource=ARN)["Tags"]) == 51


@pytest.mark.parametrize(
    "tags",
    [{"": "empty"}, {"k" * 129: ""}, {"key": "v" * 257}, {"key<": ""}, {"key": "a\nb"}],
    ids=["no key", "long key", "long value", "mark in key", "line break in value"],
)
def test_tags_that_lambda_does_not_take_are_refused(client: Client, tags: dict[str, str]) -> None:
    found = refusal(client, "tag_resource", Resource=ARN, Tags=tags)
    assert found[:2] == ("ValidationException", 400)
    assert client.list_tags(Resource=ARN)["Tags"] == AWSS_OWN
    client.tag_resource(Resource=ARN, Tags={"k" * 128: "v" * 256, "größe": "fünf m²"})


def test_nothing_to_tag_is_refused(client: Client) -> None:
    assert refusal(client, "tag_resource", Resource=ARN, Tags={})[1] == 400


@given(st.text(min_size=1, max_size=128))
def test_a_key_is_taken_if_it_is_letters_digits_spaces_and_the_marks_named(key: str) -> None:
    allowed = all(
        one in "_.:/=+-@" or unicodedata.category(one).startswith(("L", "N", "Z")) for one in key
    ) and not key.lower().startswith("aws:")
    try:
        check_tags({key: ""}, {}, World(RULES))
    except Refusal:
        assert not allowed
    else:
        assert allowed
