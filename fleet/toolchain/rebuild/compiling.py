"""A program of ours behind the walls, watched until it ends or a limit is reached."""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from fleet.toolchain.sandbox.box import ALLOW, Sandboxed, find_tools, sandboxed
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.sandbox.text import Kept, last_line
from fleet.toolchain.sandbox.walls import Given, walls

_LOOK_SECONDS = 0.1
_CHUNK = 1 << 16
_WALLS_FAILED = "bwrap: "
_ALONE = 4
"""How many times what all may have, one process may ask for: enough for the watch to come first.

A Go program that the kernel refuses memory crashes with whatever words it has left.
"""


class End(Enum):
    """Why a program is no longer there."""

    ITSELF = auto()
    TIME = auto()
    MEMORY = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program behind the walls ended."""

    end: End
    status: int
    """0 for success; says nothing where it was ended."""
    said: str
    """What it wrote to either stream, bounded and harmless."""


def run_behind_walls(
    words: Sequence[str],
    environment: Mapping[str, str],
    given: Sequence[Given],
    *,
    etc: Path,
    begin_in: str,
    limits: Limits,
    stop: threading.Event,
) -> Ran:
    """Run it to its end, or end it with all it has started; raises NoSandbox."""
    tools = find_tools()
    each = replace(limits, memory=_ALONE * limits.memory)
    outer = walls(tools, given, etc=etc, begin_in=begin_in, limits=each)
    with sandboxed(tools, [*outer, *words], environment, keeps_user=True) as box:
        kept = Kept()
        end = _watched(box, kept, limits, stop)
        box.end()
        # Nobody is left who could write: what is in the pipes is all there will be.
        for pipe in (box.log, box.output):
            while data := os.read(pipe.fileno(), _CHUNK):
                kept.add(data)
        status = box.outer.wait()
    said = kept.text()
    if end is End.ITSELF and status and said.startswith(_WALLS_FAILED):
        raise NoSandbox(last_line(said), ALLOW)
    return Ran(end, status, said)


def _watched(box: Sandboxed, kept: Kept, limits: Limits, stop: threading.Event) -> End:
    deadline = time.monotonic() + limits.seconds
    with selectors.DefaultSelector() as selector:
        for each in (box.log.fileno(), box.output.fileno(), box.descriptor):
            selector.register(each, selectors.EVENT_READ)
        while True:
            if stop.is_set():
                return End.STOPPED
            if time.monotonic() > deadline:
                return End.TIME
            if box.memory() > limits.memory:
                return End.MEMORY
            for key, _ in selector.select(_LOOK_SECONDS):
                if key.fd == box.descriptor:
                    return End.ITSELF
                if data := os.read(key.fd, _CHUNK):
                    kept.add(data)
                else:
                    selector.unregister(key.fd)
