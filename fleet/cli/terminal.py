"""stdout and stderr as rich sees them."""

from __future__ import annotations

import shutil
import sys

from rich.console import Console

WIDTH_IN_A_PIPE = 160


def console(*, color: bool, err: bool = False) -> Console:
    """A console on stdout, or on stderr.

    NO_COLOR counts too, and a pipe gets wide lines without colours.
    """
    file = sys.stderr if err else sys.stdout
    width = None if file.isatty() else max(shutil.get_terminal_size().columns, WIDTH_IN_A_PIPE)
    return Console(no_color=True if not color else None, width=width, highlight=False, stderr=err)
