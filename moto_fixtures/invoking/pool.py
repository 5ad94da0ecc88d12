"""Execution environments that wait for their next invocation, as Lambda keeps them."""

from __future__ import annotations

import threading

from moto_fixtures.corrections.serving import Serving

from .environment import Environment
from .invocation import Answer, invoke
from .programs import programs

MOST_IDLE = 8
"""More are ended, the one that has waited longest first."""


class Pool:
    """Thread-safe; an environment has one invocation at a time, more take more environments."""

    def __init__(self) -> None:
        self._idle: list[Environment] = []
        self._ends = 0
        self._lock = threading.Lock()

    def invoke(self, serving: Serving, event: bytes) -> Answer:
        """Put an event to a warm environment, or to a new one.

        Raises NoSandbox, EmulatorMissing, ToolMissing, BuildFailed, PackageUnusable or OSError.
        """
        ends = self._ends
        environment = self._warm(serving) or Environment(serving, programs())
        try:
            answer = invoke(environment, event)
        except BaseException:
            environment.end()
            raise
        surplus = [environment]
        with self._lock:
            # One that is given back after the end would never be ended.
            if not answer.spent and ends == self._ends:
                self._idle.append(environment)
                surplus = self._idle[:-MOST_IDLE]
                del self._idle[:-MOST_IDLE]
        for each in surplus:
            each.end()
        return answer

    def end(self) -> None:
        """End every environment that waits; the others end with their invocation."""
        with self._lock:
            self._ends += 1
            idle, self._idle = self._idle, []
        for each in idle:
            each.end()

    def _warm(self, serving: Serving) -> Environment | None:
        with self._lock:
            # The last one used first, so that the others grow old.
            for at in reversed(range(len(self._idle))):
                if self._idle[at].serving == serving and not self._idle[at].said.over:
                    return self._idle.pop(at)
        return None


ENVIRONMENTS = Pool()
"""Of the one emulator that runs in this process; it ends them when it stops."""
