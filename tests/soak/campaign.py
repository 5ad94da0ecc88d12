"""A plan run by a ticking coordinator and the workers of a cluster, all of which get killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random

from fleet.store import Store
from fleet.wave import Phase
from tests.cluster_fixture import DaskCluster

FLEET = Path(sys.executable).with_name("fleet")
_LOOK_SECONDS = 0.05


class Who(StrEnum):
    """Who is killed."""

    COORDINATOR = "coordinator"
    WORKER = "worker"


def kills(random: Random, calls: int, times: int) -> list[tuple[int, Who]]:
    """So many of each, at calls that are chosen at random out of the first so many."""
    chosen = ((random.randrange(calls // 50, calls), who) for who in Who for _ in range(times))
    return sorted(chosen)


@dataclass
class Campaign:
    """Calls `fleet waves run --due` until every function has ended."""

    plan: Path
    functions: int
    name: str
    state: str
    cluster: DaskCluster
    environment: Mapping[str, str]
    random: Random
    doomed: SimpleQueue[Who] = field(default_factory=SimpleQueue)
    """Who is to be killed, now."""
    ticks: int = 0
    killed: list[Who] = field(default_factory=list)
    coordinator_cpu: float = 0.0
    """Seconds."""
    workers_cpu: float = 0.0

    def run(self, seconds: float) -> None:
        """Raises AssertionError where that takes longer than so many seconds."""
        until = time.monotonic() + seconds
        with Store.open(self.state) as store:
            while True:
                status = self._tick(until)
                states = store.members(self.name)
                if len(states) == self.functions and all(
                    each.phase is Phase.ENDED for each in states
                ):
                    return
                assert status in {0, -signal.SIGKILL}, self.log

    @property
    def log(self) -> str:
        """The end of what the coordinators have said."""
        return self._log.read_text()[-4000:]

    @property
    def _log(self) -> Path:
        return self.plan.with_suffix(".log")

    def end(self) -> None:
        """Count what the workers that are left have used."""
        for each in self.cluster.workers:
            if each.poll() is None:
                self.workers_cpu += _cpu_of(each.pid)

    def _tick(self, until: float) -> int:
        """One call, to its end or to that of its process; its exit status."""
        self.ticks += 1
        asked = ["--due", "--apply", "--yes", "--no-trial", "--quiet", "--state", self.state]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [FLEET, "waves", "run", self.plan, *asked, "--cluster", self.cluster.address],
                env={**os.environ, **self.environment},
                cwd=self.plan.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                self.coordinator_cpu += used.ru_utime + used.ru_stime
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode
            if time.monotonic() > until:
                process.kill()
                process.wait()
                raise AssertionError(f"not over yet: {self.log}")
            try:
                who = self.doomed.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            self.killed.append(who)
            if who is Who.COORDINATOR:
                process.kill()
            else:
                self._replace_worker()

    def _replace_worker(self) -> None:
        workers = self.cluster.workers
        index = self.random.choice([n for n, each in enumerate(workers) if each.poll() is None])
        self.workers_cpu += _cpu_of(workers[index].pid)
        self.cluster.kill_worker(index)
        self.cluster.start_worker()


def _cpu_of(process: int) -> float:
    """Seconds that a process of Linux has used; proc(5)."""
    stat = Path(f"/proc/{process}/stat").read_text()
    # Its name, in parentheses, may hold anything.
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
