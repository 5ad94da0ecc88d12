"""A real Dask cluster of the tests' own: a scheduler and workers, each a process on 127.0.0.1."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from distributed.utils import open_port

SECONDS = 60


@dataclass
class DaskCluster:
    """Processes that a test may kill; all that are left are stopped at its end."""

    directory: Path
    environment: Mapping[str, str]
    threads: int
    address: str
    stack: ExitStack
    scheduler: subprocess.Popen[bytes] = field(init=False)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start(
            "scheduler",
            f"scheduler --host 127.0.0.1 --port {port} --no-dashboard "
            "--dashboard-address 127.0.0.1:0",
            {},
        )

    def start_worker(self, environment: Mapping[str, str] | None = None) -> None:
        """One more, which may still be about to connect when this returns."""
        process = self._start(
            f"worker-{len(self.workers)}",
            # No nanny: it would start a killed one again. No dashboard is served all the same.
            f"worker {self.address} --no-nanny --no-dashboard --dashboard-address 127.0.0.1:0 "
            f"--host 127.0.0.1 --nworkers 1 --nthreads {self.threads} --memory-limit 0 ",
            environment or {},
        )
        self.workers.append(process)

    def kill_worker(self, index: int) -> None:
        """Kill it with -9, and wait until it is gone."""
        self.workers[index].kill()
        self.workers[index].wait(SECONDS)

    def kill_scheduler(self) -> None:
        """Kill it with -9, and wait until it is gone."""
        self.scheduler.kill()
        self.scheduler.wait(SECONDS)

    def log(self) -> str:
        """What all of them have written so far."""
        return "".join(each.read_text() for each in sorted(self.directory.glob("*.log")))

    def _start(
        self, name: str, arguments: str, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments.split()],
                cwd=self.directory,
                env={
                    **os.environ,
                    "DASK_TEMPORARY_DIRECTORY": str(self.directory),
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    **self.environment,
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(SECONDS)


@contextmanager
def dask_cluster(
    directory: Path,
    *,
    workers: int = 2,
    threads: int = 4,
    env: Mapping[str, str] | None = None,
) -> Iterator[DaskCluster]:
    """A scheduler and workers that know `env`; their logs and files are in `directory`."""
    directory.mkdir(exist_ok=True)
    with ExitStack() as stack:
        address = f"tcp://127.0.0.1:{open_port('127.0.0.1')}"
        made = DaskCluster(directory, env or {}, threads, address, stack)
        for _ in range(workers):
            made.start_worker()
        yield made
