"""What Invoke answers when something goes wrong, and what the log says."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from moto_fixtures.invoking.environment import Environment
from tests.moto_fixtures.small_organization import Organization, refused
from tests.moto_fixtures.test_invoking import (
    AL2023,
    EXECUTABLE,
    ORDER,
    Files,
    create,
    handler,
    invoke,
    program,
    publish_layer,
    script,
    shim,
    totalled,
)

LESS_THAN_NOTHING = {"lines": [{"article": "tent", "pieces": -1, "cents": 1}]}
NEXT = """
api=/2018-06-01/runtime/invocation
exec 3<>/dev/tcp/127.0.0.1/49801
printf "GET $api/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" >&3
while read -r name value <&3 && [ "$name" != $'\\r' ]; do
  [ "$name" = Lambda-Runtime-Aws-Request-Id: ] && id=${value%$'\\r'}
done
"""
"""A bash script that has asked for an event, and got one."""

ANSWER = """
exec 4<>/dev/tcp/127.0.0.1/49801
printf "POST $api/$id/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}" >&4
read -r answer <&4
printf "GET $api/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" >&3
sleep 60
"""
"""It answers, and asks for the next one."""


@pytest.mark.parametrize(("runtime", "name"), [("go1.x", "main"), (AL2023, "bootstrap")])
def test_a_handlers_own_error_is_unhandled_and_the_next_event_is_answered(
    organization: Organization, runtime: str, name: str
) -> None:
    client = create(organization, "orders", program(name), Runtime=runtime)
    for _ in range(2):
        answer = invoke(client, event=LESS_THAN_NOTHING)
        assert (answer.status, answer.error) == (200, "Unhandled")
        assert answer.payload == {
            "errorMessage": "an order line counts less than nothing: tent",
            "errorType": "errorString",
        }
    assert totalled(invoke(client))


SHUT = {"bootstrap": (b"#!/bin/sh\nexec true\n", 0o100744)}
NO_SHELL = script("", interpreter="/no/shell")
CARRIAGE_RETURN = {"bootstrap": (b"#!/bin/sh\r\nexec true\r\n", EXECUTABLE)}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (SHUT, "fork/exec /var/task/bootstrap: permission denied"),
        (CARRIAGE_RETURN, "fork/exec /var/task/bootstrap: no such file or directory"),
        (
            script("", interpreter="/no/shell"),
            "fork/exec /var/task/bootstrap: no such file or directory",
        ),
        ({"bootstrap": (b"no program", EXECUTABLE)}, "exec format error"),
    ],
)
def test_a_bootstrap_that_cannot_be_started_is_told(
    organization: Organization, files: Files, why: str
) -> None:
    answer = invoke(create(organization, "orders", files, Runtime=AL2023))
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert answer.payload["errorMessage"].startswith("RequestId: ")
    assert answer.payload["errorMessage"].endswith(why)


@pytest.mark.parametrize(("architecture", "built"), [("x86_64", "arm64"), ("arm64", "x86_64")])
def test_a_program_of_the_other_architecture_is_not_started(
    organization: Organization, architecture: str, built: str
) -> None:
    files = program("bootstrap", architecture=built)
    client = create(organization, "orders", files, Runtime=AL2023, Architectures=[architecture])
    answer = invoke(client)
    assert answer.payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert answer.payload["errorMessage"].endswith("/var/task/bootstrap: exec format error")


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({**shim(), "other": (b"", EXECUTABLE)}, 127),
        ({**shim(), "main": (b"#!/bin/sh\n", 0o100644)}, 126),
        (script("exit 3"), 3),
    ],
)
def test_a_bootstrap_that_ends_is_told_with_its_status(
    organization: Organization, files: Files, status: int
) -> None:
    answer = invoke(create(organization, "orders", files, Runtime=AL2023))
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload["errorType"] == "Runtime.ExitError"
    said = f"Error: Runtime exited with error: exit status {status}"
    assert answer.payload["errorMessage"].endswith(said)


def test_a_shim_before_a_program_of_the_other_architecture_ends(
    organization: Organization,
) -> None:
    files = {**shim(), **program(architecture="arm64")}
    answer = invoke(create(organization, "orders", files, Runtime=AL2023))
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("exit status 126")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"elsewhere": (b"", EXECUTABLE)}, "no such file or directory"),
        ({"main": (b"#!/bin/sh\n", 0o100600)}, "permission denied"),
        ({"main": (b"no program", EXECUTABLE)}, "exec format error"),
        (program(architecture="arm64"), "exec format error"),
    ],
)
def test_a_go1x_handler_that_cannot_be_started_is_told(
    organization: Organization, files: Files, why: str
) -> None:
    answer = invoke(create(organization, "orders", files))
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload == {
        "errorMessage": f"fork/exec /var/task/main: {why}",
        "errorType": "PathError",
    }


@pytest.mark.parametrize("library", ["1.13.3", "1.17.0"])
def test_an_old_library_times_out_on_a_custom_runtime(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setattr(Environment, "init_seconds", 1)
    files = program("bootstrap", library=library)
    answer = invoke(create(organization, "orders", files, Runtime=AL2023, Timeout=1))
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


def test_a_go1x_program_that_never_listens_times_out(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Environment, "init_seconds", 0)
    answer = invoke(create(organization, "orders", script("sleep 60", "main"), Timeout=1))
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


def test_the_timeout_begins_when_init_is_over(organization: Organization) -> None:
    files = script(f"sleep 3\n{NEXT}\nsleep 1\n{ANSWER}", interpreter="/bin/bash")
    answer = invoke(create(organization, "orders", files, Runtime=AL2023, Timeout=3))
    assert (answer.error, answer.payload) == (None, {})


def test_an_event_that_is_not_answered_in_time_is_told(organization: Organization) -> None:
    files = script(f"{NEXT}\necho taken\nsleep 60", interpreter="/bin/bash")
    answer = invoke(create(organization, "orders", files, Runtime=AL2023, Timeout=1))
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "taken" in answer.log


def test_a_program_that_ends_over_an_event_is_told(organization: Organization) -> None:
    files = script(f"{NEXT}\necho taken\nexit 4", interpreter="/bin/bash")
    answer = invoke(create(organization, "orders", files, Runtime=AL2023))
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("exit status 4")
    assert "taken" in answer.log


@pytest.mark.parametrize(("runtime", "name"), [("go1.x", "main"), (AL2023, "bootstrap")])
def test_the_log_is_given_when_it_is_asked_for(
    organization: Organization, runtime: str, name: str
) -> None:
    client = create(organization, "orders", program(name), Runtime=runtime)
    first, *_, last = invoke(client).log.splitlines()
    assert first.startswith("START RequestId: ")
    assert first.endswith("Version: $LATEST")
    assert last.startswith("REPORT RequestId: ")
    assert "LogResult" not in client.invoke(FunctionName="orders", Payload=json.dumps(ORDER))


def test_only_the_end_of_a_long_log_is_given(organization: Organization) -> None:
    files = script("for n in $(seq 3000); do echo line $n; done; exit 1")
    log = invoke(create(organization, "orders", files, Runtime=AL2023)).log
    assert len(log) == 4096
    assert log.splitlines()[-1] == "line 3000"


def test_a_payload_that_is_no_json_is_refused(organization: Organization) -> None:
    client = create(organization, "orders", program())
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName="orders", Payload=b"{")
    assert refused(caught.value)[:2] == ("InvalidRequestContentException", 400)


def test_a_payload_over_six_megabytes_is_refused(organization: Organization) -> None:
    client = create(organization, "orders", program())
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName="orders", Payload=b'"' + b"x" * (6 << 20) + b'"')
    assert refused(caught.value)[:2] == ("RequestTooLargeException", 413)


def test_without_a_payload_the_event_is_an_empty_object(organization: Organization) -> None:
    files = program("bootstrap", command="courier")
    client = create(organization, "courier", files, Runtime=AL2023)
    assert json.loads(client.invoke(FunctionName="courier")["Payload"].read()) == {}


def test_reserved_concurrency_of_nothing_throttles(organization: Organization) -> None:
    client = create(organization, "orders", program())
    with organization.emulator.seeding():
        client.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        invoke(client)
    assert refused(caught.value)[:2] == ("TooManyRequestsException", 429)


def test_another_runtime_is_refused_and_not_answered_for(organization: Organization) -> None:
    client = create(organization, "orders", program(), Runtime="python3.13")
    with pytest.raises(ClientError, match=r"the runtime is python3\.13"):
        invoke(client)


def test_without_a_sandbox_nothing_is_answered(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = create(organization, "orders", program())
    monkeypatch.setattr("fleet.toolchain.sandbox.box.shutil.which", lambda _: None)
    monkeypatch.setattr("moto_fixtures.invoking.programs._kept", [])
    with pytest.raises(ClientError, match="no sandbox on this system: bwrap") as caught:
        invoke(client)
    assert refused(caught.value)[0] == "EmulatorFailure"


def test_a_script_for_the_other_architecture_is_refused(organization: Organization) -> None:
    files = {**shim(), "main": (handler(architecture="arm64"), EXECUTABLE)}
    client = create(organization, "orders", files, Runtime=AL2023, Architectures=["arm64"])
    with pytest.raises(ClientError, match="can't be run here"):
        invoke(client)


def test_a_package_that_leads_outside_of_itself_is_refused(organization: Organization) -> None:
    layers = [publish_layer(organization, "outside", {"../bootstrap": (b"", EXECUTABLE)})]
    client = create(organization, "orders", program(), Runtime=AL2023, Layers=layers)
    with pytest.raises(ClientError, match="leads outside") as caught:
        invoke(client)
    assert refused(caught.value)[:2] == ("InvalidZipFileException", 502)
