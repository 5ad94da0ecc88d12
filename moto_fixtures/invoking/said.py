"""What an execution environment has said so far: its log, and the function's output.

The thread that reads the pipes adds, the one that invokes asks.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

from fleet.toolchain.sandbox.text import harmless
from fleet.toolchain.trial.emulator_log import Start, read

LOG_RESULT = 4096
"""Bytes; https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_ResponseSyntax"""

READY = "door: ready"
"""What the door writes once a go1.x handler listens."""

_MAX_LINE = 1 << 13
_MAX_OUTPUT = 1 << 16
_ANSWERED = re.compile(
    r"API request - POST /2018-06-01/runtime/invocation/[^/ ]+/(response|error),"
)
_FAILED = re.compile(r"\(rapid\) Invoke failed .*?error=(.*?)(?: InvokeID=\S*)?$")
_FATAL = "First fatal error stored in appctx: "
_REPORT = b"REPORT RequestId: "
_START = re.compile(rb"START RequestId: (\S+)")


@dataclass
class Said:
    """Thread-safe."""

    start: Start = field(default_factory=Start)
    started: float | None = None
    """When, by time.monotonic, the function was ready for its first invocation."""
    answered: str = ""
    """`response` or `error`, as the function called what it gave back for this invocation."""
    fatal: str = ""
    """Lambda's word for what went wrong, as Runtime.ExitError."""
    error: str = ""
    """The emulator's sentence on why this invocation failed."""
    over: bool = False
    """Whether nothing more will be said."""
    _output: bytearray = field(default_factory=bytearray)
    _line: bytes = b""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def begin(self) -> None:
        """Forget what was said of an earlier invocation."""
        with self._changed:
            self.answered = self.error = ""
            self._output.clear()

    def add_output(self, data: bytes) -> None:
        """Take more of what the function wrote; the last 64 KiB are kept."""
        with self._changed:
            self._output += data
            del self._output[:-_MAX_OUTPUT]
            self._changed.notify_all()

    def add_log(self, data: bytes) -> None:
        """Take more of the log."""
        with self._changed:
            *lines, rest = (self._line + data).split(b"\n")
            self._line = rest[:_MAX_LINE]
            for line in lines:
                self._take(harmless(line[:_MAX_LINE]))
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will be said."""
        with self._changed:
            self.over = True
            self._changed.notify_all()

    def wait_for_end_of_invocation(self, seconds: float) -> None:
        """Wait until the log knows how the function answered."""
        with self._changed:
            self._changed.wait_for(lambda: self.answered or self.error or self.over, seconds)

    def tail(self, seconds: float) -> bytes:
        """Give the end of this invocation's output, once its report is there."""
        with self._changed:
            self._changed.wait_for(lambda: _REPORT in self._output or self.over, seconds)
            return bytes(self._output[-LOG_RESULT:])

    def request_id(self) -> str | None:
        """Give the id under which the emulator runs this invocation."""
        with self._changed:
            found = _START.search(self._output)
            return found[1].decode("ascii", "replace") if found else None

    def _take(self, line: str) -> None:
        self.start = read(self.start, line)
        if self.started is None and (self.start.asked or line == READY):
            self.started = time.monotonic()
        if _FATAL in line:
            self.fatal = line.rpartition(_FATAL)[2].strip()
        if found := _ANSWERED.search(line):
            self.answered = found[1]
        if found := _FAILED.search(line):
            self.error = found[1].strip()
