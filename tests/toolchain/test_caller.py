"""The emulator and its caller alone, without walls, for as long as a test can wait."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.toolchain.trial import caller
from fleet.toolchain.trial.emulator import Emulator
from tests.toolchain.trying import ASKS

NEXT = "API request - GET /2018-06-01/runtime/invocation/next"
EVENT = "Lambda-Runtime-Aws-Request-Id"


@pytest.mark.parametrize(("how", "delivered"), [(caller.HOLD, False), (caller.SEND, True)])
def test_a_held_event_does_not_reach_a_function_that_asks_for_it(
    rie: Emulator, tmp_path: Path, how: str, *, delivered: bool
) -> None:
    bootstrap = tmp_path / "bootstrap"
    bootstrap.write_bytes(ASKS["bootstrap"][0])
    bootstrap.chmod(0o755)
    ports = free_ports(2)
    with subprocess.Popen(
        [
            *(str(rie.path), "--log-level", "debug"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{ports[0]}"),
            *("--runtime-api-address", f"127.0.0.1:{ports[1]}"),
            str(bootstrap),
        ],
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as emulator:
        # It waits for an answer that cannot come, so it ends by its own deadline.
        called = call(how, 3, *ports)
        emulator.kill()
        said, log = emulator.communicate()
    assert called.returncode == 1
    assert NEXT in log
    assert (EVENT in said) == delivered


def test_an_emulator_that_does_not_come_up_is_told() -> None:
    called = call(caller.HOLD, 0.1, *free_ports(2))
    assert called.returncode == 1
    assert called.stderr == b"the emulator did not come up\n"


def call(how: str, seconds: float, *ports: int) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-I", "-S", caller.__file__, how, str(seconds)]
    return subprocess.run(
        [*program, *(str(port) for port in ports)], input=b"{}", capture_output=True, check=False
    )


def free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports
