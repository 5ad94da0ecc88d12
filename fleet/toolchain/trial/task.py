"""A package that is laid out, before it is started: what its programs were built for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fleet.toolchain.sandbox.machine import built_for
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.trial.emulator import Emulator
from fleet.toolchain.trial.qemu import qemu_for
from fleet.toolchain.trial.surroundings import TASK

BOOTSTRAP = "bootstrap"
# What every image of Lambda has at these very places.
_SHELLS = ("/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash", "/usr/bin/env")
_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
_EXECUTABLE_BY_OTHERS = 0o1
_HEAD = 4096


def is_script(task: Path) -> bool:
    """Whether the package's bootstrap begins with #!."""
    return _head(task, BOOTSTRAP).startswith(b"#!")


def wrong_machine(task: Path, handler: str, architecture: str) -> str:
    """Say which program is built for another architecture than the function's; '' if none is.

    Told from its header, because a kernel that was taught to start other machines' programs
    (binfmt_misc, as for cross-building) would start it here, and Lambda's would not.
    """
    programs = [BOOTSTRAP]
    if is_script(task) and b"_HANDLER" in _head(task, BOOTSTRAP):
        programs.append(handler)
    for name in programs:
        machine = _machine(task, name)
        if machine not in {None, architecture}:
            return (
                f"{TASK}/{name} is built for {machine} and the function is {architecture}: "
                "exec format error"
            )
    return ""


def lacking_here(task: Path, handler: str, root: Path = Path("/")) -> str:
    """Give the interpreter that Lambda has, a program asks for and this machine lacks, or ''.

    Without it the kernel says `no such file or directory` of the program, which would be a
    failure where there is none.
    """
    for name in (BOOTSTRAP, handler):
        asked = _interpreter(_head(task, name))
        if asked is not None and not (root / asked.lstrip("/")).exists():
            return asked
    return ""


def arguments(task: Path, handler: str, architecture: str, emulator: Emulator) -> Sequence[str]:
    """Give what the emulator shall start; nothing where it looks for it as Lambda does.

    Raises NoSandbox where the other architecture needs what this system does not have.
    """
    if architecture == emulator.architecture:
        return ()
    if _machine(task, BOOTSTRAP) == architecture and _everyone_may_run(task):
        return (qemu_for(architecture), f"{TASK}/{BOOTSTRAP}", handler)
    if is_script(task):
        raise NoSandbox(
            f"bootstrap is a script, and qemu-user starts only {architecture} programs",
            f"try it on an {architecture} machine",
        )
    # Missing, shut or no program at all: the emulator finds that out without running anything.
    return ()


def _interpreter(head: bytes) -> str | None:
    if head.startswith(b"#!"):
        asked = head[2:].split(b"\n")[0].strip(b" \t").split(b" ")[0]
        return next((each for each in _SHELLS if each.encode() == asked), None)
    if head.startswith(b"\x7fELF"):
        return next((each for each in _LOADERS if each.encode() in head), None)
    return None


def _everyone_may_run(task: Path) -> bool:
    program = _inside(task, BOOTSTRAP)
    return program is not None and bool(program.stat().st_mode & _EXECUTABLE_BY_OTHERS)


def _machine(task: Path, name: str) -> str | None:
    program = _inside(task, name)
    try:
        return None if program is None else built_for(program)
    except OSError:
        return None


def _head(task: Path, name: str) -> bytes:
    program = _inside(task, name)
    try:
        return b"" if program is None else _first_bytes(program)
    except OSError:
        return b""


def _first_bytes(program: Path) -> bytes:
    with program.open("rb") as file:
        return file.read(_HEAD)


def _inside(task: Path, name: str) -> Path | None:
    """Give the file, unless it or a link on the way to it leads out of the package."""
    try:
        program = (task / name).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    inside = program.is_relative_to(task.resolve())
    return program if inside and program.is_file() else None
