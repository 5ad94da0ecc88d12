"""`fleet scan` as a user runs it: a process of its own, with what it took."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.server import Server
from tests.bench.worker import client_environment

FLEET = str(Path(sys.executable).with_name("fleet"))


@dataclass(frozen=True, slots=True)
class Run:
    """What one whole process took."""

    seconds: float
    cpu: float
    """Seconds, user and system."""
    peak: float
    """Megabytes (10⁶ bytes) of the largest resident set."""
    found: int
    """Rows of function versions saved."""


def run_fleet_scan(server: Server, *options: str) -> Run:
    """Run `fleet scan --org` to its end; raises RuntimeError with its words if it fails.

    Linux counts what the parent held when it started a process as that process's peak: call this
    from a process that is smaller than what it measures.
    """
    with tempfile.TemporaryDirectory() as directory:
        state = str(Path(directory) / "state.db")
        command = [FLEET, "scan", "--org", "--no-report", "--quiet", "--state", state, *options]
        before = time.perf_counter()
        with (Path(directory) / "said").open("w+") as said:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=client_environment(server),
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
            _, status, used = os.wait4(process.pid, 0)
            taken = time.perf_counter() - before
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                raise RuntimeError(f"fleet scan ended with {process.returncode}: {said.read()}")
        return Run(
            seconds=taken,
            cpu=used.ru_utime + used.ru_stime,
            peak=used.ru_maxrss * 1024 / 1e6,
            found=_found(state),
        )


def _found(state: str) -> int:
    command = [FLEET, "report", "--no-report", "--format", "csv", "--state", state]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    _, *rows = csv.reader(io.StringIO(printed))
    return len(rows)
