"""One root, one class a situation. Fields carry the facts; str() is one sentence for a person.

Exit statuses are the command line's business; the two roots below tell it which one fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class FleetError(Exception):
    """Something happened that the user has to know and can act on."""

    def __reduce__(self) -> tuple[Any, ...]:
        """By its fields: how BaseException does it loses those that were given by name."""
        return type(self).__new__, (type(self), *self.args), vars(self)


class UsageError(FleetError):
    """What was asked for makes no sense or does not exist; nothing was done."""


@dataclass(eq=False)
class BadSelection(UsageError):
    """A value of a selecting option does not exist or cannot be one."""

    option: str
    value: str | None
    """None for an option that has no value."""
    advice: str

    def __str__(self) -> str:
        given = self.option if self.value is None else f"{self.option} {str(self.value)!r}"
        return f"{given}: {self.advice}"


class NothingSelected(UsageError):
    """The options together leave nothing to do; that never means everything."""

    def __str__(self) -> str:
        return (
            "the selection names no account, so nothing was looked at; check --account, "
            "--exclude-account and --ou (an empty value selects nothing)"
        )


@dataclass(eq=False)
class FileProblem(FleetError):
    """A file the user named, or that fleet keeps, cannot be used."""

    path: str
    problem: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.advice}"


@dataclass(eq=False)
class SettingsProblem(UsageError):
    """fleet.yaml or the environment holds something that cannot be used."""

    path: str
    place: str
    """Line and key, or the variable's name."""
    problem: str

    def __str__(self) -> str:
        return f"{self.path}, {self.place}: {self.problem}"
