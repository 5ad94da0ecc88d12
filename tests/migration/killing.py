"""Runs the process that migrates, and kills it at any call that it makes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from fleet.ledger import Action, Entry, EntryState, Verb
from fleet.model import FunctionRef
from fleet.store import Store
from moto_fixtures.server import Call, Moment
from tests.migration.process import Task
from tests.migration.victims import NAME, Victim
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
    status: int
    calls: list[Call]
    said: dict[str, Any]
    """Result, reason, notes; empty if it was killed."""

    @property
    def was_killed(self) -> bool:
        return self.status == -signal.SIGKILL

    @property
    def writes(self) -> list[Action]:
        return [WRITES[call.operation] for call in self.calls if is_write(call)]


@dataclass
class Killer:
    """Starts the processes, and listens at the emulator for the point where one ends."""

    organization: Organization
    process: subprocess.Popen[str]
    template: Path
    """A state in which nothing has happened."""
    _numbers: Iterator[int] = field(default_factory=count)

    def state(self, directory: Path) -> Path:
        """A new state."""
        path = directory / f"{next(self._numbers)}.db"
        path.write_bytes(self.template.read_bytes())
        return path

    def run(self, victim: Victim, verb: Verb, state: Path, at: Point | None = None) -> Ran:
        """Run a command to its end, or to the point where it is killed."""
        run = f"{verb}-{next(self._numbers)}"
        ears = _Ears(self.organization, at)
        self.organization.emulator.on_call = ears
        try:
            self._send(victim, verb, state, run)
            ears.pid.set_result(self._heard()["pid"])
            said = self._heard()
            status = said.get("status")
            if status is None:
                status = self._heard()["status"]
            else:
                said = {}
            ears.over.set()
        finally:
            self.organization.emulator.on_call = None
        assert status in {0, -signal.SIGKILL}
        assert (at is None) == (status == 0), f"it never came to {at}"
        return Ran(run, status, ears.calls, said)

    def _send(self, victim: Victim, verb: Verb, state: Path, run: str) -> None:
        task = Task(
            verb=verb.value,
            account=MEMBER,
            region=HOME,
            name=NAME,
            state=str(state),
            run=run,
            now=self.organization.clock(),
            route=victim.kind.route,
            event=victim.kind.event,
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
    pid: Future[int] = field(default_factory=Future)
    over: threading.Event = field(default_factory=threading.Event)
    calls: list[Call] = field(default_factory=list)

    def __call__(self, call: Call, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            self.calls.append(call)
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


def noted(state: Path, run: str) -> list[Entry]:
    """What the ledger has of a run, its layers too."""
    ref = FunctionRef("aws", MEMBER, HOME, NAME)
    with Store.open(str(state)) as store:
        entries = [*store.steps(ref), *store.steps(FunctionRef("aws", MEMBER, HOME, ""))]
    return sorted((each for each in entries if each.run == run), key=lambda each: each.number or 0)


def check_ledger(state: Path, ran: Ran, at: Point | None) -> None:
    """Every write that AWS has seen was noted before it, and only what was answered is done."""
    entries = noted(state, ran.run)
    assert [each.action for each in entries] == ran.writes
    states = [each.state for each in entries]
    open_ended = at is not None and is_write(ran.calls[at.index])
    assert states == [EntryState.DONE] * (len(states) - open_ended) + (
        [EntryState.INTENDED] * open_ended
    )


@contextmanager
def killing(organization: Organization, directory: Path) -> Iterator[Killer]:
    """Give a killer; the process that it starts others from lives as long."""
    template = directory / "template.db"
    with Store.open(str(template)) as store:
        store.hash_key()
    environment = {
        **os.environ,
        **organization.emulator.environment,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "tests.migration.process"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Killer(organization, process, template)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(SECONDS) == 0
