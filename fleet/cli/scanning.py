"""The outside of a scan: threads, clocks, progress and the stop of Ctrl-C, handed to the verb."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import typer

from fleet.aws.clients import Clients
from fleet.aws.failures import CallFailed, NoCredentials
from fleet.aws.organization import enabled_regions
from fleet.aws.session import Aws
from fleet.cli.progress import ScanProgress, showing
from fleet.model import ScanHeader, ScanOptions
from fleet.ownership import owner_of
from fleet.permissions import SCAN
from fleet.scan import Look, begin, resume, run
from fleet.scan.selection import check_regions
from fleet.settings import Settings
from fleet.store import Store


def scan_now(
    settings: Settings,
    clients: Clients,
    store: Store,
    asked: ScanOptions,
    earlier: ScanHeader | None,
    *,
    quiet: bool,
) -> ScanHeader:
    """Begin the scan that is asked for, or go on with an earlier one; its header afterwards.

    Raises what fleet.scan raises.
    """
    stop = threading.Event()
    with showing(quiet=quiet) as progress:
        aws = Aws(
            clients,
            SCAN,
            role_name=asked.role_name,
            external_id=settings.external_id,
            calls_per_second=settings.calls_per_second,
            stop=stop,
        )
        if earlier is not None:
            header = resume(aws, store, earlier.id)
        else:
            _check_regions(aws, clients.regions(), asked)
            header = begin(aws, store, asked, _now())
        try:
            _run(settings, aws, store, header, stop, progress)
        except NoCredentials:
            said = "fleet: what was found is saved; `fleet scan --resume` goes on from there"
            typer.echo(said, err=True)
            raise
    return store.scan(header.id)


def _run(
    settings: Settings,
    aws: Aws,
    store: Store,
    header: ScanHeader,
    stop: threading.Event,
    progress: ScanProgress,
) -> None:
    look = Look(header.options, lambda tags: owner_of(tags, settings.owners), header.started)
    with ThreadPoolExecutor(settings.parallelism, thread_name_prefix="fleet") as executor:
        run(
            aws,
            store,
            header,
            look,
            executor=executor,
            parallelism=settings.parallelism,
            stop=stop,
            progress=progress,
            clock=_now,
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _check_regions(aws: Aws, shipped: tuple[str, ...], asked: ScanOptions) -> None:
    """Refuse regions that nobody knows: neither botocore's list nor the caller's account."""
    if not (asked.regions or asked.excluded_regions):
        return
    try:
        own = enabled_regions(aws, aws.caller.account)
    except CallFailed:
        own = ()
    check_regions(asked, {*shipped, *own})
