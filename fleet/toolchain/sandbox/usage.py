"""How much memory a tree of processes holds, from /proc."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")

_COUNTED = ("RssAnon:", "RssShmem:", "VmPTE:", "VmSwap:")
"""Not the file-backed pages: they are the page cache's. The kernel gives all of them in KiB."""


def memory_of(process: int) -> int:
    """Give the bytes that a process and all its descendants hold; 0 once they are gone.

    Pages that a fork still shares count for each side: more than there is. What is held without
    being mapped is not seen: fleet/toolchain/sandbox/syscalls.py tells what is done about that.
    https://www.kernel.org/doc/html/latest/filesystems/proc.html
    """
    return sum(_held(each) for each in _tree(process))


def can_be_read() -> bool:
    """Whether this kernel tells of children; without it nobody sees what a tree holds."""
    return (PROC / "self/task").is_dir() and any(PROC.glob("self/task/*/children"))


def _tree(process: int) -> Iterator[int]:
    waiting = [process]
    while waiting:
        each = waiting.pop()
        yield each
        # Any thread may have started a child, and any process may be gone at any time.
        with contextlib.suppress(OSError):
            for task in (PROC / str(each) / "task").iterdir():
                with contextlib.suppress(OSError):
                    children = (task / "children").read_text(encoding="ascii")
                    waiting.extend(int(child) for child in children.split())


def _held(process: int) -> int:
    try:
        status = (PROC / str(process) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith(_COUNTED))
    return sum(int(words[1]) for words in lines) * 1024
