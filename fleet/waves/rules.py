"""The rules by which functions are grouped into waves: a file people write. Frozen values.

Each function goes to the first wave that takes it; docs/plan.md explains the keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from fleet.errors import SettingsProblem
from fleet.inspection import Target
from fleet.waves.plan import (
    Budget,
    Duration,
    Manner,
    Name,
    PlanModel,
    Start,
    Window,
)
from fleet.waves.planfile import validated
from fleet.waves.soundness import Flaw, local_time_flaw, window_flaws
from fleet.yamlfile import YamlFile


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _patterns(item: str) -> WithJsonSchema:
    one = {"type": "string", "pattern": item}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})


_Pattern = Annotated[str, Field(min_length=1)]
_Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Patterns = Annotated[
    tuple[_Pattern, ...], Field(min_length=1), BeforeValidator(_several), _patterns("^.+$")
]
Accounts = Annotated[
    tuple[_Account, ...], Field(min_length=1), BeforeValidator(_several), _patterns("^[0-9]{12}$")
]


class Traffic(StrEnum):
    """In which order functions are taken, and move, by their invocations over 30 days."""

    LOW = "low"
    """Least first."""
    HIGH = "high"


class Choice(PlanModel):
    """Which functions a wave takes: those that fit every key; of a list, any of its entries."""

    ou: Patterns | None = None
    """Paths of organizational units, with what is below, as Workloads/Prod; wildcards."""
    tag: Patterns | None = None
    """KEY or KEY=VALUE, with wildcards."""
    account: Accounts | None = None
    region: Patterns | None = None
    """Wildcards."""
    function: Patterns | None = None
    """Names, with wildcards."""
    traffic: Traffic | None = None
    """Needs a scan with --traffic. Without it, the ones that move as they are go first, in an order
    that is as good as drawn by lot and stays the same as functions come and go."""
    percent: Annotated[float, Field(strict=True, gt=0, le=100)] | None = None
    """At most so many percent of all that fit, rounded up; the waves before may have taken some."""
    count: Annotated[int, Field(strict=True, ge=1)] | None = None
    """At most so many."""
    per_account_region: Annotated[int, Field(strict=True, ge=1)] | None = None
    """At most so many of one account and region."""


class WaveRule(Manner):
    """One wave: whom it takes, when it starts, and how it moves."""

    name: Name
    start: Start | None = None
    """Of the first wave without one: 09:00 on the Monday after the scan, or the window's next
    opening after that."""
    after: Duration | None = None
    """Or how long after the start of the wave before; 1d where neither is said. It starts at the
    window's next opening after that."""
    choose: Choice = Choice()

    @model_validator(mode="after")
    def _starts_once(self) -> Self:
        if self.start is not None and self.after is not None:
            raise ValueError("say `start` or `after`, not both")
        return self


class Rules(PlanModel):
    """The whole file."""

    name: Name = "go1x"
    """Of the plan: its run is remembered under this name."""
    target: Target = Target.AL2023
    window: Window = Window()
    budget: Budget = Budget()
    """Over all waves."""
    bucket: str | None = None
    waves: Annotated[tuple[WaveRule, ...], Field(min_length=1)]

    def window_of(self, wave: WaveRule) -> Window:
        """The wave's window, over the plan's."""
        return self.window.overlaid(wave.window)


@dataclass(frozen=True, slots=True)
class RulesFile:
    """Rules, and where each stands."""

    rules: Rules
    file: YamlFile | None = None
    """None: the default rules, which are in no file."""

    @classmethod
    def read(
        cls,
        path: Path | None,
        *,
        traffic: bool,
        zone: str | None = None,
        start: datetime | None = None,
        name: str | None = None,
        allow_managed: bool = False,
    ) -> Self:
        """The rules of a file, or the default ones, with what the command line says over them.

        `traffic`: whether the scan counted invocations. Raises FileProblem and SettingsProblem.
        """
        file = None if path is None else YamlFile.read(path)
        rules = default_rules(traffic=traffic) if file is None else validated(Rules, file)
        said = cls(_overlaid(rules, zone, start, name, allow_managed=allow_managed), file)
        for flaw in _flaws(said.rules, traffic=traffic):
            raise said.problem(flaw)
        return said

    def problem(self, flaw: Flaw) -> SettingsProblem:
        """A flaw as an error that names its place."""
        if self.file is None:
            place = ".".join(str(key) for key in flaw.keys)
            return SettingsProblem("the default rules", place, flaw.problem)
        problem = flaw.problem
        if flaw.other:
            problem = problem.replace("{line}", str(self.file.line(flaw.other)))
        return SettingsProblem(self.file.source, self.file.place(flaw.keys), problem)


def default_rules(*, traffic: bool) -> Rules:
    """A canary of at most ten, spread over accounts and regions; a tenth; 40 percent; the rest."""
    order = {"traffic": "low"} if traffic else {}
    watched: dict[str, object] = {"canary": {}}
    return Rules.model_validate(
        {
            "window": {"days": ["mon", "tue", "wed", "thu"], "hours": "09:00-16:00", "zone": "UTC"},
            "waves": [
                {
                    **watched,
                    "name": "canary",
                    "choose": {**order, "count": 10, "per_account_region": 1},
                },
                {**watched, "name": "tenth", "choose": {**order, "percent": 10}},
                {
                    **watched,
                    "name": "most",
                    "budget": {"percent": 2},
                    "choose": {**order, "percent": 40},
                },
                {**watched, "name": "rest", "budget": {"percent": 2}, "choose": order},
            ],
        }
    )


def _overlaid(
    rules: Rules,
    zone: str | None,
    start: datetime | None,
    name: str | None,
    *,
    allow_managed: bool,
) -> Rules:
    said: dict[str, object] = {}
    if name is not None:
        said["name"] = name
    if zone is not None:
        said["window"] = rules.window.overlaid(Window(zone=zone))
    waves = list(rules.waves)
    if start is not None:
        waves[0] = waves[0].model_copy(update={"start": start, "after": None})
    if allow_managed:
        waves = [wave.model_copy(update={"allow_managed": True}) for wave in waves]
    return rules.model_copy(update={**said, "waves": tuple(waves)})


def _flaws(rules: Rules, *, traffic: bool) -> Iterator[Flaw]:
    yield from window_flaws(rules.window, rules.window, ("window",))
    names: dict[str, int] = {}
    for index, wave in enumerate(rules.waves):
        window = rules.window_of(wave)
        if wave.window is not None:
            yield from window_flaws(wave.window, window, ("waves", index, "window"))
        first = names.setdefault(wave.name, index)
        if first != index:
            problem = f"{wave.name} is the name of the wave in line {{line}} too"
            yield Flaw(("waves", index, "name"), problem, ("waves", first, "name"))
        if wave.start is not None and wave.start.tzinfo is None:
            problem = local_time_flaw(wave.start, window)
            if problem:
                yield Flaw(("waves", index, "start"), problem)
        if index == 0 and wave.after is not None:
            yield Flaw(("waves", 0, "after"), "no wave is before the first: say `start`")
        if wave.choose.traffic is not None and not traffic:
            problem = (
                "the scan has not counted invocations: scan with --traffic, or take this key out"
            )
            yield Flaw(("waves", index, "choose", "traffic"), problem)
