"""A Dask cluster of real processes, some of which are killed, as an executor."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue

import pytest

from fleet import __version__
from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, RoleRefused, Situation
from fleet.cluster import (
    KEPT,
    Cluster,
    ClusterProblem,
    Untold,
    WorkersDied,
    _do,
    cluster,
    once,
)
from fleet.errors import BadSelection, FleetError
from fleet.fan_out import Crew, fan_out
from fleet.migration.plan import Outcome
from fleet.migration.problems import Halted, OutOfCredentials
from fleet.model import FunctionRef
from fleet.results import Result
from tests import cluster_tasks as tasks
from tests.cluster_fixture import SECONDS, DaskCluster, dask_cluster
from tests.cluster_tasks import SECRET, Job

FAILED = CallFailed("s3:GetObject", "1", "eu-west-1", Situation.DENIED, code="403", detail="no")


def reached(what: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers with two threads each, which every test leaves as they are."""
    with dask_cluster(tmp_path_factory.mktemp("dask") / "two", workers=2, threads=2) as made:
        yield made


@pytest.fixture
def on_two(two: DaskCluster) -> Iterator[Cluster]:
    with cluster(two.address) as executor:
        reached(lambda: executor.parallelism == 4)
        yield executor


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[DaskCluster]:
    """No workers yet; a task is given up with the second worker that dies of it."""
    once_more = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with dask_cluster(tmp_path / "fragile", workers=0, threads=2, env=once_more) as made:
        yield made


def test_fan_out_works_on_a_cluster_as_on_threads(on_two: Cluster) -> None:
    answers: dict[int, int] = {}

    def settle(job: Job, future: Future[int]) -> None:
        answers[job.number] = future.result()

    crew = Crew(on_two, on_two.parallelism, on_two.stop, SimpleQueue())
    fan_out(crew, deque(map(Job, range(40))), tasks.process, settle, at_once=8)
    assert set(answers) == set(range(40))
    assert len(set(answers.values())) == 2


def test_what_a_process_makes_once_is_made_once_for_all_tasks_of_a_worker(on_two: Cluster) -> None:
    made = {on_two.submit(tasks.made_once, Job(number)) for number in range(20)}
    assert len({each.result(SECONDS) for each in made}) == 2


def test_a_tasks_error_arrives_with_its_fields_and_its_place(on_two: Cluster) -> None:
    failed, without, defect = (
        on_two.submit(tasks.fails, Job(number)).exception(SECONDS) for number in range(3)
    )
    assert isinstance(failed, CallFailed)
    assert (failed.situation, failed.account) == (Situation.DENIED, "012345678901")
    assert isinstance(without, NoCredentials)
    assert "worker tcp://127.0.0.1:" in str(without)
    assert "none were found" in str(without)
    assert isinstance(defect, ZeroDivisionError)
    assert "cluster_tasks.py" in defect.__notes__[0]


def test_what_a_task_was_given_is_in_no_log_even_if_it_fails(
    two: DaskCluster, on_two: Cluster
) -> None:
    for number in range(3):
        assert on_two.submit(tasks.fails, Job(number)).exception(SECONDS) is not None
    assert "Registered to" in two.log()
    assert SECRET not in two.log()
    assert "Traceback" not in two.log()


def test_what_cannot_be_sent_is_said_and_not_waited_for(on_two: Cluster) -> None:
    unsendable = on_two.submit(tasks.gives_what_cannot_be_sent, Job(1)).exception(SECONDS)
    unreadable = on_two.submit(tasks.raises_what_cannot_be_read, Job(1)).exception(SECONDS)
    assert isinstance(unsendable, Untold)
    assert isinstance(unreadable, Untold)
    assert "_OfTwo" in str(unreadable)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        on_two.submit(lambda: None)


