"""One policy of what is tried again, and when. botocore's own retries are off."""

from __future__ import annotations

import threading
from collections.abc import Collection

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.nap import sleep_using_event
from tenacity.wait import wait_random_exponential

from fleet.aws.failures import CallFailed, Situation

DEFAULT_ATTEMPTS = 10
_MOST_ATTEMPTS = {
    Situation.THROTTLED: None,
    # A minute of outage is waited for; a host that is not there is not worth ten waits.
    Situation.TRANSIENT: 6,
    Situation.EXPIRED: 3,
}
"""What is tried again, and how often at most below AWS_MAX_ATTEMPTS."""
SURELY_NOT_DONE = frozenset({Situation.THROTTLED, Situation.EXPIRED})
"""Refused before anything was done: even a write may be tried again."""
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 20.0


def worth_trying_again(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later."""
    return isinstance(error, CallFailed) and error.situation in _MOST_ATTEMPTS


def retrying(
    attempts: int,
    stop: threading.Event,
    *,
    first_wait: float = FIRST_WAIT_SECONDS,
    only: Collection[Situation] = frozenset(Situation),
) -> Retrying:
    """Exponential backoff with full jitter, at most `attempts` calls, ended at once by `stop`.

    `only` narrows what is tried again. The last error is raised as it came. Waits in seconds.
    """

    def again(error: BaseException) -> bool:
        return worth_trying_again(error) and getattr(error, "situation", None) in only

    def enough(state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        most = _MOST_ATTEMPTS.get(error.situation) if isinstance(error, CallFailed) else None
        return stop.is_set() or state.attempt_number >= min(attempts, most or attempts)

    return Retrying(
        retry=retry_if_exception(again),
        wait=wait_random_exponential(multiplier=first_wait, max=LONGEST_WAIT_SECONDS),
        stop=enough,
        sleep=sleep_using_event(stop),
        reraise=True,
    )
