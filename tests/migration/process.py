"""A process that migrates or rolls back a function for each line it is sent.

It imports once, and forks for each task that is to be killed, so that this costs no start-up. It
has no threads, and at a fork no connections, which that would tear apart.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count

import botocore.session
from botocore.loaders import create_loader

from fleet.aws.clients import Clients
from fleet.aws.packages import Downloads
from fleet.aws.session import Aws
from fleet.deployment import Route
from fleet.ledger import Verb
from fleet.migration.acting import Journal
from fleet.migration.facts import Asked, AskedRoute
from fleet.migration.ground import Ground
from fleet.migration.moving import move
from fleet.migration.plan import Outcome
from fleet.migration.preparing import prepare
from fleet.migration.returning import bring_back, prepare_back
from fleet.migration.travelling import Patience
from fleet.model import FunctionRef
from fleet.permissions import MOVE, PLAN
from fleet.store import Store

ROLE = "OrganizationAccountAccessRole"
_ROUTES: dict[str, AskedRoute] = {
    "bridge": Route.BRIDGE,
    "dual": Route.DUAL,
    "direct": Route.DIRECT,
}


@dataclass(frozen=True)
class Task:
    """What to do, with which state."""

    verb: str
    account: str
    region: str
    name: str
    state: str
    """Path of an SQLite file."""
    run: str
    now: float
    """The emulator's time in seconds: its sessions end by that."""
    route: str
    doomed: bool = False
    """Whether it will be killed."""


def main() -> None:
    # Reading botocore's models costs more than a migration.
    botocore.session.create_loader = cache(create_loader)
    clients = Clients(os.environ, parallelism=1)
    for line in sys.stdin:
        task = Task(**json.loads(line))
        if task.doomed:
            child = os.fork()
            if child == 0:
                _be_killed(clients, task)
            _, status = os.waitpid(child, 0)
            _say(status=os.waitstatus_to_exitcode(status))
        else:
            outcome = _done(clients, task)
            _say(result=outcome.result, reason=outcome.reason, notes=outcome.notes)


def _be_killed(clients: Clients, task: Task) -> None:
    try:
        _say(pid=os.getpid())
        _done(clients, task)
    except BaseException:  # noqa: BLE001 - it must not go on as another of its parent
        traceback.print_exc()
    finally:
        os._exit(1)


def _done(clients: Clients, task: Task) -> Outcome:
    downloads = Downloads(clients, at_once=1, stop=threading.Event(), first_wait=0.001)
    with closing(Store.open(task.state)) as store, closing(downloads), _unconnected(clients):
        ground = _ground(clients, downloads, store, task)
        ref = FunctionRef("aws", task.account, task.region, task.name)
        if task.verb == Verb.MIGRATE:
            return move(ground, prepare(ground, ref))
        return bring_back(ground, prepare_back(ground, ref))


@contextmanager
def _unconnected(clients: Clients) -> Iterator[None]:
    """Leave no connection behind that the next fork would share."""
    try:
        yield
    finally:
        for client in clients._clients.values():
            client.close()


def _ground(clients: Clients, downloads: Downloads, store: Store, task: Task) -> Ground:
    def now() -> datetime:
        return datetime.fromtimestamp(task.now, UTC)

    aws = Aws(
        clients,
        (*PLAN, *MOVE),
        role_name=ROLE,
        calls_per_second=1000,
        first_wait=0.001,
        clock=now,
    )
    ticks = count()
    return Ground(
        aws=aws,
        downloads=downloads,
        store=store,
        journal=Journal(store, task.run, aws.caller.arn, now),
        # The emulator's time passes with each look at it, and so does this one's.
        patience=Patience(lambda _: None, lambda: float(next(ticks)), threading.Event()),
        asked=Asked(route=_ROUTES[task.route]),
        key=store.hash_key(),
    )


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - how the test follows it


if __name__ == "__main__":
    main()
