"""What the emulator's log tells of a start: pure, a line at a time.

The emulator writes its log to standard error, and what the function writes, wherever it writes
it, to standard output. The words are those of the version that
fleet/toolchain/trial/emulator.py pins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"

_LINE = re.compile(r"\d\d \w{3} \d{4} [\d:,]+ \[[A-Z]+\] \(rapid\) (.*)")
_NEXT = "API request - GET /2018-06-01/runtime/invocation/next,"
_LISTENING = "Runtime API Server listening on "
_FATAL = "First fatal error stored in appctx: "
_FAILED = re.compile(r"Init failed.* error=(.*?)(?: InvokeID=\S*)?$")
_EXIT_STATUS = re.compile(r"exit status (\d+)$")


@dataclass(frozen=True, slots=True)
class Start:
    """How far a start has come."""

    listening: bool = False
    """Whether the emulator itself is up."""
    asked: bool = False
    """Whether the process came to the Runtime API and asked for an invocation."""
    fatal: str = ""
    """Lambda's word for the first thing that went wrong, as Runtime.ExitError."""
    error: str = ""
    """The emulator's sentence on why init failed."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be learnt about the start."""
        return self.asked or bool(self.error)

    @property
    def exit_status(self) -> int | None:
        """What the process ended with, or None if it did not, or was killed."""
        found = _EXIT_STATUS.search(self.error)
        return int(found[1]) if found else None


def read(start: Start, line: str) -> Start:
    """Give how far it has come after one more line; the first of each kind counts.

    The emulator tries again after a failed init, and fails again.
    """
    found = _LINE.match(line)
    if found is None or start.is_over:
        return start
    said = found[1]
    if said.startswith(_NEXT):
        return replace(start, asked=True)
    if said.startswith(_LISTENING):
        return replace(start, listening=True)
    if said.startswith(_FATAL) and not start.fatal:
        return replace(start, fatal=said.removeprefix(_FATAL).strip())
    if failed := _FAILED.match(said):
        return replace(start, error=failed[1].strip())
    return start
