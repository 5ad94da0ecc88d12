"""Starts the real `fleet scan` in a process of its own, and follows how far it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from fleet.store import Store
from moto_fixtures.server import Emulator
from tests.scan.scanner import Scan, Watcher

SECONDS = 120


@dataclass
class Fleet:
    """Runs the command line in a directory, against the emulator."""

    emulator: Emulator
    directory: Path
    database: Path = field(init=False)

    def __post_init__(self) -> None:
        self.database = self.directory / "fleet.db"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "fleet", "--debug", "scan", *arguments, "--no-report"],
            cwd=self.directory,
            env={
                **os.environ,
                **self.emulator.environment,
                "FLEET_STATE": f"sqlite:///{self.database}",
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Status, stdout and stderr."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=SECONDS)
            return process.returncode, out, err

    def saved(self, which: str | None = None) -> Scan:
        """A scan, the last one by default, read whole."""
        with Store.open(str(self.database)) as store:
            scan = Scan(store, store.scan(which), Watcher())
            assert isinstance(scan.rows, list)
            assert scan.coverage
            return scan

    def ids(self) -> list[str]:
        """Every scan that is saved."""
        with Store.open(str(self.database)) as store:
            return [each.id for each in store.scans()]


def wait_for(
    process: subprocess.Popen[str], reached: Callable[[], bool], *, seconds: float = SECONDS
) -> None:
    """Wait for something that is sure to come while the process runs, and this soon."""
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
            raise AssertionError(process.communicate())


class Held:
    """An emulator's sleep: answers wait, instead of so many seconds, until they are let go."""

    def __init__(self) -> None:
        self._let_go = threading.Event()
        self._somebody = threading.Event()
        self._reached: Callable[[], bool] = lambda: True

    def __call__(self, _seconds: float) -> None:
        if self._reached():
            self._somebody.set()
            self._let_go.wait(SECONDS)

    @property
    def somebody_waits(self) -> bool:
        """Whether a call is on its way that gets no answer yet."""
        return self._somebody.is_set()

    def wait(self, seconds: float) -> bool:
        """Whether somebody waits within so many seconds; answers are being held meanwhile."""
        return self._somebody.wait(seconds)

    @contextmanager
    def holding(
        self, emulator: Emulator, *, once: Callable[[], bool] = lambda: True
    ) -> Iterator[None]:
        """Hold every answer back from the moment on that `once` says."""
        self._reached = once
        self._let_go.clear()
        self._somebody.clear()
        emulator.slow_down(1)
        try:
            yield
        finally:
            emulator.slow_down(0)
            self._let_go.set()
