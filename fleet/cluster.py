"""Workers on other machines: a Dask cluster as an executor, on which fan_out works as on threads.

https://distributed.dask.org/en/stable/client.html. Tasks and answers travel sealed: Dask logs and
shows what it is given, and a task may hold the state's URL. Credentials never travel: a worker
signs with what its own environment gives.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import secrets
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from fleet import __version__
from fleet.aws.failures import Interrupted, NoCredentials
from fleet.errors import FleetError

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as Given

T = TypeVar("T")
P = ParamSpec("P")

CONNECT_SECONDS = 10.0
WORKERS_SECONDS = 60.0
"""How long a cluster may be without any worker at the start."""
STOP_SECONDS = 5.0
KEPT = 32
"""Things that a process keeps by `once`; a worker may serve runs for weeks."""


@dataclass(eq=False)
class ClusterProblem(FleetError):
    """The cluster can't be used, or is gone: none of its tasks comes to an end any more."""

    address: str
    problem: str
    advice: str

    def __str__(self) -> str:
        return f"cluster {self.address}: {self.problem}; {self.advice}"


@dataclass(eq=False)
class WorkersDied(FleetError):
    """Every worker that was given this one task ended in the middle of it."""

    workers: int

    def __str__(self) -> str:
        return (
            f"{self.workers} workers, one after the other, ended while they did it; see their logs"
        )


@dataclass(eq=False)
class Untold(FleetError):
    """A worker met an error, or has an answer, that cannot be sent."""

    kind: str
    """Its type."""

    def __str__(self) -> str:
        return f"a worker has {self.kind} for an answer, which cannot be sent here"


_Outcome = tuple[Exception | None, object]


class Cluster(Executor):
    """What `cluster` gives: every task goes to some worker, again if that one dies.

    A worker that dies after it answered, before the answer was fetched, has its task done again
    too: what is submitted must bear that. A task that was submitted is not called back: `cancel`
    refuses. To end early, set `stop`.
    """

    def __init__(self, client: Client, address: str) -> None:
        self._client = client
        self._loop: Any = client.loop
        self._address = address
        self._given: set[Given[BytesIO]] = set()
        self._told: Future[None] | None = None
        self._is_lost = False
        self.run = secrets.token_hex(8)
        """Under this name workers know that this run was stopped: see `stop_of`."""
        self.stop: threading.Event = _Told(self._tell_workers)
        """Once set, workers begin no further task of this run and `stop_of(run)` is set there."""

    @property
    def parallelism(self) -> int:
        """How many tasks run at once now: the threads of all workers, at least 1."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a module-level function called on a worker, with arguments that can be pickled.

        The future raises what the function raised, WorkersDied, Interrupted once stopped, or
        ClusterProblem where the scheduler is gone or a worker is no fleet of this version. Once it
        is known to be gone, ClusterProblem is raised here.
        """
        content = pickle.dumps(_Call(self.run, pickle.dumps((fn, args, kwargs))))
        if self._is_lost:
            raise _lost(self._address)
        answer: Future[T] = Future()
        # Dask can't say whether a task has begun: one that is called back may have been half done.
        answer.set_running_or_notify_cancel()
        # Dask logs the arguments of what fails, and the bytes of what it can't unpickle: a file in
        # memory shows nothing, and is known wherever Dask is, be fleet there or not.
        key = f"fleet-{secrets.token_hex(16)}"
        given = self._client.submit(pickle.load, BytesIO(content), pure=False, key=key)
        self._loop.add_callback(self._deliver, given, answer)
        return answer

    async def _deliver(self, given: Given[BytesIO], answer: Future[Any]) -> None:
        self._given.add(given)
        try:
            error, value = pickle.load(await given)  # noqa: S301  # from our own worker
        except (Exception, asyncio.CancelledError) as problem:  # noqa: BLE001  # Dask's own, of any kind
            error, value = self._named(problem), None
        finally:
            self._given.discard(given)
            # Or Dask does it again when the worker that holds the answer dies.
            given.release()
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(error)

    def _named(self, problem: BaseException) -> FleetError:
        from distributed import KilledWorker  # noqa: PLC0415  # slow, and an extra

        if isinstance(problem, KilledWorker):
            return WorkersDied(problem.allowed_failures + 1)
        if self.stop.is_set():
            return Interrupted()
        if isinstance(problem, (CancelledError, asyncio.CancelledError)):
            self._is_lost = True
            return _lost(self._address)
        said = f"a task cannot be done there ({type(problem).__name__})"
        return ClusterProblem(self._address, said, _same())

    def _tell_workers(self) -> None:
        self._told = asyncio.run_coroutine_threadsafe(self._stop_workers(), self._loop.asyncio_loop)

    async def _stop_workers(self) -> None:
        told = {}
        with suppress(OSError):
            told = await self._client.run(_stop_here, self.run, on_error="ignore")
        if not told:
            # Nobody is there to answer: the tasks would wait for ever.
            await self._client.cancel(list(self._given))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop this run, and with `wait` see to it that the workers know; they stay."""
        del cancel_futures
        self.stop.set()
        if wait and self._told is not None:
            wait_for([self._told], STOP_SECONDS)


class _Told(threading.Event):
    """An event that passes on that it was set."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell

    def set(self) -> None:
        was_set = self.is_set()
        super().set()
        if not was_set:
            self._tell()


