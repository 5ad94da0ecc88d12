"""What calls a function, and through which qualifier."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import (
    HOME,
    MEMBER,
    Client,
    Organization,
    refused,
)

ARN = f"arn:aws:lambda:{HOME}:{MEMBER}:function:one"


@pytest.fixture
def client(organization: Organization) -> Client:
    """A Lambda client of an account with function one, its version 1 and alias live."""
    client = organization.add_function("one")
    client.publish_version(FunctionName="one")
    client.create_alias(FunctionName="one", Name="live", FunctionVersion="1")
    return client


def queues(organization: Organization, count: int) -> list[str]:
    """ARNs of new queues."""
    sqs = organization.client("sqs", MEMBER)
    for number in range(count):
        sqs.create_queue(QueueName=f"queue-{number}")
    return [f"arn:aws:sqs:{HOME}:{MEMBER}:queue-{number}" for number in range(count)]


@pytest.mark.parametrize(("name", "arn"), [("one", ARN), ("one:live", f"{ARN}:live")])
def test_a_mapping_keeps_the_qualifier_it_was_made_for(
    organization: Organization, client: Client, name: str, arn: str
) -> None:
    (queue,) = queues(organization, 1)
    made = client.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
    assert made["FunctionArn"] == arn
    assert made["UUID"]
    (listed,) = client.list_event_source_mappings()["EventSourceMappings"]
    assert (listed["FunctionArn"], listed["EventSourceArn"]) == (arn, queue)


def test_mappings_are_found_by_the_qualifier_they_were_made_for(
    organization: Organization, client: Client
) -> None:
    plain, live = queues(organization, 2)
    client.create_event_source_mapping(EventSourceArn=plain, FunctionName="one")
    client.create_event_source_mapping(EventSourceArn=live, FunctionName=f"{ARN}:live")
    for name, source in [("one", plain), (ARN, plain), ("one:live", live), (f"{ARN}:live", live)]:
        found = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        assert [mapping["EventSourceArn"] for mapping in found] == [source], name
    found = client.list_event_source_mappings(EventSourceArn=live)["EventSourceMappings"]
    assert [mapping["FunctionArn"] for mapping in found] == [f"{ARN}:live"]


def test_a_mapping_for_what_is_not_there_is_refused(
    organization: Organization, client: Client
) -> None:
    (queue,) = queues(organization, 1)
    for name in ("none", "one:none"):
        with pytest.raises(ClientError) as error:
            client.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
        assert refused(error.value)[:2] == ("ResourceNotFoundException", 404)


def test_mappings_come_a_hundred_a_page(organization: Organization, client: Client) -> None:
    for queue in queues(organization, 101):
        client.create_event_source_mapping(EventSourceArn=queue, FunctionName="one")
    first = client.list_event_source_mappings(MaxItems=10_000)
    second = client.list_event_source_mappings(Marker=first["NextMarker"])
    sizes = [len(page["EventSourceMappings"]) for page in (first, second)]
    assert sizes == [100, 1]
    assert "NextMarker" not in second


def test_function_urls_are_listed_with_those_of_aliases(client: Client) -> None:
    assert client.list_function_url_configs(FunctionName="one")["FunctionUrlConfigs"] == []
    client.create_function_url_config(FunctionName="one", AuthType="NONE")
    made = client.create_function_url_config(
        FunctionName="one", AuthType="AWS_IAM", Qualifier="live"
    )
    assert made["FunctionUrl"].endswith(f".lambda-url.{HOME}.on.aws/")
    found = client.list_function_url_configs(FunctionName="one")["FunctionUrlConfigs"]
    assert [(row["FunctionArn"], row["AuthType"]) for row in found] == [
        (ARN, "NONE"),
        (f"{ARN}:live", "AWS_IAM"),
    ]
    single = client.list_function_url_configs(FunctionName="one", MaxItems=1)
    assert len(single["FunctionUrlConfigs"]) == 1
    assert single["NextMarker"]


@pytest.mark.parametrize("qualifier", [{}, {"Qualifier": "live"}])
def test_a_second_url_for_the_same_qualifier_is_refused(
    client: Client, qualifier: dict[str, str]
) -> None:
    client.create_function_url_config(FunctionName="one", AuthType="NONE", **qualifier)
    with pytest.raises(ClientError) as error:
        client.create_function_url_config(FunctionName="one", AuthType="NONE", **qualifier)
    assert refused(error.value)[:2] == ("ResourceConflictException", 409)


def allow(client: Client, sid: str, **qualifier: str) -> None:
    client.add_permission(
        FunctionName="one",
        StatementId=sid,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        **qualifier,
    )


def sids(client: Client, **qualifier: str) -> dict[str, str]:
    policy = json.loads(client.get_policy(FunctionName="one", **qualifier)["Policy"])
    return {statement["Sid"]: statement["Resource"] for statement in policy["Statement"]}


def test_every_qualifier_has_a_policy_of_its_own(client: Client) -> None:
    allow(client, "everyone")
    allow(client, "live-only", Qualifier="live")
    allow(client, "first-only", Qualifier="1")
    assert sids(client) == {"everyone": ARN}
    assert sids(client, Qualifier="live") == {"live-only": f"{ARN}:live"}
    assert sids(client, Qualifier="1") == {"first-only": f"{ARN}:1"}


def test_a_qualifier_without_a_policy_is_a_404(client: Client) -> None:
    allow(client, "everyone")
    with pytest.raises(ClientError) as error:
        client.get_policy(FunctionName="one", Qualifier="live")
    assert refused(error.value) == (
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )
    with pytest.raises(ClientError) as error:
        client.get_policy(FunctionName="one", Qualifier="none")
    assert refused(error.value)[2] == f"Function not found: {ARN}:none"


def test_a_statement_says_who_may_invoke(client: Client) -> None:
    client.add_permission(
        FunctionName="one",
        StatementId="bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::uploads",
        SourceAccount=MEMBER,
    )
    policy = json.loads(client.get_policy(FunctionName="one")["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"},
        "StringEquals": {"AWS:SourceAccount": MEMBER},
    }


def test_a_statement_id_in_use_is_refused(client: Client) -> None:
    allow(client, "everyone")
    with pytest.raises(ClientError) as error:
        allow(client, "everyone")
    assert refused(error.value)[:2] == ("ResourceConflictException", 409)
