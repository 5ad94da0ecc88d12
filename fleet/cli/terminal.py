"""stdout as rich sees it."""

from __future__ import annotations

import shutil
import sys

from rich.console import Console

WIDTH_IN_A_PIPE = 160


def console(*, color: bool) -> Console:
    """A console on stdout; NO_COLOR counts too, and a pipe gets wide lines without colours."""
    width = (
        None if sys.stdout.isatty() else max(shutil.get_terminal_size().columns, WIDTH_IN_A_PIPE)
    )
    return Console(no_color=True if not color else None, width=width, highlight=False)
