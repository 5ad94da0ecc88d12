"""What AWS refuses of a runtime in each phase of its lifecycle, and when a runtime may change."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import MEMBER, Client, Organization, refused, zip_of
from tests.moto_fixtures.test_corrections_updates import configuration, served

GO = "go1.x"
SAID = (
    "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda "
    "functions. We recommend you use the new runtime (provided.al2023) while creating or updating "
    "functions."
)
NEW = zip_of(main=b"new")


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(0)
    return organization.add_function("one")


def create(client: Client, runtime: str = GO) -> None:
    client.create_function(
        FunctionName="two",
        Role=f"arn:aws:iam::{MEMBER}:role/run",
        Runtime=runtime,
        Handler="main",
        Code={"ZipFile": NEW},
    )


def test_a_runtime_that_was_never_known_is_refused(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        create(client, "go2.x")
    assert refused(caught.value)[:2] == ("InvalidParameterValueException", 400)
    with pytest.raises(ClientError):
        client.update_function_configuration(FunctionName="one", Runtime="go2.x")
    assert configuration(client)["Runtime"] == GO


def test_once_creating_is_blocked_functions_that_are_there_can_still_be_updated(
    organization: Organization, client: Client
) -> None:
    organization.emulator.block_runtimes(creating=[GO])
    with pytest.raises(ClientError) as caught:
        create(client)
    assert refused(caught.value) == ("InvalidParameterValueException", 400, SAID)
    client.update_function_code(FunctionName="one", ZipFile=NEW)
    client.update_function_configuration(FunctionName="one", Runtime="provided.al2023")
    client.update_function_configuration(FunctionName="one", Runtime=GO)
    assert client.publish_version(FunctionName="one")["Runtime"] == GO


def test_once_updating_is_blocked_code_is_refused_and_the_way_out_is_open_only_once(
    organization: Organization, client: Client
) -> None:
    client.publish_version(FunctionName="one")
    organization.emulator.block_runtimes(creating=[GO], updating=[GO])
    for call, params in (
        (client.update_function_code, {"ZipFile": NEW}),
        (client.update_function_code, {"ZipFile": NEW, "DryRun": True}),
        (client.update_function_configuration, {"Runtime": GO}),
    ):
        with pytest.raises(ClientError) as caught:
            call(FunctionName="one", **params)
        assert refused(caught.value) == ("InvalidParameterValueException", 400, SAID)
    client.update_function_configuration(FunctionName="one", MemorySize=512)
    assert configuration(client)["MemorySize"] == 512
    client.update_function_configuration(FunctionName="one", Runtime="provided.al2023")
    client.update_function_code(FunctionName="one", ZipFile=NEW)
    with pytest.raises(ClientError):
        client.update_function_configuration(FunctionName="one", Runtime=GO)
    # What was published before goes on.
    assert served(organization, "1").runtime == GO


def test_publishing_is_refused_where_it_is_blocked(
    organization: Organization, client: Client
) -> None:
    organization.emulator.block_runtimes(publishing=[GO])
    with pytest.raises(ClientError) as caught:
        client.publish_version(FunctionName="one")
    assert refused(caught.value) == ("InvalidParameterValueException", 400, SAID)
    organization.emulator.block_runtimes()
    assert client.publish_version(FunctionName="one")["Version"] == "1"


def test_what_is_blocked_can_still_be_seeded(organization: Organization) -> None:
    organization.emulator.block_runtimes(creating=[GO], updating=[GO], publishing=[GO])
    client = organization.add_function("old")
    with organization.emulator.seeding():
        assert client.publish_version(FunctionName="old")["State"] == "Active"


def test_in_mode_manual_runtime_and_architecture_of_latest_stay(client: Client) -> None:
    version = "arn:aws:lambda:us-east-1::runtime:0123456789abcdef"
    assert client.get_runtime_management_config(FunctionName="one")["UpdateRuntimeOn"] == "Auto"
    with pytest.raises(ClientError):
        client.put_runtime_management_config(FunctionName="one", UpdateRuntimeOn="Manual")
    client.put_runtime_management_config(
        FunctionName="one", UpdateRuntimeOn="Manual", RuntimeVersionArn=version
    )
    found = client.get_runtime_management_config(FunctionName="one", Qualifier="$LATEST")
    assert (found["UpdateRuntimeOn"], found["RuntimeVersionArn"]) == ("Manual", version)
    for call, params in (
        (client.update_function_configuration, {"Runtime": "provided.al2023"}),
        (client.update_function_code, {"ZipFile": NEW, "Architectures": ["arm64"]}),
    ):
        with pytest.raises(ClientError, match="Manual"):
            call(FunctionName="one", **params)
    client.update_function_configuration(FunctionName="one", Runtime=GO, MemorySize=512)
    client.update_function_code(FunctionName="one", ZipFile=NEW)
    client.put_runtime_management_config(FunctionName="one", UpdateRuntimeOn="Auto")
    client.update_function_configuration(FunctionName="one", Runtime="provided.al2023")
