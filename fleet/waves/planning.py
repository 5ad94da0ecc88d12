"""A scan and rules → a plan. Pure: the same ones give the same plan on any day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from fleet.model import ScanHeader
from fleet.waves.candidates import Candidate, Sorted
from fleet.waves.grouping import group
from fleet.waves.plan import FORMAT, Manner, Member, Plan, Staying, Wave, Window, duration_of
from fleet.waves.rules import Rules, RulesFile, WaveRule
from fleet.waves.soundness import Flaw, flaws
from fleet.waves.windows import next_opening

_FIRST = time(9)
_NEXT = "1d"
_WEEK = 7
_NOWHERE = "the window does not open within a year of the time it would start at"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what to know beside it."""

    plan: Plan
    notes: tuple[str, ...]


def make_plan(header: ScanHeader, found: Sorted, said: RulesFile) -> Planned | None:
    """Group what can move; None where no wave has anybody.

    Raises SettingsProblem, with the place in the rules, for waves that can't be: they overlap, or
    start when no window is open any more.
    """
    rules = _with_zone(said.rules)
    grouped = group(found.candidates, rules)
    starts = _starts(header.started, said, rules)
    kept = [index for index, members in enumerate(grouped.waves) if members]
    if not kept:
        return None
    plan = Plan(
        format=FORMAT,
        name=rules.name,
        organization=header.organization or header.caller,
        scan=header.id,
        target=rules.target,
        window=rules.window,
        budget=rules.budget,
        bucket=rules.bucket,
        waves=tuple(
            _wave(rules.waves[index], starts[index], grouped.waves[index]) for index in kept
        ),
        staying=_in_order((*found.staying, *grouped.staying)),
    )
    for flaw in flaws(plan):
        raise said.problem(_in_rules(flaw, kept))
    return Planned(plan, grouped.notes)


def _with_zone(rules: Rules) -> Rules:
    # What is derived has to be told by some clock: where no rule rests on a zone it is UTC's.
    if "zone" in rules.window.model_fields_set:
        return rules
    return rules.model_copy(update={"window": rules.window.overlaid(Window(zone="UTC"))})


def _starts(scanned: datetime, said: RulesFile, rules: Rules) -> list[datetime]:
    starts: list[datetime] = []
    for index, rule in enumerate(rules.waves):
        window = rules.window_of(rule)
        if rule.start is not None:
            starts.append(rule.start)
            continue
        wanted = (
            starts[-1] + duration_of(rule.after or _NEXT)
            if starts
            else _monday_after(scanned, window)
        )
        opens = next_opening(window, _aware(wanted, rules, index))
        if opens is None:
            raise said.problem(Flaw(("waves", index), _NOWHERE))
        starts.append(_like(wanted, opens, window))
    return starts


def _aware(start: datetime, rules: Rules, index: int) -> datetime:
    """A start by the clocks of the wave that it was reckoned from."""
    if start.tzinfo is not None:
        return start
    return start.replace(tzinfo=rules.window_of(rules.waves[max(0, index - 1)]).tz)


def _like(wanted: datetime, opens: datetime, window: Window) -> datetime:
    """An opening as a person writes it: without an offset where the zone says it."""
    local = opens.astimezone(window.tz)
    naive = local.replace(tzinfo=None, fold=0)
    # An hour that happens twice needs its offset.
    told = {naive.replace(tzinfo=window.tz, fold=fold).utcoffset() for fold in (0, 1)}
    if wanted.tzinfo is None and told == {local.utcoffset()}:
        return naive
    return local.astimezone(timezone(local.utcoffset() or timedelta()))


def _monday_after(scanned: datetime, window: Window) -> datetime:
    day = scanned.astimezone(window.tz).date()
    return datetime.combine(day + timedelta(_WEEK - day.weekday()), _FIRST)


def _wave(rule: WaveRule, start: datetime, members: Iterable[Candidate]) -> Wave:
    manner = {
        name: getattr(rule, name) for name in Manner.model_fields if name in rule.model_fields_set
    }
    return Wave(
        name=rule.name,
        start=start,
        functions=tuple(
            Member(function=each.ref.arn, fingerprint=each.fingerprint, verdict=each.verdict)
            for each in members
        ),
        **manner,
    )


def _in_order(staying: Iterable[Staying]) -> tuple[Staying, ...]:
    def place(each: Staying) -> tuple[str, str, str]:
        _, _, _, region, account, _, name = each.function.split(":", 6)
        return (account, region, name)

    return tuple(sorted(staying, key=place))


def _in_rules(flaw: Flaw, kept: Sequence[int]) -> Flaw:
    """A flaw of the plan, where the rules say what leads to it."""
    if flaw.keys[0] != "waves" or not isinstance(flaw.keys[1], int):
        return flaw
    other = ("waves", kept[int(flaw.other[1])]) if flaw.other else ()
    return Flaw(("waves", kept[flaw.keys[1]]), flaw.problem, other)
