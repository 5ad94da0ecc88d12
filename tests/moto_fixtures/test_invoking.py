"""Invoke runs the package: which ones answer, on which runtime, and what they are given."""

from __future__ import annotations

import base64
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from fleet.package.shim import SHIM
from moto_fixtures.build import build
from moto_fixtures.definition import Build
from moto_fixtures.packages import zipped
from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization

EXECUTABLE = 0o100755
AL2023 = "provided.al2023"
ORDER = {"lines": [{"article": "tent", "pieces": 2, "cents": 12_050}]}
TOTAL = {"pieces": 2, "cents": 24_100, "build": "unset"}

Files = Mapping[str, tuple[bytes, int]]


@dataclass(frozen=True)
class Answered:
    """What Invoke answered."""

    status: int
    error: str | None
    version: str | None
    payload: Any
    log: str


@cache
def handler(command: str = "orders", library: str | None = None, **differently: Hashable) -> bytes:
    """A real program with a release of aws-lambda-go; the newest by default."""
    given = {"command": command, "library": library, **differently}
    return build(Build.model_validate(given)).read_bytes()


def program(name: str = "main", **differently: Hashable) -> Files:
    """A package that is one real program."""
    return {name: (handler(**differently), EXECUTABLE)}


def script(text: str, name: str = "bootstrap", interpreter: str = "/bin/sh") -> Files:
    """A package that is one shell script."""
    return {name: (f"#!{interpreter}\n{text}\n".encode(), EXECUTABLE)}


def shim(name: str = "bootstrap") -> Files:
    return {name: (SHIM, EXECUTABLE)}


@cache
def _package(files: tuple[tuple[str, tuple[bytes, int]], ...]) -> bytes:
    # Deflating a real program takes longer than the test it is for.
    return zipped(dict(files))


def package(files: Files) -> bytes:
    return _package(tuple(files.items()))


def create(organization: Organization, name: str, files: Files, **params: object) -> Client:
    return organization.add_function(name, MEMBER, HOME, Code={"ZipFile": package(files)}, **params)


def publish_layer(organization: Organization, name: str, files: Files) -> str:
    """Give the ARN of a new layer version."""
    with organization.emulator.seeding():
        client = organization.client("lambda", MEMBER)
        layer = client.publish_layer_version(LayerName=name, Content={"ZipFile": package(files)})
    return str(layer["LayerVersionArn"])


def invoke(client: Client, name: str = "orders", event: object = ORDER, **params: str) -> Answered:
    payload = json.dumps(event)
    answer = client.invoke(FunctionName=name, Payload=payload, LogType="Tail", **params)
    return Answered(
        answer["StatusCode"],
        answer.get("FunctionError"),
        answer.get("ExecutedVersion"),
        json.loads(answer["Payload"].read() or "null"),
        base64.b64decode(answer.get("LogResult", "")).decode(),
    )


def totalled(answer: Answered) -> bool:
    """Whether the order was really added up."""
    return (answer.status, answer.error, answer.payload) == (200, None, TOTAL)


@pytest.mark.parametrize("library", ["1.13.3", "1.17.0", "1.18.0", None])
def test_a_go1x_function_answers_over_rpc(organization: Organization, library: str | None) -> None:
    client = create(organization, "orders", program(library=library), Handler="main")
    assert totalled(invoke(client))


def test_a_go1x_function_without_rpc_ends_at_once(organization: Organization) -> None:
    files = program(library="1.41.0", tags=("lambda.norpc",))
    answer = invoke(create(organization, "orders", files))
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert "Runtime exited with error: exit status 1" in answer.payload["errorMessage"]
    assert "expected AWS Lambda environment variables" in answer.log


def test_a_go1x_function_runs_what_its_handler_names(organization: Organization) -> None:
    files = {"bin/refund": (handler("router"), EXECUTABLE), **program()}
    client = create(organization, "router", files, Handler="bin/refund")
    assert invoke(client, "router").payload == {"route": "refund", "text": "paid back"}


