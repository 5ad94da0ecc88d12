"""Packages that are in no file."""

from __future__ import annotations

from fleet.package.archive.reader import Archive


class Memory:
    """Bytes as a source, and what was asked of them."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)
        self.asked: list[tuple[int, int]] = []

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        return self.content[offset : offset + length]


def archive_of(content: bytes) -> Archive:
    return Archive.of(Memory(content), "package.zip")
