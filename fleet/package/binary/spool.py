"""What an entry inflates to, in a private temporary file, where it can be read anywhere.

The file has no name, so that nobody else opens it and nothing is left of it, whatever happens.
Writing costs a fifth of inflating: code, debugging information and tables of lines, two thirds
of a Go program, are left out where the section headers stand at the beginning, as Go puts them.
"""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain

from fleet.errors import FileProblem
from fleet.package.binary import pclntab
from fleet.package.binary.elf import Malformed, Section
from fleet.package.binary.elf_tables import read_header, read_unnamed_sections

HEAD = 64 << 10
"""Bytes of the beginning from which the sections are told."""
_WORTHWHILE = 64 << 10
"""Bytes that a section must have to be left out."""


@dataclass(frozen=True, slots=True)
class Held:
    """A source over what was held of an entry."""

    descriptor: int
    size: int
    left_out: tuple[tuple[int, int], ...]
    """Where each part that is not there begins and ends, in order."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Give bytes of the entry; raises Malformed if some of them were left out.

        Nothing that is read lies there, unless headers contradict each other.
        """
        before = bisect_right(self.left_out, (offset + max(length, 1) - 1, self.size))
        if before and offset < self.left_out[before - 1][1]:
            raise Malformed(f"bytes from {offset} on lie where code or lines are said to be")
        return os.pread(self.descriptor, length, offset) if offset < self.size else b""


class Spool:
    """One temporary file for one entry after the other."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def hold(self, head: bytes, chunks: Iterable[bytes]) -> Held:
        """Take an ELF file in place of what was held before; raises FileProblem if it can't.

        `head` is its first HEAD bytes, or all of it. What `chunks` raises passes through: then
        nothing that was held may be believed.
        """
        passing = _Passing(self._descriptor, chain((head,), chunks))
        order, sections = _large_sections(head)
        for each in sections:
            passing.go(each.offset, keep=True)
            if each.is_code or not each.is_loaded:
                passing.go(each.offset + each.size, keep=False)
            elif passing.at == each.offset:
                passing.go(each.offset + pclntab.BEGINNING, keep=True)
                beginning = os.pread(self._descriptor, pclntab.BEGINNING, each.offset)
                if names := pclntab.names(beginning, order, each.size):
                    passing.go(each.offset + names[1], keep=True)
                    passing.go(each.offset + each.size, keep=False)
        passing.go(None, keep=True)
        os.truncate(self._descriptor, passing.at)
        return Held(self._descriptor, passing.at, tuple(passing.left_out))


class _Passing:
    """Chunks on their way into the file, or past it."""

    def __init__(self, descriptor: int, chunks: Iterator[bytes]) -> None:
        self.at = 0
        self.left_out: list[tuple[int, int]] = []
        self._descriptor = descriptor
        self._chunks = chunks
        self._chunk = memoryview(b"")

    def go(self, until: int | None, *, keep: bool) -> None:
        """Let pass what comes before an offset, or everything; never back."""
        begin = self.at
        while until is None or self.at < until:
            if not self._chunk:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._chunk = memoryview(chunk)
            part = self._chunk if until is None else self._chunk[: until - self.at]
            if keep:
                _write(self._descriptor, part, self.at)
            self.at += len(part)
            self._chunk = self._chunk[len(part) :]
        if not keep and begin < self.at:
            self.left_out.append((begin, self.at))


@dataclass(frozen=True, slots=True)
class _Head:
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]


def _large_sections(head: bytes) -> tuple[str, list[Section]]:
    """Give byte order and large sections as they lie, as far as the beginning tells them."""
    try:
        header = read_header(_Head(head))
        sections = read_unnamed_sections(_Head(head), header)
    except Malformed:
        return "<", []
    large = (each for each in sections if each.size >= _WORTHWHILE)
    return header.order, sorted(large, key=lambda each: each.offset)


@contextmanager
def spooling() -> Iterator[Spool]:
    """Make room for one entry at a time, for as long as the `with` lasts; raises FileProblem."""
    with ExitStack() as held:
        try:
            file = held.enter_context(tempfile.TemporaryFile(buffering=0))
        except OSError as error:
            raise _no_room(error) from error
        yield Spool(file.fileno())


def _write(descriptor: int, content: memoryview, offset: int) -> None:
    try:
        while content:
            done = os.pwrite(descriptor, content, offset)
            content, offset = content[done:], offset + done
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> FileProblem:
    return FileProblem(
        tempfile.gettempdir(),
        f"no temporary file can be written there ({error.strerror})",
        "make room there, or set TMPDIR to a directory with 250 MB to spare",
    )
