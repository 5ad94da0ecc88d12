"""One bare clone of each repository in the user's cache, which all checkouts share.

Objects are only ever added, and come in whole packs; references move once all they reach is
there. So a killed process leaves at most a lock of git's own behind, and readers need none.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleet.cache import kept
from fleet.errors import FileProblem
from fleet.sources import Address
from fleet.toolchain.rebuild.git import Git
from fleet.toolchain.rebuild.problems import (
    CommitAmbiguous,
    CommitGone,
    GitFailed,
    GitSlow,
    SourceUnreachable,
    Stopped,
)

_POLL_SECONDS = 0.1
_SHA1 = 40
_SHA256 = 64
_PINS = "refs/fleet/"
"""References of ours: commits of which everything is known to be here, whoever drops them."""
_ASKED = "refs/asked/"
"""What was asked for by its hash, which need not be a commit."""
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_FETCH = (
    *("fetch", "--progress", "--prune", "--force", "--no-tags", "--no-recurse-submodules"),
    *("--no-write-fetch-head", "--"),
)


@dataclass(frozen=True, slots=True)
class Clone:
    """A bare clone that holds a commit with everything it needs."""

    path: Path
    commit: str
    """In full."""
    origin: str
    """For everybody to see."""


def cloned(git: Git, address: Address, commit: str, directory: Path) -> Clone:
    """Give the clone in `directory` of a repository, with a commit; fetched if it is not there.

    `commit` is a hash in full or its beginning. Raises CommitGone, CommitAmbiguous,
    SourceUnreachable, GitFailed, Stopped, or FileProblem where the directory cannot be written.
    """
    return _Cloning(git, address, commit, _bare(git, address, commit, directory)).run()


def _bare(git: Git, address: Address, commit: str, directory: Path) -> Path:
    # Git keeps one kind of hashes in a repository, and does not fetch the other kind.
    kind = "sha256" if len(commit) > _SHA1 else "sha1"
    name = f"{hashlib.sha256(address.url.encode()).hexdigest()[:32]}-{kind}.git"
    given = ("--quiet", "--bare", "--template=", f"--object-format={kind}", "--")
    try:
        # What people keep to themselves is in there.
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return kept(directory, name, lambda place: _init(git, (*given, str(place))))
    except OSError as error:
        problem = error.strerror or str(error)
        advice = "sources are cloned there; make it writable or set XDG_CACHE_HOME"
        raise FileProblem(str(directory), problem, advice) from None


def _init(git: Git, arguments: tuple[str, ...]) -> None:
    git(("init", *arguments), Path("/"))


@dataclass(frozen=True, slots=True)
class _Cloning:
    git: Git
    address: Address
    wanted: str
    bare: Path

    def run(self) -> Clone:
        if self._is_pinned(self.wanted):
            return self._clone(self.wanted)
        with self._alone() as held:
            return self._clone(self._pinned(held))

    def _clone(self, commit: str) -> Clone:
        return Clone(self.bare, commit, self.address.shown)

    def _pinned(self, held: int) -> str:
        found = self._found()
        for fetch in (self._fetch, self._fetch_alone):
            if found is None:
                fetch(held)
                found = self._found()
        if found is None:
            raise self._gone()
        if not self._is_pinned(found):
            self.git(("update-ref", _PINS + found, found), self.bare)
        return found

    def _fetch(self, held: int) -> None:
        try:
            self.git.remotely((*_FETCH, self.address.url, *_EVERYTHING), self.bare, held=held)
        except GitFailed as error:
            raise SourceUnreachable(self.address.shown, error.words) from None

    def _fetch_alone(self, held: int) -> None:
        """Ask for the very commit: servers may have what no branch reaches any more."""
        if len(self.wanted) not in {_SHA1, _SHA256}:
            raise self._gone()
        only = f"{self.wanted}:{_ASKED}{self.wanted}"
        try:
            self.git.remotely((*_FETCH, self.address.url, only), self.bare, held=held)
        except GitSlow as error:
            raise SourceUnreachable(self.address.shown, error.words) from None
        except GitFailed:
            # A moment ago the repository could be read.
            raise self._gone() from None

    def _found(self) -> str | None:
        """Give the commit in full if all of it is here."""
        every = self.git(("rev-parse", f"--disambiguate={self.wanted}"), self.bare).split()
        if not every:
            return None
        kinds = self.git(("cat-file", "--batch-check"), self.bare, b"\n".join([*every, b""]))
        commits = [
            line.split()[0].decode() for line in kinds.splitlines() if line.split()[1] == b"commit"
        ]
        found = [each for each in commits if self._is_reached(each)]
        if len(found) > 1:
            raise CommitAmbiguous(self.address.shown, self.wanted, tuple(found))
        return found[0] if found else None

    def _is_reached(self, commit: str) -> bool:
        # Objects alone may be what a broken transfer left: references are set after a check.
        asked = ("for-each-ref", "--count=1", "--contains", commit)
        return bool(self.git(asked, self.bare))

    def _is_pinned(self, commit: str) -> bool:
        if len(commit) not in {_SHA1, _SHA256}:
            return False
        return bool(self.git(("for-each-ref", _PINS + commit), self.bare))

    def _gone(self) -> CommitGone:
        return CommitGone(self.address.shown, self.wanted, is_shallow=self._is_shallow())

    def _is_shallow(self) -> bool:
        if not self.address.is_local:
            return False
        # Git itself serves what has its whole history alone, so such a clone has nothing for us.
        asked = ("rev-parse", "--is-shallow-repository")
        try:
            return self.git(asked, Path(self.address.url)).strip() == b"true"
        except GitFailed:
            return False

    @contextlib.contextmanager
    def _alone(self) -> Iterator[int]:
        """Be the only one, of all processes, that changes this clone; gives the lock."""
        with self.bare.with_suffix(".lock").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self.git.stop.wait(_POLL_SECONDS):
                        raise Stopped from None
            try:
                _tidy(self.bare)
                yield lock.fileno()
            finally:
                # Closing would not do: a credential helper's daemon may have the lock open too.
                fcntl.flock(lock, fcntl.LOCK_UN)


def _tidy(bare: Path) -> None:
    """Take away what a git that was killed has left; whoever holds our lock has no other one."""
    for lock in [*bare.glob("*.lock"), *(bare / "refs").rglob("*.lock")]:
        lock.unlink(missing_ok=True)
    for part in [*bare.glob("objects/pack/tmp_*"), *bare.glob("objects/incoming-*")]:
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
