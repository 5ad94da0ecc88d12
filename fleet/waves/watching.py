"""How a function fares after its move: its numbers, asked of CloudWatch and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from fleet.aws.metrics import LATE, NumbersAsked, read_numbers
from fleet.deployment import OWN_ALIASES, Observed
from fleet.migration.canary import WHOLE, CanaryPolicy, Decision, Judgement, judge
from fleet.migration.ground import Ground
from fleet.migration.observing import Observer
from fleet.model import LATEST
from fleet.traffic import Numbers
from fleet.wave import MemberState, Stage

BEFORE = timedelta(days=1)
"""Of the time before the move, what is compared with: a whole day, as calls come by the hour."""
_PERIOD = timedelta(minutes=1)
"""What numbers come for."""
Pair = tuple[Numbers | None, Numbers | None]
"""The old version's and the new one's; None where they could not be read."""
_NOTHING_SHARED: Mapping[str, Pair] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared for one name that the function is called by."""

    qualifier: str
    old: NumbersAsked
    new: NumbersAsked
    shared: tuple[NumbersAsked, NumbersAsked] | None = None
    """Both, of all the time in which they have shared an alias; None where nobody asks."""


def judged(
    ground: Ground, observer: Observer, policy: CanaryPolicy, state: MemberState, now: datetime
) -> Judgement:
    """One check of a function that bakes; raises CallFailed."""
    # A call that hangs is counted once it has timed out.
    late = max(LATE, timedelta(seconds=observer.now.timeout) + timedelta(minutes=1))
    if now - late < (state.since or now) + _PERIOD:
        return _too_early(late, state)
    compared = tuple(comparisons(observer.look(), state, now))
    lane = ground.aws.lane(state.ref.account, state.ref.region)
    pairs = [(each.old, each.new) for each in compared]
    pairs += [each.shared for each in compared if each.shared is not None]
    asked = [each for pair in pairs for each in pair]
    numbers = read_numbers(ground.aws, lane, state.ref.name, asked, now=now, late=late)
    found = list(zip(numbers[::2], numbers[1::2], strict=True))
    names = [each.qualifier for each in compared]
    sharing = [each.qualifier for each in compared if each.shared is not None]
    shared = dict(zip(sharing, found[len(compared) :], strict=True))
    return combined(policy, names, found[: len(compared)], state, now, shared)


def _too_early(late: timedelta, state: MemberState) -> Judgement:
    minutes = -(-late // timedelta(minutes=1))
    reason = f"its first numbers are not in yet: those of its calls take {minutes} min"
    return Judgement(
        decision=Decision.WAIT, reason=reason, judged=False, failed_checks=state.failed_checks
    )


def comparisons(seen: Observed, state: MemberState, now: datetime) -> Iterator[Comparison]:
    """What to compare: $LATEST with itself before, each alias's two versions, or with before."""
    since, began = state.since or now, state.baseline or now

    def with_before(qualifier: str) -> Comparison:
        before = NumbersAsked(qualifier=qualifier, start=began - BEFORE, end=began)
        return Comparison(qualifier, before, NumbersAsked(qualifier=qualifier, start=since))

    yield with_before(LATEST)
    kept, serving = seen.kept, seen.serving
    if kept is None or serving is None:
        return
    priced = state.stage is Stage.ARM64

    def both(name: str, start: datetime, end: datetime | None) -> tuple[NumbersAsked, NumbersAsked]:
        old, new = (
            NumbersAsked(qualifier=name, version=version, start=start, end=end)
            for version in (kept.version, serving.version)
        )
        return old, new

    for alias in seen.aliases:
        if alias.name in OWN_ALIASES:
            continue
        if alias.version == kept.version and alias.weights.keys() == {serving.version}:
            shared = both(alias.name, began, None) if priced else None
            yield Comparison(alias.name, *both(alias.name, since, None), shared)
        elif alias.version == serving.version:
            shared = both(alias.name, began, since) if priced else None
            yield replace(with_before(alias.name), shared=shared)
        elif alias.version == LATEST:
            yield with_before(alias.name)


def combined(
    policy: CanaryPolicy,
    qualifiers: Sequence[str],
    numbers: Sequence[Pair],
    state: MemberState,
    now: datetime,
    shared: Mapping[str, Pair] = _NOTHING_SHARED,
) -> Judgement:
    """One judgement of all names together: the worst counts. Pure.

    `numbers` are the old ones and the new ones of each name; `shared` the same of all the time in
    which both had calls of it. A name that nobody called, neither before nor since, tells nothing.
    """
    elapsed = now - (state.since or now)
    if state.unjudged and state.share >= WHOLE and elapsed >= policy.bake:
        # It has waited for calls once, at the share it began with.
        elapsed = max(elapsed, policy.longest)
    called = [
        (name, pair) for name, pair in zip(qualifiers, numbers, strict=True) if not _is_quiet(pair)
    ]
    each = [
        _named(
            name,
            judge(
                policy,
                old,
                new,
                share=state.share,
                elapsed=elapsed,
                failed_checks=state.failed_checks,
                shared=shared.get(name),
            ),
        )
        for name, (old, new) in called or [("", (Numbers(), Numbers()))]
    ]
    if not any(None in pair for _, pair in called):
        # A name with too few calls tells nothing beside one that has enough, unless it is failing;
        # one whose numbers could not be read holds back all.
        failed = state.failed_checks
        each = [one for one in each if one.judged or one.failed_checks > failed] or each
    return _worst(each, state.failed_checks)


def _worst(each: Sequence[Judgement], failed_before: int) -> Judgement:
    failed = max(one.failed_checks for one in each)
    order = (Decision.ROLL_BACK, Decision.WAIT, Decision.PROMOTE)
    decision = min((one.decision for one in each), key=order.index)
    # Of those that wait, a failed check is what people want to know.
    telling = [one for one in each if one.decision is decision]
    failing = [one for one in telling if one.failed_checks > failed_before]
    reasons = dict.fromkeys(one.reason for one in failing or telling)
    return Judgement(
        decision=decision,
        reason="; ".join(reasons),
        judged=all(one.judged for one in telling),
        failed_checks=failed,
        costs_more=all(one.costs_more for one in telling),
    )


def _is_quiet(pair: Iterable[Numbers | None]) -> bool:
    return all(numbers is not None and not numbers.attempts for numbers in pair)


def _named(name: str, judgement: Judgement) -> Judgement:
    return replace(judgement, reason=f"{name}: {judgement.reason}") if name else judgement
