"""The outside of a migration: threads, clocks, progress and Ctrl-C, handed to the verbs."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from queue import SimpleQueue

import typer

from fleet.aws.clients import Clients
from fleet.aws.packages import Downloads
from fleet.aws.session import Aws
from fleet.cli.progress import MoveProgress, showing_move
from fleet.cli.stopping import stopped_politely
from fleet.errors import FleetError
from fleet.fan_out import Crew, Inbox
from fleet.lifecycle import Phase, load_lifecycle
from fleet.migration.acting import Journal
from fleet.migration.facts import Asked
from fleet.migration.ground import Ground, Try
from fleet.migration.many import act_on_all, prepare_all
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.prepared import Prepared
from fleet.migration.proving import TestEvents
from fleet.migration.travelling import Patience
from fleet.model import GO1X, FunctionRef
from fleet.permissions import Permission
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store


@dataclass(frozen=True, slots=True)
class Order:
    """What a command was asked for, besides which functions."""

    asked: Asked
    bucket: str | None = None
    events: TestEvents | None = None
    trial: bool = False


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
    crew: Crew
    quiet: bool

    def look(
        self, refs: Sequence[FunctionRef], prepare: Callable[[Ground, FunctionRef], Prepared]
    ) -> list[Prepared]:
        """Look at every function; raises KeyboardInterrupt and NoCredentials."""
        ground = self.ground
        with self._progress() as progress:
            return prepare_all(refs, lambda ref: prepare(ground, ref), self.crew, progress)

    def act(
        self,
        prepared: Sequence[Prepared],
        act: Callable[[Ground, Prepared], Outcome],
        wanted: Result,
        max_failures: int | None,
    ) -> tuple[list[Outcome], BaseException | None]:
        """Act on every function; see fleet.migration.many.act_on_all."""
        ground = self.ground
        with self._progress() as progress:
            return act_on_all(
                prepared,
                lambda one: act(ground, one),
                self.crew,
                progress,
                wanted=wanted,
                max_failures=max_failures,
            )

    @contextmanager
    def _progress(self) -> Iterator[MoveProgress]:
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
    clients = Clients(os.environ, profile=settings.profile, parallelism=settings.parallelism)
    inbox: Inbox = SimpleQueue()
    aws = Aws(
        clients,
        permissions,
        role_name=settings.role_name,
        external_id=settings.external_id,
        calls_per_second=settings.calls_per_second,
    )
    with (
        closing(Downloads(clients, at_once=settings.parallelism, stop=leave_off)) as downloads,
        ThreadPoolExecutor(settings.parallelism, thread_name_prefix="fleet") as executor,
    ):
        ground = Ground(
            aws=aws,
            downloads=downloads,
            store=store,
            journal=Journal(store, run_id(), aws.caller.arn, now),
            patience=Patience(time.sleep, time.monotonic, leave_off),
            asked=order.asked,
            key=store.hash_key(),
            blocklist=frozenset((*settings.blocklist, *settings.exclude_accounts)),
            owners=settings.owners,
            bucket=order.bucket,
            events=order.events or TestEvents(),
            attempt=_trial() if order.trial else None,
        )
        yield Session(ground, Crew(executor, settings.parallelism, leave_off, inbox), quiet)


def run_id() -> str:
    """An id that sorts by start, as a scan's."""
    return f"{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


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


def _trial() -> Try:
    from fleet.toolchain.emulator import Emulator, emulator
    from fleet.toolchain.trial import try_package
    from fleet.toolchain.verdict import TrialOutcome

    lock = threading.Lock()
    found: list[Emulator] = []
    tried: dict[tuple[bytes, str, str], tuple[str, str]] = {}

    def attempt(package: Path, handler: str, architecture: str) -> tuple[str, str]:
        with package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        # One at a time: each starts programs, and is over in a second or two.
        with lock:
            if (digest, handler, architecture) in tried:
                return tried[digest, handler, architecture]
            try:
                if not found:
                    found.append(emulator(progress=lambda line: typer.echo(line, err=True)))
                trial = try_package(
                    package, handler=handler, architecture=architecture, emulator=found[0]
                )
                answer = trial.outcome.value, trial.reason
            except FleetError as error:
                answer = TrialOutcome.INCONCLUSIVE.value, str(error)
            # The same package is often the code of many functions.
            tried[digest, handler, architecture] = answer
        return answer

    return attempt
