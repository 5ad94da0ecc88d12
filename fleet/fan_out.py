"""Tasks over an executor, their answers settled one by one in the calling thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from fleet.aws.failures import Interrupted, NoCredentials

Inbox = SimpleQueue[Future[Any] | None]
"""What the coordinator waits for: answers, or None, which asks it to stop."""

Task = TypeVar("Task")
Answer = TypeVar("Answer")


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
    waiting: deque[Task],
    do: Callable[[Task], Answer],
    settle: Callable[[Task, Future[Answer]], None],
    *,
    at_once: int,
) -> None:
    """Do every task, at most `at_once` submitted at a time; `settle` may append further ones.

    A None in the inbox raises KeyboardInterrupt here. That, and NoCredentials out of `settle`,
    stop the crew; what was on its way is settled before they are raised.
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
    except (KeyboardInterrupt, NoCredentials):
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
            with suppress(Interrupted, NoCredentials):
                settled(future)
