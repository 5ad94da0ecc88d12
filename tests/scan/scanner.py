"""Runs real scans over HTTP against an emulator, and gives back what was saved."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.packages import Downloads
from fleet.aws.session import Aws
from fleet.model import (
    FUNCTION_COLUMNS,
    Coverage,
    CoverageStatus,
    ScanHeader,
    ScanOptions,
)
from fleet.permissions import COLD_STARTS, INSPECT, SCAN, Permission
from fleet.scan import Crew, Inbox, Inspector, Look, begin, look_at, resume, run
from fleet.store import Store

Lane = tuple[str, str]
THREADS = 8


Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Watcher:
    """Keeps what Progress was told, and may do something at each lane."""

    accounts: int = 0
    lanes: int = 0
    done: list[Coverage] = field(default_factory=list)
    findings: int = 0
    at_lane: Callable[[Coverage], None] = lambda _: None
    packages: int = 0
    packages_read: int = 0
    at_package: Callable[[], None] = lambda: None

    def planned(self, accounts: int, lanes: int) -> None:
        self.accounts += accounts
        self.lanes += lanes

    def account_done(self, lanes: int) -> None:
        self.lanes += lanes

    def lane_done(self, coverage: Coverage, findings: int) -> None:
        self.done.append(coverage)
        self.findings += findings
        self.at_lane(coverage)

    def packages_planned(self, packages: int) -> None:
        self.packages += packages

    def package_done(self, *, read: bool) -> None:
        self.packages_read += read
        self.at_package()


@dataclass(frozen=True)
class Scan:
    """A saved scan, read back."""

    store: Store
    header: ScanHeader
    progress: Watcher

    @cached_property
    def coverage(self) -> Mapping[Lane, Coverage]:
        return {(each.account, each.region): each for each in self.store.coverage(self.header.id)}

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Function versions by name of column."""
        return [
            dict(zip(FUNCTION_COLUMNS, row, strict=True))
            for row in self.store.function_rows(self.header.id)
        ]

    @property
    def statuses(self) -> Mapping[Lane, CoverageStatus]:
        return {lane: each.status for lane, each in self.coverage.items()}

    @property
    def incomplete(self) -> Mapping[Lane, Coverage]:
        """Coverage rows that hide functions."""
        rows = self.coverage.items()
        return {lane: each for lane, each in rows if not each.status.is_complete}

    def versions(self) -> list[tuple[str, str, str, str]]:
        """Account, region, name and qualifier of every row."""
        return [(row["account"], row["region"], row["name"], row["qualifier"]) for row in self.rows]


class Scanner:
    """Scans with these variables in the environment and one store."""

    def __init__(self, environment: Mapping[str, str], state: Path, clock: Clock) -> None:
        self.environment = dict(environment)
        self.clock = clock
        self.store = Store.open(str(state))

    def act_as(self, environment: Mapping[str, str]) -> None:
        """Use other credentials from now on."""
        self.environment = dict(environment)

    def aws(self, permissions: Iterable[Permission] = SCAN, **changes: Any) -> Aws:  # noqa: ANN401  # whatever Aws takes
        """Clients as the environment says; they hardly wait."""
        fast = {
            "role_name": "OrganizationAccountAccessRole",
            "first_wait": 0.01,
            "calls_per_second": 1000.0,
        }
        return Aws(self.clients(), permissions, **{**fast, **changes})

    def clients(self) -> Clients:
        """Clients as the environment says."""
        return Clients(os.environ, parallelism=THREADS)

    def scan(
        self,
        options: ScanOptions | None = None,
        *,
        resumes: str | None = None,
        progress: Watcher | None = None,
        threads: int = THREADS,
        inbox: Inbox | None = None,
        **changes: Any,  # noqa: ANN401  # whatever Aws takes
    ) -> Scan:
        """Begin a scan, or go on with the one named, and run it to whatever end it takes."""
        stop = threading.Event()
        watcher = progress or Watcher()
        with self.environment_set():
            asked = self.store.scan(resumes).options if resumes else options
            inspects = asked is not None and asked.inspect is not None
            permissions = (*SCAN, *INSPECT) if inspects else SCAN
            if asked is not None and asked.cold_starts:
                permissions = (*permissions, *COLD_STARTS)
            aws = self.aws(permissions, stop=stop, clock=self.clock, **changes)
            header = (
                resume(aws, self.store, resumes)
                if resumes
                else begin(aws, self.store, options or ScanOptions(organization=True), self.clock())
            )
            look = Look(header.options, (), header.started)
            depth = header.options.inspect
            with (
                closing(
                    Downloads(self.clients(), at_once=threads, stop=stop, first_wait=0.01)
                ) as downloads,
                ThreadPoolExecutor(threads) as executor,
            ):
                crew = Crew(executor, threads, stop, inbox or SimpleQueue())

                def inspect() -> None:
                    if depth is not None:
                        Inspector(aws, downloads, depth).inspect(self.store, header, crew, watcher)

                run(
                    self.store,
                    header,
                    partial(look_at, aws, look),
                    crew=crew,
                    progress=watcher,
                    clock=self.clock,
                    inspect=inspect,
                )
        return self.saved(header.id, watcher)

    def saved(self, which: str | None = None, progress: Watcher | None = None) -> Scan:
        """A scan of the store; the last one by default."""
        return Scan(self.store, self.store.scan(which), progress or Watcher())

    @contextmanager
    def environment_set(self) -> Iterator[None]:
        # botocore reads the endpoint when a client is made, which is in the middle of a scan.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            yield


@contextmanager
def scanner(
    environment: Mapping[str, str], directory: Path, *, clock: Clock = utc_now
) -> Iterator[Scanner]:
    """One with a store of its own; its clock should be the emulator's."""
    made = Scanner(environment, directory / "fleet.db", clock)
    with made.store:
        yield made