def _same(version: str = __version__) -> str:
    return f"every worker needs fleet {version}, as the command runs"


def _lost(address: str) -> ClusterProblem:
    return ClusterProblem(
        address,
        "the connection to its scheduler is lost",
        "what is saved stays; once it is back, the same command goes on",
    )


@contextmanager
def cluster(
    address: str,
    *,
    say: Callable[[str], None] = lambda _: None,
    connect_seconds: float = CONNECT_SECONDS,
    workers_seconds: float = WORKERS_SECONDS,
) -> Iterator[Cluster]:
    """Connect to the scheduler at tcp://HOST:PORT or tls://HOST:PORT.

    A cluster without workers is waited for, and `say` is told. At the end its stop is set. Raises
    ClusterProblem: no such address, nobody there, no worker, a worker without this very version of
    fleet, Dask not installed.
    """
    _check(address)
    try:
        from distributed import Client  # noqa: PLC0415  # slow, and an extra
    except ModuleNotFoundError as error:
        advice = "run `pip install 'fleet[cluster]'`, here and for every worker"
        raise ClusterProblem(address, "Dask is not installed", advice) from error
    # It would tell of what is raised here, with a traceback.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=connect_seconds, name="fleet", set_as_default=False)
    except (OSError, ValueError) as error:
        advice = "start one with `dask scheduler`, and check the address, firewalls and TLS"
        problem = f"no scheduler answers ({type(error).__name__})"
        raise ClusterProblem(address, problem, advice) from error
    try:
        _wait_for_workers(client, address, say, workers_seconds)
        _check_versions(client)
        executor = Cluster(client, address)
        try:
            yield executor
        finally:
            executor.shutdown()
    finally:
        client.close(STOP_SECONDS)


def here() -> str:
    """The address of this worker; asked inside of a task."""
    from distributed import get_worker  # noqa: PLC0415  # slow, and an extra

    return str(get_worker().address)


def threads_here() -> int:
    """How many tasks run at once in this process; asked inside of a task."""
    from distributed import get_worker  # noqa: PLC0415  # slow, and an extra

    return int(get_worker().state.nthreads)


def stop_of(run: str) -> threading.Event:
    """Set in this process once the run of a `Cluster` was stopped."""
    return once(("stop", run), threading.Event)


def is_wanted() -> bool:
    """Whether somebody waits for what this thread does; True outside of a task.

    A task that has begun can't be called back. When its client dies, Dask marks it here at once.
    """
    from distributed import get_worker  # noqa: PLC0415  # slow, and an extra

    try:
        worker = get_worker()
        task = worker.state.tasks.get(worker.get_current_task())
    except (ValueError, KeyError):
        return True
    return task is not None and task.state != "cancelled"


