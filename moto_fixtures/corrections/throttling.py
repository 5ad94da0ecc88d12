"""Lambda's request rates per account and region; off until a test switches them on.

15 requests a second for all control-plane operations together, GetFunction 100 by itself:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from .answers import Refusal
from .request import ApiRequest

EVERY = "*"
"""In place of an account or a region: every one that has no rate of its own."""

GET_FUNCTION_PER_SECOND = 100.0
# Invocations have their own limits.
_DATA_PLANE = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})


@dataclass(slots=True)
class _Bucket:
    tokens: float
    refilled: float

    def take(self, per_second: float, now: float) -> bool:
        # One second's worth may come at once (believed: AWS names no burst).
        room = max(per_second, 1.0)
        self.tokens = min(room, self.tokens + (now - self.refilled) * per_second)
        self.refilled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Throttles:
    """A token bucket for each account and region, and another for its GetFunction calls."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rates: dict[tuple[str, str], float] = {}
        self._buckets: dict[tuple[str, str, bool], _Bucket] = {}
        self._lock = threading.Lock()

    def limit(self, account: str, region: str, per_second: float | None) -> None:
        """Set the rate of an account and region, either of them EVERY; None switches it off."""
        with self._lock:
            self._buckets.clear()
            if per_second is None:
                self._rates.pop((account, region), None)
            else:
                self._rates[account, region] = per_second

    def check(self, request: ApiRequest) -> None:
        """Count the request; raises Refusal, TooManyRequestsException, beyond the rate.

        https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html#API_ListFunctions_Errors
        The Reason is believed.
        """
        if request.service != "lambda" or request.operation in _DATA_PLANE:
            return
        with self._lock:
            rate = self._rate(request.account, request.region)
            if rate is None:
                return
            apart = request.operation == "GetFunction"
            per_second = GET_FUNCTION_PER_SECOND if apart else rate
            now = self._clock()
            bucket = self._buckets.setdefault(
                (request.account, request.region, apart), _Bucket(max(per_second, 1.0), now)
            )
            if bucket.take(per_second, now):
                return
        raise Refusal(
            "TooManyRequestsException",
            "Rate exceeded",
            429,
            {"Reason": "CallerRateLimitExceeded", "Type": "User"},
        )

    def _rate(self, account: str, region: str) -> float | None:
        choices = ((account, region), (account, EVERY), (EVERY, region), (EVERY, EVERY))
        return next((self._rates[choice] for choice in choices if choice in self._rates), None)
