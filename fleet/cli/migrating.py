"""The outside of a migration: threads, clocks, progress and Ctrl-C, handed to the verbs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from queue import SimpleQueue

import typer

from fleet.cli.progress import MoveProgress, showing_move
from fleet.cli.stopping import stopped_politely
from fleet.fan_out import Crew, Inbox
from fleet.leasing import Leases
from fleet.lifecycle import Phase, load_lifecycle
from fleet.migration.alone import alone
from fleet.migration.equipping import Order, equipped, run_id
from fleet.migration.ground import Ground
from fleet.migration.many import act_on_all, prepare_all
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.prepared import Prepared
from fleet.model import GO1X, FunctionRef
from fleet.permissions import Permission
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store


def updates_blocked(settings: Settings, on: date) -> bool:
    """Whether AWS refuses updates of go1.x on a day, by its dates."""
    dates = load_lifecycle(settings.lifecycle).runtime(GO1X)
    return dates.phase(on) >= Phase.UPDATE_BLOCKED


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Session:
    """A command at work: look at functions first, then act on them."""

    ground: Ground
    leases: Leases
    crew: Crew
    quiet: bool

    def look(
        self, refs: Sequence[FunctionRef], prepare: Callable[[Ground, FunctionRef], Prepared]
    ) -> list[Prepared]:
        """Look at every function; raises KeyboardInterrupt and NoCredentials."""
        ground = self.ground
        with self.progress() as progress:
            return prepare_all(refs, lambda ref: prepare(ground, ref), self.crew, progress)

    def act(
        self,
        prepared: Sequence[Prepared],
        act: Callable[[Ground, Prepared], Outcome],
        wanted: Result,
        max_failures: int | None,
    ) -> tuple[list[Outcome], BaseException | None]:
        """Act on every function that nobody else is at; see fleet.migration.many.act_on_all."""
        with self.progress() as progress:
            return act_on_all(
                prepared,
                lambda one: alone(self.leases, self.ground, one, act),
                self.crew,
                progress,
                wanted=wanted,
                max_failures=max_failures,
            )

    @contextmanager
    def progress(self) -> Iterator[MoveProgress]:
        """What is shown to whoever waits, until the block ends; Ctrl-C is met politely."""
        stopping = "stopping; functions under way come to where they work"
        with (
            showing_move(quiet=self.quiet) as progress,
            stopped_politely(self.crew.inbox, stopping),
        ):
            yield progress


@contextmanager
def at_work(
    settings: Settings,
    store: Store,
    permissions: Sequence[Permission],
    order: Order,
    *,
    quiet: bool,
) -> Iterator[Session]:
    """Everything a command needs until the block ends; it can call what `permissions` name."""
    leave_off = threading.Event()
    inbox: Inbox = SimpleQueue()
    run = run_id()
    with (
        Leases.of(store, run) as leases,
        equipped(
            settings,
            store,
            permissions,
            order,
            environ=os.environ,
            run=run,
            leave_off=leave_off,
            say=lambda line: None if quiet else typer.echo(line, err=True),
        ) as ground,
        ThreadPoolExecutor(settings.parallelism, thread_name_prefix="fleet") as executor,
    ):
        crew = Crew(executor, settings.parallelism, leave_off, inbox)
        yield Session(ground, leases, crew, quiet)


def counted_owners(plans: Sequence[FunctionPlan]) -> str:
    """What to know before a confirmation: how many, where, and how many without a known owner."""
    from fleet.model import OwnerKind

    accounts = len({plan.ref.account for plan in plans})
    unowned = sum(
        plan.owner.kind is OwnerKind.UNKNOWN and plan.assessment is not None for plan in plans
    )
    said = f"functions that will be changed: {len(plans):,}, accounts: {accounts:,}"
    if unowned:
        said += f"; {unowned:,} have no known owner, and a later deploy may undo the move"
    return said + "."
