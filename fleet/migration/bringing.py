"""Where a package for arm64 comes from: the user brings it, or it is built from its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fleet.deployment import Deployment
from fleet.migration.artifacts import artifact_for
from fleet.migration.facts import Finding
from fleet.migration.looking import Look


@dataclass(frozen=True, slots=True)
class Brought:
    """A package for arm64, or why there is none."""

    file: Path | None
    """It need not be there; None where nothing could be made."""
    name: str
    """As it is shown."""
    attested: bool = False
    """Whether it was built here, and its build held against what runs."""
    notes: tuple[Finding, ...] = ()
    refusal: Finding | None = None


Bring = Callable[[Look, Deployment], Brought]
"""A function, and what it is on x86_64 → its package for arm64.

Raises Halted, BadSelection, CallFailed, Interrupted, NoCredentials, and OSError where there is no
room here.
"""


def by_address(given: str, room: Path) -> Bring:
    """Bring what the user names: see artifact_for; `room` is a directory for downloads."""

    def bring(look: Look, _: Deployment) -> Brought:
        file = artifact_for(look.ref, given, room, look.ground.aws)
        return Brought(file, str(file))

    return bring


def from_here(file: Path) -> Bring:
    """Bring this file."""
    return lambda _, __: Brought(file, str(file))
