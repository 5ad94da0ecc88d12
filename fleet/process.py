"""This process, named so that another one can see whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from fleet.wave import Holder

_PROC = Path("/proc")
_DEAD = frozenset("ZX")
"""States of what has ended and was not waited for yet; proc(5)."""


def this_process(run: str) -> Holder:
    """Name this process as one that holds something for a run."""
    machine = _machine()
    state_and_start = _stat(_PROC / "self") if machine else None
    return Holder(
        run=run,
        host=socket.gethostname(),
        process=os.getpid(),
        machine=machine if state_and_start else "",
        started=state_and_start[1] if state_and_start else "",
    )


def is_gone(holder: Holder) -> bool:
    """Whether a process of this machine has ended for certain; False where nobody can tell."""
    here = holder.machine and holder.machine == _machine() and holder.host == socket.gethostname()
    if not here or not holder.started or holder.process <= 0:
        return False
    try:
        os.kill(holder.process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        # Another user's: it is there, or its id is.
        pass
    # Hidden from this user it may live (proc(5), hidepid).
    found = _stat(_PROC / str(holder.process))
    return found is not None and (found[0] in _DEAD or found[1] != holder.started)


def _machine() -> str:
    """The boot and the space of process ids; '' where the system does not tell."""
    try:
        if (_PROC / "self").readlink() != Path(str(os.getpid())):
            # It shows the processes of another space than ours.
            return ""
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return ""


def _stat(process: Path) -> tuple[str, str] | None:
    """State, and start in clock ticks since the boot; None where it can't be read."""
    try:
        # The program's name stands in brackets and may hold some itself.
        words = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return words[0], words[19]
    except (OSError, IndexError):
        return None
