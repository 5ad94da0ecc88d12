"""Unix permission bits of entries, as far as starting a program goes.

Lambda runs functions as a user of its own, so only what everyone may do counts; an archive that
was not made on Unix carries no bits, and what comes out of it is not executable.
https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
"""

from __future__ import annotations

from fleet.inspection import Entry

EXECUTABLE = 0o111
READABLE = 0o444


def may(entry: Entry, bits: int) -> bool:
    """Whether everyone may do this with the entry."""
    return entry.mode is not None and entry.mode & bits == bits


def spelt(entry: Entry) -> str:
    """Give the mode as chmod takes it, or `none`."""
    return "none" if entry.mode is None else f"{entry.mode:04o}"
