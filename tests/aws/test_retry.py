from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import RetryCallState

from fleet.aws.failures import CallFailed, Situation
from fleet.aws.retry import LONGEST_WAIT_SECONDS, retrying, worth_trying_again

RETRIED = {Situation.THROTTLED, Situation.TRANSIENT, Situation.EXPIRED}


def failure(situation: Situation) -> CallFailed:
    return CallFailed("lambda:ListFunctions", "1", "eu-west-1", situation, "Code", "detail")


class Failing:
    """A call that fails every time, or the first so many times."""

    def __init__(self, situation: Situation, *, times: int = 1000) -> None:
        self.situation = situation
        self.times = times
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise failure(self.situation)
        return "answer"


@pytest.mark.parametrize("situation", Situation)
def test_only_what_may_pass_is_tried_again(situation: Situation) -> None:
    call = Failing(situation)
    with pytest.raises(CallFailed):
        retrying(2, threading.Event(), first_wait=0)(call)
    assert call.calls == (2 if situation in RETRIED else 1)
    assert worth_trying_again(failure(situation)) == (situation in RETRIED)


def test_a_defect_of_our_own_is_not_tried_again() -> None:
    assert not worth_trying_again(ValueError())


@given(st.integers(1, 12), st.sampled_from(sorted(RETRIED)))
def test_there_are_never_more_calls_than_attempts_and_fewer_of_what_seldom_passes(
    attempts: int, situation: Situation
) -> None:
    call = Failing(situation)
    with pytest.raises(CallFailed):
        retrying(attempts, threading.Event(), first_wait=0)(call)
    most = {Situation.THROTTLED: attempts, Situation.TRANSIENT: 6, Situation.EXPIRED: 3}
    assert call.calls == min(attempts, most[situation])


def test_an_answer_that_comes_late_is_the_answer() -> None:
    call = Failing(Situation.THROTTLED, times=4)
    assert retrying(5, threading.Event(), first_wait=0)(call) == "answer"
    assert call.calls == 5


def test_waits_grow_with_full_jitter_up_to_a_longest_one() -> None:
    policy = retrying(100, threading.Event(), first_wait=0.5)
    longest = []
    for attempt in range(1, 12):
        state = RetryCallState(policy, None, (), {})
        state.attempt_number = attempt
        waits = [policy.wait(state) for _ in range(200)]
        assert min(waits) >= 0
        # Full jitter: threads that failed together do not come back together.
        assert max(waits) - min(waits) > max(waits) / 2
        longest.append(max(waits))
    for attempt, (earlier, later) in enumerate(pairwise(longest[:6])):
        assert later > earlier, attempt
    assert LONGEST_WAIT_SECONDS * 0.8 < max(longest) <= LONGEST_WAIT_SECONDS


class Stop(threading.Event):
    """Tells that somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.awaited = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.awaited.set()
        return super().wait(timeout)


def test_being_told_to_stop_ends_a_wait_at_once() -> None:
    stop = Stop()
    call = Failing(Situation.THROTTLED)
    ended: list[BaseException] = []

    def work() -> None:
        try:
            retrying(1000, stop, first_wait=1_000_000)(call)
        except CallFailed as error:
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert stop.awaited.wait(10)
    stop.set()
    thread.join(10)
    assert len(ended) == 1
    assert call.calls < 1000
