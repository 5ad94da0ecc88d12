"""Leases of this process: taken, renewed by a heartbeat, given back, and told when they are lost.

A lease keeps two commands from doing the same work at once. It is no fence around AWS: a call that
is out when its lease ends still arrives. What keeps that harmless is that every write to AWS names
the revision it was decided on, and every write to the store the lease.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from fleet.errors import FleetError
from fleet.process import is_gone, this_process
from fleet.store import Store
from fleet.wave import Holder, Lease

TERM_SECONDS = 60.0
"""How long a lease lasts that nobody renews: so long others wait for a holder that has died."""
BEAT_SECONDS = 20.0
"""Between two renewals: two may fail before the lease is over."""
_MARGIN = 1 / 12
"""Of the term: a holder leaves off so long before others may take over, for a step of its work and
for clocks that differ."""
_CLOSE_SECONDS = 5.0
_OWNER_BYTES = 16

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Taken(FleetError):
    """Somebody else works at it."""

    lease: Lease

    def __str__(self) -> str:
        until = f"{self.lease.until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return (
            f"{_what(self.lease.key)} by {self.lease.holder}, until {until} unless that goes on; "
            "run the same command again afterwards"
        )


def function_key(arn: str) -> str:
    """Key of the lease of whoever changes a function; its ARN is unqualified."""
    return f"function/{arn}"


class AgreedClock:
    """The time of all who share a store: this machine's clock, corrected by what the store says."""

    def __init__(self, agreed: Callable[[], datetime], here: Callable[[], datetime]) -> None:
        """`agreed` asks the store, `here` the machine. Both in UTC."""
        self._agreed = agreed
        self._here = here
        self._offset: timedelta | None = None

    def __call__(self) -> datetime:
        """The time in UTC; asks the store only the first time. Raises FileProblem then."""
        offset = self.measure() if self._offset is None else self._offset
        return self._here() + offset

    def measure(self) -> timedelta:
        """Ask the store anew: machines are put to sleep, and their clocks set. Raises FileProblem.

        Wrong by no more than half of what the question takes.
        """
        asked = self._here()
        agreed = self._agreed()
        self._offset = agreed - (asked + (self._here() - asked) / 2)
        return self._offset


class Leases:
    """What this process holds; threads share it. One thread renews all of it until it is closed."""

    def __init__(
        self,
        store: Store,
        holder: Holder,
        clock: AgreedClock,
        *,
        term: float = TERM_SECONDS,
        beat: float = BEAT_SECONDS,
        new_owner: Callable[[], str] = lambda: secrets.token_hex(_OWNER_BYTES),
        gone: Callable[[Holder], bool] = is_gone,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        """`term` and `beat` in seconds; `gone` says whether a holder has died for certain.

        `wait` lasts for so many seconds or until the event is set, and says whether it is.
        """
        self._store = store
        self._holder = holder
        self._clock = clock
        self._term = term
        self._beat = beat
        self._margin = timedelta(seconds=term * _MARGIN)
        self._new_owner = new_owner
        self._gone = gone
        self._wait = wait
        self._lock = threading.Lock()
        self._held: dict[str, Lease] = {}
        self._closed = threading.Event()
        self._heart: threading.Thread | None = None

    @classmethod
    def of(cls, store: Store, run: str) -> Self:
        """Make those of this process in a run, by the store's clock."""
        return cls(store, this_process(run), AgreedClock(store.now, lambda: datetime.now(UTC)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the heartbeat. What is still held then ends by itself."""
        self._closed.set()
        if self._heart is not None:
            # Not for ever: it may be asking a store that is gone.
            self._heart.join(_CLOSE_SECONDS)

    @contextmanager
    def holding(self, key: str) -> Iterator[Lease]:
        """Hold a lease for the length of the block; see `lost`.

        A holder on this machine whose process has died is not waited for. Raises Taken where
        somebody else holds it, this process included, and FileProblem.
        """
        lease = self._take(key)
        with self._lock:
            self._held[lease.owner] = lease
            if self._heart is None:
                self._heart = threading.Thread(target=self._go_on, name="leases", daemon=True)
                self._heart.start()
        try:
            yield lease
        finally:
            with self._lock:
                self._held.pop(lease.owner, None)
            self._give_back(lease)

    def lost(self, lease: Lease) -> bool:
        """Whether others may be at what this lease was for: leave off before the next write.

        Also where the store could not be reached until the lease was all but over.
        """
        with self._lock:
            held = self._held.get(lease.owner)
        return held is None or self._clock() >= held.until - self._margin

    @property
    def clock(self) -> AgreedClock:
        """The time that all who share the store agree on."""
        return self._clock

    def leaving(self, lease: Lease, leave_off: threading.Event) -> threading.Event:
        """Give an event that is set once `leave_off` is, or the lease is lost."""
        return _Leaving(leave_off, lambda: self.lost(lease))

    def beat(self) -> None:
        """Renew all that is held. What somebody else has taken is lost; a fault costs one beat."""
        with self._lock:
            before = list(self._held.values())
        if not before:
            return
        try:
            self._clock.measure()
            renewed = self._store.renew_leases(before, self._clock(), self._term)
        except FleetError as problem:
            _log.warning("leases were not renewed: %s", problem)
            return
        now = {lease.owner: lease for lease in renewed}
        with self._lock:
            for lease in before:
                if lease.owner not in self._held:
                    continue
                if lease.owner in now:
                    self._held[lease.owner] = now[lease.owner]
                else:
                    del self._held[lease.owner]

    def _go_on(self) -> None:
        while not self._wait(self._closed, self._beat):
            self.beat()

    def _take(self, key: str) -> Lease:
        owner = self._new_owner()
        dead: Lease | None = None
        while True:
            lease = self._store.take_lease(
                key, owner, self._holder, self._clock(), self._term, instead_of=dead
            )
            if lease is not None:
                return lease
            other = self._store.lease(key)
            # Given back since, it is to be had; of a dead one, only if nobody was faster.
            if other is not None and not self._gone(other.holder):
                raise Taken(other)
            dead = other

    def _give_back(self, lease: Lease) -> None:
        try:
            self._store.release_lease(lease)
        except FleetError as problem:
            # The work is done, and the lease ends by itself.
            _log.warning("a lease was not given back: %s", problem)


class _Leaving(threading.Event):
    def __init__(self, leave_off: threading.Event, lost: Callable[[], bool]) -> None:
        super().__init__()
        self._leave_off = leave_off
        self._lost = lost

    def is_set(self) -> bool:
        return super().is_set() or self._leave_off.is_set() or self._lost()

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set() or self._leave_off.wait(timeout) or self.is_set()


def _what(key: str) -> str:
    kind, _, name = key.partition("/")
    match kind:
        case "function":
            return f"{name} is being changed"
        case "plan":
            return f"plan {name} is being run"
        case _:
            return f"{kind} {name} is being worked at"
