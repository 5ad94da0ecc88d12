"""git, called so that it asks nobody, runs nothing of a repository and comes to an end.

https://git-scm.com/docs/git#_environment_variables
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import IO

from fleet.toolchain.rebuild.problems import GitFailed, GitMissing, GitSlow, GitTooMuch, Stopped
from fleet.toolchain.sandbox.text import Kept

Say = Callable[[str], None]
"""Is told one line at a time."""

SILENTLY = "without a word"
"""GitFailed.words where git said nothing."""

_POLL_SECONDS = 0.1
_CHUNK = 1 << 16
_MOST_OUTPUT = 256 << 20
_MOST_LINES = 5
_LONGEST_LINE = 300

_PROGRESS = re.compile(rb"[A-Z][a-z]+ (?:objects|deltas): +[0-9]{1,3}%")

_KEPT = re.compile(
    # How the user reaches servers; everything else of git's leads to other repositories, other
    # programs, or writes credentials down (GIT_TRACE_CURL).
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|PROXY_COMMAND|SSL_.*|PROXY_SSL_.*|HTTP_.*"
    r"|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM|CONFIG_COUNT|CONFIG_(KEY|VALUE)_[0-9]+)"
)
_STRANGERS = ("AWS_", "FLEET_", "GIT_", "SSH_ASKPASS")

_ALWAYS = MappingProxyType(
    {
        "LC_ALL": "C.UTF-8",
        # Nobody is there to answer. ssh asks on a terminal, and the new session has none.
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        # A replaced object is another one than its name says.
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
)
_NOBODYS = MappingProxyType(
    {
        # Also of attributes, which could name a filter.
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "file",
    }
)
_REMOTE = MappingProxyType({"GIT_ALLOW_PROTOCOL": "https:ssh:file"})

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    # Those of ours are bare, whatever else the user has forbidden.
    "safe.bareRepository=all",
    # Names that some file system takes for .git.
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    # Objects that only a shared clone reads are nobody's, as far as the bare one knows.
    "gc.auto=0",
    "maintenance.auto=false",
    # Packs come whole or not at all; loose objects would come one by one.
    "fetch.unpackLimit=1",
    "transfer.bundleURI=false",
    "advice.detachedHead=false",
)


@dataclass(frozen=True, slots=True)
class Git:
    """The git of this machine."""

    program: str
    environment: Mapping[str, str] = field(repr=False)
    """Of the user, without what is none of git's business."""
    seconds: float = 600.0
    """Wall time of each call."""
    stop: threading.Event = field(default_factory=threading.Event)
    say: Say = lambda _: None
    """Is told how far a download has come."""

    @classmethod
    def found(cls, environ: Mapping[str, str] = os.environ) -> Git:
        """Find it on PATH; raises GitMissing."""
        program = shutil.which("git", path=environ.get("PATH"))
        if program is None:
            raise GitMissing
        return cls(program, _users(environ))

    def remotely(self, arguments: Sequence[str], directory: Path, *, held: int) -> None:
        """Run it with the user's own configuration, for what lies on servers.

        `held` is a descriptor that it keeps open as long as it or anything it has started runs.
        Raises GitFailed or Stopped.
        """
        self._run(arguments, directory, _REMOTE, held=(held,))

    def __call__(self, arguments: Sequence[str], directory: Path, given: bytes = b"") -> bytes:
        """Run it with nobody's configuration; gives what it printed, up to 256 MiB.

        Raises GitFailed, GitTooMuch for more output, or Stopped.
        """
        return self._run(arguments, directory, _NOBODYS, given)

    def told(self, say: Say) -> Git:
        """Give the same with somebody else who is told how far it has come."""
        return replace(self, say=say)

    def _run(
        self,
        arguments: Sequence[str],
        directory: Path,
        settings: Mapping[str, str],
        given: bytes = b"",
        held: tuple[int, ...] = (),
    ) -> bytes:
        if self.stop.is_set():
            raise Stopped
        options = [word for setting in _SETTINGS for word in ("-c", setting)]
        with tempfile.TemporaryFile() as stdin:
            stdin.write(given)
            stdin.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 - nothing is given to a shell
                    [self.program, *options, *arguments],
                    cwd=directory,
                    env={**self.environment, **_ALWAYS, **settings},
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=held,
                    start_new_session=True,
                )
            except OSError as error:
                raise GitFailed(arguments[0], error.strerror or str(error)) from None
        with process:
            try:
                return _Call(self, arguments[0], process).watched()
            finally:
                _end(process)


class _Call:
    """One call of git while it runs."""

    def __init__(self, git: Git, verb: str, process: subprocess.Popen[bytes]) -> None:
        self._git = git
        self._verb = verb
        self._process = process
        self._deadline = time.monotonic() + git.seconds
        self._printed = bytearray()
        self._said = Kept()

    def watched(self) -> bytes:
        with selectors.DefaultSelector() as open_ends:
            for stream, take in (
                (self._process.stdout, self._take_output),
                (self._process.stderr, self._take_words),
            ):
                open_ends.register(_of(stream), selectors.EVENT_READ, take)
            while open_ends.get_map():
                ready = open_ends.select(self._wait())
                if not ready and self._process.poll() is not None:
                    # What it has left behind, as ssh's shared connection, keeps them open.
                    break
                for key, _ in ready:
                    data = os.read(key.fd, _CHUNK)
                    if data:
                        key.data(data)
                    else:
                        open_ends.unregister(key.fileobj)
        while self._process.poll() is None:
            self._git.stop.wait(min(self._wait(), 0.01))
        if self._process.returncode:
            raise GitFailed(self._verb, words_of(self._said.text()) or SILENTLY)
        return bytes(self._printed)

    def _wait(self) -> float:
        if self._git.stop.is_set():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise GitSlow(self._verb, f"it took longer than {self._git.seconds:g} seconds")
        return _POLL_SECONDS

    def _take_output(self, data: bytes) -> None:
        self._printed += data
        if len(self._printed) > _MOST_OUTPUT:
            raise GitTooMuch(self._verb, f"it printed more than {_MOST_OUTPUT >> 20} MiB")

    def _take_words(self, data: bytes) -> None:
        self._said.add(data)
        # Only git's own words: a line may be cut within a URL that holds a password.
        if told := _PROGRESS.findall(data):
            self._git.say(told[-1].decode())


def words_of(said: str) -> str:
    """Give the last lines of what git or Go said as one, without credentials of URLs."""
    lines = [line.strip() for line in _hidden(said).splitlines() if line.strip()]
    return " / ".join(line[:_LONGEST_LINE] for line in lines[-_MOST_LINES:])


def _hidden(text: str) -> str:
    """Take user and password out of URLs."""
    return re.sub(r"(?<=://)[^/\s'\"]*@", "", text)


def _users(environ: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {
            name: value
            for name, value in environ.items()
            if _KEPT.fullmatch(name) or not name.startswith(_STRANGERS)
        }
    )


def _of(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - it was asked for
    return stream


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it has started, ssh and helpers too."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
