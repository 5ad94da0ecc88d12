"""One execution environment: a package behind walls, for one invocation after the other."""

from __future__ import annotations

import http.client
import os
import selectors
import shutil
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

from fleet.toolchain.sandbox.box import Sandboxed, sandboxed
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.room import room
from fleet.toolchain.sandbox.walls import NOBODY, Given, walls
from fleet.toolchain.trial.surroundings import EMULATOR, TASK
from fleet.toolchain.trial.unpack import unpack
from moto_fixtures.corrections.serving import Serving

from .entry import DOOR, OPT, WAY, CannotStart, command
from .layers import merged
from .programs import Programs
from .said import Said
from .variables import variables

_CHUNK = 1 << 16
_PAUSE_SECONDS = 0.002


class Environment:
    """Processes, and the thread they belong to.

    bwrap's walls fall with the thread that started it (PR_SET_PDEATHSIG means a thread, not a
    process), and a server's threads end with their connections: so each environment has one of
    its own, which starts it, reads what it says, and ends it.
    """

    init_seconds: float = 10
    """What Lambda gives init; tests that wait for its end may shorten it.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """

    def __init__(self, serving: Serving, programs: Programs) -> None:
        """Start it; raises NoSandbox, PackageUnusable or OSError."""
        self.serving = serving
        self.said = Said()
        self.cannot_start: CannotStart | None = None
        self._programs = programs
        self._way = Path()
        self._ending, self._told = socket.socketpair()
        self._up: SimpleQueue[Exception | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._own, name="environment", daemon=True)
        self._thread.start()
        if problem := self._up.get():
            self.end()
            raise problem

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection to what is to be invoked; raises ConnectionError if it has ended."""
        while not self.said.over:
            way = socket.socket(socket.AF_UNIX)
            try:
                way.connect(str(self._way))
            except (FileNotFoundError, ConnectionRefusedError):
                # It is on its way up.
                way.close()
                time.sleep(_PAUSE_SECONDS)
            else:
                connection = http.client.HTTPConnection("environment")
                connection.sock = way
                return connection
        raise ConnectionError("the environment has ended")

    def end(self) -> None:
        """End every process in it and remove its files; comes back when that is done."""
        self._ending.close()
        self._thread.join()

    def _own(self) -> None:
        try:
            with self._told, room() as place:
                words = self._lay_out(place)
                if isinstance(words, CannotStart):
                    self.cannot_start = words
                    self._up.put(None)
                    return
                limits = Limits(seconds=self.init_seconds + self.serving.timeout)
                given = variables(self.serving, limits)
                with sandboxed(self._programs.tools, [*self._walls(place), *words], given) as box:
                    self._up.put(None)
                    self._listen(box)
        except Exception as problem:  # noqa: BLE001 - it is raised in the thread that waits for it
            self._up.put(problem)
        finally:
            self.said.end()

    def _lay_out(self, place: Path) -> Sequence[str] | CannotStart:
        task, opt, way = place / "task", place / "opt", place / "way"
        for directory in (task, opt, way):
            directory.mkdir()
            directory.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(way, NOBODY, NOBODY)
        self._way = way / "in"
        package = place / "package.zip"
        for content, directory in ((self.serving.code, task), (merged(self.serving.layers), opt)):
            package.write_bytes(content)
            unpack(package, directory)
        package.unlink()
        # No cache is open to the sandbox's user.
        for source, name in (
            (self._programs.emulator.path, "emulator"),
            (self._programs.door, "door"),
        ):
            shutil.copyfile(source, place / name)
            (place / name).chmod(0o555)
        return command(task, opt, self.serving, self._programs.emulator.architecture)

    def _walls(self, place: Path) -> list[str]:
        given = (
            Given(place / "task", TASK),
            Given(place / "emulator", EMULATOR),
            Given(place / "opt", OPT),
            Given(place / "door", DOOR),
            Given(place / "way", WAY, writable=True),
        )
        tools = self._programs.tools
        return walls(tools, given, etc=place / "etc", begin_in=TASK, limits=Limits())

    def _listen(self, box: Sandboxed) -> None:
        """Read what it says until it ends, or shall end; then all that is left of it."""
        take = {box.log.fileno(): self.said.add_log, box.output.fileno(): self.said.add_output}
        with selectors.DefaultSelector() as selector:
            for each in (*take, box.descriptor, self._told.fileno()):
                selector.register(each, selectors.EVENT_READ)
            ends = False
            while not ends:
                for key, _ in selector.select():
                    if key.fd not in take:
                        ends = True
                    elif data := os.read(key.fd, _CHUNK):
                        take[key.fd](data)
                    else:
                        selector.unregister(key.fd)
        # Nobody is left who could write: what is in the pipes is all there will be.
        box.end()
        for descriptor, add in take.items():
            while data := os.read(descriptor, _CHUNK):
                add(data)
