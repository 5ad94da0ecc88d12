"""Where a plan stands: what `fleet waves status`, the reports and the notices show. Frozen; no I/O.

Times are UTC. `Counts` adds up to its `functions`, but for `unjudged`, which is told of functions
that are counted elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleet.model import FunctionRef
from fleet.wave import Order


class WaveState(StrEnum):
    """Where a wave stands, in a word."""

    SCHEDULED = "scheduled"
    """Its start has not come."""
    WAITING_FOR_EARLIER = "waiting for an earlier wave"
    WAITING_FOR_WINDOW = "waiting for its window"
    DUE = "due"
    """Functions wait and nothing keeps them back; nobody is at one at this moment."""
    RUNNING = "running"
    BAKING = "baking"
    """Every function was begun; those that have not ended are being watched."""
    PAUSED = "paused"
    STOPPED = "stopped"
    """By order, or because a budget is spent."""
    CANCELLED = "cancelled"
    DONE = "done"
    """Every function is where it was to go."""
    DONE_NOT_ALL_MOVED = "done, not all moved"
    """Every function has ended; none failed, some were left untouched, or on x86_64."""
    DONE_WITH_FAILURES = "done with failures"

    @property
    def is_done(self) -> bool:
        """Whether every function of the wave has ended."""
        return self in {
            WaveState.DONE,
            WaveState.DONE_NOT_ALL_MOVED,
            WaveState.DONE_WITH_FAILURES,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Functions of a wave, or of a plan's waves, by how far they have come."""

    functions: int
    done: int = 0
    """Migrated, or there already; also what has left go1.x and was refused arm64."""
    running: int = 0
    """Under way, and somebody holds the lease."""
    unattended: int = 0
    """Begun by somebody who is gone; the next run goes on with them."""
    baking: int = 0
    waiting: int = 0
    failed: Mapping[str, int]
    """Word of the result → functions: failed, rolled back, partly back."""
    not_moved: Mapping[str, int]
    """Word of the result → functions that ended untouched: blocked, stale."""
    unjudged: int = 0
    """Of all of these, those whose canary went on or ended without numbers enough to judge by."""
    budget_left: int | None = None
    """How many more may fail before one too many has; None where no budget limits."""

    @property
    def all_failed(self) -> int:
        """Functions that ended so; what people had brought back is among them."""
        return sum(self.failed.values())

    @property
    def all_not_moved(self) -> int:
        """Functions that ended where they were."""
        return sum(self.not_moved.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStatus:
    """One wave."""

    name: str
    start: datetime
    """As planned."""
    state: WaveState
    why: str = ""
    """One sentence: what it waits for, or what stopped it; '' where the state says all."""
    counts: Counts
    began: datetime | None = None
    """When its first function began."""
    ended: datetime | None = None
    """When its last function ended; None while one has not."""

    expected_end: datetime | None = None
    """At the pace so far, at the earliest: closed windows to come are not reckoned with. None
    where no function has ended yet, or nothing may go on."""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it goes on by itself any more."""
        counts = self.counts
        going = counts.running + counts.unattended + counts.baking
        return self.state.is_done or (self.state is WaveState.CANCELLED and not going)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatus:
    """A whole plan."""

    plan: str
    organization: str
    """The organization's id, or the account where there is none."""
    scan: str
    """The scan that the plan was made of."""
    as_of: datetime
    orders: tuple[Order, ...] = ()
    """In force, and about this plan or one of its waves."""
    spent: bool = False
    """Whether the plan's own budget is spent, so that no wave begins a function any more."""
    waves: tuple[WaveStatus, ...]
    totals: Counts
    staying: int
    """Functions that the plan itself leaves where they are."""
    removed: int
    """Functions that the record knows and the plan names no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStatus:
    """One function of a plan."""

    ref: FunctionRef
    """Unqualified."""
    wave: str
    """'' for one that the plan leaves where it is."""
    start: datetime | None
    """Of its wave; None for one that stays."""
    word: str
    """A result, or `waiting`, `running`, `unattended`, `baking` or `staying`."""
    reason: str = ""
    moved: bool = False
    """Whether it has left go1.x; `word` and `reason` say what the pass to arm64 came to."""
    unjudged: bool = False
    """Whether its canary went on, or ended, without numbers enough to judge by."""
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """A plan's status with every function of it."""

    status: PlanStatus
    members: tuple[MemberStatus, ...]
    """In the plan's order, those that stay last."""
