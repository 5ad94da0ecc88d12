"""What a plan's run remembers, and what people have ordered: the values. Frozen; no I/O.

Times are UTC. AWS says where a function stands; this says what was begun with it, and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleet.model import FunctionRef
from fleet.results import Result


class Stage(StrEnum):
    """Which pass over a function it is."""

    RUNTIME = "runtime"
    ARM64 = "arm64"
    """After the runtime has moved and baked, where the wave wants it."""


class Phase(StrEnum):
    """How far a function has come in its stage."""

    WAITING = "waiting"
    """Not begun, or to be begun again."""
    UNDER_WAY = "under way"
    """Begun. Who is at it holds its lease; where nobody does, whoever began has died."""
    BAKING = "baking"
    """It runs on what it moved to, for some or all of its calls, and its numbers are watched."""
    ENDED = "ended"
    """With `result`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberState:
    """One function of a wave, as far as its run has come."""

    wave: str
    ref: FunctionRef
    """Unqualified."""
    stage: Stage = Stage.RUNTIME
    phase: Phase = Phase.WAITING
    attempts: int = 0
    """How often it was begun."""
    result: Result | None = None
    """How its last attempt ended; None before the first end."""
    reason: str = ""
    """One sentence for a person: why it ended so, or what it waits for."""
    began: datetime | None = None
    """When its first attempt began."""
    since: datetime | None = None
    """When it came to be what it is: the last move or shift of weight, or its end."""
    share: float = 0.0
    """Share (0–1) of the calls that its aliases send to the new version while it bakes."""
    checked: datetime | None = None
    """When its canary judged last."""
    failed_checks: int = 0
    """Checks in a row that its canary has not passed."""
    unjudged: bool = False
    """Whether it went on, or ended, without numbers enough to judge by."""
    run: str = ""
    """Id of the run that touched it last, as in the ledger."""
    fingerprint: str = ""
    """What the plan said that it was, when it was begun last."""
    baseline: datetime | None = None
    """What it does is compared with what it did before this: its stage's first attempt."""
    touched: bool = False
    """Whether this plan's run has changed it."""
    theirs: bool = False
    """Whether its runtime had moved before this plan came to it."""
    ordered: bool = False
    """Whether it was brought back because people wanted it so, which is no failure."""


class OrderKind(StrEnum):
    """What somebody wants of a wave, a plan or everything."""

    PAUSE = "pause"
    """Begin no further function until it is resumed; those that bake go on being judged."""
    CANCEL = "cancel"
    """Never begin a function of it again."""
    STOP = "stop"
    """As PAUSE; given by the brake, or by hand to everything at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order that is in force. It goes when it is withdrawn."""

    plan: str
    """'' is for every plan."""
    wave: str
    """'' is for every wave of the plan."""
    kind: OrderKind
    at: datetime
    by: str
    """Who gave it: an ARN, or user@host."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan as it was run last; the key is its name."""

    name: str
    organization: str
    """The organization's id, or the account where there is none."""
    digest: str
    """SHA-256 of the text, in hex."""
    text: str
    """The file, whole."""
    fleet: str
    """Version of the fleet that saved it."""
    saved: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lease: the process, for people and for whoever may find it gone."""

    run: str
    """Id of the run, as in the ledger."""
    host: str
    process: int
    """The process's id, on `machine`."""
    machine: str = ""
    """The booted machine and its space of process ids; '' where the system tells none. Only where
    two agree on it can one see whether the other's process lives."""
    started: str = ""
    """When the process began, in the system's own words: an id that was given out again is
    another process."""

    def __str__(self) -> str:
        return f"run {self.run} (process {self.process} on {self.host})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A right to work at something alone, until it ends or is given back."""

    key: str
    """`plan/NAME`, `lane/ACCOUNT/REGION` or `function/ARN`."""
    owner: str
    """A token that nobody else has; the same owner may take it again."""
    fence: int
    """Rises each time the lease changes hands: who holds an older one has lost it."""
    until: datetime
    """When others may take it. Renewing it moves this, and leaves owner and fence."""
    holder: Holder
