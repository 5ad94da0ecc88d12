"""The way in: what is recorded, what nobody emulates, how the emulator starts and stops."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moto_fixtures.server import Call, CannotStart, Emulator, Rules
from tests.moto_fixtures.small_organization import (
    HOME,
    MANAGEMENT,
    MEMBER,
    RULES,
    Clock,
    Organization,
    refused,
    running,
)


def test_every_call_is_recorded_with_who_made_it_and_where(organization: Organization) -> None:
    organization.client("lambda", MEMBER, "eu-west-1").list_functions()
    organization.client("cloudwatch").list_metrics()
    with pytest.raises(ClientError):
        organization.client("lambda", MEMBER).get_policy(FunctionName="none")
    assert organization.emulator.calls == [
        Call("lambda", "ListFunctions", MEMBER, "eu-west-1"),
        Call("cloudwatch", "ListMetrics", MANAGEMENT, HOME),
        Call("lambda", "GetPolicy", MEMBER, HOME),
    ]
    organization.emulator.calls.clear()
    assert organization.emulator.calls == []


@pytest.mark.parametrize(
    ("call", "action"),
    [
        (Call("lambda", "ListFunctions", MEMBER, HOME), "lambda:ListFunctions"),
        (Call("lambda", "Invoke", MEMBER, HOME), "lambda:InvokeFunction"),
        (Call("resourcegroupstaggingapi", "GetResources", MEMBER, HOME), "tag:GetResources"),
    ],
)
def test_a_call_tells_the_iam_action_it_needs(call: Call, action: str) -> None:
    assert call.action == action


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("lambda", "get_function_recursion_config", {"FunctionName": "one"}),
        ("lambda", "list_capacity_providers", {}),
        ("config", "select_aggregate_resource_config", {"Expression": "SELECT x"}),
        ("health", "describe_events", {}),
    ],
)
def test_what_nobody_emulates_never_looks_worth_a_retry(
    organization: Organization,
    capsys: pytest.CaptureFixture[str],
    service: str,
    operation: str,
    params: dict[str, Any],
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(organization.client(service), operation)(**params)
    code, status, _ = refused(error.value)
    assert code == "UnknownOperationException"
    assert 400 <= status < 500
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("place", "service", "operation"),
    [
        ("moto.cloudwatch.models.CloudWatchBackend.list_metrics", "cloudwatch", "list_metrics"),
        ("moto.awslambda.models.LambdaFunction.get_configuration", "lambda", "list_functions"),
    ],
)
def test_a_failure_inside_never_looks_worth_a_retry(
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    place: str,
    service: str,
    operation: str,
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("inside")

    organization.add_function("one")
    monkeypatch.setattr(place, fail)
    with pytest.raises(ClientError) as error:
        getattr(organization.client(service, MEMBER), operation)()
    assert refused(error.value)[:2] == ("EmulatorFailure", 400)
    assert "failed at" in caplog.text


def test_a_500_of_motos_never_looks_worth_a_retry(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "moto.cloudwatch.responses.CloudWatchResponse.list_metrics",
        lambda _: (500, {"status": 500}, ""),
    )
    with pytest.raises(ClientError) as error:
        organization.client("cloudwatch").list_metrics()
    assert refused(error.value)[:2] == ("EmulatorFailure", 400)


@pytest.mark.parametrize("path", ["/", "/2015-03-31/functions/", "/moto-api/reset", "/awslambda-x"])
def test_nobody_gets_in_unsigned(organization: Organization, path: str) -> None:
    organization.add_function("one")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(organization.emulator.url + path, data=b"")  # noqa: S310 - http only
    with error.value:
        assert error.value.code == 403
    assert organization.client("lambda", MEMBER).list_functions()["Functions"]


def test_a_header_cannot_choose_another_account(organization: Organization) -> None:
    client = organization.client("lambda", MEMBER)
    client.meta.events.register(
        "before-call.lambda.*",
        lambda params, **_: params["headers"].update({"x-moto-account-id": MANAGEMENT}),
    )
    organization.add_function("one")
    assert client.get_function_configuration(FunctionName="one")["FunctionName"] == "one"


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', "\x00"])
def test_a_body_that_is_none_is_refused_and_harms_nothing(
    organization: Organization, body: str
) -> None:
    client = organization.client("organizations")
    client.meta.events.register(
        "before-call.organizations.*", lambda params, **_: params.update(body=body)
    )
    with pytest.raises(ClientError) as error:
        client.list_accounts_for_parent(ParentId="r-none")
    assert refused(error.value)[1] == 400


def test_many_clients_at_once_lose_nothing(organization: Organization) -> None:
    organization.add_function("one")
    client = organization.client("lambda", MEMBER)
    failures: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(10):
                assert len(client.list_functions()["Functions"]) == 1
        except Exception as error:  # noqa: BLE001 - a thread's failure has to reach the test
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(organization.emulator.calls) == 80


def test_an_answer_can_be_held_back() -> None:
    waits: list[float] = []
    with running(sleep=waits.append) as organization:
        organization.client("sts").get_caller_identity()
        assert waits == []
        organization.emulator.slow_down(0.05)
        organization.client("sts").get_caller_identity()
    assert waits == [0.05]


def test_a_second_emulator_in_one_process_is_refused(organization: Organization) -> None:
    with pytest.raises(CannotStart, match="runs in this process already; stop it first"):
        Emulator(RULES).start()
    assert organization.client("sts").get_caller_identity()["Account"] == MANAGEMENT


def test_an_emulator_starts_empty_after_another_stopped() -> None:
    for _ in range(2):
        with running() as organization:
            assert organization.client("lambda", MEMBER).list_functions()["Functions"] == []
            organization.add_function("one")


def test_a_member_of_an_earlier_organization_may_found_one() -> None:
    with running():
        pass
    with Emulator(Rules(MEMBER)) as emulator:
        client = Organization(emulator, Clock()).client("organizations", MEMBER)
        founded = client.create_organization(FeatureSet="ALL")["Organization"]
    assert founded["MasterAccountId"] == MEMBER


def test_functions_need_no_docker(organization: Organization) -> None:
    client = organization.add_function("one")
    assert client.get_function(FunctionName="one")["Configuration"]["State"] == "Active"


def test_the_environment_variable_that_merges_all_accounts_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", MEMBER)
    with pytest.raises(CannotStart, match="unset it"):
        Emulator(RULES).start()


def test_a_port_in_use_is_told_and_does_not_block_a_later_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match="choose another port"):
            Emulator(RULES, port=port).start()
    with Emulator(RULES, port=port) as emulator:
        assert emulator.url == f"http://127.0.0.1:{port}"


def test_a_port_that_cannot_be_one_is_told() -> None:
    with pytest.raises(CannotStart, match="choose another port"):
        Emulator(RULES, port=70_000).start()


def test_an_emulator_can_be_stopped_twice_and_started_again() -> None:
    emulator = Emulator(RULES)
    for _ in range(2):
        emulator.start()
        assert emulator.url
        emulator.stop()
        emulator.stop()
        assert emulator.url == ""


def test_another_process_acts_by_the_printed_environment(organization: Organization) -> None:
    program = (
        "import boto3, json; "
        "print(json.dumps(boto3.client('sts').get_caller_identity()['Account']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env=organization.emulator.environment,
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(found.stdout) == MANAGEMENT
