"""Waves on a real Dask cluster with a real PostgreSQL, against threads with SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from fleet.cli.options import Shown as ShownAs
from fleet.cli.waves_run import Asked, run_waves
from fleet.cluster import ClusterProblem, cluster
from fleet.errors import BadSelection
from fleet.migration.equipping import Order as Equipment
from fleet.migration.facts import Asked as AskedOf
from fleet.model import FunctionRef
from fleet.permissions import MOVE, PLAN
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store
from fleet.wave import MemberState, Order, OrderKind
from fleet.waves.due import Doing
from fleet.waves.remote import Gear, Job, perform
from fleet.waves.worker import Task
from fleet.waves.writing import plan_text
from moto_fixtures.server import Call, Emulator, Moment
from tests.cluster_fixture import DaskCluster, dask_cluster
from tests.postgresql import Server, postgresql
from tests.soak.organization import MANAGEMENT, Small, expected, plan, shown
from tests.soak.watching import WRITES
from tests.waves.leaving import SECONDS, works_until_unwanted

__all__ = ["postgresql"]

FLEET = Path(sys.executable).with_name("fleet")
SMALL = Small(accounts=1, functions=18)
ON_CLUSTER, ON_THREADS, KILLED = (SMALL.refs[first : first + 6] for first in (0, 6, 12))
"""The same again and again: two accounts and regions, three kinds of functions."""

pytestmark = pytest.mark.postgresql


@dataclass
class Ground:
    """An organization, and those who move it."""

    emulator: Emulator
    cluster: DaskCluster
    state: str
    directory: Path

    def begin(
        self, name: str, refs: Sequence[FunctionRef], *more: str, state: str
    ) -> subprocess.Popen[str]:
        """`fleet waves run --due` of two waves, each in one account and region."""
        file = self.directory / f"{name}.yaml"
        file.write_text(plan_text(plan(name, refs[::2], refs[1::2])))
        asked = ["--due", "--apply", "--yes", "--no-trial", "--quiet", "--state", state, *more]
        return subprocess.Popen(
            [FLEET, "waves", "run", file, *asked],
            cwd=self.directory,
            env={
                **os.environ,
                **self.emulator.environment,
                # As fast as AWS allows.
                "FLEET_CALLS_PER_SECOND": "15",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, name: str, refs: Sequence[FunctionRef], *more: str, state: str) -> None:
        """The same, to a good end."""
        with self.begin(name, refs, *more, state=state) as process:
            said, _ = process.communicate(timeout=SECONDS * 3)
        assert process.returncode == 0, said + self.cluster.log()

    def job(self, run: str, caller: str = MANAGEMENT, state: str | None = None) -> Job:
        """What a coordinator would send with each task."""
        settings = Settings(state=state or self.state)
        gear = Gear(caller, settings, (*PLAN, *MOVE), Equipment(AskedOf()), sharing=2)
        return Job(run, run, gear)


@pytest.fixture(scope="module")
def ground(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    directory = tmp_path_factory.mktemp("cluster")
    with (
        Emulator(SMALL.definition.rules()) as emulator,
        postgresql.database() as state,
        dask_cluster(directory / "dask", workers=2, threads=2, env=emulator.environment) as workers,
    ):
        SMALL.fill(emulator)
        emulator.take_for_updates(0)
        Store.open(state).close()
        yield Ground(emulator, workers, state, directory)


def states(url: str, name: str) -> dict[FunctionRef, MemberState]:
    with Store.open(url) as store:
        return {each.ref: each for each in store.members(name)}


def timeless(found: dict[FunctionRef, MemberState], refs: Sequence[FunctionRef]) -> list[object]:
    """What is remembered of functions, but names, times and runs."""
    return [
        replace(
            found[ref],
            ref=SMALL.refs[0],
            began=None,
            since=None,
            baseline=None,
            checked=None,
            run="",
        )
        for ref in refs
    ]


def reached(what: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_cluster_with_postgresql_gives_the_results_of_threads_with_sqlite(
    ground: Ground, tmp_path: Path
) -> None:
    before = len(ground.emulator.calls)
    ground.run("cluster", ON_CLUSTER, "--cluster", ground.cluster.address, state=ground.state)
    asked = Counter(each.operation for each in ground.emulator.calls[before:])
    sqlite = f"sqlite:///{tmp_path}/fleet.db"
    ground.run("threads", ON_THREADS, state=sqlite)

    moved = [shown(ref) for ref in ON_CLUSTER]
    assert moved == [expected(number) for number in range(6)]
    assert moved == [shown(ref) for ref in ON_THREADS]
    there, here = states(ground.state, "cluster"), states(sqlite, "threads")
    assert timeless(there, ON_CLUSTER) == timeless(here, ON_THREADS)
    assert {each.result for each in there.values()} == {Result.MIGRATED}
    # Once for each account and region, whichever workers come there first.
    assert asked["PublishLayerVersion"] == len(SMALL.lanes)


def test_a_function_whose_worker_is_killed_in_its_middle_is_moved_once(ground: Ground) -> None:
    writes: Counter[str] = Counter()

    def kill(call: Call, moment: Moment) -> None:
        if moment is Moment.AFTER and call.operation in WRITES:
            writes[call.operation] += 1
            if writes.total() == 5:
                # All that had begun by then: one of them, at least, in the middle.
                ground.cluster.kill_worker(0)
                ground.cluster.kill_worker(1)
                # Not before: it could have been the one at work.
                ground.cluster.start_worker()

    ground.emulator.on_call = kill
    try:
        ground.run("killed", KILLED, "--cluster", ground.cluster.address, state=ground.state)
    finally:
        ground.emulator.on_call = None
    ended = states(ground.state, "killed")
    assert {each.result for each in ended.values()} == {Result.MIGRATED}
    assert max(each.attempts for each in ended.values()) > 1
    assert [shown(ref) for ref in KILLED] == [expected(number) for number in range(6)]


def test_a_cluster_needs_a_state_that_its_workers_reach(tmp_path: Path) -> None:
    file = tmp_path / "waves.yaml"
    file.write_text(plan_text(plan("local", SMALL.refs)))
    asked = Asked(
        file=file,
        name=None,
        wave=None,
        apply=True,
        yes=True,
        rollback_on_stop=False,
        trial=False,
        cluster="tcp://127.0.0.1:1",
        quiet=True,
        shown=ShownAs.TABLE,
        color=False,
    )
    with pytest.raises(BadSelection, match=r"--cluster.*PostgreSQL URL with --state"):
        run_waves(Settings(state=f"sqlite:///{tmp_path}/fleet.db"), asked)


def test_a_worker_that_calls_as_another_account_or_reaches_no_state_is_named(
    ground: Ground,
) -> None:
    task = waiting("refused", SMALL.refs[0])
    with cluster(ground.cluster.address) as executor:
        other = executor.submit(perform, ground.job("a", caller=SMALL.lanes[0][0]), task)
        elsewhere = ground.job("b", state="postgresql://fleet@127.0.0.1:1/fleet")
        lost = executor.submit(perform, elsewhere, task)
        for refused, said in ((other, MANAGEMENT), (lost, "environment")):
            problem = refused.exception(SECONDS)
            assert isinstance(problem, ClusterProblem)
            assert "tcp://127.0.0.1:" in problem.address
            assert said in str(problem)


def test_however_many_runs_a_worker_serves_it_keeps_its_connections(ground: Ground) -> None:
    task = waiting("many", SMALL.refs[0])
    with Store.open(ground.state) as store:
        stop = Order(plan="many", wave="", kind=OrderKind.STOP, at=store.now(), by="ada@bastion")
        store.give_order(stop)
    with cluster(ground.cluster.address) as executor:

        def serve(*runs: int) -> int:
            for run in runs:
                done = executor.submit(perform, ground.job(f"run-{run}"), task)
                assert done.result(SECONDS) == task.state
            with psycopg.connect(ground.state) as connection:
                row = connection.execute("SELECT count(*) FROM pg_stat_activity").fetchone()
            assert row is not None
            return int(row[0])

        first = serve(*range(4))
        assert serve(*range(4, 16)) <= first + 2


def test_a_task_whose_coordinator_has_died_is_told_so(ground: Ground, tmp_path: Path) -> None:
    with cluster(ground.cluster.address) as executor:
        executor.submit(works_until_unwanted, tmp_path)
        reached((tmp_path / "begun").exists)
    reached(lambda: len(list(tmp_path.iterdir())) > 1)
    assert (tmp_path / "wanted-False").exists()


def waiting(name: str, ref: FunctionRef) -> Task:
    """A function that is to be moved."""
    made = plan(name, [ref])
    ((wave, member),) = made.members()
    state = MemberState(wave=wave.name, ref=ref)
    return Task(name, wave.model_copy(update={"functions": ()}), member, state, Doing.MOVE)