def test_a_stopped_run_ends_on_every_worker_and_no_other_run_does(
    two: DaskCluster, on_two: Cluster, tmp_path: Path
) -> None:
    with cluster(two.address) as other:
        running = [
            on_two.submit(tasks.ends_when_stopped, Job(number), on_two.run, tmp_path)
            for number in range(12)
        ]
        reached(lambda: len(list(tmp_path.iterdir())) == 4)
        assert not any(each.cancel() for each in running)
        on_two.stop.set()
        done = wait(running, SECONDS).done
        assert len(done) == 12
        assert {type(each.exception()) for each in done} == {Interrupted}
        assert len(list(tmp_path.iterdir())) == 4
        assert isinstance(other.submit(tasks.process, Job(1)).result(SECONDS), int)


def test_the_tasks_of_a_worker_that_is_killed_are_done_by_another(
    fragile: DaskCluster, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    fragile.start_worker()
    fragile.start_worker()
    with cluster(fragile.address) as executor:
        reached(lambda: executor.parallelism == 4)
        done = tmp_path / "done"
        done.mkdir()
        (done / "go").touch()
        answered = [executor.submit(tasks.waits_until, Job(n), done) for n in range(8)]
        assert len({each.result(SECONDS) for each in answered}) == 2
        failed = executor.submit(tasks.fails, Job(2)).exception(SECONDS)
        running = [executor.submit(tasks.waits_until, Job(n), there) for n in range(12)]
        reached(lambda: len(list(there.iterdir())) == 4)
        fragile.kill_worker(0)
        (there / "go").touch()
        assert {each.result(SECONDS) for each in running} == {fragile.workers[1].pid}
        # What the killed one had answered before was not done again.
        assert len(list(done.iterdir())) == 1 + len(answered)

        # Now there is one; it dies of this, and so does the next.
        poison = executor.submit(tasks.dies, Job(0))
        fragile.workers[1].wait(SECONDS)
        fragile.start_worker()
        assert isinstance(poison.exception(SECONDS), WorkersDied)
        fragile.start_worker()
        assert executor.submit(tasks.process, Job(1)).result(SECONDS) == fragile.workers[3].pid

        # With nobody left, a stop is not waited for.
        fragile.kill_worker(3)
        left = executor.submit(tasks.process, Job(2))
        executor.stop.set()
        assert isinstance(left.exception(SECONDS), Interrupted)
    assert isinstance(failed, ZeroDivisionError)
    assert "recomputed" not in fragile.log()


def test_a_cluster_without_workers_is_waited_for_aloud_and_lost_with_its_scheduler(
    fragile: DaskCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    with (
        pytest.raises(ClusterProblem, match=r"no workers.*dask worker tcp://"),
        cluster(fragile.address, say=said.append, workers_seconds=0.1),
    ):
        pass
    assert said

    def start(_said: str) -> None:
        fragile.start_worker()

    there = tmp_path / "there"
    there.mkdir()
    with cluster(fragile.address, say=start) as executor:
        running = executor.submit(tasks.waits_until, Job(1), there)
        reached(lambda: bool(list(there.iterdir())))
        fragile.kill_scheduler()
        lost = running.exception(SECONDS)
        assert isinstance(lost, ClusterProblem)
        assert "scheduler is lost" in str(lost)
        with pytest.raises(ClusterProblem, match="scheduler is lost"):
            executor.submit(tasks.process, Job(2))
    assert "Traceback" not in caplog.text


def started_with(line: str, directory: Path) -> Mapping[str, str]:
    """The environment of a Python that does this first of all."""
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(line)
    return {"PYTHONPATH": os.pathsep.join([str(directory), *sys.path])}


def test_another_fleet_is_refused_at_the_start_and_where_it_joins_later_and_none_leaks_nothing(
    fragile: DaskCluster, tmp_path: Path
) -> None:
    older = started_with("import fleet\nfleet.__version__ = '0.0.9'\n", tmp_path / "older")
    none = started_with("import sys\nsys.modules['fleet'] = None\n", tmp_path / "none")
    fragile.start_worker()
    with cluster(fragile.address) as executor:
        fragile.kill_worker(0)
        fragile.start_worker(older)
        is_other = executor.submit(tasks.process, Job(1)).exception(SECONDS)
        fragile.kill_worker(1)
        fragile.start_worker(none)
        is_none = executor.submit(tasks.process, Job(1)).exception(SECONDS)
    with pytest.raises(ClusterProblem) as at_start, cluster(fragile.address):
        pass
    for each in (is_other, is_none, at_start.value):
        assert isinstance(each, ClusterProblem)
        assert f"every worker needs fleet {__version__}" in str(each)
    assert "fleet 0.0.9 runs there" in str(is_other)
    assert "ModuleNotFoundError" in str(is_none)
    assert "fleet is not installed there" in str(at_start.value)
    assert at_start.value.address != fragile.address
    assert "Compute Failed" in fragile.log()
    assert SECRET not in fragile.log()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8786", "tcp://", "tcp://host", "http://host:8786", "tcp://host:port", "inproc://a",
     "tcp://me:word@host:8786"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ClusterProblem, match="tcp://HOST:PORT"), cluster(address):
        pass


def test_an_address_where_nobody_answers_is_named() -> None:
    with (
        pytest.raises(ClusterProblem, match=r"tcp://127.0.0.1:1: no scheduler answers"),
        cluster("tcp://127.0.0.1:1", connect_seconds=0.2),
    ):
        pass


def test_without_dask_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ClusterProblem, match=r"pip install 'fleet\[cluster\]'"),
        cluster("tcp://127.0.0.1:1"),
    ):
        pass


