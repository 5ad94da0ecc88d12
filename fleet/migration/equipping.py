"""What a process needs to move functions: clients, downloads, a place for trials."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.aws.clients import Clients
from fleet.aws.packages import Downloads
from fleet.aws.session import Aws
from fleet.migration.acting import Journal
from fleet.migration.facts import Asked
from fleet.migration.ground import Ground
from fleet.migration.proving import TestEvents
from fleet.migration.travelling import Patience
from fleet.migration.trials import trials
from fleet.permissions import Permission
from fleet.prices import load_prices
from fleet.rebuilding.rebuilder import rebuilder
from fleet.settings import Settings
from fleet.store import Store


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, besides which functions."""

    asked: Asked
    bucket: str | None = None
    events: TestEvents | None = None
    trial: bool = False
    rebuild: bool = False
    """Whether packages may be built anew from their source."""


@contextmanager
def equipped(
    settings: Settings,
    store: Store,
    permissions: Sequence[Permission],
    order: Order,
    *,
    environ: Mapping[str, str],
    run: str,
    leave_off: threading.Event,
    say: Callable[[str], None],
    sharing: int | None = None,
) -> Iterator[Ground]:
    """Everything until the block ends; it can call what `permissions` name.

    `sharing` is for one of several processes: see Aws. Raises NoCredentials, CallFailed and
    FileProblem.
    """
    clients = Clients(environ, profile=settings.profile, parallelism=settings.parallelism)
    aws = Aws(
        clients,
        permissions,
        role_name=settings.role_name,
        external_id=settings.external_id,
        calls_per_second=settings.calls_per_second,
        sharing=sharing,
    )
    with closing(Downloads(clients, at_once=settings.parallelism, stop=leave_off)) as downloads:
        yield Ground(
            aws=aws,
            downloads=downloads,
            store=store,
            journal=Journal(store, run, aws.caller.arn, now),
            patience=Patience(time.sleep, time.monotonic, leave_off),
            asked=order.asked,
            key=store.hash_key(),
            blocklist=frozenset((*settings.blocklist, *settings.exclude_accounts)),
            owners=settings.owners,
            bucket=order.bucket,
            events=order.events or TestEvents(),
            attempt=trials(say) if order.trial else None,
            prices=load_prices(settings.prices),
            rebuild=rebuilder(settings.sources, settings.rebuild, say) if order.rebuild else None,
        )


def run_id() -> str:
    """An id that sorts by start, as a scan's."""
    return f"{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)
