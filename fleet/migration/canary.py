"""What the numbers of a new version mean beside the old one's: promote, wait or roll back. Pure.

A check that fails never promotes, so a version that fails is rolled back at the share that it
has: before it passes the first step, where it fails there. Numbers that can't be read never
promote either.

How few calls are taken: both versions are given the calls that they lack to the policy's minimum,
all of them successes. So 1 error in 20 calls is 5 % and fails a limit of 1 point, at the default
minimum of 20 even as the first call of all; 1 error in 1 call of the *old* version excuses no more
than 5 % of the new one's.

Where the price of a GB-second changes too, as with the architecture, what calls cost is asked once
a step is over, since nothing breaks meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from fleet.migration.call_cost import Cost, PriceCheck, compared, took
from fleet.traffic import Numbers

WHOLE = 1.0
"""The share at which every call goes to the new version."""

_DIGITS = 4
"""Of a weight: hundredths of a percent. AWS documents a range, 0.0 to 1.0, and no precision.

https://docs.aws.amazon.com/lambda/latest/api/API_AliasRoutingConfiguration.html
"""
_SMALLEST = 10.0**-_DIGITS
_LONG = timedelta(hours=2)
_LEAST_SLOWER_MS = 10.0
"""Milliseconds by which calls may get slower whatever their share: of 2 ms, 50 % is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPolicy:
    """When a new version goes on, waits or goes back. Shares are 0–1 of an alias's calls."""

    interval: timedelta
    """How long each step lasts at least, and between two checks."""
    step: float
    """Share that each step adds."""
    maximum: float
    """Share after which the next step is the whole."""
    threshold: int
    """Checks in a row that have to fail before it is rolled back."""
    minimum: int
    """Calls of the new version before it is judged."""
    errors: float
    """By how much its share of errors (0–1 of its invocations) may exceed the old one's."""
    duration: float | None
    """By how much its average duration may exceed the old one's, as a share of that; None: by
    any."""
    throttles: float
    """By how much its share of throttles (0–1 of its calls) may exceed the old one's."""
    bake: timedelta
    """How long it is watched at least once every call goes to it."""
    longest: timedelta
    """How long a step waits for the minimum of calls before it goes on unjudged."""
    price: PriceCheck | None = None
    """None: what a call costs is not asked."""


class Decision(StrEnum):
    """What becomes of the new version now."""

    PROMOTE = "promote"
    """To the next share; from the whole: it is done."""
    WAIT = "wait"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was decided, and why."""

    decision: Decision
    reason: str
    """One sentence for a person."""
    judged: bool
    """Whether the new version's numbers were enough to tell. Unjudged is never fine."""
    failed_checks: int
    """Checks in a row that have failed by now; the next check is given it."""
    costs_more: bool = False
    """Whether this check has failed because of the price of its calls, and nothing else."""


def first_share(policy: CanaryPolicy) -> float:
    """The share that the new version begins with."""
    return next_share(policy, 0.0)


def next_share(policy: CanaryPolicy, share: float) -> float:
    """The share after this one: a step more, the maximum at most, and from there the whole."""
    most = max(round(policy.maximum, _DIGITS), _SMALLEST)
    if share >= most:
        return WHOLE
    return min(round(share + max(policy.step, _SMALLEST), _DIGITS), most)


def judge(
    policy: CanaryPolicy,
    old: Numbers | None,
    new: Numbers | None,
    *,
    share: float,
    elapsed: timedelta,
    failed_checks: int = 0,
    shared: tuple[Numbers | None, Numbers | None] | None = None,
) -> Judgement:
    """One check of a new version that has had `share` of the calls for `elapsed`.

    The numbers are those since the share was set; the old version's may come from another time.
    None stands for numbers that could not be read. `failed_checks` counts those in a row before
    this one; call it once an interval. `shared` are both versions' numbers of all the time in
    which they have shared an alias, where they have: prices are compared by them.
    """
    if new is None or old is None:
        whose = "new" if new is None else "old"
        reason = f"the numbers of the {whose} version could not be read, so nothing is promoted"
        return Judgement(
            decision=Decision.WAIT, reason=reason, judged=False, failed_checks=failed_checks
        )
    least = policy.bake if share >= WHOLE else policy.interval
    judged = new.invocations >= policy.minimum
    over = not judged and elapsed >= max(least, policy.longest)
    faults = tuple(_faults(policy, old, new, complete=judged or over))
    if faults:
        return _failed(policy, faults, judged=judged, failed_checks=failed_checks + 1)
    if not judged and not over:
        reason = f"{_counted(policy, new)} have been made"
        return Judgement(
            decision=Decision.WAIT, reason=reason, judged=False, failed_checks=failed_checks
        )
    cost = Cost()
    if policy.price is not None and elapsed >= least:
        before_and_since = (old, new) if share >= WHOLE else None
        cost = compared(policy.price, shared, before_and_since, minimum=policy.minimum)
        if cost.more and policy.price.roll_back:
            failed = _failed(policy, (cost.said,), judged=judged, failed_checks=failed_checks + 1)
            return replace(failed, costs_more=True)
    if judged:
        return _passed(policy, old, new, cost, least=least, elapsed=elapsed)
    reason = f"only {_counted(policy, new)} have been made in {_span(elapsed)}: it goes on unjudged"
    return Judgement(
        decision=Decision.PROMOTE,
        reason="; ".join(filter(None, (reason, cost.said))),
        judged=False,
        failed_checks=failed_checks,
    )


