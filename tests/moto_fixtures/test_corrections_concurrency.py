"""Reserved and provisioned concurrency."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import Client, Organization, refused
from tests.moto_fixtures.test_corrections_updates import served


@pytest.fixture
def client(organization: Organization) -> Client:
    """A function with version 1 and the alias live on it."""
    organization.emulator.take_for_updates(0)
    made = organization.add_function("one")
    made.publish_version(FunctionName="one")
    made.create_alias(FunctionName="one", Name="live", FunctionVersion="1")
    return made


def provision(client: Client, qualifier: str, executions: int = 2) -> dict[str, object]:
    answer: dict[str, object] = client.put_provisioned_concurrency_config(
        FunctionName="one", Qualifier=qualifier, ProvisionedConcurrentExecutions=executions
    )
    return answer


def test_a_reservation_of_nothing_throttles_every_invocation(
    organization: Organization, client: Client
) -> None:
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="one")
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=0)
    found = client.get_function_concurrency(FunctionName="one")
    assert found["ReservedConcurrentExecutions"] == 0
    shown = client.get_function(FunctionName="one")["Concurrency"]
    assert shown == {"ReservedConcurrentExecutions": 0}
    for version in ("$LATEST", "1"):
        with pytest.raises(Exception, match="Rate Exceeded"):
            served(organization, version)
    client.delete_function_concurrency(FunctionName="one")
    assert served(organization).version == "$LATEST"
    assert "Concurrency" not in client.get_function(FunctionName="one")


def test_a_hundred_executions_stay_unreserved(client: Client) -> None:
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=900)
    # Its own reservation is not counted against it when it is set again.
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=900)
    limits = client.get_account_settings()["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 100
    with pytest.raises(ClientError) as caught:
        client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=901)
    assert refused(caught.value)[:2] == ("InvalidParameterValueException", 400)


def test_provisioned_concurrency_is_in_progress_then_ready_then_gone(
    organization: Organization, client: Client
) -> None:
    organization.emulator.take_for_updates(2)
    assert provision(client, "live")["Status"] == "IN_PROGRESS"
    organization.clock.now += 2
    found = client.get_provisioned_concurrency_config(FunctionName="one", Qualifier="live")
    assert (found["Status"], found["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 2)
    rows = client.list_provisioned_concurrency_configs(FunctionName="one")
    assert [row["FunctionArn"].split(":")[-1] for row in rows["ProvisionedConcurrencyConfigs"]] == [
        "live"
    ]
    client.delete_provisioned_concurrency_config(FunctionName="one", Qualifier="live")
    with pytest.raises(ClientError) as caught:
        client.get_provisioned_concurrency_config(FunctionName="one", Qualifier="live")
    assert refused(caught.value)[:2] == ("ProvisionedConcurrencyConfigNotFoundException", 404)


def test_provisioned_concurrency_is_in_progress_while_its_alias_moves(
    organization: Organization, client: Client
) -> None:
    provision(client, "live")
    client.update_function_configuration(FunctionName="one", MemorySize=512)
    client.publish_version(FunctionName="one")
    organization.emulator.take_for_updates(2)
    client.update_alias(FunctionName="one", Name="live", FunctionVersion="2")
    for _ in ("moving", "still moving"):
        found = client.get_provisioned_concurrency_config(FunctionName="one", Qualifier="live")
        assert (found["Status"], found["AvailableProvisionedConcurrentExecutions"]) == (
            "IN_PROGRESS",
            2,
        )
        row = client.list_provisioned_concurrency_configs(FunctionName="one")
        assert row["ProvisionedConcurrencyConfigs"][0]["Status"] == "IN_PROGRESS"
        assert "RoutingConfig" in client.get_alias(FunctionName="one", Name="live")
        organization.clock.now += 1
    found = client.get_provisioned_concurrency_config(FunctionName="one", Qualifier="live")
    assert found["Status"] == "READY"
    assert "RoutingConfig" not in client.get_alias(FunctionName="one", Name="live")


def test_only_what_is_published_can_be_provisioned(client: Client) -> None:
    client.create_alias(FunctionName="one", Name="newest", FunctionVersion="$LATEST")
    for qualifier in ("$LATEST", "newest"):
        with pytest.raises(ClientError, match="unpublished function versions"):
            provision(client, qualifier)
    with pytest.raises(ClientError) as caught:
        provision(client, "9")
    assert refused(caught.value)[:2] == ("ResourceNotFoundException", 404)


def test_a_version_is_provisioned_under_one_name(client: Client) -> None:
    provision(client, "live")
    with pytest.raises(ClientError) as caught:
        provision(client, "1")
    assert refused(caught.value)[:2] == ("ResourceConflictException", 409)
    client.delete_alias(FunctionName="one", Name="live")
    provision(client, "1")
    client.create_alias(FunctionName="one", Name="live", FunctionVersion="1")
    with pytest.raises(ClientError) as caught:
        provision(client, "live")
    assert refused(caught.value)[:2] == ("ResourceConflictException", 409)


def test_an_alias_with_weights_can_not_be_provisioned(client: Client) -> None:
    client.update_function_configuration(FunctionName="one", MemorySize=512)
    client.publish_version(FunctionName="one")
    client.update_alias(
        FunctionName="one", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}}
    )
    with pytest.raises(ClientError) as caught:
        provision(client, "live")
    assert refused(caught.value)[:2] == ("InvalidParameterValueException", 400)


def test_no_more_is_provisioned_than_reserved(client: Client) -> None:
    provision(client, "live", 5)
    with pytest.raises(ClientError):
        client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=4)
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=5)
    with pytest.raises(ClientError):
        provision(client, "live", 6)
