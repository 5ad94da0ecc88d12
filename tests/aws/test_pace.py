from __future__ import annotations

import threading
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fleet.aws.pace import Pace

RATES = st.floats(0.1, 100, allow_nan=False)


class FakeTime:
    """A clock that goes on only by sleeping, or as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(RATES, st.lists(st.floats(0, 3), max_size=80))
def test_no_window_of_time_holds_more_calls_than_rate_and_burst_allow(
    rate: float, pauses: list[float]
) -> None:
    time = FakeTime()
    pace = Pace(rate, clock=time.clock, sleep=time.sleep)
    calls = []
    for pause in pauses:
        time.now += pause
        pace.wait()
        calls.append(time.now)
    burst = max(1.0, rate / 2)
    for first, begin in enumerate(calls):
        for last, end in enumerate(calls[first:], first):
            assert last - first + 1 <= rate * (end - begin) + burst + 1e-6


@given(RATES, st.integers(1, 60))
def test_calls_that_come_at_once_each_get_a_slot_of_their_own(rate: float, callers: int) -> None:
    # Many threads ask before any of them has slept: no two may be promised the same moment.
    naps: list[float] = []
    pace = Pace(rate, clock=lambda: 0.0, sleep=naps.append)
    for _ in range(callers):
        pace.wait()
    at_once = callers - len(naps)
    assert at_once <= max(1.0, rate / 2)
    promised = sorted(naps)
    for earlier, later in pairwise(promised):
        assert later - earlier >= 1 / rate - 1e-6


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=30))
def test_those_who_take_turns_without_a_burst_keep_to_the_pace_together(
    at_once: int, turns: list[tuple[int, int]]
) -> None:
    # Turn after turn, each by any of six processes, so many calls; `at_once` of them go on at once.
    processes = [FakeTime() for _ in range(6)]
    paces = [Pace(10 / at_once, burst=0, clock=each.clock, sleep=each.sleep) for each in processes]
    now, calls = 1000.0, []
    for process, count in turns:
        processes[process].now = now
        for _ in range(count):
            paces[process].wait()
            calls.append(processes[process].now)
        now = processes[process].now
    for first, begin in enumerate(calls):
        for last, end in enumerate(calls[first:], first):
            assert at_once * (last - first) <= 10 * (end - begin) + 1e-6


@given(RATES)
def test_the_pace_is_reached_and_not_only_kept_under(rate: float) -> None:
    time = FakeTime()
    pace = Pace(rate, clock=time.clock, sleep=time.sleep)
    for _ in range(101):
        pace.wait()
    assert time.now - 1000.0 <= 100 / rate + 1e-6


def test_a_pause_earns_no_more_than_the_burst() -> None:
    time = FakeTime()
    pace = Pace(10, clock=time.clock, sleep=time.sleep)
    time.now += 3600
    for _ in range(5):
        pace.wait()
    assert time.now == 4600.0
    pace.wait()
    assert time.now > 4600.0


def test_who_waits_does_not_keep_others_from_being_given_their_slot() -> None:
    asleep, another = threading.Event(), threading.Event()
    was_woken: list[bool] = []

    def sleep(_: float) -> None:
        if asleep.is_set():
            another.set()
        else:
            asleep.set()
            was_woken.append(another.wait(5))

    pace = Pace(1, clock=lambda: 0.0, sleep=sleep)
    pace.wait()
    waiting = threading.Thread(target=pace.wait)
    waiting.start()
    assert asleep.wait(5)
    pace.wait()
    waiting.join(10)
    assert was_woken == [True]