OUTCOME = Outcome(FunctionRef("aws", "1", "eu-west-1", "f"), Result.FAILED)


@pytest.mark.parametrize(
    "error",
    [
        FAILED,
        Interrupted(),
        NoCredentials(problem="none were found"),
        RoleRefused("arn:aws:iam::1:role/r", failure=FAILED),
        Halted(result=Result.BLOCKED, reason="no"),
        OutOfCredentials(OUTCOME, cause=NoCredentials("gone")),
        BadSelection("--account", value=None, advice="no"),
        ClusterProblem("tcp://a:1", problem="gone", advice="wait"),
        WorkersDied(workers=4),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_come_back_whole_from_another_process(error: FleetError) -> None:
    sent = BytesIO()
    pickler = pickle.Pickler(sent)
    # Dask registers how exceptions are pickled, but for those only that it has seen.
    pickler.dispatch_table = {}
    pickler.dump(error)
    back = pickle.loads(sent.getvalue())  # noqa: S301  # made right here
    assert type(back) is type(error)
    assert str(back) == str(error)
    # As text: errors are equal to nothing but themselves.
    assert repr(vars(back)) == repr(vars(error))


def test_an_error_comes_without_a_cause_that_cannot_be_sent() -> None:
    task = pickle.dumps((tasks.fails_because_of_what_cannot_be_sent, (Job(1),), {}))
    error, _ = pickle.load(_do(__version__, "this", task))  # noqa: S301  # made right here
    assert isinstance(error, CallFailed)


def test_many_threads_make_one_thing_once() -> None:
    begun = threading.Barrier(8)
    another = threading.Event()
    made: list[object] = []

    def make() -> object:
        if made:
            another.set()
        made.append(object())
        # Were another thread to make one too, it would do so now.
        another.wait(0.2)
        return made[0]

    def ask(_: int) -> object:
        begun.wait(SECONDS)
        return once("one", make)

    with ThreadPoolExecutor(8) as threads:
        given = set(threads.map(ask, range(8)))
    assert given == set(made)
    assert len(made) == 1


def test_a_make_that_fails_is_asked_again_and_holds_up_nothing_else() -> None:
    with pytest.raises(ZeroDivisionError):
        once("failing", lambda: 1 // 0)
    assert once("failing", lambda: once("inner", lambda: 2)) == 2


def test_only_the_last_things_asked_for_are_kept() -> None:
    assert once("kept", lambda: 1) == 1
    assert once("dropped", lambda: 1) == 1
    for number in range(KEPT - 1):
        once(number, object)
        assert once("kept", lambda: 2) == 1
    assert once("dropped", lambda: 2) == 2
