"""Ctrl-C and a polite kill ask what runs to stop, once; the next one is not asked."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import typer

from fleet.fan_out import Inbox


@contextmanager
def stopped_politely(inbox: Inbox, said: str) -> Iterator[None]:
    """Put None into the inbox when asked to stop, and say `said`.

    An exception out of nowhere could leave the state locked in the middle of being written.
    """
    asking = (signal.SIGINT, signal.SIGTERM)

    def ask(_signal: int, _frame: FrameType | None) -> None:
        restore()
        # First of all: stderr may be gone, or in the middle of a write that this one interrupts.
        inbox.put(None)
        with suppress(OSError, RuntimeError):
            typer.echo(f"fleet: {said}", err=True)

    before = {each: signal.signal(each, ask) for each in asking}

    def restore() -> None:
        for each in asking:
            signal.signal(each, before[each])

    try:
        yield
    finally:
        restore()
