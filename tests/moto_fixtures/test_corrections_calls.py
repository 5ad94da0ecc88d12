"""Who listens to calls is told before and after each; clients may go at any moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from queue import Queue

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from moto_fixtures.server import Call, Moment
from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization, refused

CLIENT = """
import http.client, sys
address, key, method, path, length = sys.argv[1:]
connection = http.client.HTTPConnection(address)
connection.putrequest(method, path)
scope = f"{key}/20260101/us-east-1/lambda/aws4_request"
connection.putheader("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}")
connection.putheader("Content-Length", length)
connection.endheaders(b"{" if length != "0" else None)
print("sent", flush=True)
connection.getresponse().read()
"""


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(0)
    return organization.add_function("one", Environment={"Variables": {"LONG": "x" * 4000}})


@pytest.fixture
def noise(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What was printed or logged; pytest takes logs off stderr."""
    return lambda: capfd.readouterr().err + caplog.text


def start(
    organization: Organization, method: str, path: str, length: int = 0
) -> subprocess.Popen[bytes]:
    """A client of its own process; of a body it sends one byte."""
    emulator = organization.emulator
    key = emulator.credentials_of(MEMBER)["AWS_ACCESS_KEY_ID"]
    address = emulator.url.removeprefix("http://")
    arguments = [address, key, method, path, str(length)]
    return subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], stdout=subprocess.PIPE)


def memory(client: Client) -> int:
    found: int = client.get_function_configuration(FunctionName="one")["MemorySize"]
    return found


def test_a_hook_is_told_before_anything_is_done_and_before_the_answer_is_sent(
    organization: Organization, client: Client
) -> None:
    told: list[tuple[Call, Moment, str]] = []

    def hook(call: Call, moment: Moment) -> None:
        backend = organization.emulator._world.functions
        told.append((call, moment, str(len(backend))))

    organization.emulator.calls.clear()
    organization.emulator.on_call = hook
    client.publish_version(FunctionName="one")
    with pytest.raises(ClientError):
        client.get_function(FunctionName="none")
    with organization.emulator.seeding():
        client.list_functions()
    organization.emulator.on_call = None
    client.list_functions()
    publish = Call("lambda", "PublishVersion", MEMBER, HOME)
    get = publish._replace(operation="GetFunction")
    assert [row[:2] for row in told] == [
        (publish, Moment.BEFORE),
        (publish, Moment.AFTER),
        (get, Moment.BEFORE),
        (get, Moment.AFTER),
    ]
    assert int(told[1][2]) == int(told[0][2]) + 1
    assert organization.emulator.calls == [
        publish,
        get,
        publish._replace(operation="ListFunctions"),
    ]


def test_a_held_request_holds_no_other(organization: Organization, client: Client) -> None:
    held, go_on = threading.Event(), threading.Event()

    def hook(call: Call, moment: Moment) -> None:
        if call.operation == "PublishVersion" and moment is Moment.AFTER:
            held.set()
            assert go_on.wait(30)

    organization.emulator.on_call = hook
    publishing = threading.Thread(target=client.publish_version, kwargs={"FunctionName": "one"})
    publishing.start()
    assert held.wait(30)
    assert len(client.list_versions_by_function(FunctionName="one")["Versions"]) == 2
    go_on.set()
    publishing.join()


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("cut", [True, False], ids=["cut", "served on"])
def test_a_client_killed_while_its_request_is_held_leaves_no_noise(
    organization: Organization,
    client: Client,
    noise: Callable[[], str],
    moment: Moment,
    cut: bool,
) -> None:
    answering: Queue[threading.Thread] = Queue()

    def hook(call: Call, now: Moment) -> None:
        if call.operation == "PublishVersion" and now is moment:
            process.kill()
            process.wait()
            answering.put(threading.current_thread())
            if cut:
                raise ConnectionResetError

    organization.emulator.on_call = hook
    with start(organization, "POST", "/2015-03-31/functions/one/versions") as process:
        answering.get(timeout=30).join(30)
    versions = client.list_versions_by_function(FunctionName="one")["Versions"]
    assert len(versions) == (1 if cut and moment is Moment.BEFORE else 2)
    assert noise() == ""


def test_a_client_killed_while_it_sends_leaves_no_noise_and_no_call(
    organization: Organization,
    client: Client,
    noise: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dropped: Queue[object] = Queue()
    monkeypatch.setattr(
        "moto_fixtures.server._QuietHandler.connection_dropped", lambda *_: dropped.put(None)
    )
    organization.emulator.calls.clear()
    with start(organization, "PUT", "/2015-03-31/functions/one/code", 10_000) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        dropped.get(timeout=30)
    assert memory(client) == 128
    assert [call.operation for call in organization.emulator.calls] == ["GetFunctionConfiguration"]
    assert noise() == ""


@pytest.mark.parametrize(("moment", "expected"), [(Moment.BEFORE, 128), (Moment.AFTER, 512)])
def test_a_line_that_is_cut_loses_the_request_or_the_answer(
    organization: Organization,
    client: Client,
    noise: Callable[[], str],
    moment: Moment,
    expected: int,
) -> None:
    answering: Queue[threading.Thread] = Queue()

    def hook(_: Call, now: Moment) -> None:
        if now is moment:
            answering.put(threading.current_thread())
            raise ConnectionAbortedError

    organization.emulator.on_call = hook
    with pytest.raises(ConnectionClosedError):
        client.update_function_configuration(FunctionName="one", MemorySize=512)
    organization.emulator.on_call = None
    answering.get(timeout=30).join(30)
    assert memory(client) == expected
    assert noise() == ""


def test_a_hook_that_fails_never_looks_like_aws(
    organization: Organization, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(at: Moment) -> Callable[[Call, Moment], None]:
        def hook(_: Call, now: Moment) -> None:
            if now is at:
                raise KeyError

        return hook

    for moment in Moment:
        organization.emulator.on_call = failing(moment)
        with pytest.raises(ClientError) as caught:
            client.list_functions()
        assert refused(caught.value)[:2] == ("EmulatorFailure", 400)
    assert "failed at" in caplog.text