def once(key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, made once in this process however many threads ask for it.

    The last few that were asked for are kept. A `make` that raises is asked again next time.
    """
    with _lock:
        slot = _kept.setdefault(key, _Slot())
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    # A lock each: what takes long to make holds up nobody who wants something else.
    with slot.lock:
        if not slot.made:
            slot.made = [make()]
        value: T = slot.made[0]
        return value


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    made: list[Any] = field(default_factory=list)


_lock = threading.Lock()
_kept: OrderedDict[Hashable, _Slot] = OrderedDict()


class _Call:
    """A task as it travels: to unpickle it is to do it."""

    def __init__(self, run: str, task: bytes) -> None:
        self._parts = __version__, run, task

    def __reduce__(self) -> tuple[Callable[..., BytesIO], tuple[str, str, bytes]]:
        return _do, self._parts


def _do(version: str, run: str, task: bytes) -> BytesIO:
    """On a worker: one task, and what came of it, so that for Dask no task ever fails.

    Dask would log and keep what a failure says.
    """
    try:
        outcome: _Outcome = None, _done(version, run, task)
    except NoCredentials as error:
        outcome = NoCredentials(f"of worker {here()}: {error.problem}"), None
    except FleetError as error:
        outcome = error, None
    except Exception as error:  # noqa: BLE001  # it is raised where it was asked for
        error.add_note(f"on worker {here()}:\n{''.join(traceback.format_exception(error))}")
        outcome = error, None
    return BytesIO(_pickled(outcome))


def _done(version: str, run: str, task: bytes) -> object:
    if version != __version__:
        raise _other_version(here(), __version__, version)
    if stop_of(run).is_set():
        raise Interrupted
    fn, args, kwargs = pickle.loads(task)  # noqa: S301  # from whom Dask runs anything for
    return fn(*args, **kwargs)


def _pickled(outcome: _Outcome) -> bytes:
    error, value = outcome
    if error is not None:
        # Dask has tracebacks and causes pickled too, and what a library raised may not bear that.
        error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        content = pickle.dumps(outcome)
        if error is not None:
            # Many exceptions pickle and don't come back.
            pickle.loads(content)  # noqa: S301  # made right here
    except Exception:  # noqa: BLE001  # whatever somebody's __reduce__ raises
        return pickle.dumps((Untold(type(value if error is None else error).__name__), None))
    return content


def _version() -> str:
    return __version__


def _stop_here(run: str) -> None:
    stop_of(run).set()


def _other_version(address: str, theirs: str, ours: str) -> ClusterProblem:
    return ClusterProblem(address, f"fleet {theirs} runs there", _same(ours))


def _check(address: str) -> None:
    try:
        parts = urlsplit(address)
        fits = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port
    except ValueError:
        fits = False
    if not fits or parts.username or parts.path or parts.query:
        raise ClusterProblem(
            repr(address), "that is no address", "write tcp://HOST:PORT or tls://HOST:PORT"
        )


def _wait_for_workers(
    client: Client, address: str, say: Callable[[str], None], seconds: float
) -> None:
    if client.nthreads():
        return
    say(f"the cluster has no workers yet; waiting up to {seconds:.0f} seconds for one")
    try:
        client.wait_for_workers(1, seconds)
    except TimeoutError as error:
        advice = f"start some with `dask worker {address} --nthreads 8`"
        raise ClusterProblem(address, "it has no workers", advice) from error


def _check_versions(client: Client) -> None:
    # The scheduler only passes on what it does not look into.
    answers = client.run(_version, on_error="return")
    for where, answer in answers.items():
        if isinstance(answer, str) and answer != __version__:
            raise _other_version(where, answer, __version__)
        # A worker that ended just now answers nothing; one that joins later is told by its tasks.
        if isinstance(answer, Exception) and not isinstance(answer, OSError):
            raise ClusterProblem(where, "fleet is not installed there, or not whole", _same())
