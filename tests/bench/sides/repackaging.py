"""Giving a package's binary the name bootstrap and mode 0755, in four ways.

What is measured is CPU in milliseconds, user and system, of this process and what it starts.
"""

from __future__ import annotations

import hashlib
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from fleet.inspection import Strategy
from fleet.package.rewriting.repackage import repackage
from tests.bench.large_binary import ENTRY
from tests.bench.worker import Block


def by_fleet(source: Path, target: Path) -> Block:
    """Rename, prove, hash, and keep on the disk."""

    def renamed() -> None:
        repackage(source, target, handler=ENTRY, strategy=Strategy.RENAME)

    return _cpu_of(renamed)


def by_copying(source: Path, target: Path) -> Block:
    """The floor: copy the file as it is, and hash the copy."""

    def copied() -> None:
        shutil.copyfile(source, target)
        with target.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    return _cpu_of(copied)


def by_zipfile(source: Path, target: Path) -> Block:
    """Python's zipfile, deflating again as it has to, at its usual level."""

    def rewritten() -> None:
        with (
            zipfile.ZipFile(source) as old,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for info in old.infolist():
                name = "bootstrap" if info.filename == ENTRY else info.filename
                to = zipfile.ZipInfo(name, info.date_time)
                to.compress_type, to.external_attr = zipfile.ZIP_DEFLATED, 0o100755 << 16
                to.file_size = info.file_size
                with old.open(info) as read, new.open(to, "w") as write:
                    shutil.copyfileobj(read, write, 1 << 20)

    return _cpu_of(rewritten)


def by_programs(source: Path, target: Path) -> Block:
    """Info-ZIP's unzip and zip with mv between them, as people do it in a shell.

    Raises FileNotFoundError where one of them is not installed.
    """
    directory = target.with_suffix("")

    def rezipped() -> None:
        shutil.rmtree(directory, ignore_errors=True)
        target.unlink(missing_ok=True)
        for command in (
            ["unzip", "-q", str(source), "-d", str(directory)],
            ["mv", str(directory / ENTRY), str(directory / "bootstrap")],
            ["chmod", "755", str(directory / "bootstrap")],
            ["zip", "-qr", str(target), "."],
        ):
            cwd = directory if command[0] == "zip" else directory.parent
            subprocess.run(command, check=True, cwd=cwd)

    return _cpu_of(rezipped)


def peak(source: Path, target: Path) -> Block:
    """Largest resident set, in MB, of a whole Python that does nothing but repackage."""
    work = (
        "import sys; from pathlib import Path; from fleet.inspection import Strategy; "
        "from fleet.package.rewriting.repackage import repackage; "
        "repackage(Path(sys.argv[1]), Path(sys.argv[2]), handler=sys.argv[3], "
        "strategy=Strategy.RENAME); "
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )

    def block() -> float:
        command = [sys.executable, "-c", work, str(source), str(target), ENTRY]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(ran.stdout) * 1024 / 1e6

    return block


def _cpu_of(work: Callable[[], object]) -> Block:
    def block() -> float:
        before = _cpu()
        work()
        return (_cpu() - before) * 1000

    work()
    return block


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
