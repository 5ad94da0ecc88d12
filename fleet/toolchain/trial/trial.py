"""Does this package start? Tried under AWS's own emulator, behind walls.

One thing is asked: did the process come to the Runtime API and ask for an invocation? It is not
given one unless the caller has an event for it. The userland is this machine's: a C library
that a Lambda runtime lacks does not show here.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from fleet.toolchain.sandbox.box import find_tools
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.sandbox.room import room
from fleet.toolchain.trial.emulator import Emulator
from fleet.toolchain.trial.task import arguments, is_script, lacking_here, wrong_machine
from fleet.toolchain.trial.unpack import unpack
from fleet.toolchain.trial.verdict import TrialOutcome, judge
from fleet.toolchain.trial.watch import Plan, watch


@dataclass(frozen=True, slots=True)
class Trial:
    """How a trial ended."""

    outcome: TrialOutcome
    reason: str
    """One sentence."""
    log: str = ""
    """What the emulator and the function wrote: bounded, without control characters."""
    seconds: float = 0.0
    """Wall time."""
    answer: str | None = None
    """What came back for the event; None if none was given, or nothing came."""


def try_package(
    package: Path,
    *,
    handler: str,
    architecture: str,
    emulator: Emulator,
    limits: Limits | None = None,
    event: bytes | None = None,
) -> Trial:
    """Start a zip under the emulator, in a sandbox, and say what was seen.

    `architecture` is the function's (x86_64 or arm64). Where there is no sandbox nothing is run
    and the trial is inconclusive. Raises PackageUnusable for a zip that cannot be unpacked.
    """
    began = time.monotonic()
    limits = limits or Limits()
    try:
        with room() as place:
            task = place / "task"
            task.mkdir()
            # Whatever the umask is: the sandbox's user has to enter.
            task.chmod(0o755)
            unpack(package, task)
            if known := _known_beforehand(task, handler, architecture):
                return Trial(*known, seconds=time.monotonic() - began)
            plan = Plan(
                package=task,
                emulator=_within(place, emulator),
                etc=place / "etc",
                arguments=arguments(task, handler, architecture, emulator),
                handler=handler,
                event=event,
            )
            script = is_script(task)
            watched = watch(plan, find_tools(), limits)
    except NoSandbox as error:
        return Trial(TrialOutcome.INCONCLUSIVE, str(error), seconds=time.monotonic() - began)
    except OSError as error:
        problem = f"the sandbox could not be made ready: {error}"
        return Trial(TrialOutcome.INCONCLUSIVE, problem, seconds=time.monotonic() - began)
    outcome, reason = judge(watched, handler=handler, script=script, limits=limits)
    log = "\n".join(part for part in (watched.log.rstrip(), watched.said.rstrip()) if part)
    return Trial(outcome, reason, log, time.monotonic() - began, watched.answer)


def _known_beforehand(
    task: Path, handler: str, architecture: str
) -> tuple[TrialOutcome, str] | None:
    if wrong := wrong_machine(task, handler, architecture):
        return TrialOutcome.CANNOT_START, wrong
    if lacking := lacking_here(task, handler):
        reason = f"this machine lacks {lacking}, which the package asks for and Lambda has"
        return TrialOutcome.INCONCLUSIVE, reason
    return None


def _within(place: Path, emulator: Emulator) -> Path:
    """Copy the emulator to where the sandbox's user finds it: no cache is open to others."""
    copy = place / "emulator"
    shutil.copyfile(emulator.path, copy)
    copy.chmod(0o555)
    return copy
