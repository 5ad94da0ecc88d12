"""The exit statuses, as documented in the README."""

from enum import IntEnum


class Status(IntEnum):
    """How a command ended."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    FINDINGS = 3
    INCOMPLETE = 4
    INTERRUPTED = 130
