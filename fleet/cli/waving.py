"""The outside of waves: threads or a cluster, clocks, notices, progress and Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory

import typer

from fleet import __version__
from fleet.aws.clients import Clients
from fleet.aws.session import Aws
from fleet.cli.migrating import today, updates_blocked
from fleet.cli.plan_check import check_organization
from fleet.cli.progress import MoveProgress, showing_move
from fleet.cli.status import Status
from fleet.cli.stopping import stopped_politely
from fleet.cli.workers import Workers, at_hand
from fleet.errors import BadSelection
from fleet.fan_out import Crew, Inbox
from fleet.leasing import Leases
from fleet.migration.equipping import Order, equipped, run_id
from fleet.migration.facts import Asked
from fleet.migration.ground import Ground
from fleet.migration.many import AT_ONCE, prepare_all
from fleet.migration.prepared import Prepared
from fleet.migration.returning import prepare_back
from fleet.model import FunctionRef
from fleet.notify import Notify
from fleet.permissions import (
    ARTIFACT,
    BUCKET,
    BUCKET_UNRECORDED,
    CANARY,
    ENTERING,
    MOVE,
    NOTIFY,
    ORGANIZATION,
    PLAN,
    UNRECORDED,
    Permission,
)
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store
from fleet.wave import MemberState, SavedPlan
from fleet.waves.aftermath import MOVED
from fleet.waves.budget import is_failure
from fleet.waves.destinations import destinations
from fleet.waves.due import Agenda, Due, Record
from fleet.waves.plan import Arm64, Plan
from fleet.waves.planfile import PlanFile
from fleet.waves.remote import Gear, Job
from fleet.waves.remote import perform as perform_there
from fleet.waves.run import Coordinator, Desk
from fleet.waves.teller import Destination, Teller
from fleet.waves.telling import Event
from fleet.waves.worker import Task, Worker, asked_by, back_of, prepared_for

_STOPPING = "stopping; functions under way come to where they work"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a plan is to be run, beside what it says itself."""

    apply: bool
    cluster: str | None = None
    trial: bool = True
    quiet: bool = False


def permissions_of(plan: Plan, *, apply: bool) -> tuple[Permission, ...]:
    """What its run may call."""
    wanted = [*PLAN, *UNRECORDED, *ORGANIZATION, *CANARY]
    if apply:
        wanted += MOVE
    if apply and plan.bucket is not None:
        wanted += (*BUCKET, *BUCKET_UNRECORDED)
    brought = [wave.arm64.artifact for wave in plan.waves if isinstance(wave.arm64, Arm64)]
    if any(artifact.startswith("s3://") for artifact in brought):
        wanted += ARTIFACT
    return tuple(dict.fromkeys(wanted))


@dataclass(frozen=True, slots=True)
class Running:
    """A plan at hand, to be run as often as wanted until the block ends."""

    read: PlanFile
    store: Store
    ground: Ground
    leases: Leases
    workers: Workers
    inbox: Inbox
    tell: Callable[[Event], None]
    perform: Callable[[Task], MemberState]
    quiet: bool
    results: list[MemberState]
    """Of every function that was dealt with, in the order in which that ended."""
    left: dict[FunctionRef, str]
    """Functions that were due and are left as they are, and why."""

    def tick(
        self,
        *,
        only: str | None = None,
        begin: Collection[str] | None = None,
        rollback_on_stop: bool = False,
    ) -> Agenda:
        """See Coordinator.tick; with the plan in hand it is kept with its run."""
        with self._coordinator() as coordinator:
            return coordinator.tick(
                only=only, begin=begin, rollback_on_stop=rollback_on_stop, first=self._save
            )

    def bring_back(self, wave: str, why: str) -> None:
        """See Coordinator.bring_back."""
        with self._coordinator() as coordinator:
            coordinator.bring_back([wave], why)

    def foreseen(self, due: Sequence[Due]) -> list[Prepared]:
        """What would be done with functions that are to be moved; raises as a look does."""
        tasks = {each.state.ref: each for each in due}

        def look(ref: FunctionRef) -> Prepared:
            each = tasks[ref]
            ground = replace(self.ground, asked=asked_by(each.wave, self.ground.asked))
            with TemporaryDirectory(prefix="fleet-") as room:
                return prepared_for(ground, each.wave, each.member, each.state.stage, Path(room))

        return self._looked(tasks, look)

    def foreseen_back(self, wave: str) -> list[Prepared]:
        """What would be done to bring a wave back; raises as a look does."""
        with self._coordinator() as coordinator:
            states = {state.ref: state for state in coordinator.to_bring_back([wave])}
        return self._looked(
            states, lambda ref: prepare_back(self.ground, ref, back_of(states[ref]))
        )

    def _looked(
        self, refs: Iterable[FunctionRef], look: Callable[[FunctionRef], Prepared]
    ) -> list[Prepared]:
        with ThreadPoolExecutor(AT_ONCE) as threads, self._shown() as progress:
            crew = Crew(threads, AT_ONCE, self.ground.patience.leave_off, self.inbox)
            return prepare_all(refs, look, crew, progress)

    def pause(self, seconds: float) -> None:
        """Wait so long; raises KeyboardInterrupt where Ctrl-C asks to stop."""
        with stopped_politely(self.inbox, "stopping"), suppress(Empty):
            if self.inbox.get(timeout=seconds) is None:
                raise KeyboardInterrupt

    def record(self) -> Record:
        """What is remembered of the plan, and ordered."""
        states = {state.ref: state for state in self.store.members(self.read.plan.name)}
        return Record(states, tuple(self.store.orders()))

    def _save(self) -> None:
        """Keep the plan with its run: status and orders then need nothing but the state."""
        plan = self.read.plan
        saved = {each.name: each.digest for each in self.store.plans()}
        if saved.get(plan.name) == self.read.digest:
            return
        self.store.save_plan(
            SavedPlan(
                name=plan.name,
                organization=plan.organization,
                digest=self.read.digest,
                text=self.read.text,
                fleet=__version__,
                saved=self.leases.clock(),
            )
        )

    @contextmanager
    def _coordinator(self) -> Iterator[Coordinator]:
        workers = self.workers
        crew = Crew(workers.executor, workers.parallelism, workers.stop, self.inbox)
        with self._shown() as progress:
            desk = Desk(
                store=self.store,
                leases=self.leases,
                crew=crew,
                perform=self.perform,
                clock=self.leases.clock,
                tell=self.tell,
                progress=progress,
                settled=self.results.append,
                left=self.left.__setitem__,
                capacity=lambda: workers.parallelism,
            )
            yield Coordinator(self.read.plan, desk)

    @contextmanager
    def _shown(self) -> Iterator[MoveProgress]:
        with showing_move(quiet=self.quiet) as progress, stopped_politely(self.inbox, _STOPPING):
            yield progress


