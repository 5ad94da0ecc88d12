"""Tasks over an executor, their answers settled one by one in the calling thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from fleet.errors import FleetError

Inbox = SimpleQueue[Future[Any] | None]
"""What the coordinator waits for: answers, or None, which asks it to stop."""

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Task_co = TypeVar("Task_co", covariant=True)


class Waiting(Protocol[Task_co]):
    """Tasks in their order, as in a deque; of length 0 where none may be begun for now."""

    def __len__(self) -> int: ...

    def popleft(self) -> Task_co:
        """The next one."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works, and how the work is ended."""

    executor: Executor
    parallelism: int
    stop: threading.Event
    """Set when everybody is to leave off."""
    inbox: Inbox


def fan_out(
    crew: Crew,
    waiting: Waiting[Task],
    do: Callable[[Task], Answer],
    settle: Callable[[Task, Future[Answer]], None],
    *,
    at_once: int,
) -> None:
    """Do every task, at most `at_once` submitted at a time; `settle` may append further ones.

    A None in the inbox raises KeyboardInterrupt here. That, and whatever `settle` raises, stops the
    crew; what was on its way is settled before it is raised.
    """
    running: dict[Future[Answer], Task] = {}

    def settled(future: Future[Answer]) -> None:
        settle(running.pop(future), future)

    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                task = waiting.popleft()
                future = crew.executor.submit(do, task)
                running[future] = task
                future.add_done_callback(crew.inbox.put)
            settled(_arrived(crew.inbox))
    except BaseException:
        crew.stop.set()
        _settle_last(running, settled)
        raise


def check_going_on(crew: Crew) -> None:
    """Raise KeyboardInterrupt if the crew was asked to stop while nobody was at work."""
    with suppress(Empty):
        if crew.inbox.get_nowait() is None:
            raise KeyboardInterrupt


def _arrived(inbox: Inbox) -> Future[Any]:
    answer = inbox.get()
    if answer is None:
        raise KeyboardInterrupt
    return answer


def _settle_last(
    running: Iterable[Future[Answer]], settled: Callable[[Future[Answer]], None]
) -> None:
    """Keep what was on its way when everything was told to stop."""
    last = list(running)
    for future in last:
        future.cancel()
    wait(last)
    for future in last:
        if not future.cancelled():
            # What ends the work is known by now: the state that is gone, say, for all of them.
            with suppress(FleetError):
                settled(future)
