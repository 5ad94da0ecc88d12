"""What is wrong with a plan that no single value of it tells. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fleet.waves.plan import Canary, Plan, Wave, Window, duration_of
from fleet.waves.windows import next_opening

Key = str | int


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that keeps a plan from being used."""

    keys: tuple[Key, ...]
    """Where it is in the file."""
    problem: str
    """What it is, and what to do; {line} stands for the line of `other`."""
    other: tuple[Key, ...] = ()
    """The place that it clashes with, or ()."""


def flaws(plan: Plan) -> Iterator[Flaw]:
    """Everything that is wrong, in the order of the file but for what is found twice."""
    yield from window_flaws(plan.window, plan.window, ("window",))
    for index, wave in enumerate(plan.waves):
        keys: tuple[Key, ...] = ("waves", index)
        if wave.window is not None:
            yield from window_flaws(wave.window, plan.window_of(wave), (*keys, "window"))
        yield from _canary_flaws(wave.canary, (*keys, "canary"))
        if not wave.functions:
            yield Flaw((*keys, "functions"), "the wave holds no function: take it out")
        yield from _start_flaws(plan, wave, (*keys, "start"))
    yield from _twice(plan)
    yield from _overlaps(plan)
    yield from _foreign(plan)


def local_time_flaw(start: datetime, window: Window) -> str:
    """Say why a start without an offset is no moment of the window's zone, or ''."""
    if "zone" not in window.model_fields_set:
        return (
            "is a time without an offset, and no window names its zone: write it as "
            f"{start.isoformat()}+01:00, or add `zone` to the window"
        )
    earlier, later = (start.replace(tzinfo=window.tz, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return ""
    # https://docs.python.org/3/library/datetime.html#datetime.datetime.fold
    gap = earlier.astimezone(UTC).astimezone(window.tz).replace(tzinfo=None) != start
    what = "never happens" if gap else "happens twice"
    return (
        f"{what} in {window.zone}, where the clocks change just then: write it with its offset, "
        f"as {later.isoformat()} or {earlier.isoformat()}"
    )


def window_flaws(own: Window, whole: Window, keys: tuple[Key, ...]) -> Iterator[Flaw]:
    """Of a window as it stands in the file, and with what it leaves out."""
    resting = sorted({"days", "hours", "freeze"} & own.model_fields_set)
    if resting and "zone" not in whole.model_fields_set:
        yield Flaw(
            (*keys, resting[0]), "there is no `zone` whose days and clocks are meant: add one"
        )


def _canary_flaws(canary: Canary | None, keys: tuple[Key, ...]) -> Iterator[Flaw]:
    if canary is not None and duration_of(canary.interval) <= timedelta():
        yield Flaw((*keys, "interval"), "must be longer than 0")


def _start_flaws(plan: Plan, wave: Wave, keys: tuple[Key, ...]) -> Iterator[Flaw]:
    window = plan.window_of(wave)
    if wave.start.tzinfo is None and (problem := local_time_flaw(wave.start, window)):
        yield Flaw(keys, problem)
    elif next_opening(window, plan.start_of(wave)) is None:
        yield Flaw(
            keys, "the window does not open within a year of it: look at its days and freeze"
        )


def _twice(plan: Plan) -> Iterator[Flaw]:
    names: dict[str, int] = {}
    for index, wave in enumerate(plan.waves):
        first = names.setdefault(wave.name, index)
        if first != index:
            problem = f"{wave.name} is the name of the wave in line {{line}} too"
            yield Flaw(("waves", index, "name"), problem, ("waves", first, "name"))
    places: dict[str, tuple[Key, ...]] = {}
    for keys, arn in _functions(plan):
        first_keys = places.setdefault(arn, keys)
        if first_keys != keys:
            problem = f"{arn} is in line {{line}} already: a function is in one place"
            yield Flaw((*keys, "function"), problem, (*first_keys, "function"))


def _functions(plan: Plan) -> Iterator[tuple[tuple[Key, ...], str]]:
    for index, wave in enumerate(plan.waves):
        for place, member in enumerate(wave.functions):
            yield ("waves", index, "functions", place), member.function
    for place, staying in enumerate(plan.staying):
        yield ("staying", place), staying.function


def _overlaps(plan: Plan) -> Iterator[Flaw]:
    for index in range(1, len(plan.waves)):
        before, wave = plan.waves[index - 1], plan.waves[index]
        bake = duration_of(before.canary.bake) if before.canary else timedelta()
        if plan.start_of(wave) < plan.start_of(before) + bake:
            baking = f" and its bake of {before.canary.bake}" if before.canary and bake else ""
            yield Flaw(
                ("waves", index, "start"),
                f"is before the start of wave {before.name} (line {{line}}){baking}: waves follow "
                "one another",
                ("waves", index - 1, "start"),
            )


def _foreign(plan: Plan) -> Iterator[Flaw]:
    """Functions of more than one partition: no credentials reach two."""
    partitions = Counter(arn.split(":", 2)[1] for _, arn in _functions(plan))
    if len(partitions) < 2:  # noqa: PLR2004 - two differ
        return
    usual = partitions.most_common(1)[0][0]
    for keys, arn in _functions(plan):
        partition = arn.split(":", 2)[1]
        if partition != usual:
            yield Flaw(
                (*keys, "function"),
                f"is in the partition {partition}, others are in {usual}: make a plan for each",
            )
