"""Aliases name versions that are there, with weights that AWS takes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization, refused
from tests.moto_fixtures.test_corrections_updates import configuration

ARN = f"arn:aws:lambda:{HOME}:{MEMBER}:function:one"


def half(version: str, weight: float = 0.5) -> dict[str, object]:
    return {"AdditionalVersionWeights": {version: weight}}


@pytest.fixture
def client(organization: Organization) -> Client:
    """A function with three versions; the third has another dead-letter queue."""
    organization.emulator.take_for_updates(0)
    made = organization.add_function("one")
    made.publish_version(FunctionName="one")
    made.update_function_configuration(FunctionName="one", MemorySize=512)
    made.publish_version(FunctionName="one")
    made.update_function_configuration(
        FunctionName="one", DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{HOME}:{MEMBER}:failed"}
    )
    made.publish_version(FunctionName="one")
    return made


def alias(client: Client, version: str = "1", **params: object) -> dict[str, object]:
    made: dict[str, object] = client.create_alias(
        FunctionName="one", Name="live", FunctionVersion=version, **params
    )
    return made


def test_an_alias_that_exists_is_a_conflict(client: Client) -> None:
    alias(client)
    with pytest.raises(ClientError) as caught:
        alias(client, "2")
    assert refused(caught.value) == (
        "ResourceConflictException",
        409,
        f"Alias already exists: {ARN}:live",
    )


def test_an_alias_of_a_missing_version_is_refused(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        alias(client, "9")
    assert refused(caught.value) == (
        "ResourceNotFoundException",
        404,
        f"Function not found: {ARN}:9",
    )
    alias(client)
    with pytest.raises(ClientError):
        client.update_alias(FunctionName="one", Name="live", FunctionVersion="9")
    assert client.get_alias(FunctionName="one", Name="live")["FunctionVersion"] == "1"


def test_a_missing_alias_is_a_404(client: Client) -> None:
    for call in (client.get_alias, client.update_alias):
        with pytest.raises(ClientError) as caught:
            call(FunctionName="one", Name="none")
        assert refused(caught.value)[:2] == ("ResourceNotFoundException", 404)


def test_every_update_of_an_alias_changes_its_revision_which_guards_it(client: Client) -> None:
    first = alias(client)["RevisionId"]
    found = client.get_alias(FunctionName="one", Name="live")
    assert found["RevisionId"] == first
    moved = client.update_alias(
        FunctionName="one", Name="live", FunctionVersion="2", RevisionId=first
    )
    assert moved["RevisionId"] != first
    assert (
        client.list_aliases(FunctionName="one")["Aliases"][0]["RevisionId"] == (moved["RevisionId"])
    )
    with pytest.raises(ClientError) as caught:
        client.update_alias(FunctionName="one", Name="live", FunctionVersion="1", RevisionId=first)
    assert refused(caught.value)[:2] == ("PreconditionFailedException", 412)
    assert client.get_alias(FunctionName="one", Name="live")["FunctionVersion"] == "2"


@pytest.mark.parametrize(
    ("version", "routing", "code"),
    [
        ("1", half("2", 1.5), "ValidationException"),
        ("1", half("2", -0.1), "ValidationException"),
        ("1", half("$LATEST"), "ValidationException"),
        ("1", half("1"), "InvalidParameterValueException"),
        ("$LATEST", half("1"), "InvalidParameterValueException"),
        ("1", half("9"), "ResourceNotFoundException"),
        ("1", half("3"), "InvalidParameterValueException"),
        (
            "1",
            {"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}},
            "InvalidParameterValueException",
        ),
    ],
    ids=["over", "under", "latest", "same", "of-latest", "missing", "queue", "three"],
)
def test_weights_that_an_alias_can_not_have_are_refused(
    client: Client, version: str, routing: dict[str, object], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        alias(client, version, RoutingConfig=routing)
    assert refused(caught.value)[0] == code
    assert client.list_aliases(FunctionName="one")["Aliases"] == []


def test_weights_stay_until_an_empty_routing_ends_them(client: Client) -> None:
    assert alias(client, RoutingConfig=half("2", 0.1))["RoutingConfig"] == half("2", 0.1)
    kept = client.update_alias(FunctionName="one", Name="live", Description="canary")
    assert kept["RoutingConfig"] == half("2", 0.1)
    ended = client.update_alias(
        FunctionName="one", Name="live", FunctionVersion="2", RoutingConfig={}
    )
    assert "RoutingConfig" not in ended
    assert ended["Description"] == "canary"


def test_two_versions_with_other_roles_can_not_share_an_alias(
    organization: Organization, client: Client
) -> None:
    with organization.emulator.seeding():
        organization.client("iam", MEMBER).create_role(
            RoleName="other", AssumeRolePolicyDocument="{}"
        )
    client.update_function_configuration(
        FunctionName="one",
        Role=f"arn:aws:iam::{MEMBER}:role/other",
        DeadLetterConfig={"TargetArn": ""},
    )
    client.publish_version(FunctionName="one")
    with pytest.raises(ClientError) as caught:
        alias(client, RoutingConfig=half("4"))
    assert "role" in refused(caught.value)[2]


def test_a_number_is_no_name_for_an_alias(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        client.create_alias(FunctionName="one", Name="12", FunctionVersion="1")
    assert refused(caught.value)[:2] == ("ValidationException", 400)


def test_a_deleted_alias_is_gone_and_deleting_it_again_succeeds(client: Client) -> None:
    alias(client)
    for _ in range(2):
        client.delete_alias(FunctionName="one", Name="live")
        assert client.list_aliases(FunctionName="one")["Aliases"] == []


def test_an_alias_shows_the_configuration_of_its_version(client: Client) -> None:
    alias(client)
    assert configuration(client, "one", Qualifier="live")["MemorySize"] == 128
    client.update_alias(FunctionName="one", Name="live", FunctionVersion="2")
    assert configuration(client, "one", Qualifier="live")["MemorySize"] == 512


def test_an_alias_with_provisioned_concurrency_shows_weights_while_it_moves(
    organization: Organization, client: Client
) -> None:
    alias(client)
    client.put_provisioned_concurrency_config(
        FunctionName="one", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    organization.emulator.take_for_updates(4)
    moving = client.update_alias(FunctionName="one", Name="live", FunctionVersion="2")
    assert list(moving["RoutingConfig"]["AdditionalVersionWeights"]) == ["1"]
    organization.clock.now += 4
    assert "RoutingConfig" not in client.get_alias(FunctionName="one", Name="live")
    with pytest.raises(ClientError) as caught:
        client.update_alias(FunctionName="one", Name="live", RoutingConfig=half("1"))
    assert refused(caught.value)[0] == "InvalidParameterValueException"
