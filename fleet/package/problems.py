"""What makes a deployment package one that cannot be read, rewritten, or shown to be right."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.errors import FileProblem, FleetError


@dataclass(eq=False)
class BadPackage(FileProblem):
    """A zip that contradicts itself, or that Lambda cannot unpack: nothing in it is believed."""


@dataclass(eq=False)
class CannotRepackage(FileProblem):
    """A package that can be read, but not rewritten for this handler; nothing was written."""


@dataclass(eq=False)
class NotProven(FleetError):
    """A rewritten package that, read back, is not what it has to be; it was thrown away."""

    path: str
    problem: str

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.problem} when the result was read back, so nothing was written; "
            "check the disk and memory of this machine, and try again"
        )
