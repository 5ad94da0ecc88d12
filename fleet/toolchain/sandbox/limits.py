"""How much a package may take while it is tried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes."""

    seconds: float = 10.0
    """Wall time until it has asked for an invocation, which is what Lambda gives init.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """
    memory: int = 1 << 30
    """For each process's own data, and for what all of them have mapped, beside /tmp."""
    processes: int = 256
    """Processes and threads together; the emulator takes about ten."""
    files: int = 1024
    """Open files of each process, as on Lambda."""
    temporary: int = 512 << 20
    """All of /tmp, and each file; what Lambda gives unless asked for more.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
