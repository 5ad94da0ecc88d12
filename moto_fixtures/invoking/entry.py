"""What is started in an execution environment, told from the files that are laid out for it.

What fails there because of the other architecture is told from the files' headers: a kernel that
was taught to start other machines' programs would start them here, and Lambda's would not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.toolchain.sandbox.machine import built_for
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.trial.qemu import qemu_for
from fleet.toolchain.trial.surroundings import EMULATOR, TASK
from moto_fixtures.corrections.serving import Serving

from . import failures
from .runtime import GO

OPT = "/opt"
"""https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"""
WAY = "/fleet/way"
"""The directory of the socket, the one thing that leads in."""
DOOR = "/fleet/door"
"""The program of ../rpc."""

_BOOTSTRAP = "bootstrap"
_HEAD = 4096
_EVERYONE = 0o1
_FORMAT = "exec format error"


@dataclass(frozen=True, slots=True)
class CannotStart:
    """Lambda would find nothing that it can run, and this is what it says."""

    kind: str
    sentence: str


def command(task: Path, opt: Path, serving: Serving, machine: str) -> Sequence[str] | CannotStart:
    """Give the words that start it behind the walls.

    `task` and `opt` are where the package and the layers are laid out, `machine` is this one's
    architecture. Raises NoSandbox where the function's can't be run here.
    """
    if serving.runtime == GO:
        return _of_go(task, serving, machine)
    found = _bootstrap(task, opt)
    if found is None:
        return CannotStart(failures.INVALID_ENTRYPOINT, failures.NO_BOOTSTRAP)
    bootstrap, program = found
    handler, own = serving.handler or "", {None, serving.architecture}
    if _built_for(bootstrap) not in own:
        return CannotStart(failures.INVALID_ENTRYPOINT, f"fork/exec {program}: {_FORMAT}")
    if _is_shim(bootstrap) and _built_for(task / handler) not in own:
        # What a shell says of a program that the kernel does not know.
        return CannotStart(failures.EXIT_ERROR, "Runtime exited with error: exit status 126")
    words = (
        *(DOOR, "emulator", f"{WAY}/in", EMULATOR, "--log-level", "debug"),
        *("--runtime-interface-emulator-address", "127.0.0.1:49800"),
        *("--runtime-api-address", "127.0.0.1:49801"),
    )
    if serving.architecture == machine or not bootstrap.stat().st_mode & _EVERYONE:
        return words
    if _built_for(bootstrap) is None:
        problem = f"qemu-user starts only {serving.architecture} programs, and this is a script"
        raise NoSandbox(problem, f"invoke it on an {serving.architecture} machine")
    return (*words, qemu_for(serving.architecture), program, handler)


def _of_go(task: Path, serving: Serving, machine: str) -> Sequence[str] | CannotStart:
    handler = serving.handler or ""
    program = f"{TASK}/{handler}"
    if _built_for(task / handler) not in {None, serving.architecture}:
        return CannotStart(failures.PATH_ERROR, f"fork/exec {program}: {_FORMAT}")
    way = () if serving.architecture == machine else (qemu_for(serving.architecture),)
    return (DOOR, "rpc", f"{WAY}/in", *way, program)


def _bootstrap(task: Path, opt: Path) -> tuple[Path, str] | None:
    """Give the package's, or else the layers'; here and behind the walls."""
    for directory, inside in ((task, TASK), (opt, OPT)):
        program = directory / _BOOTSTRAP
        # A link may lead to what is only there behind the walls.
        if os.path.lexists(program) and not program.is_dir():
            return program, f"{inside}/{_BOOTSTRAP}"
    return None


def _is_shim(bootstrap: Path) -> bool:
    try:
        with bootstrap.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return head.startswith(b"#!") and b"_HANDLER" in head


def _built_for(program: Path) -> str | None:
    try:
        return built_for(program)
    except (OSError, ValueError):
        return None
