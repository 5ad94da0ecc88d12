"""Execution environments: kept warm, never shared, and gone when nobody needs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moto_fixtures.invoking import pool
from moto_fixtures.invoking.pool import ENVIRONMENTS
from moto_fixtures.packages import zipped
from tests.moto_fixtures.small_organization import MEMBER, Organization, running
from tests.moto_fixtures.test_invoking import (
    AL2023,
    Files,
    create,
    invoke,
    package,
    program,
    script,
    shim,
    totalled,
)
from tests.toolchain.trying import eventually, long_time, processes_with


def leaving(sleep: str) -> Files:
    """A package that says when it starts, and leaves a process beside its program."""
    return {**script(f"echo cold; setsid sleep {sleep} & exec /var/task/main"), **program()}


def test_an_environment_is_used_again(organization: Organization) -> None:
    client = create(organization, "orders", leaving(long_time()), Runtime=AL2023)
    # Each connection has a thread of the server's to itself, which ends with it.
    logs = [invoke(client).log, invoke(organization.client("lambda", MEMBER)).log]
    assert ["cold" in log for log in logs] == [True, False]


def test_another_configuration_gets_another_environment(organization: Organization) -> None:
    client = create(organization, "orders", leaving(long_time()), Runtime=AL2023)
    invoke(client)
    with organization.emulator.seeding():
        client.update_function_configuration(FunctionName="orders", MemorySize=512)
    log = invoke(client).log
    assert "cold" in log
    assert "Memory Size: 512 MB" in log


def test_one_that_has_ended_in_the_meantime_is_not_used(organization: Organization) -> None:
    sleep = long_time()
    client = create(organization, "orders", leaving(sleep), Runtime=AL2023)
    invoke(client)
    (kept,) = ENVIRONMENTS._idle
    kept.end()
    assert processes_with(sleep) == []
    assert "cold" in invoke(client).log


def test_invocations_at_the_same_time_have_environments_of_their_own(
    organization: Organization,
) -> None:
    client = create(organization, "orders", {**program(), **shim()}, Runtime=AL2023)
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda _: invoke(client), range(24)))
    assert all(totalled(answer) for answer in answers)
    assert 1 <= len(ENVIRONMENTS._idle) <= 4


def test_only_so_many_are_kept(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MOST_IDLE", 1)
    sleeps = [long_time(), long_time()]
    for name, sleep in zip("ab", sleeps, strict=True):
        client = create(organization, name, leaving(sleep), Runtime=AL2023)
        assert totalled(invoke(client, name))
    assert processes_with(sleeps[0]) == []
    assert processes_with(sleeps[1]) != []


def test_nothing_is_left_when_the_emulator_stops() -> None:
    sleep = long_time()
    with running() as organization:
        client = create(organization, "orders", leaving(sleep), Runtime=AL2023)
        assert totalled(invoke(client))
        assert processes_with(sleep)
    assert processes_with(sleep) == []


def test_what_is_given_back_after_the_end_is_ended_as_well(organization: Organization) -> None:
    sleep = long_time()
    files = {**script(f"setsid sleep {sleep} & sleep 2; exec /var/task/main"), **program()}
    client = create(organization, "orders", files, Runtime=AL2023)
    with ThreadPoolExecutor(1) as callers:
        answer = callers.submit(invoke, client)
        assert eventually(lambda: bool(processes_with(sleep)))
        ENVIRONMENTS.end()
        assert totalled(answer.result())
    assert processes_with(sleep) == []


KILLED = """
import sys, time
from tests.moto_fixtures.small_organization import running
with running() as organization:
    code = open(sys.argv[1], "rb").read()
    client = organization.add_function("orders", Runtime=sys.argv[2], Code={"ZipFile": code})
    client.invoke(FunctionName="orders", Payload=b"{}")
    print("invoked", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("runtime", "name"), [("go1.x", "main"), (AL2023, "bootstrap")])
def test_no_process_outlives_the_emulator_when_it_is_killed(
    tmp_path: Path, runtime: str, name: str
) -> None:
    sleep = long_time()
    text = f"setsid sleep {sleep} & exec /var/task/real"
    (tmp_path / "package.zip").write_bytes(zipped({**script(text, name), **program("real")}))
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "package.zip"), runtime],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as emulator:
        assert emulator.stdout is not None
        assert emulator.stdout.readline() == b"invoked\n"
        assert processes_with(sleep)
        emulator.send_signal(signal.SIGKILL)
    assert eventually(lambda: not processes_with(sleep), seconds=20)


def test_what_was_there_before_an_update_serves_until_it_is_done(
    organization: Organization,
) -> None:
    client = create(organization, "orders", program())
    organization.clock.now += 60
    organization.emulator.take_for_updates(10)
    broken = package(program("elsewhere"))
    client.update_function_code(FunctionName="orders", ZipFile=broken)
    assert totalled(invoke(client))
    organization.clock.now += 10
    assert invoke(client).error == "Unhandled"
