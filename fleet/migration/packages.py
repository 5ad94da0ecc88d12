"""The packages of one function on their way: the original, and what becomes of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from fleet.aws.packages import Downloads, Location
from fleet.aws.session import Lane
from fleet.inspection import Strategy
from fleet.package.rewriting.repackage import Repackaged, repackage


class Workbench:
    """Packages in a directory of their own, by CodeSha256; the directory is the caller's."""

    def __init__(self, room: Path, downloads: Downloads, lane: Lane) -> None:
        self._room = room
        self._downloads = downloads
        self._lane = lane
        self._files: dict[str, Path] = {}

    def fetched(self, locate: Callable[[], Location]) -> Path:
        """A package of AWS's, downloaded once; its bytes are those AWS describes.

        Raises CallFailed, Interrupted, and OSError where there is no room.
        """
        path = self._room / f"original-{len(self._files)}.zip"
        with path.open("wb") as file:
            located = self._downloads.download(self._lane, locate, file)
        return self._files.setdefault(located.code_sha256, path)

    def repackaged(
        self, original: Path, handler: str, strategy: Strategy
    ) -> tuple[Path, Repackaged]:
        """Make of it what a custom runtime starts; raises what fleet.package's repackage does."""
        path = self._room / f"{original.stem}-{strategy}.zip"
        done = repackage(original, path, handler=handler, strategy=strategy)
        self._files[done.code_sha256] = path
        return path, done

    def given(self, path: Path) -> None:
        """Take a package that the user brought; raises OSError."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        self._files[base64.b64encode(digest).decode()] = path

    def has(self, code_sha256: str) -> bool:
        """Whether it is here."""
        return code_sha256 in self._files

    def package(self, code_sha256: str) -> Path:
        """The file of a package; raises KeyError."""
        return self._files[code_sha256]
