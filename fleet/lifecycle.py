"""Lambda's runtimes and their dates → the phase a runtime is in on a day. Pure, but for one file.

Dates slip (go1.x's update block six times so far), so they are data: lifecycle.toml, each with
its source and the day it was looked up, and a file of the user's goes over it.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Any

from fleet.errors import BadSelection, FileProblem

NO_DATES = "its end is not known; add `announced` or `deprecated` with --lifecycle FILE"

SHIPPED = Path(__file__).with_name("lifecycle.toml")


FIRST_DAY = date(2014, 1, 1)
"""Lambda's first year; no date of a runtime is before it."""
LAST_DAY = date(2099, 12, 31)


class Phase(IntEnum):
    """How far a runtime's end has come; a later phase has the greater value."""

    SUPPORTED = 0
    PAST_ANNOUNCED_END = 1
    DEPRECATED = 2
    CREATE_BLOCKED = 3
    UPDATE_BLOCKED = 4

    @property
    def words(self) -> str:
        """As a person reads it."""
        return self.name.lower().replace("_", " ")


_ALLOWS: Mapping[Phase, tuple[str, ...]] = {
    Phase.SUPPORTED: ("Creating, updating and rolling back all work.",),
    Phase.PAST_ANNOUNCED_END: ("Creating, updating and rolling back all still work.",),
    Phase.DEPRECATED: (
        "Creating, updating and rolling back still work.",
        "There are no more security patches and no support.",
    ),
    Phase.CREATE_BLOCKED: (
        "Functions keep running, and existing ones can still be updated and rolled back.",
        "New functions on this runtime are refused.",
        "There are no more security patches and no support.",
    ),
    Phase.UPDATE_BLOCKED: (
        "Functions keep running, without an announced end.",
        "Code updates and naming this runtime again are refused.",
        "Changing memory and the like, and moving to a supported runtime, still work.",
        "New functions on this runtime are refused.",
        "There are no more security patches and no support.",
    ),
}
_ROLLBACK_UNTIL = (
    "Until updates are blocked a moved function can go all the way back. From that day on "
    "$LATEST can never go back: only a version published before, behind an alias, still can."
)
_ROLLBACK_AFTER = (
    "$LATEST can never go back to this runtime: an alias on a version published before is the "
    "only rollback left."
)
_ROLLBACK_OPEN = "No day is announced from which a moved function could not go back."


@dataclass(frozen=True, slots=True)
class Runtime:
    """One runtime's dates, as far as they are announced; each phase begins on its day."""

    name: str
    deprecated: date | None = None
    create_blocked: date | None = None
    update_blocked: date | None = None
    announced: date | None = None
    """The end its makers announced first; the reports count against it."""
    successor: str | None = None
    source: str = ""
    looked_up: date | None = None
    slipped: tuple[date, ...] = ()
    """Earlier announcements of the update block, which passed without one."""

    @property
    def deadline(self) -> date:
        """The day the reports count against: the announced end, else the deprecation.

        Raises BadSelection for a runtime that has neither.
        """
        day = self.announced or self.deprecated
        if day is None:
            raise BadSelection("--runtime", self.name, NO_DATES)
        return day

    def phase(self, on: date) -> Phase:
        """The furthest phase that has begun by the end of a day."""
        begins = {
            Phase.PAST_ANNOUNCED_END: self.announced,
            Phase.DEPRECATED: self.deprecated,
            Phase.CREATE_BLOCKED: self.create_blocked,
            Phase.UPDATE_BLOCKED: self.update_blocked,
        }
        begun = [phase for phase, day in begins.items() if day is not None and day <= on]
        return max(begun, default=Phase.SUPPORTED)

    def allows(self, on: date) -> tuple[str, ...]:
        """What can still be done on a day, a sentence each."""
        return _ALLOWS[self.phase(on)]

    def rollback(self, on: date) -> str:
        """What rolling back means, seen from a day."""
        if self.update_blocked is None:
            return _ROLLBACK_OPEN
        blocked = self.phase(on) is Phase.UPDATE_BLOCKED
        return _ROLLBACK_AFTER if blocked else _ROLLBACK_UNTIL


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The dates of every runtime known."""

    runtimes: Mapping[str, Runtime]

    def runtime(self, name: str) -> Runtime:
        """One runtime's dates; raises BadSelection for a runtime that is not known."""
        found = self.runtimes.get(name)
        if found is None:
            raise BadSelection("--runtime", name, NO_DATES)
        return found


def load_lifecycle(own: Path | None = None) -> Lifecycle:
    """The shipped dates with the user's file over them, runtime by runtime and key by key.

    Raises FileProblem for a file that cannot be read or holds anything but dates of runtimes.
    """
    runtimes = _read(SHIPPED, {})
    return Lifecycle(runtimes if own is None else _read(own, runtimes))


def _read(path: Path, below: Mapping[str, Runtime]) -> dict[str, Runtime]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _problem(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _problem(path, f"it is not TOML ({error})") from error
    unknown = content.keys() - {"runtimes"}
    tables = content.get("runtimes", {})
    if unknown or not isinstance(tables, dict):
        raise _problem(path, 'it may hold nothing but [runtimes."NAME"] tables')
    runtimes = dict(below)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise _problem(path, f'[runtimes."{name}"] must be a table')
        known = runtimes.get(name, Runtime(name))
        runtimes[name] = replace(known, **_values(path, name, table))
    return runtimes


def _values(path: Path, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {each.name: each.type for each in fields(Runtime) if each.name != "name"}
    values: dict[str, Any] = {}
    for key, value in table.items():
        kind = kinds.get(key)
        place = f'[runtimes."{name}"] {key}'
        if kind is None:
            raise _problem(path, f"{place}: there is no such key")
        if kind.startswith("tuple"):
            if not isinstance(value, list) or not all(_is_day(each) for each in value):
                raise _problem(path, f"{place} must be a list of dates")
            values[key] = tuple(value)
        elif not (_is_day(value) if "date" in kind else isinstance(value, str)):
            wanted = "a date, as 2027-03-03 without quotes" if "date" in kind else "text"
            raise _problem(path, f"{place} must be {wanted}")
        else:
            values[key] = value
    return values


def _is_day(value: object) -> bool:
    return type(value) is date and FIRST_DAY <= value <= LAST_DAY


def _problem(path: Path, problem: str) -> FileProblem:
    return FileProblem(
        str(path),
        problem,
        "mend it, or name no such file (--lifecycle, FLEET_LIFECYCLE, lifecycle in fleet.yaml)",
    )
