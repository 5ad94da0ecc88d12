"""PublishVersion mints a version only of what is new, and a version keeps what it was."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import Client, Organization, refused, zip_of
from tests.moto_fixtures.test_corrections_updates import configuration, served

NEW = zip_of(main=b"new")


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(0)
    return organization.add_function("one")


def publish(client: Client, **params: str) -> str:
    number: str = client.publish_version(FunctionName="one", **params)["Version"]
    return number


def test_publishing_twice_gives_the_same_version(client: Client) -> None:
    assert [publish(client), publish(client, Description="again")] == ["1", "1"]
    assert len(client.list_versions_by_function(FunctionName="one")["Versions"]) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"MemorySize": 512},
        {"Runtime": "provided.al2023"},
        {"Handler": "bootstrap"},
        {"Environment": {"Variables": {"STAGE": "prod"}}},
        {"Description": "another"},
        {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:111111111111:failed"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_configuration_is_another_version(
    client: Client, change: dict[str, object]
) -> None:
    publish(client)
    client.update_function_configuration(FunctionName="one", **change)
    assert publish(client) == "2"


def test_an_update_that_changes_nothing_mints_nothing(client: Client) -> None:
    publish(client)
    client.update_function_configuration(FunctionName="one", MemorySize=128)
    client.update_function_code(FunctionName="one", ZipFile=zip_of(main=b"one"))
    publish(client)
    package = zip_of(main=b"other")
    client.update_function_code(FunctionName="one", ZipFile=package)
    last = publish(client)
    client.update_function_code(FunctionName="one", ZipFile=package)
    assert publish(client) == last


def test_a_version_keeps_its_code_and_configuration(
    organization: Organization, client: Client
) -> None:
    publish(client)
    before = served(organization, "1")
    client.update_function_configuration(
        FunctionName="one",
        Runtime="provided.al2023",
        Environment={"Variables": {"STAGE": "new"}},
    )
    client.update_function_code(FunctionName="one", ZipFile=NEW, Architectures=["arm64"])
    assert served(organization, "1") == before
    assert served(organization).code == NEW


def test_another_code_than_expected_is_not_published(client: Client) -> None:
    found = configuration(client, "one")["CodeSha256"]
    with pytest.raises(ClientError) as caught:
        publish(client, CodeSha256="A" * 43 + "=")
    code, status, message = refused(caught.value)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert str(found) in message
    assert publish(client, CodeSha256=str(found)) == "1"


def test_a_version_is_pending_before_it_is_active(
    organization: Organization, client: Client
) -> None:
    organization.emulator.take_for_updates(3)
    assert client.publish_version(FunctionName="one")["State"] == "Pending"
    with pytest.raises(Exception, match="Pending"):
        served(organization, "1")
    # $LATEST goes on meanwhile.
    assert served(organization).version == "$LATEST"
    organization.clock.now += 3
    assert configuration(client, "one", Qualifier="1")["State"] == "Active"
    assert served(organization, "1").version == "1"


def test_an_update_with_publish_gives_the_new_version(client: Client) -> None:
    publish(client)
    answer = client.update_function_code(FunctionName="one", ZipFile=NEW, Publish=True)
    assert answer["Version"] == "2"
    found = client.get_function(FunctionName="one", Qualifier="2")["Configuration"]
    assert found["CodeSha256"] == answer["CodeSha256"]


def test_the_number_of_a_deleted_version_is_not_used_again(client: Client) -> None:
    publish(client)
    client.update_function_code(FunctionName="one", ZipFile=NEW)
    publish(client)
    client.delete_function(FunctionName="one", Qualifier="2")
    client.update_function_code(FunctionName="one", ZipFile=zip_of(main=b"newer"))
    assert publish(client) == "3"


def test_a_version_that_an_alias_names_can_not_be_deleted(client: Client) -> None:
    publish(client)
    client.update_function_code(FunctionName="one", ZipFile=NEW)
    publish(client)
    client.create_alias(
        FunctionName="one",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    for version in ("1", "2"):
        with pytest.raises(ClientError) as caught:
            client.delete_function(FunctionName="one", Qualifier=version)
        assert refused(caught.value)[:2] == ("ResourceConflictException", 409)
    client.delete_alias(FunctionName="one", Name="live")
    client.delete_function(FunctionName="one", Qualifier="1")
    rows = client.list_versions_by_function(FunctionName="one")["Versions"]
    assert [row["Version"] for row in rows] == ["$LATEST", "2"]
    client.delete_function(FunctionName="one")
    assert client.list_functions()["Functions"] == []


def test_code_storage_that_is_full_takes_no_version(
    organization: Organization, client: Client
) -> None:
    size = len(zip_of(main=b"one"))
    organization.emulator.limit_code_storage("111111111111", "us-east-1", 2 * size)
    settings = client.get_account_settings()
    assert settings["AccountLimit"]["TotalCodeSize"] == 2 * size
    assert settings["AccountUsage"] == {"TotalCodeSize": size, "FunctionCount": 1}
    publish(client)
    assert client.get_account_settings()["AccountUsage"]["TotalCodeSize"] == 2 * size
    client.update_function_configuration(FunctionName="one", MemorySize=512)
    with pytest.raises(ClientError) as caught:
        publish(client)
    assert refused(caught.value)[:2] == ("CodeStorageExceededException", 400)
    assert len(client.list_versions_by_function(FunctionName="one")["Versions"]) == 2
