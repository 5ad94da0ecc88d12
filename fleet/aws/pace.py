"""A budget of calls a second: Lambda's control plane is shared with the customer's own deploys.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (15 a second for all
control-plane calls but GetFunction and Invoke, per account and region, not raisable).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """A token bucket, refilled at `per_second`, that lets so many calls through at once.

    Safe to share between threads; `sleep` gets seconds.
    """

    def __init__(
        self,
        per_second: float,
        *,
        burst: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`burst` is in calls, by default half a second's worth.

        With 0 there is a whole turn before each: those who take turns at something, without
        knowing of each other, then keep to its pace together.
        """
        self._per_second = per_second
        self._burst = max(1.0, per_second / 2) if burst is None else burst
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = self._burst
        self._filled = clock()

    def wait(self) -> None:
        """Return when the next call may go out."""
        with self._lock:
            now = self._clock()
            refilled = self._tokens + (now - self._filled) * self._per_second
            self._filled = now
            # The balance may go below zero: each waiting thread owns the slot it was promised.
            self._tokens = min(self._burst, refilled) - 1
            debt = -self._tokens / self._per_second
        if debt > 0:
            self._sleep(debt)
