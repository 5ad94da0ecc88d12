"""What keeps a trial from being made at all; the user has to be told."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.errors import FleetError


@dataclass(eq=False)
class EmulatorMissing(FleetError):
    """AWS's Runtime Interface Emulator could not be had, or is not the one that is trusted."""

    problem: str
    advice: str

    def __str__(self) -> str:
        return f"AWS's Runtime Interface Emulator is missing: {self.problem}; {self.advice}"


@dataclass(eq=False)
class PackageUnusable(FleetError):
    """A deployment package cannot be unpacked."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}, so it cannot be tried; check the archive"
