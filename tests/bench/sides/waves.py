"""What running a plan costs beside AWS's calls, and what those calls cost."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from fleet.aws.session import Aws
from fleet.fan_out import Crew
from fleet.leasing import Leases
from fleet.migration.equipping import Order, equipped
from fleet.migration.facts import Asked
from fleet.migration.ground import Ground
from fleet.migration.moving import move
from fleet.migration.plan import Outcome
from fleet.migration.preparing import prepare
from fleet.model import FunctionRef
from fleet.permissions import MOVE, PLAN
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store
from fleet.wave import MemberState, Phase
from fleet.waves.run import Coordinator, Desk
from fleet.waves.telling import Event
from fleet.waves.worker import Task, Worker
from tests.bench.sides.fleet import UNPACED
from tests.bench.worker import Block
from tests.soak.organization import Small
from tests.soak.organization import plan as plan_of

_THREADS = 8


class _AtOnce(Worker):
    """Does all that a worker does for a function, but moving it."""

    def _outcome(
        self, task: Task, ground: Ground, state: MemberState, share: float | None
    ) -> Outcome:
        del task, ground, share
        return Outcome(state.ref, Result.MIGRATED)


class _Quiet:
    """Progress for nobody: see fleet.waves.run.Progress."""

    def planned(self, functions: int, doing: str) -> None:
        """Say nothing."""

    def function_done(self, ref: FunctionRef, result: Result) -> None:
        """Say nothing."""


def machinery(small: Small, left: int) -> Block:
    """CPU milliseconds a function of a tick with so many left to do, on SQLite and threads."""
    plan = plan_of("bench", small.refs, parallelism=_THREADS)
    before = datetime(2026, 1, 1, tzinfo=UTC)
    ended = [
        MemberState(
            wave=plan.waves[0].name,
            ref=ref,
            phase=Phase.ENDED,
            attempts=1,
            result=Result.MIGRATED,
            began=before,
            since=before,
        )
        for ref in small.refs[left:]
    ]

    def block() -> float:
        stop = threading.Event()
        with (
            tempfile.TemporaryDirectory() as directory,
            Store.open(str(Path(directory) / "state.db")) as store,
            ThreadPoolExecutor(_THREADS) as executor,
            _equipped(store) as ground,
            Leases.of(store, "run") as leases,
        ):
            store.put_members(plan.name, ended)
            desk = Desk(
                store=store,
                leases=leases,
                crew=Crew(executor, _THREADS, stop, SimpleQueue()),
                capacity=lambda: _THREADS,
                perform=_AtOnce(ground, leases, "run", leases.clock).do,
                clock=leases.clock,
                tell=_untold,
                progress=_Quiet(),
            )
            began = time.process_time()
            found = Coordinator(plan, desk).tick()
            taken = time.process_time() - began
            states = store.members(plan.name)
        if found.due or any(each.result is not Result.MIGRATED for each in states):
            raise RuntimeError("not everything was done")
        return taken * 1000 / left

    return block


def calls(small: Small, functions: int) -> Block:
    """CPU milliseconds of a migration's calls, from the parameters to the parsed answers."""
    spent = _timed_calls()
    moved = _moved(small)

    def block() -> float:
        began = spent()
        for outcome in islice(moved, functions):
            if outcome.result is not Result.MIGRATED:
                raise RuntimeError(outcome.reason)
        return (spent() - began) * 1000 / functions

    block()
    return block


def _moved(small: Small) -> Iterator[Outcome]:
    with (
        tempfile.TemporaryDirectory() as directory,
        Store.open(str(Path(directory) / "state.db")) as store,
        _equipped(store) as ground,
    ):
        for ref in small.refs:
            yield move(ground, prepare(ground, ref))


def _timed_calls() -> Callable[[], float]:
    """Have the CPU of every call added up; asked for the sum in seconds."""
    total = 0.0
    asked = Aws._asked

    def timed(*arguments: Any) -> Any:  # noqa: ANN401  # whatever it takes and gives
        nonlocal total
        began = time.thread_time()
        try:
            return asked(*arguments)
        finally:
            total += time.thread_time() - began

    # All calls go through it, and end in it.
    setattr(Aws, "_asked", timed)  # noqa: B010 - mypy allows it in no other way
    return lambda: total


def _equipped(store: Store) -> AbstractContextManager[Ground]:
    settings = Settings().model_copy(update={"calls_per_second": UNPACED})
    return equipped(
        settings,
        store,
        (*PLAN, *MOVE),
        Order(Asked()),
        environ=os.environ,
        run="run",
        leave_off=threading.Event(),
        say=_unsaid,
    )


def _untold(event: Event) -> None:
    del event


def _unsaid(line: str) -> None:
    del line
