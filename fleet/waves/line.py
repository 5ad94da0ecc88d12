"""What is due, in its order, as many at once as each wave and each account and region allow."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from fleet.waves.due import Doing
from fleet.waves.worker import Task

LaneKey = tuple[str, str]


def lane_of(task: Task) -> LaneKey:
    """Account and region of its function."""
    return task.state.ref.account, task.state.ref.region


class Line:
    """A queue whose length is that of the lanes in which one may be begun now.

    The first function that moves in a lane moves alone: the bridge layer that it publishes is there
    for the others then, on whichever worker, and what fails for all has failed for one.
    """

    def __init__(self, begin: Callable[[Task], object], capacity: Callable[[], int]) -> None:
        """`begin` hears of each that is handed out; `capacity` is how many may be out by now."""
        self._begin = begin
        self._capacity = capacity
        self._waiting: dict[LaneKey, deque[Task]] = {}
        self._turn: deque[LaneKey] = deque()
        self._in_lane: Counter[LaneKey] = Counter()
        self._in_wave: Counter[str] = Counter()
        self._opened: set[LaneKey] = set()

    def fill(self, tasks: Iterable[Task]) -> int:
        """Take these for what waits, in place of what did; how many they are."""
        self._waiting = {}
        for each in tasks:
            self._waiting.setdefault(lane_of(each), deque()).append(each)
        # Lanes take turns, so that none is left to the end.
        known = [lane for lane in self._turn if lane in self._waiting]
        self._turn = deque(dict.fromkeys([*known, *self._waiting]))
        return sum(map(len, self._waiting.values()))

    def __len__(self) -> int:
        if self._in_lane.total() >= self._capacity():
            return 0
        return sum(map(self._may_begin, self._turn))

    def popleft(self) -> Task:
        """The next that may be begun, which counts as begun; raises IndexError where none may."""
        lane = self._next()
        if lane is None:
            raise IndexError("nothing may be begun now")
        task = self._waiting[lane].popleft()
        self._in_lane[lane] += 1
        self._in_wave[task.wave.name] += 1
        self._turn.remove(lane)
        if self._waiting[lane]:
            self._turn.append(lane)
        self._begin(task)
        return task

    def done(self, task: Task) -> None:
        """Take it that what was begun has ended."""
        lane = lane_of(task)
        self._in_lane[lane] -= 1
        if task.doing is Doing.MOVE:
            self._opened.add(lane)
        self._in_wave[task.wave.name] -= 1

    def _next(self) -> LaneKey | None:
        return next((lane for lane in self._turn if self._may_begin(lane)), None)

    def _may_begin(self, lane: LaneKey) -> bool:
        first = self._waiting[lane][0]
        alone = first.doing is Doing.MOVE and lane not in self._opened
        at_once = 1 if alone else first.wave.per_account_region
        # A function that is brought back does not wait for those that go forward.
        return self._in_lane[lane] < at_once and (
            first.doing is Doing.BACK or self._in_wave[first.wave.name] < first.wave.parallelism
        )
