"""Waves on the workers of a cluster: each is equipped once, and does one function after another.

A worker may serve coordinators for weeks: what costs connections or threads is kept over all their
runs, what belongs to a run goes with it.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from fleet.aws.failures import Interrupted, NoCredentials
from fleet.cluster import ClusterProblem, here, is_wanted, once, stop_of, threads_here
from fleet.errors import FleetError
from fleet.leasing import Leases
from fleet.migration.equipping import Order, equipped
from fleet.migration.ground import Ground
from fleet.permissions import Permission
from fleet.settings import Settings
from fleet.store import Store
from fleet.wave import MemberState
from fleet.waves.worker import Task, Worker

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gear:
    """What a worker has to be equipped for; the same for every run of the same plan.

    No credentials and no profile: a worker signs with what its own environment gives.
    """

    caller: str
    """The account whose credentials the run was begun with."""
    settings: Settings = field(repr=False)
    """With the state's URL, which may hold a password."""
    permissions: tuple[Permission, ...]
    order: Order
    sharing: int
    """The most functions that are worked on at once in one account and region."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to know of a run."""

    cluster_run: str
    """The run of the Cluster."""
    run: str
    """Id of the run in the ledger."""
    gear: Gear


def perform(job: Job, task: Task) -> MemberState:
    """Do one task here, on a worker; raises what Worker.do raises, and ClusterProblem."""
    ground = once(job, lambda: _of_run(once(job.gear, lambda: _equipped(job.gear)), job))
    # For each task anew: a heartbeat that outlives its run would keep all of this for ever.
    with Leases.of(ground.store, job.run) as leases:
        return Worker(ground, leases, job.run, leases.clock).do(task)


class _LeavingOff(threading.Event):
    """Set once the run is stopped, or whoever handed out the task of this thread has died.

    Who comes next hands the function out again: until then two would be at its account and region.
    """

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return self._stop.is_set() or not is_wanted()

    def wait(self, timeout: float | None = None) -> bool:
        return self._stop.wait(timeout) or self.is_set()


def _of_run(gear: Ground, job: Job) -> Ground:
    """The same for one run: what was known of accounts and regions may be weeks old."""
    leave_off = _LeavingOff(stop_of(job.cluster_run))
    return replace(
        gear,
        journal=replace(gear.journal, run=job.run),
        patience=replace(gear.patience, leave_off=leave_off),
        _lanes={},
        _lock=threading.Lock(),
    )


def _equipped(gear: Gear) -> Ground:
    # Never closed: it lives as long as this process, or until others have taken its place.
    with ExitStack() as open_ones:
        try:
            store = open_ones.enter_context(Store.open(gear.settings.state, create=False))
            ground = open_ones.enter_context(
                equipped(
                    gear.settings.overridden(parallelism=threads_here()),
                    store,
                    gear.permissions,
                    gear.order,
                    environ=os.environ,
                    run="",
                    # Downloads are short; between them each run looks at its own.
                    leave_off=threading.Event(),
                    say=_log.info,
                    sharing=gear.sharing,
                )
            )
        except (NoCredentials, Interrupted):
            raise
        except FleetError as error:
            advice = "check the environment in which that worker was started"
            raise ClusterProblem(here(), str(error), advice) from error
        if ground.aws.caller.account != gear.caller:
            problem = (
                f"that worker calls AWS as account {ground.aws.caller.account}, this run as "
                f"{gear.caller}"
            )
            raise ClusterProblem(here(), problem, "give both credentials of the same account")
        open_ones.pop_all()
    return ground
