"""Updates take their time, are guarded by RevisionId, and one goes on at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, WaiterError
from moto.awslambda.utils import get_backend

from moto_fixtures.corrections.serving import Serving, serving
from tests.moto_fixtures.small_organization import (
    HOME,
    MEMBER,
    Client,
    Organization,
    refused,
    zip_of,
)

ONE = "one"
SECONDS = 5.0
NEW = zip_of(bootstrap=b"new")


def served(organization: Organization, version: str = "$LATEST", name: str = ONE) -> Serving:
    """What an invocation runs now."""
    latest = get_backend(MEMBER, HOME).get_function(name)
    return serving(latest, version, organization.emulator._world)


def configuration(client: Client, name: str = ONE, **params: str) -> dict[str, object]:
    found: dict[str, object] = client.get_function_configuration(FunctionName=name, **params)
    return found


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(SECONDS)
    return organization.add_function(ONE)


CHANGES: dict[str, Callable[[Client], dict[str, object]]] = {
    "configuration": lambda client: client.update_function_configuration(
        FunctionName=ONE, Runtime="provided.al2023", Handler="bootstrap", MemorySize=512
    ),
    "code": lambda client: client.update_function_code(
        FunctionName=ONE, ZipFile=NEW, Architectures=["arm64"]
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_update_is_in_progress_until_its_time_is_over(
    organization: Organization, client: Client, change: Callable[[Client], dict[str, object]]
) -> None:
    assert change(client)["LastUpdateStatus"] == "InProgress"
    organization.clock.now += SECONDS - 0.1
    found = configuration(client)
    assert found["LastUpdateStatus"] == "InProgress"
    assert found["LastUpdateStatusReasonCode"] == "Creating"
    organization.clock.now += 0.1
    found = configuration(client)
    assert (found["LastUpdateStatus"], found["State"]) == ("Successful", "Active")
    assert "LastUpdateStatusReason" not in found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_revision_changes_with_the_update_and_again_when_it_is_successful(
    organization: Organization, client: Client, change: Callable[[Client], dict[str, object]]
) -> None:
    seen = [configuration(client)["RevisionId"]]
    assert configuration(client)["RevisionId"] == seen[0]
    seen.append(change(client)["RevisionId"])
    assert configuration(client)["RevisionId"] == seen[-1]
    organization.clock.now += SECONDS
    seen.append(configuration(client)["RevisionId"])
    assert len(set(seen)) == 3
    assert client.get_function(FunctionName=ONE)["Configuration"]["RevisionId"] == seen[-1]
    assert client.list_functions()["Functions"][0]["RevisionId"] == seen[-1]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    "next_call",
    [*CHANGES.values(), lambda client: client.publish_version(FunctionName=ONE)],
    ids=[*CHANGES, "publish"],
)
def test_nothing_else_is_done_while_an_update_is_in_progress(
    organization: Organization,
    client: Client,
    change: Callable[[Client], dict[str, object]],
    next_call: Callable[[Client], dict[str, object]],
) -> None:
    change(client)
    before = configuration(client)
    with pytest.raises(ClientError) as caught:
        next_call(client)
    assert refused(caught.value) == (
        "ResourceConflictException",
        409,
        (
            "The operation cannot be performed at this time. An update is in progress for "
            f"resource: arn:aws:lambda:{HOME}:{MEMBER}:function:{ONE}"
        ),
    )
    assert configuration(client)["RevisionId"] == before["RevisionId"]
    organization.clock.now += SECONDS
    next_call(client)


def test_invocations_find_the_old_code_and_configuration_until_the_update_is_successful(
    organization: Organization, client: Client
) -> None:
    before = served(organization)
    assert (before.runtime, before.handler, before.architecture) == ("go1.x", "main", "x86_64")
    client.update_function_configuration(
        FunctionName=ONE, Runtime="provided.al2023", Environment={"Variables": {"STAGE": "new"}}
    )
    assert served(organization) == before
    organization.clock.now += SECONDS
    between = served(organization)
    assert (between.runtime, between.environment) == ("provided.al2023", {"STAGE": "new"})
    assert between.code == before.code
    client.update_function_code(FunctionName=ONE, ZipFile=NEW, Architectures=["arm64"])
    assert served(organization) == between
    organization.clock.now += SECONDS
    after = served(organization)
    assert (after.code, after.architecture) == (NEW, "arm64")


def test_a_layer_serves_on_after_it_was_deleted(organization: Organization, client: Client) -> None:
    shim = zip_of(bootstrap=b"#!/bin/sh\n")
    arn = client.publish_layer_version(LayerName="shim", Content={"ZipFile": shim})[
        "LayerVersionArn"
    ]
    client.update_function_configuration(FunctionName=ONE, Layers=[arn])
    assert served(organization).layers == ()
    organization.clock.now += SECONDS
    client.delete_layer_version(LayerName="shim", VersionNumber=1)
    assert served(organization).layers == (shim,)
    with pytest.raises(ClientError) as caught:
        client.update_function_configuration(FunctionName=ONE, Layers=[arn])
    assert refused(caught.value) == (
        "InvalidParameterValueException",
        400,
        f"Layer version {arn} does not exist.",
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda client, **more: client.update_function_configuration(
            FunctionName=ONE, MemorySize=512, **more
        ),
        lambda client, **more: client.update_function_code(FunctionName=ONE, ZipFile=NEW, **more),
        lambda client, **more: client.publish_version(FunctionName=ONE, **more),
    ],
    ids=["configuration", "code", "publish"],
)
def test_a_revision_that_is_not_the_latest_is_refused(
    client: Client, call: Callable[..., dict[str, object]]
) -> None:
    before = configuration(client)
    with pytest.raises(ClientError) as caught:
        call(client, RevisionId="0" * 8 + "-0000-0000-0000-" + "0" * 12)
    assert refused(caught.value)[:2] == ("PreconditionFailedException", 412)
    assert configuration(client)["RevisionId"] == before["RevisionId"]
    call(client, RevisionId=before["RevisionId"])


def test_an_architecture_that_lambda_does_not_have_is_refused(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        client.update_function_code(FunctionName=ONE, ZipFile=NEW, Architectures=["sparc"])
    assert refused(caught.value)[:2] == ("ValidationException", 400)


def test_code_without_an_architecture_takes_an_arm64_function_back(
    organization: Organization,
) -> None:
    client = organization.add_function("arm", Architectures=["arm64"])
    organization.emulator.take_for_updates(0)
    client.update_function_configuration(FunctionName="arm", MemorySize=512)
    assert configuration(client, "arm")["Architectures"] == ["arm64"]
    client.update_function_code(FunctionName="arm", ZipFile=NEW)
    assert configuration(client, "arm")["Architectures"] == ["x86_64"]


def test_a_dry_run_checks_and_changes_nothing(organization: Organization, client: Client) -> None:
    before = configuration(client)
    answer = client.update_function_code(
        FunctionName=ONE, ZipFile=NEW, Architectures=["arm64"], DryRun=True, Publish=True
    )
    assert answer["CodeSha256"] != before["CodeSha256"]
    after = configuration(client)
    del before["ResponseMetadata"], after["ResponseMetadata"]
    assert after == before
    assert len(client.list_versions_by_function(FunctionName=ONE)["Versions"]) == 1
    with pytest.raises(ClientError) as caught:
        client.update_function_code(FunctionName=ONE, ZipFile=b"no zip", DryRun=True)
    assert refused(caught.value)[0] == "InvalidParameterValueException"
    assert served(organization).architecture == "x86_64"


def test_a_new_function_is_pending_and_can_be_neither_changed_nor_invoked(
    organization: Organization, client: Client
) -> None:
    created = client.create_function(
        FunctionName="two",
        Role=f"arn:aws:iam::{MEMBER}:role/run",
        Runtime="provided.al2023",
        Handler="bootstrap",
        Code={"ZipFile": NEW},
    )
    assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
    for call in (
        lambda: client.update_function_configuration(FunctionName="two", MemorySize=256),
        lambda: served(organization, name="two"),
    ):
        with pytest.raises(Exception, match="in the following state: Pending"):
            call()
    organization.clock.now += SECONDS
    found = configuration(client, "two")
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert found["RevisionId"] != created["RevisionId"]


def test_waiters_of_boto3_see_the_end_of_an_update(
    organization: Organization, client: Client
) -> None:
    client.update_function_code(FunctionName=ONE, ZipFile=NEW)
    with pytest.raises(WaiterError, match="Max attempts"):
        client.get_waiter("function_updated_v2").wait(
            FunctionName=ONE, WaiterConfig={"Delay": 0, "MaxAttempts": 1}
        )
    organization.clock.now += SECONDS
    for waiter in ("function_updated_v2", "function_active_v2", "published_version_active"):
        client.get_waiter(waiter).wait(FunctionName=ONE)


def test_an_idle_function_is_inactive_until_an_invocation_wakes_it(
    organization: Organization, client: Client
) -> None:
    organization.emulator.make_idle(MEMBER, HOME, ONE)
    found = configuration(client)
    assert (found["State"], found["StateReasonCode"]) == ("Inactive", "Idle")
    with pytest.raises(Exception, match="The function is inactive"):
        served(organization)
    assert configuration(client)["State"] == "Pending"
    organization.clock.now += SECONDS
    assert served(organization).version == "$LATEST"


def test_lists_leave_out_state_and_update_status(client: Client) -> None:
    client.update_function_configuration(FunctionName=ONE, MemorySize=512)
    row = client.list_functions()["Functions"][0]
    assert not [name for name in row if name.startswith(("State", "LastUpdate"))]


def test_what_an_update_does_not_name_stays(organization: Organization, client: Client) -> None:
    organization.emulator.take_for_updates(0)
    client.update_function_configuration(
        FunctionName=ONE,
        Environment={"Variables": {"STAGE": "prod"}},
        Timeout=9,
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{HOME}:{MEMBER}:failed"},
    )
    client.update_function_configuration(FunctionName=ONE, MemorySize=512)
    found = configuration(client)
    assert found["Environment"] == {"Variables": {"STAGE": "prod"}}
    assert (found["Timeout"], found["MemorySize"], found["Handler"]) == (9, 512, "main")
    assert found["DeadLetterConfig"] == {"TargetArn": f"arn:aws:sqs:{HOME}:{MEMBER}:failed"}


def test_a_key_for_the_package_is_kept_only_if_it_is_sent_again(
    organization: Organization, client: Client
) -> None:
    organization.emulator.take_for_updates(0)
    key = f"arn:aws:kms:{HOME}:{MEMBER}:key/11111111-2222-3333-4444-555555555555"
    client.update_function_code(FunctionName=ONE, ZipFile=NEW, SourceKMSKeyArn=key)
    assert client.get_function(FunctionName=ONE)["Code"]["SourceKMSKeyArn"] == key
    client.update_function_code(FunctionName=ONE, ZipFile=NEW)
    assert "SourceKMSKeyArn" not in client.get_function(FunctionName=ONE)["Code"]


def test_versions_and_aliases_can_not_be_updated(client: Client) -> None:
    client.publish_version(FunctionName=ONE)
    for call, params in (
        (client.update_function_configuration, {"MemorySize": 256}),
        (client.update_function_code, {"ZipFile": NEW}),
    ):
        with pytest.raises(ClientError) as caught:
            call(FunctionName=f"{ONE}:1", **params)
        assert refused(caught.value)[:2] == ("InvalidParameterValueException", 400)
