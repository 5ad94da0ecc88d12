"""Go's table of functions and lines, from which tracebacks are made; Go's debug/gosym.

No flag strips it. From Go 1.16 on the names lie together at its beginning, and are a seventh of
it; before, they lie among everything else.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

BEGINNING = 96
"""Bytes that hold its header, whatever the version and the size of an address."""

_MAGIC_SIZE = 8
_UNSORTED = 0xFFFFFFFB
_NAMES_WORD: Mapping[int, int] = {0xFFFFFFFA: 2, 0xFFFFFFF0: 3, 0xFFFFFFF1: 3}
"""Which of the words behind the magic says where the names begin, from Go 1.16, 1.18 and 1.20
on. The next word says where they end."""


def names(beginning: bytes, order: str, size: int) -> tuple[int, int] | None:
    """Tell where in a table of this size the names lie; None if it is no such table.

    `order` as struct writes byte orders. Everything, where the header does not tell.
    """
    if len(beginning) < BEGINNING:
        return None
    magic, *zeros, quantum, word = struct.unpack_from(f"{order}IBBBB", beginning)
    if any(zeros) or quantum not in {1, 2, 4} or word not in {4, 8}:
        return None
    if magic != _UNSORTED and magic not in _NAMES_WORD:
        return None
    if magic == _UNSORTED:
        return 0, size
    at = _MAGIC_SIZE + _NAMES_WORD[magic] * word
    start, end = struct.unpack_from(f"{order}{'QQ' if word == 8 else 'II'}", beginning, at)  # noqa: PLR2004
    return (start, end) if BEGINNING // 2 <= start < end <= size else (0, size)
