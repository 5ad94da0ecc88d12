"""What somebody who waits sees on stderr: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.model import Coverage, FunctionRef

HEARTBEAT_SECONDS = 10.0


@dataclass(slots=True)
class Counts:
    """How far a scan is."""

    accounts: int = 0
    entered: int = 0
    lanes: int = 0
    done: int = 0
    found: int = 0
    throttles: int = 0
    unseen: int = 0
    packages: int = 0
    read: int = 0
    unread: int = 0
    reading: float | None = None
    """When the first package was planned."""
    started: float = 0.0

    def line(self, now: float) -> str:
        """One sentence of numbers; `now` and `started` in seconds of the same clock."""
        parts = [
            f"{self.entered:,} of {self.accounts:,} accounts asked",
            f"{self.done:,} of {self._expected_lanes():,} account-regions asked",
            f"{self.found:,} versions found",
        ]
        if self.throttles:
            parts.append(f"{self.throttles:,} throttles")
        if self.unseen:
            parts.append(f"{self.unseen:,} not seen")
        if self.packages:
            parts.append(f"{self.read:,} of {self.packages:,} packages read")
        if self.unread:
            parts.append(f"{self.unread:,} not readable")
        left = self._seconds_left(now)
        if left is not None:
            parts.append(f"about {_duration(left)} left")
        return ", ".join(parts)

    def _expected_lanes(self) -> int:
        # Accounts not entered yet are taken to have as many regions as the others.
        if not self.entered:
            return self.lanes
        missing = self.accounts - self.entered
        return self.lanes + round(self.lanes / self.entered * missing)

    def _seconds_left(self, now: float) -> float | None:
        if self.reading is not None:
            done = self.read + self.unread
            return (now - self.reading) / done * (self.packages - done) if done else None
        if not self.done:
            return None
        return (now - self.started) / self.done * (self._expected_lanes() - self.done)


def _duration(seconds: float) -> str:
    if seconds < 90:  # noqa: PLR2004  # a minute and a half reads better in seconds
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


@dataclass(slots=True)
class ScanProgress:
    """Counts events of a scan; `show` is called after each."""

    counts: Counts
    show: Callable[[], None] = field(default=lambda: None)
    clock: Callable[[], float] = time.monotonic

    def planned(self, accounts: int, lanes: int) -> None:
        """See fleet.scan.Progress."""
        self.counts.accounts += accounts
        self.counts.lanes += lanes
        self.show()

    def account_done(self, lanes: int) -> None:
        """See fleet.scan.Progress."""
        self.counts.entered += 1
        self.counts.lanes += lanes
        self.show()

    def lane_done(self, coverage: Coverage, findings: int) -> None:
        """See fleet.scan.Progress."""
        self.counts.done += 1
        self.counts.found += findings
        self.counts.throttles += coverage.throttles
        self.counts.unseen += not coverage.status.is_complete
        self.show()

    def packages_planned(self, packages: int) -> None:
        """See fleet.scan.InspectionProgress."""
        self.counts.packages += packages
        self.counts.reading = self.clock()
        self.show()

    def package_done(self, *, read: bool) -> None:
        """See fleet.scan.InspectionProgress."""
        self.counts.read += read
        self.counts.unread += not read
        self.show()


@dataclass(slots=True)
class MoveCounts:
    """How far a migration is."""

    functions: int = 0
    doing: str = ""
    results: dict[str, int] = field(default_factory=dict)
    started: float = 0.0

    def line(self, now: float) -> str:
        """One sentence of numbers; `now` and `started` in seconds of the same clock."""
        done = sum(self.results.values())
        parts = [f"{done:,} of {self.functions:,} functions {self.doing}"]
        parts += [f"{count:,} {result}" for result, count in self.results.items()]
        if 0 < done < self.functions:
            left = (now - self.started) / done * (self.functions - done)
            parts.append(f"about {_duration(left)} left")
        return ", ".join(parts)


@dataclass(slots=True)
class MoveProgress:
    """Counts functions; `show` is called after each."""

    counts: MoveCounts
    show: Callable[[], None] = field(default=lambda: None)
    clock: Callable[[], float] = time.monotonic

    def planned(self, functions: int, doing: str) -> None:
        """See fleet.migration.many.Progress."""
        self.counts.functions, self.counts.doing = functions, doing
        self.counts.results, self.counts.started = {}, self.clock()
        self.show()

    def function_done(self, _ref: FunctionRef, result: StrEnum) -> None:
        """See fleet.migration.many.Progress."""
        self.counts.results[result.value] = self.counts.results.get(result.value, 0) + 1
        self.show()


@contextmanager
def showing(*, quiet: bool, clock: Callable[[], float] = time.monotonic) -> Iterator[ScanProgress]:
    """A scan's progress that shows itself on stderr until the block ends."""
    counts = Counts(started=clock())

    def line() -> str:
        # Nothing planned: an error follows, and zeros before it would tell nothing.
        return counts.line(clock()) if counts.accounts or counts.lanes else ""

    with _shown(line, "looking for accounts…", quiet=quiet) as show:
        yield ScanProgress(counts, show, clock)


@contextmanager
def showing_move(
    *, quiet: bool, clock: Callable[[], float] = time.monotonic
) -> Iterator[MoveProgress]:
    """A migration's progress that shows itself on stderr until the block ends."""
    counts = MoveCounts(started=clock())

    def line() -> str:
        return counts.line(clock()) if counts.functions else ""

    with _shown(line, "looking at functions…", quiet=quiet) as show:
        yield MoveProgress(counts, show, clock)


@contextmanager
def _shown(line: Callable[[], str], at_first: str, *, quiet: bool) -> Iterator[Callable[[], None]]:
    if quiet:
        yield lambda: None
    elif sys.stderr.isatty():
        with _live_line(line, at_first) as show:
            yield show
    else:
        with _heartbeat(line):
            yield lambda: None


@contextmanager
def _live_line(line: Callable[[], str], at_first: str) -> Iterator[Callable[[], None]]:
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(at_first) as status:
        yield lambda: status.update(line() or at_first)


@contextmanager
def _heartbeat(line: Callable[[], str]) -> Iterator[None]:
    """A line every ten seconds, whether anything moved or not: silence looks like a hang."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            _say(line())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _say(line())


def _say(line: str) -> None:
    if line:
        sys.stderr.write(f"fleet: {line}\n")
        sys.stderr.flush()
