"""The plan: waves of functions, a file people read, edit, review and replay. Frozen values.

Its keys are those of waves.yaml; docs/waves.schema.json is made of these classes. Durations are
texts as `90s`, `10m`, `1h` or `2d`. What no class alone can tell is in soundness.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from fleet.inspection import Target
from fleet.model import LATEST, FunctionRef

FORMAT: Literal[1] = 1
"""Of the file; another is refused."""

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])|0")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_DAY = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_START = rf"{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?"


def duration_of(text: str) -> timedelta:
    """Read `90s`, `10m`, `1h`, `2d` or `0`; raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("must be a duration such as 90s, 10m, 1h or 2d")
    number, unit = match.groups()
    return timedelta(**{_UNITS[unit]: int(number)}) if unit else timedelta()


def hours_of(text: str) -> tuple[time, time]:
    """Read `09:00-16:30`: when it opens and when it closes, the next day if that is earlier.

    24:00 is midnight. Raises ValueError.
    """
    match = _HOURS.fullmatch(text)
    if match is None or (match[3] == "24" and match[4] != "00"):
        raise ValueError("must be hours such as 09:00-16:30")
    opens, closes = time(int(match[1]), int(match[2])), time(int(match[3]) % 24, int(match[4]))
    if opens == closes and text != "00:00-24:00":
        raise ValueError("opens and closes at the same minute; the whole day is 00:00-24:00")
    return opens, closes


def _duration(text: str) -> str:
    duration_of(text)
    return text


def _nothing(value: object) -> object:
    return "0" if type(value) is int and value == 0 else value


def _hours(text: str) -> str:
    hours_of(text)
    return text


@cache
def _zones() -> frozenset[str]:
    # Asking for them reads a directory tree.
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be a time zone such as Europe/Berlin or UTC")
    return name


def _arn(text: str) -> str:
    if FunctionRef.of_arn(text).qualifier != LATEST:
        raise ValueError("a function moves as a whole: leave out the version or alias at its end")
    return text


def start_of_text(text: str) -> datetime:
    """Read `2026-12-01 09:00`, with seconds and an offset or without; raises ValueError."""
    if not re.fullmatch(_START, text):
        raise ValueError("must be a time such as 2026-12-01T09:00:00+01:00 or 2026-12-01 09:00")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is no time that there is") from error


def _start(value: object) -> object:
    return start_of_text(value) if isinstance(value, str) else _instance(value, datetime)


def _day(value: object) -> object:
    if not isinstance(value, str):
        return _instance(value, date)
    if not re.fullmatch(_DAY, value):
        raise ValueError("must be a date such as 2026-12-24")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is no day that there is") from error


def _instance(value: object, kind: type) -> object:
    # A number would be taken for seconds since 1970.
    if not isinstance(value, kind):
        raise ValueError(f"must be text that is a {kind.__name__}")  # noqa: TRY004 - pydantic's own
    return value


