"""The loop: look, decide, note, act, look again, until there is nothing left to do.

Nothing here knows what comes next; that is route.py's. Killed at any point, the same command
goes on where AWS says the function stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.aws.failures import CallFailed, Interrupted, Situation
from fleet.deployment import (
    Baking,
    Deployment,
    Done,
    End,
    Observed,
    Prove,
    Stale,
    Step,
    Stuck,
    UpdateCode,
    UpdateConfiguration,
    Wait,
    Way,
    Write,
)
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
_MOST_LOOKS = 3
_MOST_FAILURES = 2
"""Updates that AWS took and could not finish; the way back tries again, but not for ever."""
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
    stoppable: bool = True
    """Whether it leaves off when it is told to; not where it brings back what does not work."""
    _refusals: int = 0
    _failures: int = 0
    _looks: int = 0
    _waiting_since: float | None = None
    _left: frozenset[Deployment] | None = None
    """Where the last update may have left $LATEST; None before the first."""

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
        self._refusals = self._failures = 0
        self._waiting_since = None
        looked_anew = False
        while True:
            seen = self.observer.look()
            step = self._put_back(seen, self._tried_enough(seen, decide(seen)), verb)
            if isinstance(step, Stale) and not looked_anew:
                # Aliases are remembered: another run may have moved it, and them, meanwhile.
                looked_anew = True
                self.observer.forget()
                continue
            if isinstance(step, (Done, Baking, Stale, Stuck)):
                return step
            looked_anew = False
            self._check_going_on(seen)
            if isinstance(step, Wait):
                self._wait(step)
                continue
            self._waiting_since = None
            if not isinstance(step, Prove):
                self._write(step, verb)
            elif prove():
                self.observer.proved()
            else:
                return step

    def _tried_enough(self, seen: Observed, step: Step) -> Step:
        """Give the step, or the end where AWS fails to finish what it takes, over and over."""
        if seen.failure and isinstance(step, (UpdateCode, UpdateConfiguration)):
            self._left = None
            self._failures += 1
            if self._failures > _MOST_FAILURES:
                return Stuck(f"AWS could not finish an update: {seen.failure}")
        return step

    def _put_back(self, seen: Observed, step: Step, verb: Verb) -> Step:
        """Give the step, or an end where $LATEST is on the way, but not where it was left.

        Somebody has put it back there: that is a deploy like any other.
        """
        elsewhere = isinstance(step, (Wait, Stale, Stuck))
        if (
            self._left is None
            or elsewhere
            or seen.deployment in self._left
            or self._is_ahead(seen.deployment, verb)
        ):
            self._looks = 0
            return step
        self._looks += 1
        if self._looks <= _MOST_LOOKS:
            # What was read may be a moment old.
            return Wait("it is not where it was left")
        return Stale("somebody else has put it back to what it was before")

    def _is_ahead(self, now: Deployment, verb: Verb) -> bool:
        """Whether it is further on its way than it was left: another run has overtaken this one."""
        path = self.way.path if verb is Verb.MIGRATE else self.way.path[::-1]
        left = [path.index(each) for each in self._left or () if each in path]
        return now in path and bool(left) and path.index(now) > max(left)

    def _wait(self, step: Wait) -> None:
        now = self.patience.clock()
        if self._waiting_since is None:
            self._waiting_since = now
        if now - self._waiting_since > PATIENCE_SECONDS:
            raise StillUnderWay(step.why, PATIENCE_SECONDS)
        self.patience.sleep(POLL_SECONDS)

    def _write(self, step: Write, verb: Verb) -> None:
        if isinstance(step, (UpdateCode, UpdateConfiguration)):
            self._left = frozenset({step.before, step.after})
        try:
            self.done.append(self.hands.do(step, self.way, verb))
            self._refusals = 0
            if isinstance(step, (UpdateCode, UpdateConfiguration)):
                self._left = frozenset({step.after})
        except CallFailed as failure:
            self._refusals += 1
            if failure.situation not in LOOK_AGAIN or self._refusals > MOST_REFUSALS:
                raise
            # It may have been done, or somebody else was first: AWS tells.
            self.observer.forget()
            self.patience.sleep(POLL_SECONDS)

    def _check_going_on(self, seen: Observed) -> None:
        """Raise Interrupted where it was told to leave off, and invocations work as it stands."""
        # Until an update is through, what was before it serves; and it may yet fail.
        inside = self.way.has_gap and not seen.settled
        if (
            self.stoppable
            and self.patience.leave_off.is_set()
            and not (inside or self.in_gap(seen.deployment))
        ):
            raise Interrupted

    def in_gap(self, deployment: Deployment) -> bool:
        """Whether invocations of $LATEST fail as it stands there."""
        return self.way.has_gap and deployment in self.way.path[1:-1]
