"""Runs the process that migrates, and kills it at any call that it makes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from fleet.ledger import Action, Entry, EntryState, Verb
from fleet.model import FunctionRef
from fleet.store import Store
from moto_fixtures.server import Call, Moment
from tests.migration.process import Task
from tests.migration.victims import Victim
from tests.moto_fixtures.small_organization import HOME, MEMBER, Organization

SECONDS = 60
WRITES = {
    "PublishVersion": Action.PUBLISH,
    "CreateAlias": Action.PUT_ALIAS,
    "UpdateAlias": Action.PUT_ALIAS,
    "UpdateFunctionConfiguration": Action.UPDATE_CONFIGURATION,
    "UpdateFunctionCode": Action.UPDATE_CODE,
    "TagResource": Action.PUT_TAGS,
    "UntagResource": Action.REMOVE_TAGS,
    "PublishLayerVersion": Action.PUBLISH_LAYER,
    "Invoke": Action.INVOKE,
}
"""What is noted in the ledger; every other operation must begin with a word that says it reads."""


def is_write(call: Call) -> bool:
    """Whether it changes something, or may."""
    reads = call.operation.startswith(("Get", "List", "AssumeRole"))
    assert reads != (call.operation in WRITES), call
    return not reads


@dataclass(frozen=True)
class Point:
    """Before or after the call of this number in a run."""

    index: int
    moment: Moment
    operation: str

    def __str__(self) -> str:
        return f"{self.moment} call {self.index}, {self.operation}"


@dataclass(frozen=True)
class Ran:
    """How one process ended."""

    run: str
    calls: list[Call]
    said: dict[str, Any]
    """Result, reason, notes; empty if it was killed."""

    @property
    def writes(self) -> list[Action]:
        return [WRITES[call.operation] for call in self.calls if is_write(call)]


@dataclass
class Killer:
    """Starts the processes, and listens at the emulator for the point where one ends."""

    organization: Organization
    process: subprocess.Popen[str]
    directory: Path
    _numbers: Iterator[int] = field(default_factory=count)
    _state: Path = field(init=False)
    _store: Store = field(init=False)
    """The same, for a look into the ledger."""

    def __post_init__(self) -> None:
        self._open()

    def begin_anew(self) -> None:
        """Take a state in which nothing has happened: what is known makes calls needless."""
        self.close()
        self._open()

    def close(self) -> None:
        """Give up the state."""
        self._store.close()

    def _open(self) -> None:
        self._state = self.directory / f"{next(self._numbers)}.db"
        self._store = Store.open(str(self._state))

    def run(
        self,
        victim: Victim,
        verb: Verb,
        at: Point | None = None,
        before_write: Callable[[int], object] = lambda _: None,
    ) -> Ran:
        """Run a command to its end, or to the point where it is killed.

        `before_write` is told the number of each write that has come and is not done yet.
        """
        run = f"{verb}-{next(self._numbers)}"
        ears = _Ears(self.organization, at, before_write)
        self.organization.emulator.on_call = ears
        self._send(victim, verb, run, doomed=at is not None)
        said = self._heard()
        if at is not None:
            ears.pid.set_result(said["pid"])
            said = self._heard()
            assert said == {"status": -signal.SIGKILL}, f"it never came to {at}"
            ears.over.set()
        self.organization.emulator.on_call = None
        return Ran(run, ears.calls, said)

    def check_ledger(self, victim: Victim, ran: Ran, at: Point | None = None) -> None:
        """Every write that AWS has seen was noted before it, and what was answered is done."""
        entries = self.noted(victim, ran)
        assert [each.action for each in entries] == ran.writes
        states = [each.state for each in entries]
        unanswered = at is not None and is_write(ran.calls[at.index])
        answered = [EntryState.DONE] * (len(states) - unanswered)
        assert states == answered + [EntryState.INTENDED] * unanswered

    def noted(self, victim: Victim, ran: Ran) -> list[Entry]:
        """What the ledger has of a run; a layer's steps belong to no function."""
        refs = (FunctionRef("aws", MEMBER, HOME, each) for each in (victim.name, ""))
        found = [entry for ref in refs for entry in self._store.steps(ref) if entry.run == ran.run]
        return sorted(found, key=lambda each: each.number or 0)

    def _send(self, victim: Victim, verb: Verb, run: str, *, doomed: bool) -> None:
        task = Task(
            verb=verb.value,
            account=MEMBER,
            region=HOME,
            name=victim.name,
            state=str(self._state),
            run=run,
            now=self.organization.clock(),
            route=victim.kind.route,
            doomed=doomed,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asdict(task)) + "\n")
        self.process.stdin.flush()

    def _heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process has ended"
        heard: dict[str, Any] = json.loads(line)
        return heard


@dataclass
class _Ears:
    organization: Organization
    at: Point | None
    before_write: Callable[[int], object]
    pid: Future[int] = field(default_factory=Future)
    over: threading.Event = field(default_factory=threading.Event)
    calls: list[Call] = field(default_factory=list)

    def __call__(self, call: Call, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            self.calls.append(call)
            if is_write(call):
                self.before_write(sum(map(is_write, self.calls)) - 1)
            # Time passes whenever somebody looks.
            self.organization.clock.now += call.operation == "GetFunction"
        at = self.at
        if at is None or (len(self.calls) - 1, moment) != (at.index, at.moment):
            return
        assert call.operation == at.operation
        os.kill(self.pid.result(SECONDS), signal.SIGKILL)
        assert self.over.wait(SECONDS)
        if moment is Moment.BEFORE:
            # It has not reached AWS.
            raise ConnectionResetError


@contextmanager
def killing(
    organization: Organization, directory: Path, *, endpoint: str | None = None
) -> Iterator[Killer]:
    """Give a killer; the process that it starts others from lives as long.

    `endpoint` is where it calls, if not the emulator itself.
    """
    environment = {
        **os.environ,
        **organization.emulator.environment,
        "AWS_ENDPOINT_URL": endpoint or organization.emulator.url,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "tests.migration.process"]
    with (
        subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
        closing(Killer(organization, process, directory)) as killer,
    ):
        yield killer
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(SECONDS) == 0
