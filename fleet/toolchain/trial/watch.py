"""One start behind the walls, watched until enough is known or a limit is reached."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.toolchain.sandbox.box import Sandboxed, sandboxed
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.text import Kept, harmless, last_line
from fleet.toolchain.sandbox.walls import Given, Tools, walls
from fleet.toolchain.trial import caller
from fleet.toolchain.trial.emulator_log import Start, read
from fleet.toolchain.trial.surroundings import EMULATOR, TASK, lambda_environment
from fleet.toolchain.trial.verdict import Stop, Watched

# In a network of its own any will do; one that the function itself might want will not.
_EMULATOR_PORT = 49800
_RUNTIME_API_PORT = 49801
_LOOK_SECONDS = 0.02
# The caller gives up by itself, but never before the watch does.
_LATER_SECONDS = 60
_CHUNK = 1 << 16
_MAX_LINE = 1 << 13
_HELD_EVENT = b"{}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started, and with what."""

    package: Path
    """The directory that becomes /var/task."""
    emulator: Path
    etc: Path
    arguments: Sequence[str]
    """What the emulator shall start; empty where it shall look for a bootstrap as Lambda does."""
    handler: str
    event: bytes | None


def watch(plan: Plan, tools: Tools, limits: Limits) -> Watched:
    """Start it, watch it, end it; raises NoSandbox where there are no walls to put it behind."""
    given = (Given(plan.package, TASK), Given(plan.emulator, EMULATOR))
    arguments = [
        *walls(tools, given, etc=plan.etc, begin_in=TASK, limits=limits),
        *(EMULATOR, "--log-level", "debug"),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{_EMULATOR_PORT}"),
        *("--runtime-api-address", f"127.0.0.1:{_RUNTIME_API_PORT}"),
        *plan.arguments,
    ]
    with (
        sandboxed(tools, arguments, lambda_environment(plan.handler, limits)) as box,
        _calling(box, tools, plan.event, limits) as call,
    ):
        return _Watch(box, call, limits, waits_for_answer=plan.event is not None).run()


@contextlib.contextmanager
def _calling(
    box: Sandboxed, tools: Tools, event: bytes | None, limits: Limits
) -> Iterator[subprocess.Popen[bytes]]:
    how = caller.HOLD if event is None else caller.SEND
    # -I: nothing of the user's Python environment, -S: nothing but the standard library.
    program = (sys.executable, "-I", "-S", caller.__file__)
    ports = (str(_EMULATOR_PORT), str(_RUNTIME_API_PORT))
    with tempfile.TemporaryFile() as given:
        given.write(_HELD_EVENT if event is None else event)
        given.seek(0)
        call = subprocess.Popen(  # noqa: S603 - nothing is given to a shell
            box.beside(tools, [*program, how, str(limits.seconds + _LATER_SECONDS), *ports]),
            cwd="/",
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    with call:
        try:
            yield call
        finally:
            call.kill()


class _Watch:
    def __init__(
        self,
        box: Sandboxed,
        call: subprocess.Popen[bytes],
        limits: Limits,
        *,
        waits_for_answer: bool,
    ) -> None:
        assert call.stdout is not None  # noqa: S101 - it was asked for
        assert call.stderr is not None  # noqa: S101 - it was asked for
        self._box = box
        self._limits = limits
        self._waits_for_answer = waits_for_answer
        self._start = Start()
        self._line = b""
        self._kept = {
            box.log.fileno(): Kept(),
            box.output.fileno(): Kept(),
            call.stdout.fileno(): Kept(),
            call.stderr.fileno(): Kept(),
        }
        self._answer = call.stdout.fileno()
        self._complaint = call.stderr.fileno()
        self._open = set(self._kept)

    def run(self) -> Watched:
        stop = self._look()
        self._box.end()
        # Nobody is left who could write: what is in the pipes is all there will be.
        for pipe in (self._box.log, self._box.output):
            while pipe.fileno() in self._open:
                self._read(pipe.fileno())
        log = self._kept[self._box.log.fileno()].text()
        answered = self._waits_for_answer and self._answer not in self._open
        return Watched(
            start=self._start,
            stop=stop,
            log=log,
            said=self._kept[self._box.output.fileno()].text(),
            answer=self._kept[self._answer].text() if answered else None,
            problem=self._problem(log),
        )

    def _problem(self, log: str) -> str:
        # Where the emulator is not up, its caller can only complain of that.
        complaint = self._kept[self._complaint].text() if self._start.listening else ""
        return last_line(complaint) or last_line(log)

    def _look(self) -> Stop:
        deadline = time.monotonic() + self._limits.seconds
        with selectors.DefaultSelector() as selector:
            for each in (*self._kept, self._box.descriptor):
                selector.register(each, selectors.EVENT_READ)
            while not self._knows_enough():
                if time.monotonic() > deadline:
                    return Stop.TIME
                if self._box.memory() > self._limits.memory:
                    return Stop.MEMORY
                for key, _ in selector.select(_LOOK_SECONDS):
                    if key.fd == self._box.descriptor:
                        return Stop.KNOWN
                    if not self._read(key.fd):
                        selector.unregister(key.fd)
        return Stop.KNOWN

    def _knows_enough(self) -> bool:
        called = self._answer not in self._open
        if self._start.asked and self._waits_for_answer:
            return called
        return self._start.is_over or (called and self._complaint not in self._open)

    def _read(self, descriptor: int) -> bool:
        """Read what is there, waiting if nothing is; False at the end."""
        data = os.read(descriptor, _CHUNK)
        if not data:
            self._open.discard(descriptor)
            return False
        self._kept[descriptor].add(data)
        if descriptor == self._box.log.fileno():
            self._take_lines(data)
        return True

    def _take_lines(self, data: bytes) -> None:
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest[:_MAX_LINE]
        for line in lines:
            self._start = read(self._start, harmless(line[:_MAX_LINE]))
