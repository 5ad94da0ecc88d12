"""The outside of a scan: threads, clocks, progress and the stop of Ctrl-C, handed to the verb."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue

import typer

from fleet.aws.clients import Clients
from fleet.aws.failures import NoCredentials
from fleet.aws.packages import Downloads
from fleet.aws.session import Aws
from fleet.cli.progress import ScanProgress, showing
from fleet.cli.stopping import stopped_politely
from fleet.cli.workers import Workers, at_hand
from fleet.cluster import ClusterProblem
from fleet.errors import BadSelection
from fleet.model import ScanHeader, ScanOptions
from fleet.permissions import COLD_STARTS, INSPECT, SCAN, Permission
from fleet.scan import Crew, Inbox, Inspector, Look, begin, look_at, resume, run
from fleet.scan.cluster import ScanJob, look_at_there
from fleet.scan.inspecting import AT_ONCE
from fleet.settings import Settings
from fleet.store import Store


def scan_now(
    settings: Settings,
    clients: Clients,
    store: Store,
    asked: ScanOptions,
    earlier: ScanHeader | None,
    *,
    cluster: str | None,
    quiet: bool,
    departed: Callable[[str], None] | None,
) -> ScanHeader:
    """Begin the scan that is asked for, or go on with an earlier one; its header afterwards.

    `departed` is told of excluded accounts that are no longer there; None refuses them.
    `cluster` is the address of a scheduler, or None for threads of this process. Raises what
    fleet.scan and fleet.cluster raise.
    """
    with at_hand(settings.parallelism, cluster) as workers, showing(quiet=quiet) as progress:
        stop = workers.stop
        aws = Aws(
            clients,
            _needed(asked),
            role_name=asked.role_name,
            external_id=settings.external_id,
            calls_per_second=settings.calls_per_second,
            stop=stop,
        )
        if earlier is not None:
            header = resume(aws, store, earlier.id)
        else:
            header = begin(aws, store, asked, _now(), departed=departed)
        try:
            with _inspector(clients, aws, header, stop) as inspector:
                _run(settings, aws, store, header, workers, progress, inspector)
        except (NoCredentials, ClusterProblem):
            said = "fleet: what was found is saved; `fleet scan --resume` goes on from there"
            typer.echo(said, err=True)
            raise
    return store.scan(header.id)


def _needed(asked: ScanOptions) -> tuple[Permission, ...]:
    return (
        *SCAN,
        *(() if asked.inspect is None else INSPECT),
        *(COLD_STARTS if asked.cold_starts else ()),
    )


def tell_departed(account: str) -> None:
    """Say that fleet.yaml excludes an account that has left: no reason not to scan the others."""
    said = "the organization has no such account any more; it can be taken out of exclude_accounts"
    typer.echo(f"fleet: {account}: {said}", err=True)


def scan_to_finish(store: Store, which: str | None) -> ScanHeader:
    """The scan to resume: the one named, else the last that has not seen everything.

    Raises BadSelection where there is none, FileProblem where no scan is saved at all.
    """
    newest = store.scan(which)
    unfinished = [each.id for each in store.history() if not each.complete]
    if newest.options.inspect is not None and store.to_inspect(newest.id):
        unfinished.append(newest.id)
    if which is None and not unfinished:
        raise BadSelection("--resume", None, "every saved scan has seen everything")
    found = newest if which is not None else store.scan(unfinished[-1])
    typer.echo(f"fleet: finishing scan {found.id}", err=True)
    return found


def _run(
    settings: Settings,
    aws: Aws,
    store: Store,
    header: ScanHeader,
    workers: Workers,
    progress: ScanProgress,
    inspector: Inspector | None,
) -> None:
    look = Look(header.options, settings.owners, header.started)
    if workers.run is None:
        do = partial(look_at, aws, look)
    else:
        external_id, pace = settings.external_id, settings.calls_per_second
        job = ScanJob(workers.run, aws.caller.account, look, external_id, pace)
        do = partial(look_at_there, job)
    inbox: Inbox = SimpleQueue()
    crew = Crew(workers.executor, workers.parallelism, workers.stop, inbox)
    # Packages are read here: a cluster's workers send coverage and functions, no facts.
    with (
        ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fleet") as readers,
        stopped_politely(inbox, "stopping; what was found is kept"),
    ):

        def inspect() -> None:
            if inspector is not None:
                inspector.inspect(store, header, replace(crew, executor=readers), progress)

        run(store, header, do, crew=crew, progress=progress, clock=_now, inspect=inspect)


@contextmanager
def _inspector(
    clients: Clients, aws: Aws, header: ScanHeader, stop: threading.Event
) -> Iterator[Inspector | None]:
    depth = header.options.inspect
    if depth is None:
        yield None
        return
    with closing(Downloads(clients, at_once=AT_ONCE, stop=stop)) as downloads:
        yield Inspector(aws, downloads, depth)


def _now() -> datetime:
    return datetime.now(UTC)
