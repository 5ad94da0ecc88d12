"""fleet, as `fleet scan` puts it together, but for the pace."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from fleet.aws.clients import Clients
from fleet.aws.functions import list_functions
from fleet.aws.session import Aws
from fleet.model import GO1X, Coverage, CoverageStatus, ScanOptions
from fleet.permissions import SCAN
from fleet.scan import Crew, Look, begin, look_at, run
from fleet.scan.lane import look_at_lane
from fleet.store import Store
from tests.bench.canned import Organization
from tests.bench.worker import Block, cpu_of

UNPACED = 1e9
"""Calls a second that never make anybody wait: the waiting would be measured, not the work."""
REGION = "us-east-1"


def pages(number: int) -> Block:
    """CPU milliseconds a page of one lane's list, through all that is between lane and wire."""
    aws = _aws(parallelism=1)

    def read() -> None:
        lane = aws.lane(aws.caller.account, REGION)
        list_functions(aws, lane, (GO1X,), latest_only=False)

    return cpu_of(read, number)


def lanes(organization: Organization) -> Block:
    """CPU milliseconds an account and region, one after the other, clients made anew."""
    look = _look(ScanOptions(organization=True))

    def look_at_all() -> None:
        aws = _aws(parallelism=1)
        for account, region in organization.lanes:
            coverage = look_at_lane(aws, account, region, look).coverage
            if coverage.status is not CoverageStatus.OK:
                raise RuntimeError(coverage.reason)

    return cpu_of(look_at_all, len(organization.lanes))


def scan(threads: int) -> Block:
    """Seconds from the accounts known to the last lane saved."""

    def block() -> float:
        stop = threading.Event()
        aws = _aws(parallelism=threads, stop=stop)
        with (
            tempfile.TemporaryDirectory() as directory,
            Store.open(str(Path(directory) / "state.db")) as store,
            ThreadPoolExecutor(threads) as executor,
        ):
            header = begin(aws, store, ScanOptions(organization=True), _now())
            began = time.perf_counter()
            run(
                store,
                header,
                partial(look_at, aws, _look(header.options)),
                crew=Crew(executor, threads, stop, SimpleQueue()),
                progress=_Quiet(),
                clock=_now,
            )
            taken = time.perf_counter() - began
            totals = store.totals(header.id)
        if not totals.complete:
            raise RuntimeError(f"not everything was seen: {totals}")
        return taken

    return block


def _aws(*, parallelism: int, stop: threading.Event | None = None) -> Aws:
    return Aws(
        Clients(os.environ, parallelism=parallelism),
        SCAN,
        role_name="OrganizationAccountAccessRole",
        calls_per_second=UNPACED,
        stop=stop,
    )


def _look(options: ScanOptions) -> Look:
    return Look(options, (), _now())


def _now() -> datetime:
    return datetime.now(UTC)


class _Quiet:
    """Progress for nobody: see fleet.scan.Progress."""

    def planned(self, accounts: int, lanes: int) -> None:
        """Say nothing."""

    def account_done(self, lanes: int) -> None:
        """Say nothing."""

    def lane_done(self, coverage: Coverage, findings: int) -> None:
        """Say nothing."""

    def packages_planned(self, packages: int) -> None:
        """Say nothing."""

    def package_done(self, *, read: bool) -> None:
        """Say nothing."""
