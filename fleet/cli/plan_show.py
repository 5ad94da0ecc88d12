"""`fleet plan show`: the calendar of a plan, and what it says about the days that count."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from fleet.cli.options import Shown
from fleet.cli.terminal import console
from fleet.lifecycle import Lifecycle
from fleet.model import GO1X
from fleet.waves.forecast import WaveForecast, forecast, frozen_on
from fleet.waves.plan import REBUILD, Canary, Day, Plan, Staying, Window
from reports.plan_table import PlanShown, StayingLine, WaveLine, plan_calendar, write_plan_json


def show_plan(plan: Plan, lifecycle: Lifecycle, shown: Shown, *, color: bool) -> None:
    """Write it to stdout."""
    calendar = calendar_of(plan, lifecycle.runtime(GO1X).update_blocked)
    if shown is Shown.JSON:
        write_plan_json(calendar, sys.stdout)
    else:
        console(color=color).print(plan_calendar(calendar))


def calendar_of(plan: Plan, update_block: date | None) -> PlanShown:
    """A plan with what it comes to; `update_block` is the day from which AWS refuses updates."""
    waves = forecast(plan)
    return PlanShown(
        name=plan.name,
        organization=plan.organization,
        scan=plan.scan,
        target=plan.target.value,
        waves=tuple(_line(each) for each in waves),
        staying=tuple(_staying(plan.staying)),
        moving=sum(len(each.wave.functions) for each in waves),
        ends=waves[-1].ends,
        update_block=update_block,
        warnings=tuple(_warnings(waves, update_block)),
    )


def _line(each: WaveForecast) -> WaveLine:
    wave, window = each.wave, each.window
    return WaveLine(
        name=wave.name,
        start=each.start.astimezone(window.tz),
        zone=window.zone,
        window=_hours(window),
        freeze=tuple(f"{frozen.first} to {frozen.last}" for frozen in window.freeze),
        functions=len(wave.functions),
        accounts=each.accounts,
        account_regions=each.lanes,
        parallelism=wave.parallelism,
        route=wave.route.value if wave.route else "",
        canary=_canary(wave.canary),
        arm64=wave.arm64 is not None,
        rebuild=wave.arm64 == REBUILD,
        begins=each.begins.astimezone(window.tz) if each.begins else None,
        ends=each.ends.astimezone(window.tz) if each.ends else None,
    )


def _hours(window: Window) -> str:
    whole = set(window.days) == set(Day)
    days = "every day" if whole else ", ".join(day for day in Day if day in window.days)
    return days if window.hours == "00:00-24:00" else f"{days} {window.hours}"


def _canary(canary: Canary | None) -> str:
    if canary is None:
        return ""
    return (
        f"canary by {canary.step_weight:g} % each {canary.interval} to {canary.max_weight:g} %, "
        f"without calls {canary.longest}, "
        f"bake {canary.bake}"
    )


def _staying(staying: Sequence[Staying]) -> Iterator[StayingLine]:
    counted = Counter((each.verdict, each.reason) for each in staying)
    for (verdict, reason), functions in sorted(counted.items(), key=lambda each: (-each[1], each)):
        yield StayingLine(verdict=verdict, reason=reason, functions=functions)


def _warnings(waves: Sequence[WaveForecast], update_block: date | None) -> Iterator[str]:
    for each in waves:
        name = each.wave.name
        if each.ends is None:
            yield f"wave {name} does not end within a year or so: its window is too narrow"
            return
        if update_block is not None and each.ends.date() >= update_block:
            yield (
                f"wave {name} ends after AWS blocks updates of go1.x on {update_block}: what has "
                "moved by then can go back by its aliases only"
            )
        for word, at in (("starts", each.start), ("ends", each.ends)):
            day = frozen_on(each.window, at)
            if day is not None:
                yield f"wave {name} {word} on {day}, inside a freeze"
