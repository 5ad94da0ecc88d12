"""What was seen of a start → a verdict: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.text import last_line
from fleet.toolchain.trial.emulator_log import INVALID_ENTRYPOINT, Start
from fleet.toolchain.trial.surroundings import TASK

_SHELL_COULD_NOT_START = frozenset({126, 127})
"""https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html, 2.8.2"""

_NOTHING_TO_RUN = re.compile(
    r"no such file or directory$|permission denied$|exec format error$"
    r"|^couldn't find valid bootstrap",
    re.IGNORECASE,
)
"""Of an InvalidEntrypoint, what lies in the package, and not in this machine's day.

https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
"""

_OF_THE_SHELL = f"{TASK}/bootstrap: "
# The emulator adds these to what the function writes.
_EMULATORS_OWN = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")


class TrialOutcome(StrEnum):
    """Whether a package starts."""

    STARTS = "starts"
    """It came to the Runtime API and asked for an invocation."""
    CANNOT_START = "can't start"
    """Lambda would find nothing that it can run. The one failure."""
    INCONCLUSIVE = "inconclusive"
    """Neither was seen. Never a failure, and never a start."""


class Stop(StrEnum):
    """Why the watch ended."""

    KNOWN = "known"
    """The start was over, or the process gone."""
    TIME = "time"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of one start."""

    start: Start
    stop: Stop
    log: str
    """The emulator's."""
    said: str
    """What the function wrote."""
    answer: str | None
    """What came back for the event; None if none was given, or nothing came."""
    problem: str
    """What the emulator's caller complained of, or the last line of the log."""


def judge(seen: Watched, *, handler: str, script: bool, limits: Limits) -> tuple[TrialOutcome, str]:
    """Give the verdict and one sentence that says why.

    `script` says whether bootstrap is a script, as a shim is.
    """
    start = seen.start
    if start.asked:
        return TrialOutcome.STARTS, "it came to the Runtime API and asked for an invocation"
    if start.fatal == INVALID_ENTRYPOINT and _NOTHING_TO_RUN.search(start.error):
        return TrialOutcome.CANNOT_START, f"{INVALID_ENTRYPOINT}: {start.error}"
    if script and _could_not_run(f"{TASK}/{handler}: ", seen):
        return (
            TrialOutcome.CANNOT_START,
            f"bootstrap could not start what it stands for: {_own_last_line(seen.said)}",
        )
    return TrialOutcome.INCONCLUSIVE, _why_not_known(seen, limits)


def _could_not_run(program: str, seen: Watched) -> bool:
    """Whether the shell that runs bootstrap said that it cannot run this program.

    A program that the shell did start can end with the same status, and name itself, when it
    misses a library that only this machine lacks; the shell's own lines begin with its script.
    """
    if seen.start.exit_status not in _SHELL_COULD_NOT_START:
        return False
    lines = (line for line in seen.said.splitlines() if line.startswith(_OF_THE_SHELL))
    return any(program in line for line in lines)


def _why_not_known(seen: Watched, limits: Limits) -> str:
    if seen.stop is Stop.MEMORY:
        return f"it took more than {limits.memory >> 20} MB of memory and was ended"
    if not seen.start.listening:
        return f"the sandbox or the emulator did not come up: {seen.problem or 'no reason given'}"
    if seen.stop is Stop.TIME:
        return (
            f"it ran for {limits.seconds:g} s without asking for an invocation, as a handler does "
            "that waits for its network, or whose aws-lambda-go knows no Runtime API"
        )
    if seen.start.fatal == INVALID_ENTRYPOINT:
        return f"the emulator could not start it ({seen.start.error or 'no reason given'})"
    ended = seen.start.error or "the emulator ended"
    told = _own_last_line(seen.said)
    return f"it ended before asking for an invocation ({ended})" + (f": {told}" if told else "")


def _own_last_line(said: str) -> str:
    own = (line for line in said.splitlines() if not line.startswith(_EMULATORS_OWN))
    return last_line("\n".join(own))
