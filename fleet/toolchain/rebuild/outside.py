"""Programs of the user's own, go and git, outside of the walls: with the network, and an end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fleet.toolchain.rebuild.problems import Stopped
from fleet.toolchain.sandbox.text import Kept, harmless

_LOOK_SECONDS = 0.1
_CHUNK = 1 << 16
_LONGEST = 64 << 20
# How git, which go calls too, reaches servers. All else of GIT_… leads to another repository, or
# writes down what goes over the wire.
_GIT = re.compile(r"GIT_(?:SSH|SSH_COMMAND|SSH_VARIANT|PROXY_.*|SSL_.*|HTTP_.*|CONFIG_.*)")
_STRANGERS = ("AWS_", "FLEET_", "GIT_", "SSH_ASKPASS")
_ANSWERS: Mapping[str, str] = {
    # Nobody is there to answer.
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",
}


class TimeOver(Exception):
    """It took longer than it may."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended."""

    status: int
    output: str
    said: str
    """Standard error, bounded and harmless; may hold credentials that are in URLs."""


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the user's environment without what belongs to AWS, to fleet and to one repository.

    What reaches the network stays: proxies, certificates, SSH's agent, git's own configuration.
    """
    kept = (name for name in environ if _GIT.fullmatch(name) or not name.startswith(_STRANGERS))
    return {**{name: environ[name] for name in kept}, **_ANSWERS}


def run(
    words: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    *,
    seconds: float,
    stop: threading.Event,
) -> Done:
    """Run a program to its end, and end what it has started if that comes too late.

    Raises OSError where it cannot be started, Stopped and TimeOver.
    """
    deadline = time.monotonic() + seconds
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - nothing is given to a shell
            list(words),
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=said,
            # Ctrl-C is for fleet, which then ends it with all its children.
            start_new_session=True,
        ) as process,
    ):
        try:
            while process.poll() is None:
                if stop.is_set():
                    raise Stopped
                if time.monotonic() > deadline:
                    raise TimeOver
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return Done(process.returncode, _whole(output), _bounded(said))


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return harmless(file.read(_LONGEST))


def _bounded(file: IO[bytes]) -> str:
    kept = Kept()
    file.seek(0)
    while data := file.read(_CHUNK):
        kept.add(data)
    return kept.text()
