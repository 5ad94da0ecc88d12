"""A private directory with what the sandbox is given, and a check that there can be a sandbox."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fleet.toolchain.sandbox.box import ALLOW, find_tools, sandboxed
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.sandbox.text import harmless, last_line
from fleet.toolchain.sandbox.walls import ETC, NOBODY, walls


@contextlib.contextmanager
def room() -> Iterator[Path]:
    """Give a private directory that the sandbox's user can enter, and remove it.

    Holds `etc`, with the files of walls.ETC. Raises OSError.
    """
    place = Path(tempfile.mkdtemp(prefix="fleet-"))
    try:
        if os.geteuid() == 0:
            os.chown(place, NOBODY, NOBODY)
        (place / "etc").mkdir(mode=0o755)
        (place / "etc").chmod(0o755)
        for name, content in ETC.items():
            (place / "etc" / name).write_text(content, encoding="ascii")
            (place / "etc" / name).chmod(0o644)
        yield place
    finally:
        # A package's own modes may keep its directories shut.
        for parent, names, _ in os.walk(place):
            for each in (Path(parent) / name for name in names):
                if not each.is_symlink():
                    each.chmod(0o700)
        shutil.rmtree(place, ignore_errors=True)


def check_sandbox() -> None:
    """Build the walls, once, around nothing; raises NoSandbox where they cannot be built."""
    tools = find_tools()
    with room() as place:
        arguments = walls(tools, (), etc=place / "etc", begin_in="/", limits=Limits())
        command = ["sh", "-c", "echo up && exec sleep 60"]
        with sandboxed(tools, [*arguments, *command], {"PATH": os.defpath}) as box:
            if not box.output.readline():
                raise NoSandbox(_words(box.log.read()), ALLOW)
            done = subprocess.run(  # noqa: S603 - nothing is given to a shell
                box.beside(tools, ["true"]), capture_output=True, check=False
            )
    if done.returncode:
        raise NoSandbox(_words(done.stderr), ALLOW)


def _words(said: bytes) -> str:
    return last_line(harmless(said)) or "it ended without a word"
