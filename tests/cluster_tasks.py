"""What tests have done on the workers of a cluster, which import it from here."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, Situation
from fleet.cluster import once, stop_of

SECRET = "correct-horse-battery"  # noqa: S105  # the tests look for it where it must not be
SECONDS = 60


@dataclass(frozen=True)
class Job:
    """A value as tasks are given: with something in it that nobody may read."""

    number: int
    state: str = f"postgresql://fleet:{SECRET}@db/fleet"


def process(_job: Job) -> int:
    return os.getpid()


def made_once(job: Job) -> str:
    """Which process made what this process keeps."""
    return once("it", lambda: f"{os.getpid()} {job.number}")


def fails(job: Job) -> None:
    if job.number == 0:
        raise CallFailed(
            action="sts:GetCallerIdentity",
            account="012345678901",
            region="eu-west-1",
            situation=Situation.DENIED,
            code="AccessDenied",
            detail="no",
        )
    if job.number == 1:
        raise NoCredentials("none were found")
    raise ZeroDivisionError(job.state)


def gives_what_cannot_be_sent(_job: Job) -> object:
    return threading.Lock()


def raises_what_cannot_be_read(_job: Job) -> None:
    raise _OfTwo(1, 2)


def fails_because_of_what_cannot_be_sent(_job: Job) -> None:
    raise CallFailed("a:B", "1", "r", Situation.OTHER, "c", "d") from ValueError(threading.Lock())


class _OfTwo(Exception):  # a stand-in for those of libraries
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


def waits_until(job: Job, there: Path) -> int:
    """Say in a file of its own that it has begun, and wait for another file."""
    (there / f"{job.number}-{os.getpid()}").touch()
    _wait_for(there / "go")
    return os.getpid()


def ends_when_stopped(job: Job, run: str, there: Path) -> None:
    """Say in a file that it has begun, and wait until the run is stopped."""
    (there / f"{job.number}-{os.getpid()}").touch()
    if stop_of(run).wait(SECONDS):
        raise Interrupted


def dies(_job: Job) -> None:
    """Like a process that the kernel ends for want of memory."""
    os._exit(1)


def _wait_for(path: Path) -> None:
    until = time.monotonic() + SECONDS
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(path)
        time.sleep(0.02)