@contextmanager
def running(settings: Settings, store: Store, read: PlanFile, manner: Manner) -> Iterator[Running]:
    """Everything a plan's run needs until the block ends.

    Raises SettingsProblem for a plan of another organization, BadSelection for a cluster without
    a state that it can share, NoCredentials, CallFailed, FileProblem and ClusterProblem.
    """
    plan = read.plan
    if manner.cluster is not None and store.is_local:
        advice = "needs a state that every worker reaches: name a PostgreSQL URL with --state"
        raise BadSelection("--cluster", manner.cluster, advice)
    order = Order(
        Asked(
            target=plan.target,
            bucket=plan.bucket is not None,
            updates_blocked=updates_blocked(settings, today()),
        ),
        bucket=plan.bucket,
        trial=manner.trial,
        rebuild=bool(plan.rebuilding()),
    )
    permissions = permissions_of(plan, apply=manner.apply)
    run = run_id()
    inbox: Inbox = SimpleQueue()
    with (
        at_hand(settings.parallelism, manner.cluster) as workers,
        equipped(
            settings,
            store,
            permissions,
            order,
            environ=os.environ,
            run=run,
            leave_off=workers.stop,
            say=lambda line: typer.echo(line, err=True),
        ) as ground,
        Leases.of(store, run) as leases,
        Teller(sys.stderr, _destinations(settings)) as teller,
    ):
        check_organization(read, ground.aws)
        perform: Callable[[Task], MemberState]
        if workers.run is None:
            perform = Worker(ground, leases, run, leases.clock).do
        else:
            gear = Gear(
                caller=ground.aws.caller.account,
                # Neither is of use there, and a webhook's address is a secret.
                settings=settings.model_copy(update={"profile": None, "notify": Notify()}),
                permissions=permissions,
                order=order,
                sharing=max(wave.per_account_region for wave in plan.waves),
            )
            perform = partial(perform_there, Job(workers.run, run, gear))
        yield Running(
            read=read,
            store=store,
            ground=ground,
            leases=leases,
            workers=workers,
            inbox=inbox,
            tell=teller.tell,
            perform=perform,
            quiet=manner.quiet,
            results=[],
            left={},
        )


def _destinations(settings: Settings) -> Sequence[Destination]:
    def own() -> Aws:
        clients = Clients(os.environ, profile=settings.profile, parallelism=1)
        return Aws(clients, (*ENTERING, *NOTIFY), role_name=settings.role_name)

    return destinations(settings.notify, own)


def status_of_results(results: Sequence[MemberState], wanted: Collection[Result] = MOVED) -> Status:
    """The exit status that a run deserves by what it did: what each function came to last."""
    last = {state.ref: state for state in results}.values()
    if any(is_failure(state) and state.result not in wanted for state in last):
        return Status.ERROR
    if any(state.result in {Result.BLOCKED, Result.STALE} for state in last):
        return Status.FINDINGS
    return Status.DONE
