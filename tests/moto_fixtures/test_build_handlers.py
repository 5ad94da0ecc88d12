"""The built programs at work, against a Runtime API that hands out one event.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import pytest

from moto_fixtures.build import build
from moto_fixtures.definition import Build, CBuild
from moto_fixtures.load import load_organization

BUILDS = load_organization().builds
ANSWERS = ["orders", "orders-1.18.0", "orders-norpc", "orders-pie", "orders-stamped"]
HANGS = ["orders-1.13.3", "orders-1.17.0"]
ORDER = {"lines": [{"article": "tent", "pieces": 2, "cents": 12_050}]}


class RuntimeApi:
    """One event at most; what comes back for it goes to `answers`."""

    def __init__(self, event: object) -> None:
        self.answers: Queue[Any] = Queue()
        api, done = self, Event()
        events = [json.dumps(event).encode()]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not events:
                    # As Lambda does, the next request waits for an event that never comes.
                    done.wait()
                    return
                body = events.pop()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "request-1")
                self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
                arn = "arn:aws:lambda:us-east-1:111122223333:function:x"
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                text = self._body()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api.answers.put((self.path.rsplit("/", 1)[-1], json.loads(text)))

            def _body(self) -> bytes:
                # Newer releases of aws-lambda-go stream their answers in chunks.
                if self.headers["Transfer-Encoding"] != "chunked":
                    return self.rfile.read(int(self.headers["Content-Length"]))
                content = b""
                while size := int(self.rfile.readline(), 16):
                    content += self.rfile.read(size + len("\r\n"))[:size]
                return content

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self._done = done
        self._thread = Thread(target=self.server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._done.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def order() -> Iterator[RuntimeApi]:
    api = RuntimeApi(ORDER)
    yield api
    api.close()


@pytest.fixture
def origin() -> Iterator[RuntimeApi]:
    api = RuntimeApi({"x": 3, "y": 4})
    yield api
    api.close()


def answer_of(binary: Path, api: RuntimeApi, **environment: str) -> object:
    """What the program answers to the one event; killed afterwards."""
    running = subprocess.Popen(
        [str(binary)],
        env={"AWS_LAMBDA_RUNTIME_API": api.address, **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        return api.answers.get(timeout=20)
    finally:
        running.kill()
        running.wait()


def end_of(binary: Path, **environment: str) -> tuple[int, str]:
    """Exit status and last words of a program that gives up before it asks for an event."""
    done = subprocess.run(
        [str(binary)],
        env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", ANSWERS)
def test_orders_adds_up_through_the_runtime_api(name: str, order: RuntimeApi) -> None:
    stamp = BUILDS[name].linked.get("main.build", "unset")
    total = {"pieces": 2, "cents": 24_100, "build": stamp}
    assert answer_of(build(BUILDS[name]), order) == ("response", total)


@pytest.mark.parametrize("name", HANGS)
def test_old_libraries_speak_rpc_and_know_no_runtime_api(name: str) -> None:
    binary = build(BUILDS[name])
    assert b"startRuntimeAPILoop" not in binary.read_bytes()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen([str(binary)], env={"_LAMBDA_SERVER_PORT": str(port)})
    try:
        assert _listens(port, running)
    finally:
        running.kill()
        running.wait()


def _listens(port: int, running: subprocess.Popen[bytes]) -> bool:
    while running.poll() is None:
        try:
            socket.create_connection(("localhost", port), 1).close()
        except ConnectionRefusedError:
            continue
        return True
    return False


def test_letterhead_finds_its_file_beside_itself_and_nowhere_else(
    tmp_path: Path, order: RuntimeApi
) -> None:
    program = Path(shutil.copy(build(BUILDS["letterhead"]), tmp_path / "letterhead"))
    status, words = end_of(program)
    assert (status, "letterhead.json: no such file" in words) == (1, True)
    (tmp_path / "letterhead.json").write_text('{"company": "Northwind", "street": "1 Road"}')
    expected = {"company": "Northwind", "street": "1 Road"}
    assert answer_of(program, order) == ("response", expected)


def test_router_routes_on_its_handler_string(order: RuntimeApi) -> None:
    program = build(BUILDS["router"])
    assert end_of(program, _HANDLER="bootstrap")[0] == 1
    refund = {"route": "refund", "text": "paid back"}
    assert answer_of(program, order, _HANDLER="bin/refund") == ("response", refund)


def test_ledger_ends_without_environment_or_database(order: RuntimeApi) -> None:
    program = build(BUILDS["ledger"])
    assert "DB_HOST is not set" in end_of(program)[1]
    lone = {"DB_HOST": "127.0.0.1:1", "DB_PASSWORD": "x"}
    assert "the database does not answer" in end_of(program, **lone)[1]
    with socket.create_server(("127.0.0.1", 0)) as database:
        host = f"127.0.0.1:{database.getsockname()[1]}"
        booked = answer_of(program, order, DB_HOST=host, DB_PASSWORD="x")  # noqa: S106 - no password
    assert booked == ("response", f"booked through {host}")


def test_distance_asks_the_c_library(origin: RuntimeApi) -> None:
    program = build(BUILDS["distance"])
    assert b"libc.so.6" in program.read_bytes()
    assert answer_of(program, origin, PATH=os.environ["PATH"]) == ("response", 5)


def test_parcel_runs_with_its_library_and_not_without(tmp_path: Path) -> None:
    program = build(Build(command="parcel", cgo=True, links="postage"))
    status, words = end_of(program)
    assert (status, "libpostage.so: cannot open shared object file" in words) == (127, True)
    shutil.copy(build(CBuild(command="postage", shared=True)), tmp_path / "libpostage.so")
    api = RuntimeApi({"grams": 700})
    try:
        answer = answer_of(program, api, LD_LIBRARY_PATH=str(tmp_path))
    finally:
        api.close()
    assert answer == ("response", 330)


def test_stock_waits_for_its_database_and_goes_on_when_it_answers(order: RuntimeApi) -> None:
    program = build(Build(command="stock"))
    with socket.create_server(("127.0.0.1", 0)) as database:
        host = f"127.0.0.1:{database.getsockname()[1]}"
        assert answer_of(program, order, STOCK_HOST=host) == ("response", f"counted through {host}")
    running = subprocess.Popen(
        [str(program)],
        env={"AWS_LAMBDA_RUNTIME_API": order.address, "STOCK_HOST": "127.0.0.1:1"},
        stderr=subprocess.PIPE,
    )
    try:
        assert running.stderr is not None
        assert b"still waiting" in running.stderr.readline()
        assert running.poll() is None
    finally:
        running.kill()
        running.communicate()


def test_courier_speaks_to_the_runtime_api_without_the_library(order: RuntimeApi) -> None:
    program = build(Build(command="courier"))
    assert b"aws-lambda-go" not in program.read_bytes()
    assert answer_of(program, order) == ("response", ORDER)


def test_telemetry_misses_the_variable_that_custom_runtimes_lack(order: RuntimeApi) -> None:
    program = build(Build(command="telemetry"))
    assert answer_of(program, order) == ("response", "environment: ")


def test_programs_that_are_no_handlers_end_by_themselves() -> None:
    for wanted in (Build(command="checksum"), CBuild(command="greeting")):
        done = subprocess.run([build(wanted)], stdin=subprocess.DEVNULL, check=True, timeout=20)
        assert done.returncode == 0


def test_pie_names_an_interpreter_and_needs_no_library() -> None:
    content = build(BUILDS["orders-pie"]).read_bytes()
    shared_object = 3
    assert int.from_bytes(content[16:18], "little") == shared_object
    assert b"/lib64/ld-linux-x86-64.so.2" in content
    assert b"libc.so.6" not in content
