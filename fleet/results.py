"""How a change of one function ended: the word that tables, stores and exit statuses use."""

from __future__ import annotations

from enum import StrEnum


class Result(StrEnum):
    """How it ended for one function, or in a dry run would."""

    READY = "ready"
    """Of a dry run: the steps are what would be done."""
    MIGRATED = "migrated"
    BAKING = "baking"
    """Of a wave: it runs on what it moved to, for some or all of its calls, and is watched."""
    ALREADY_THERE = "already there"
    BLOCKED = "blocked"
    """A gate, or a permission that is missing, keeps it where it is; the reasons say so."""
    STALE = "stale"
    """Somebody else changed it: nothing was overwritten."""
    ROLLED_BACK = "rolled back"
    PARTLY_BACK = "partly back"
    """Aliases are back, $LATEST is not; the reasons say why."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Left where it was by Ctrl-C: it works there, and the same command goes on."""