def _counted(policy: CanaryPolicy, new: Numbers) -> str:
    return f"{new.invocations} of the {policy.minimum} calls it takes to judge"


def _failed(
    policy: CanaryPolicy, faults: tuple[str, ...], *, judged: bool, failed_checks: int
) -> Judgement:
    spent = failed_checks >= policy.threshold
    count = f" (failed check {failed_checks} of {policy.threshold})"
    return Judgement(
        decision=Decision.ROLL_BACK if spent else Decision.WAIT,
        reason=" and ".join(faults) + (count if policy.threshold > 1 else ""),
        judged=judged,
        failed_checks=failed_checks,
    )


def _passed(
    policy: CanaryPolicy,
    old: Numbers,
    new: Numbers,
    cost: Cost,
    *,
    least: timedelta,
    elapsed: timedelta,
) -> Judgement:
    said = f"{new.errors} of {new.invocations} calls failed, within what is allowed"
    if policy.duration is not None and not _durations_compare(policy, old, new):
        said += "; durations were not compared, since the old version had too few calls"
    if cost.said:
        said += f"; {cost.said}"
    if elapsed < least:
        said += f"; {_span(least - elapsed)} are left of this step"
    return Judgement(
        decision=Decision.WAIT if elapsed < least else Decision.PROMOTE,
        reason=said,
        judged=True,
        failed_checks=0,
    )


def _faults(policy: CanaryPolicy, old: Numbers, new: Numbers, *, complete: bool) -> Iterator[str]:
    """Each check that has failed, as a clause; before all calls are in, those sure to fail."""
    least = 0 if complete else policy.minimum
    errors = _rate(new.errors, new.invocations, least)
    errors_before = _rate(old.errors, old.invocations, policy.minimum)
    if _exceeds(errors, errors_before + policy.errors):
        yield (
            f"{new.errors} of {new.invocations} calls failed, where "
            f"{_percent(errors_before + policy.errors)} may"
        )
    throttles = _rate(new.throttles, new.attempts, least)
    throttles_before = _rate(old.throttles, old.attempts, policy.minimum)
    if _exceeds(throttles, throttles_before + policy.throttles):
        yield (
            f"{new.throttles} of {new.attempts} calls were throttled, where "
            f"{_percent(throttles_before + policy.throttles)} may be"
        )
    if complete and policy.duration is not None and _durations_compare(policy, old, new):
        now, before = new.average_ms or 0.0, old.average_ms or 0.0
        allowed = max(before * (1 + policy.duration), before + _LEAST_SLOWER_MS)
        if _exceeds(now, allowed):
            yield f"{took(now, before)}, where {allowed:.1f} ms are allowed"


def _durations_compare(policy: CanaryPolicy, old: Numbers, new: Numbers) -> bool:
    return old.timed >= policy.minimum and new.timed > 0


def _rate(part: int, whole: int, least: int) -> float:
    # Counts of one call may come in apart, so there may be errors before their invocations.
    return part / max(whole, part, least, 1)


def _exceeds(value: float, limit: float) -> bool:
    # A hair's breadth is rounding: 3 of 100 is no more than 2 % and 1 point.
    return value > limit * (1 + 1e-9)


def _percent(share: float) -> str:
    return f"{min(share, 1.0) * 100:.3g} %"


def _span(time: timedelta) -> str:
    if time >= _LONG:
        return f"{time / timedelta(hours=1):.3g} h"
    return f"{-(-time // timedelta(minutes=1))} min"
