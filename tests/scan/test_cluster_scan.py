"""`fleet scan --cluster`: the same inventory as a local scan, whatever happens to the workers."""

from __future__ import annotations

import importlib
import io
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Never

import pytest

from fleet.cli import app
from fleet.cluster import WorkersDied
from fleet.model import CoverageStatus, ScanState
from moto_fixtures.definition import Organization
from moto_fixtures.seed import seed
from moto_fixtures.server import EVERY, Emulator
from tests.cluster_fixture import DaskCluster, dask_cluster
from tests.scan.conftest import NOW, packages_of
from tests.scan.process import SECONDS, Fleet, Held, wait_for
from tests.scan.scanner import Scan

ASKED = ("--org", "--region", "us-east-1")
SOME = 5
"""Lists that are answered before the others are held back."""


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """What a shell starts in the background ignores SIGINT, and so do all it starts in turn."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def held() -> Held:
    return Held()


@pytest.fixture(scope="module")
def organization(northwind: Organization, held: Held) -> Iterator[Emulator]:
    """The seeded organization at today's time, as processes of their own have no other clock."""
    with Emulator(northwind.rules(), sleep=held) as emulator:
        seed(emulator, northwind, packages=packages_of(northwind), now=NOW)
        yield emulator


@pytest.fixture(scope="module")
def workers(
    organization: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DaskCluster]:
    directory = tmp_path_factory.mktemp("dask") / "two"
    with dask_cluster(directory, workers=2, threads=4, env=organization.environment) as made:
        yield made


def ended(fleet: Fleet, *arguments: str) -> tuple[int, str, str]:
    """Run the command line in this very process: status, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    state = {"FLEET_STATE": f"sqlite:///{fleet.database}"}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["fleet", "scan", *arguments, "--quiet", "--no-report"])
        for name, value in {**fleet.emulator.environment, **state}.items():
            patch.setenv(name, value)
        status = app._status()
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def local(organization: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """What threads of one process find."""
    fleet = Fleet(organization, tmp_path_factory.mktemp("local"))
    # The coverage of this organization is never complete.
    assert ended(fleet, *ASKED)[0] == 4
    return fleet.saved()


@pytest.fixture
def fleet(organization: Emulator, tmp_path: Path) -> Fleet:
    organization.calls.clear()
    return Fleet(organization, tmp_path)


def lists(fleet: Fleet) -> int:
    return sum(call.operation == "ListFunctions" for call in fleet.emulator.calls)


def found(scan: Scan) -> object:
    """All but how many calls it took, and how many of them were throttled."""
    coverage = {
        lane: (each.status, each.reason, each.functions, each.versions, each.listed)
        for lane, each in scan.coverage.items()
    }
    return scan.rows, coverage


def test_a_cluster_finds_the_same_as_threads_though_a_worker_is_killed_and_logs_no_secret(
    fleet: Fleet, held: Held, workers: DaskCluster, local: Scan
) -> None:
    def kill_one_in_the_middle() -> None:
        with held.holding(fleet.emulator, once=lambda: lists(fleet) > SOME):
            assert held.wait(SECONDS)
            workers.kill_worker(0)

    with ThreadPoolExecutor(1) as other:
        killing = other.submit(kill_one_in_the_middle)
        asked = ("--cluster", workers.address, "--external-id", "let-me-in", *ASKED)
        status, out, err = ended(fleet, *asked)
        killing.result()
    workers.start_worker()
    assert status == 4, err
    assert found(fleet.saved()) == found(local)
    assert all(each.calls for each in fleet.saved().coverage.values() if each.listed)
    assert not err
    for secret in ("let-me-in", "ASIA", fleet.emulator.environment["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in workers.log() + out


def test_ctrl_c_ends_the_workers_tasks_and_the_scan_is_resumed_on_the_cluster(
    fleet: Fleet, workers: DaskCluster, local: Scan
) -> None:
    # At this rate small lanes end and others wait: for minutes, were they not told.
    fleet.emulator.throttle(EVERY, EVERY, per_second=0.1)
    with fleet.start("--cluster", workers.address, "--quiet", *ASKED) as process:
        wait_for(process, lambda: lists(fleet) > SOME)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS / 2)
    fleet.emulator.throttle(EVERY, EVERY, per_second=None)
    assert process.returncode == 130, err
    assert err == "fleet: stopping; what was found is kept\n"
    assert "not attempted" in out
    partial = fleet.saved()
    assert partial.header.state is ScanState.INTERRUPTED
    assert CoverageStatus.NOT_ATTEMPTED in partial.statuses.values()

    status, _, err = ended(fleet, "--cluster", workers.address, "--resume")
    assert status == 4, err
    assert found(fleet.saved()) == found(local)


def test_a_worker_with_credentials_of_another_account_ends_the_scan_and_is_named(
    fleet: Fleet, organization: Emulator, tmp_path: Path
) -> None:
    other = organization.credentials_of("123456789012")
    with dask_cluster(tmp_path / "other", workers=1, env=other) as workers:
        status, _, err = ended(fleet, "--cluster", workers.address, *ASKED)
    assert status == 1
    assert "that worker calls AWS as account 123456789012" in err
    assert "what was found is saved; `fleet scan --resume`" in err
    assert fleet.saved().header.state is ScanState.INTERRUPTED


def test_an_account_and_region_that_workers_die_of_is_a_row_that_says_so(
    fleet: Fleet, local: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = next(lane for lane, each in local.coverage.items() if each.listed)

    def look_at_lane(*_: object) -> Never:
        raise WorkersDied(4)

    monkeypatch.setattr(importlib.import_module("fleet.scan.run"), "look_at_lane", look_at_lane)
    assert ended(fleet, *ASKED, "--account", lane[0])[0] == 4
    row = fleet.saved().coverage[lane]
    assert row.status is CoverageStatus.FAILED
    assert row.reason == str(WorkersDied(4))


def test_parallelism_is_the_clusters_own(fleet: Fleet) -> None:
    asked = ("--cluster", "tcp://127.0.0.1:1", "--parallelism", "4", *ASKED)
    status, _, err = ended(fleet, *asked)
    assert status == 2
    assert "as its workers have threads" in err
    assert not fleet.database.exists()
