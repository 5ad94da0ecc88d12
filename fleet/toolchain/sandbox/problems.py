"""What keeps a sandbox from being made."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.errors import FleetError


@dataclass(eq=False)
class NoSandbox(FleetError):
    """Nothing can be run behind walls on this system, so nothing is run."""

    problem: str
    advice: str

    def __str__(self) -> str:
        return f"no sandbox on this system: {self.problem}; {self.advice}"
