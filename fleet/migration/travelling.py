"""The loop: look, decide, note, act, look again, until there is nothing left to do.

Nothing here knows what comes next; that is route.py's. Killed at any point, the same command
goes on where AWS says the function stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.aws.failures import CallFailed, Interrupted, Situation
from fleet.deployment import Done, End, Observed, Prove, Stale, Step, Stuck, Wait, Way
from fleet.ledger import Verb
from fleet.migration.acting import Hands
from fleet.migration.observing import Observer
from fleet.migration.problems import StillUnderWay

POLL_SECONDS = 1.0
"""Between two looks, as AWS's own waiter function_updated_v2 does it."""
PATIENCE_SECONDS = 300.0
"""The longest wait for one thing; AWS's waiter gives up then too."""
MOST_REFUSALS = 8
"""In a row, of writes that met somebody else's; each is followed by another look."""
LOOK_AGAIN = frozenset({Situation.CONFLICT, Situation.CHANGED, Situation.TRANSIENT})
"""After these a write may have been done, or somebody else was first: AWS tells."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait, and when to leave off."""

    sleep: Callable[[float], object]
    """Seconds."""
    clock: Callable[[], float]
    """Seconds that never go back."""
    leave_off: threading.Event
    """Set when every function is to stay where it stands, as soon as it stands safely."""


@dataclass(slots=True)
class Journey:
    """One function under way."""

    way: Way
    observer: Observer
    hands: Hands
    patience: Patience
    done: list[str] = field(default_factory=list)
    """What was done so far, in words."""

    def travel(
        self,
        decide: Callable[[Observed], Step],
        verb: Verb,
        *,
        prove: Callable[[], bool] = lambda: True,
    ) -> End | Prove:
        """Go on until an end; Prove where `prove` says that it does not work.

        Raises CallFailed and RoleRefused for what AWS refuses for good, StillUnderWay, and
        Interrupted where it was told to leave off.
        """
        refusals = 0
        waiting_since: float | None = None
        while True:
            seen = self.observer.look()
            step = decide(seen)
            if not isinstance(step, (Done, Stale, Stuck)):
                self._check_going_on(seen)
            match step:
                case Done() | Stale() | Stuck():
                    return step
                case Wait():
                    now = self.patience.clock()
                    waiting_since = now if waiting_since is None else waiting_since
                    if now - waiting_since > PATIENCE_SECONDS:
                        raise StillUnderWay(step.why, PATIENCE_SECONDS)
                    self.patience.sleep(POLL_SECONDS)
                    continue
                case Prove():
                    if not prove():
                        return step
                    self.observer.proved()
                case _:
                    try:
                        self.done.append(self.hands.do(step, self.way, verb))
                        refusals = 0
                    except CallFailed as failure:
                        refusals += 1
                        if failure.situation not in LOOK_AGAIN or refusals > MOST_REFUSALS:
                            raise
                        # It may have been done, or somebody else was first: AWS tells.
                        self.observer.forget()
                        self.patience.sleep(POLL_SECONDS)
            waiting_since = None

    def _check_going_on(self, seen: Observed) -> None:
        """Raise Interrupted where it was told to leave off, and invocations work as it stands."""
        gap = self.way.has_gap and seen.deployment in self.way.path[1:-1]
        if self.patience.leave_off.is_set() and not gap:
            raise Interrupted