def _text(pattern: str, **more: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$", **more})


Duration = Annotated[
    str,
    BeforeValidator(_nothing),
    AfterValidator(_duration),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": f"^(?:{_DURATION.pattern})$"}, {"const": 0}]}
    ),
]
Hours = Annotated[str, AfterValidator(_hours), _text(_HOURS.pattern)]
Zone = Annotated[str, AfterValidator(_zone)]
Arn = Annotated[str, AfterValidator(_arn)]
Start = Annotated[datetime, BeforeValidator(_start), _text(_START)]
CalendarDay = Annotated[date, BeforeValidator(_day), _text(_DAY)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Flag = Annotated[bool, Field(strict=True)]


class Day(StrEnum):
    """A day of the week, in the window's zone."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class PlanModel(BaseModel):
    """What every part of a plan, and of its rules, is: frozen, and of known keys alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Freeze(PlanModel):
    """Days on which nothing moves, both ends included, in the window's zone."""

    first: CalendarDay
    last: CalendarDay
    why: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("ends before it begins")
        return self


class Window(PlanModel):
    """When functions may be begun, and weights shifted; a rollback may happen at any time.

    A file has to name the zone where hours, days, a freeze or a start without an offset rest on it.
    """

    days: tuple[Day, ...] = Field(default=tuple(Day), min_length=1)
    hours: Hours = "00:00-24:00"
    """Of the zone's clocks; a window that ends before it begins ends on the next day."""
    zone: Zone = "UTC"
    freeze: tuple[Freeze, ...] = ()

    def overlaid(self, own: Window | None) -> Window:
        """This window with what another says over it, key by key."""
        if own is None:
            return self
        # Not as a whole: a wave with other hours must not lose the days on which nothing may move.
        said: dict[str, Any] = {name: getattr(own, name) for name in own.model_fields_set}
        return self.model_copy(update=said)

    @property
    def tz(self) -> tzinfo:
        """The zone's rules."""
        return ZoneInfo(self.zone)


class Budget(PlanModel):
    """How many functions may fail, or be rolled back, before no further one is begun.

    Whichever is spent first; None does not limit.
    """

    count: int | None = Field(default=None, strict=True, ge=0)
    percent: Percent | None = None
    """Of the functions of the wave, or of the plan."""


class OnPrice(StrEnum):
    """What becomes of a function whose calls cost more on arm64 than on x86_64."""

    ROLLBACK = "rollback"
    """It goes back to x86_64 and stays there, which is no failure."""
    FLAG = "flag"
    """It stays on arm64, and its reason says what it costs more."""
    OFF = "off"
    """Nobody asks."""


class Canary(PlanModel):
    """How a function is watched after it has moved; the words are Flagger's.

    https://docs.flagger.app/usage/how-it-works
    """

    interval: Duration = "10m"
    """Between two steps of the weights of its aliases, and of its checks."""
    step_weight: float = Field(default=10, strict=True, gt=0, le=100)
    """Percent of an alias's calls that each step adds to the new version."""
    max_weight: float = Field(default=50, strict=True, gt=0, le=100)
    """Percent after which the next step is the whole."""
    threshold: int = Field(default=1, strict=True, ge=1)
    """Checks in a row that have to fail before the function is rolled back."""
    minimum_invocations: int = Field(default=20, strict=True, ge=1)
    """Of the new version, before it is judged."""
    errors: Percent = 1.0
    """Percentage points by which the new version's error rate may exceed the old one's."""
    duration: float = Field(default=50, strict=True, ge=0)
    """Percent by which its average duration may exceed the old one's. On arm64 only where the plan
    names it, or what calls cost can't be told: else `price` says how slow is too slow."""
    price: OnPrice = OnPrice.ROLLBACK
    """What if calls cost more on arm64, by duration times price of a GB-second."""
    throttles: Percent = 1.0
    """Percentage points by which its rate of throttles may exceed the old one's."""
    bake: Duration = "1h"
    """How long it is watched once every call goes to it."""
    longest: Duration = "1d"
    """How long a step waits for the minimum of invocations; then it goes on, and says so."""


REBUILD: Literal["rebuild"] = "rebuild"
"""Of the second pass: each function's build is made here, from the source its binary names."""


class Arm64(PlanModel):
    """The second pass, once a function has moved and baked, with builds that are brought."""

    artifact: str
    """Build for arm64: a directory that holds NAME.zip for each function, or an S3 address with
    {account}, {region} and {function}, as for `fleet migrate --artifact`."""


class RouteName(StrEnum):
    """A route off go1.x."""

    BRIDGE = "bridge"
    DUAL = "dual"
    DIRECT = "direct"


class Member(PlanModel):
    """A function of a wave, and what it was when the plan was made."""

    function: Arn
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    verdict: str

    @cached_property
    def ref(self) -> FunctionRef:
        """The function."""
        # Asked for ten times in a tick, of tens of thousands: reading each anew takes seconds.
        return FunctionRef.of_arn(self.function)


class Manner(PlanModel):
    """How the functions of a wave move."""

    window: Window | None = None
    """What it leaves out is as in the plan's."""
    parallelism: int = Field(default=8, strict=True, ge=1, le=256)
    """Functions under way at once, over all accounts."""
    per_account_region: int = Field(default=2, strict=True, ge=1, le=32)
    """Functions under way at once in one account and region."""
    route: RouteName | None = None
    """None: bridge, or dual where the bridge can't be."""
    allow_managed: Flag = False
    """Also functions that a stack or another tool deploys."""
    canary: Canary | None = None
    """None: aliases move at once, and nothing is watched afterwards."""
    budget: Budget = Budget(count=0)
    arm64: Arm64 | Literal["rebuild"] | None = None
    """None: the architecture stays."""


class Wave(Manner):
    """Functions that move together."""

    name: Name
    start: Start
    """Not before this time; with an offset, or by the clocks of the zone that the window names."""
    functions: tuple[Member, ...]


class Staying(PlanModel):
    """A function that stays where it is, and why."""

    function: Arn
    verdict: str
    reason: str


class Plan(PlanModel):
    """The whole file."""

    format: Literal[1]
    name: Name
    """Its run is remembered under this name, however often the file is edited."""
    organization: str
    """The organization's id, or the account where there is none; another is refused."""
    scan: str
    """The scan it was made of."""
    target: Target = Target.AL2023
    window: Window = Window()
    """Of every wave that has none of its own."""
    budget: Budget = Budget()
    """Over all waves."""
    bucket: str | None = None
    """For packages over 50 MB: a bucket's name with {account} and {region}."""
    waves: tuple[Wave, ...] = Field(min_length=1)
    staying: tuple[Staying, ...] = ()

    def window_of(self, wave: Wave) -> Window:
        """The plan's window with what the wave's own one says over it."""
        return self.window.overlaid(wave.window)

    def start_of(self, wave: Wave) -> datetime:
        """The wave's start; without an offset it is a time of the window's zone."""
        if wave.start.tzinfo is not None:
            return wave.start
        return wave.start.replace(tzinfo=self.window_of(wave).tz)

    def rebuilding(self) -> tuple[str, ...]:
        """The waves whose builds for arm64 are made here."""
        return tuple(wave.name for wave in self.waves if wave.arm64 == REBUILD)

    def members(self) -> Iterator[tuple[Wave, Member]]:
        """Every function that is to move, in order."""
        return ((wave, member) for wave in self.waves for member in wave.functions)
