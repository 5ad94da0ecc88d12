"""What the emulator sees: how many calls in which second, and when the next kill is due."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from moto_fixtures.server import Call, Moment

WINDOW_SECONDS = 1.0
GET_FUNCTION = "GetFunction"
WRITES = frozenset(
    {
        "PublishVersion",
        "CreateAlias",
        "UpdateAlias",
        "UpdateFunctionConfiguration",
        "UpdateFunctionCode",
        "TagResource",
        "PublishLayerVersion",
    }
)
"""Every write of a migration without canary or bucket."""
Place = tuple[str, str]
"""Account and region."""


@dataclass
class _Window:
    """The calls of the last second."""

    calls: deque[float] = field(default_factory=deque)
    most: int = 0
    """That one second ever held."""

    def add(self, now: float) -> None:
        calls = self.calls
        calls.append(now)
        while calls[0] <= now - WINDOW_SECONDS:
            calls.popleft()
        self.most = max(self.most, len(calls))


@dataclass
class Watch:
    """The emulator's hook; it costs some microseconds a call."""

    kill_at: deque[int]
    """Numbers of Lambda calls, rising, at which somebody is to be killed."""
    kill: Callable[[], object]
    clock: Callable[[], float] = time.monotonic
    calls: int = 0
    """To Lambda."""
    writes: dict[Place, Counter[str]] = field(default_factory=dict)
    """How often each write was asked for."""
    _windows: dict[tuple[str, str, bool], _Window] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, call: Call, moment: Moment) -> None:
        if moment is not Moment.BEFORE or call.service != "lambda":
            return
        with self._lock:
            self.calls += 1
            # AWS counts GetFunction apart:
            # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
            where = call.account, call.region, call.operation == GET_FUNCTION
            window = self._windows.get(where)
            if window is None:
                window = self._windows[where] = _Window()
            window.add(self.clock())
            if call.operation in WRITES:
                place = call.account, call.region
                self.writes.setdefault(place, Counter())[call.operation] += 1
            if self.kill_at and self.calls >= self.kill_at[0]:
                self.kill_at.popleft()
                self.kill()

    def most(self, *, get_function: bool) -> int:
        """Calls in the fullest second of any account and region."""
        windows = self._windows.items()
        return max(each.most for (_, _, apart), each in windows if apart is get_function)