@pytest.mark.parametrize("runtime", ["provided", "provided.al2", AL2023])
def test_a_custom_runtime_answers_through_its_bootstrap(
    organization: Organization, runtime: str
) -> None:
    files = program("bootstrap", library="1.41.0", tags=("lambda.norpc",))
    assert totalled(invoke(create(organization, "orders", files, Runtime=runtime)))


def test_an_untouched_package_answers_behind_the_shim_in_a_layer(
    organization: Organization,
) -> None:
    layers = [publish_layer(organization, "bridge", shim())]
    client = create(organization, "orders", program(), Runtime=AL2023, Layers=layers)
    assert totalled(invoke(client))


def test_without_that_layer_it_finds_no_bootstrap(organization: Organization) -> None:
    answer = invoke(create(organization, "orders", program(), Runtime=AL2023))
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert answer.payload["errorMessage"].endswith(
        "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    )


@pytest.mark.parametrize("runtime", ["go1.x", AL2023])
def test_the_shim_package_answers_on_both_runtimes(
    organization: Organization, runtime: str
) -> None:
    client = create(organization, "orders", {**program(), **shim()}, Runtime=runtime)
    assert totalled(invoke(client))


def test_a_packages_bootstrap_wins_over_the_layers(organization: Organization) -> None:
    layers = [publish_layer(organization, "other", program("bootstrap", command="router"))]
    files = program("bootstrap")
    client = create(organization, "orders", files, Runtime=AL2023, Layers=layers)
    assert totalled(invoke(client))


@pytest.mark.parametrize(("order", "last"), [((0, 1), "second"), ((1, 0), "first")])
def test_layers_lie_in_opt_in_their_order(
    organization: Organization, order: tuple[int, int], last: str
) -> None:
    words = (b"first", b"second")
    files = [{"who": (word + b"\n", 0o100644), word.decode(): (b"", 0o100644)} for word in words]
    layers = [publish_layer(organization, f"l{at}", each) for at, each in enumerate(files)]
    client = create(
        organization,
        "orders",
        script("cat /opt/who; ls /opt; exit 1"),
        Runtime=AL2023,
        Layers=[layers[at] for at in order],
    )
    assert invoke(client).log.split()[-4:] == [last, "first", "second", "who"]


@pytest.mark.parametrize("runtime", ["go1.x", AL2023])
def test_the_environment_is_the_functions_own_and_lambdas(
    organization: Organization, runtime: str
) -> None:
    client = create(
        organization,
        "orders",
        script("env; exit 1", "main" if runtime == "go1.x" else "bootstrap"),
        Runtime=runtime,
        MemorySize=256,
        Environment={"Variables": {"TABLE": "orders-4711", "TZ": "Europe/Lisbon"}},
    )
    found = dict(line.split("=", 1) for line in invoke(client).log.splitlines() if "=" in line)
    expected = {
        "TABLE": "orders-4711",
        "TZ": "Europe/Lisbon",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_HANDLER": "main",
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_REGION": "us-east-1",
    }
    assert expected.items() <= found.items()
    assert found.get("AWS_EXECUTION_ENV") == ("AWS_Lambda_go1.x" if runtime == "go1.x" else None)
    assert ("_LAMBDA_SERVER_PORT" in found) is (runtime == "go1.x")
    assert ("AWS_LAMBDA_RUNTIME_API" in found) is (runtime != "go1.x")


def test_arm64_runs_through_qemu(organization: Organization) -> None:
    files = program("bootstrap", architecture="arm64")
    client = create(organization, "orders", files, Runtime=AL2023, Architectures=["arm64"])
    assert totalled(invoke(client))


def test_an_event_is_accepted_and_run(organization: Organization) -> None:
    answer = invoke(create(organization, "orders", program()), InvocationType="Event")
    assert answer == Answered(202, None, None, None, "")


def test_a_dry_run_runs_nothing(organization: Organization) -> None:
    client = create(organization, "orders", program("elsewhere"))
    assert invoke(client, InvocationType="DryRun") == Answered(204, None, None, None, "")
