"""What Invoke tells CloudWatch of the calls that it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from moto_fixtures.invoking.choice import Draw
from tests.moto_fixtures.small_organization import MEMBER, Client, Organization, running
from tests.moto_fixtures.test_invoking import AL2023, create, invoke, program


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Organization, Client]]:
    """Function orders: version 1 adds up, version 2 can't start; canary sends a quarter there."""
    with running() as organization:
        client = create(organization, "orders", program())
        with organization.emulator.seeding():
            client.publish_version(FunctionName="orders")
            client.update_function_configuration(FunctionName="orders", Runtime=AL2023)
            client.publish_version(FunctionName="orders")
            client.create_alias(
                FunctionName="orders",
                Name="canary",
                FunctionVersion="1",
                RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
            )
        yield organization, client


@pytest.fixture
def organization(shared: tuple[Organization, Client]) -> Organization:
    """At an hour of its own, so that nothing of another test is counted."""
    shared[0].clock.now += 3600
    return shared[0]


@pytest.fixture
def client(shared: tuple[Organization, Client]) -> Client:
    return shared[1]


def counted(organization: Organization, **dimensions: str) -> Mapping[str, float]:
    """Metric → its sum since the hour began; those that nothing was sent of are left out."""
    names = ("Invocations", "Errors", "Throttles", "Duration")
    now = organization.emulator._world.now()
    named = {"FunctionName": "orders", **dimensions}
    answer = organization.client("cloudwatch", MEMBER).get_metric_data(
        MetricDataQueries=[
            {
                "Id": name.lower(),
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": name,
                        "Dimensions": [{"Name": key, "Value": named[key]} for key in named],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for name in names
        ],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
    )
    return {row["Id"]: row["Values"][0] for row in answer["MetricDataResults"] if row["Values"]}


def test_calls_of_a_weighted_alias_are_counted_by_the_version_that_ran(
    organization: Organization, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([0.1, 0.5, 0.9])
    monkeypatch.setattr(Draw, "source", staticmethod(lambda: next(draws)))
    for _ in range(3):
        invoke(client, Qualifier="canary")
    by_version = [
        counted(organization, Resource="orders:canary", ExecutedVersion=version)
        for version in ("1", "2")
    ]
    assert [(each["invocations"], each["errors"]) for each in by_version] == [(2, 0), (1, 1)]
    assert 0 < by_version[0]["duration"] < 60_000
    whole = counted(organization)
    assert (whole["invocations"], whole["errors"]) == (3, 1)


@pytest.mark.parametrize(
    ("qualifier", "resource"),
    [
        ({}, "orders"),
        ({"Qualifier": "$LATEST"}, "orders:$LATEST"),
        ({"Qualifier": "2"}, "orders:2"),
    ],
)
def test_calls_are_counted_under_what_they_named(
    organization: Organization, client: Client, qualifier: Mapping[str, str], resource: str
) -> None:
    invoke(client, **qualifier)
    resources = ("orders", "orders:$LATEST", "orders:2", "orders:canary")
    found = [each for each in resources if counted(organization, Resource=each)]
    assert found == [resource]


def test_a_throttled_call_is_no_invocation(organization: Organization, client: Client) -> None:
    client.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=0)
    for kind in ("RequestResponse", "Event", "DryRun"):
        with suppress(ClientError):
            invoke(client, Qualifier="1", InvocationType=kind)
    client.delete_function_concurrency(FunctionName="orders")
    assert counted(organization, Resource="orders:1") == {"throttles": 2}


def test_a_dry_run_and_a_call_of_nothing_are_not_counted(
    organization: Organization, client: Client
) -> None:
    invoke(client, Qualifier="1", InvocationType="DryRun")
    with pytest.raises(ClientError):
        invoke(client, Qualifier="3")
    assert counted(organization) == {}


def test_an_event_is_counted_though_nobody_waits_for_it(
    organization: Organization, client: Client
) -> None:
    invoke(client, Qualifier="1", InvocationType="Event")
    assert counted(organization, Resource="orders:1")["invocations"] == 1
