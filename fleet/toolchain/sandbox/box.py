"""A process behind the walls: started, watched from outside, and ended for certain.

Who may not make namespaces without privileges gets no sandbox, root included: root gives up its
own user first, so that nothing in there is root of anything. The process in there is the first
of its process namespace: when the kernel ends it, it ends every other one of that namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from fleet.toolchain.sandbox.machine import host_architecture
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.sandbox.syscalls import refusing
from fleet.toolchain.sandbox.text import harmless, last_line
from fleet.toolchain.sandbox.usage import can_be_read, memory_of
from fleet.toolchain.sandbox.walls import NOBODY, Tools

_ENDING_SECONDS = 30.0
_INSTALL = "install bubblewrap (0.7.0 or newer) and util-linux, as Debian calls them"
ALLOW = (
    "namespaces without privileges have to be allowed (in a container: seccomp and AppArmor), and "
    "bubblewrap has to be 0.7.0 or newer"
)


@dataclass(frozen=True, slots=True)
class Sandboxed:
    """What runs behind the walls, as seen from outside."""

    outer: subprocess.Popen[bytes]
    first: int
    """Process id, here, of the first process in there."""
    descriptor: int
    """pidfd of it: an id can be given away again, this cannot. Readable once it has ended."""

    @property
    def log(self) -> IO[bytes]:
        """What is written to standard error."""
        assert self.outer.stderr is not None  # noqa: S101 - it was asked for
        return self.outer.stderr

    @property
    def output(self) -> IO[bytes]:
        """What is written to standard output."""
        assert self.outer.stdout is not None  # noqa: S101 - it was asked for
        return self.outer.stdout

    def memory(self) -> int:
        """Give the bytes that everything in there holds together."""
        return memory_of(self.first)

    def end(self) -> None:
        """End everything in there, and come back when it has ended; may be called again."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)
        # The kernel tells the end of a namespace's first process after that of all the others.
        if not select.select([self.descriptor], [], [], _ENDING_SECONDS)[0]:
            raise NoSandbox("what ran in it could not be ended", "look for it with ps")

    def beside(self, tools: Tools, command: Sequence[str]) -> list[str]:
        """Give the command that runs one of ours in the network in there, and outside of the rest.

        Root enters as it is; anybody else has the right only through the user namespace.
        """
        way = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return [tools.nsenter, "--target", str(self.first), *way, "--net", "--", *command]


def find_tools() -> Tools:
    """Give the programs that build the walls; raises NoSandbox where one is missing."""
    if sys.platform != "linux":
        raise NoSandbox(f"it is {sys.platform}", "try packages on Linux, as Lambda runs them")
    found = {name: shutil.which(name) for name in ("bwrap", "prlimit", "nsenter")}
    if missing := [name for name, path in found.items() if path is None]:
        raise NoSandbox(f"{' and '.join(missing)} missing", _INSTALL)
    if not can_be_read():
        raise NoSandbox("/proc does not tell which processes a process has started", "mount it")
    return Tools(**{name: path for name, path in found.items() if path is not None})


@contextlib.contextmanager
def sandboxed(
    tools: Tools,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    keeps_user: bool = False,
) -> Iterator[Sandboxed]:
    """Run what is named after walls(…) in `arguments`, and end it and all it started.

    With `keeps_user` it reads files as the user who started fleet, root included: for our own
    choice of programs, not for those of a package. Without privileges in either case.
    Raises NoSandbox where bwrap itself cannot start; walls that cannot be built are told in the
    log, and the first process ends.
    """
    forbidden = refusing(host_architecture())
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told, tempfile.TemporaryFile() as rules:
        rules.write(forbidden)
        rules.seek(0)
        given = ("--info-fd", str(writing), "--seccomp", str(rules.fileno()))
        try:
            outer = subprocess.Popen(  # noqa: S603 - nothing is given to a shell
                [tools.bwrap, *given, *arguments],
                cwd="/",
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(writing, rules.fileno()),
                # Ctrl-C is for fleet, which then ends what is in there.
                start_new_session=True,
                **({} if keeps_user else _as_nobody()),
            )
        except OSError as error:
            raise NoSandbox(f"{tools.bwrap} cannot be started ({error})", ALLOW) from None
        finally:
            os.close(writing)
        info = told.read()
    with outer:
        try:
            first = int(json.loads(info or b"{}").get("child-pid", ""))
            descriptor = os.pidfd_open(first)
        except (ProcessLookupError, ValueError):
            _, said = outer.communicate()
            raise NoSandbox(
                last_line(harmless(said)) or "bwrap ended without a word", ALLOW
            ) from None
        box = Sandboxed(outer, first, descriptor)
        try:
            yield box
        finally:
            try:
                box.end()
            finally:
                os.close(descriptor)
                outer.kill()


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
