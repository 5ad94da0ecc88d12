"""Deployment packages of real Go programs, written where a test's command looks for them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from moto_fixtures.build import build
from moto_fixtures.definition import Build
from moto_fixtures.packages import zipped

OLD = Build(command="orders", library="1.17.0")
NEW = Build(command="orders", library="1.41.0")
STRANGER = Build(command="checksum")
"""A small Go program that is no handler."""

Content = Build | bytes


def package(directory: Path, **entries: Content | tuple[Content, int]) -> Path:
    """Write package.zip of these entries, `__` in a name for a slash; mode 0755 unless told."""
    files = []
    for name, given in entries.items():
        content, mode = given if isinstance(given, tuple) else (given, 0o755)
        made = content if isinstance(content, bytes) else build(content)
        files.append((name.replace("__", "/"), made, 0o100000 | mode))
    path = directory / "package.zip"
    path.write_bytes(_zipped(tuple(files)))
    return path


@cache
def _zipped(files: tuple[tuple[str, bytes | Path, int], ...]) -> bytes:
    return zipped({name: (_content(made), mode) for name, made, mode in files})


def _content(made: bytes | Path) -> bytes:
    return made if isinstance(made, bytes) else made.read_bytes()
