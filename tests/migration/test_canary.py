"""The judgement of a canary: tables of numbers and what becomes of them, and properties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.migration.call_cost import PriceCheck
from fleet.migration.canary import (
    WHOLE,
    CanaryPolicy,
    Decision,
    Judgement,
    first_share,
    judge,
    next_share,
)
from fleet.traffic import Numbers

MINUTE = timedelta(minutes=1)
PROMOTE, WAIT, ROLL_BACK = Decision.PROMOTE, Decision.WAIT, Decision.ROLL_BACK

POLICY = CanaryPolicy(
    interval=10 * MINUTE,
    step=0.1,
    maximum=0.5,
    threshold=1,
    minimum=20,
    errors=0.01,
    duration=0.5,
    throttles=0.01,
    bake=60 * MINUTE,
    longest=1440 * MINUTE,
)


def numbers(
    invocations: int = 0, errors: int = 0, throttles: int = 0, average_ms: float | None = 100.0
) -> Numbers:
    timed = 0 if average_ms is None else invocations
    return Numbers(
        invocations=invocations,
        errors=errors,
        throttles=throttles,
        duration_ms=timed * (average_ms or 0.0),
        timed=timed,
    )


FINE = numbers(1000)
SLOWER = numbers(1000, average_ms=200)
ON_ARM64 = replace(POLICY, duration=None, price=PriceCheck(roll_back=True, ratio=0.8))
"""200 ms instead of 100 ms cost 60 % more with it."""


def judged(
    old: Numbers | None,
    new: Numbers | None,
    *,
    minutes: float = 10,
    share: float = 0.1,
    failed_checks: int = 0,
    policy: CanaryPolicy = POLICY,
    shared: tuple[Numbers | None, Numbers | None] | None = None,
) -> Judgement:
    return judge(
        policy,
        old,
        new,
        share=share,
        elapsed=minutes * MINUTE,
        failed_checks=failed_checks,
        shared=shared,
    )


@pytest.mark.parametrize(
    ("old", "new", "decision"),
    [
        # Enough calls, as good as the old version's.
        (FINE, numbers(20), PROMOTE),
        (FINE, numbers(19), WAIT),
        (FINE, numbers(0), WAIT),
        # One error in twenty is 5 %, and one point is allowed; in a hundred it is 1 %.
        (FINE, numbers(20, 1), ROLL_BACK),
        (FINE, numbers(99, 1), ROLL_BACK),
        (FINE, numbers(100, 1), PROMOTE),
        # What the old version does wrong, the new one may.
        (numbers(100, 2), numbers(100, 3), PROMOTE),
        (numbers(100, 2), numbers(100, 4), ROLL_BACK),
        (numbers(100, 6), numbers(100, 7), PROMOTE),
        (numbers(100, 100), numbers(100, 100), PROMOTE),
        # An old version that was called once or twice excuses no more than its calls count.
        (numbers(1, 1), numbers(100, 6), PROMOTE),
        (numbers(1, 1), numbers(100, 7), ROLL_BACK),
        # Half as long again, and no more.
        (FINE, numbers(100, average_ms=150), PROMOTE),
        (FINE, numbers(100, average_ms=150.1), ROLL_BACK),
        (FINE, numbers(100, average_ms=None), PROMOTE),
        # Throttled calls are beside the invocations.
        (FINE, numbers(99, throttles=1), PROMOTE),
        (FINE, numbers(98, throttles=2), ROLL_BACK),
        (numbers(90, throttles=10), numbers(90, throttles=10), PROMOTE),
        (FINE, numbers(0, throttles=50), ROLL_BACK),
        # Nobody calls the old version: no error is excused, and durations are not compared.
        (numbers(0), numbers(20, average_ms=9000), PROMOTE),
        (numbers(0), numbers(100, 1), PROMOTE),
        (numbers(0), numbers(100, 2), ROLL_BACK),
        # Errors may come in before the invocations that they belong to.
        (FINE, numbers(0, 3), ROLL_BACK),
    ],
)
def test_a_check_compares_the_new_version_with_the_old_one(
    old: Numbers, new: Numbers, decision: Decision
) -> None:
    assert judged(old, new).decision is decision


@pytest.mark.parametrize(
    ("minimum", "new", "decision"),
    [
        (1000, numbers(10, 10), WAIT),
        (1000, numbers(11, 11), ROLL_BACK),
        (100, numbers(1, 1), WAIT),
        (100, numbers(2, 2), ROLL_BACK),
        (100, numbers(99, 1), WAIT),
        (20, numbers(10, 10), ROLL_BACK),
        # A slow first call says nothing yet.
        (20, numbers(19, average_ms=9000), WAIT),
        (100, numbers(0, throttles=1), WAIT),
        (100, numbers(0, throttles=2), ROLL_BACK),
    ],
)
def test_before_the_minimum_it_fails_only_if_no_number_of_successes_could_save_it(
    minimum: int, new: Numbers, decision: Decision
) -> None:
    found = judged(FINE, new, policy=replace(POLICY, minimum=minimum))
    assert found.decision is decision
    assert not found.judged


@pytest.mark.parametrize(
    ("share", "minutes", "decision"),
    [(0.1, 9.9, WAIT), (0.1, 10, PROMOTE), (WHOLE, 59.9, WAIT), (WHOLE, 60, PROMOTE)],
)
def test_a_step_lasts_an_interval_and_the_whole_its_bake_time(
    share: float, minutes: float, decision: Decision
) -> None:
    found = judged(FINE, numbers(100), share=share, minutes=minutes)
    assert (found.decision, found.judged) == (decision, True)


def test_a_failing_version_does_not_wait_for_the_end_of_its_step() -> None:
    assert judged(FINE, numbers(100, 50), minutes=0.5).decision is ROLL_BACK


@pytest.mark.parametrize(
    ("minutes", "new", "decision"),
    [
        (1439, numbers(19), WAIT),
        (1440, numbers(19), PROMOTE),
        (1440, numbers(0), PROMOTE),
        (9999, numbers(0), PROMOTE),
        # However few: what was seen to fail, or to be slow, never goes on.
        (1440, numbers(5, 5), ROLL_BACK),
        (1440, numbers(1, average_ms=9000), ROLL_BACK),
    ],
)
def test_at_the_longest_it_goes_on_and_says_that_it_is_unjudged(
    minutes: float, new: Numbers, decision: Decision
) -> None:
    policy = replace(POLICY, minimum=1000)
    found = judged(numbers(2000), new, minutes=minutes, policy=policy)
    assert (found.decision, found.judged) == (decision, False)
    assert ("unjudged" in found.reason) is (decision is PROMOTE)


def test_a_policy_that_allows_every_error_never_fails_one() -> None:
    # Not even where the errors come in before the invocations that they belong to.
    policy = replace(POLICY, errors=1.0)
    assert judged(FINE, numbers(2, 3), minutes=1440, policy=policy).decision is PROMOTE


def test_bake_time_is_not_cut_short_by_a_shorter_longest() -> None:
    policy = replace(POLICY, longest=timedelta())
    assert judged(FINE, numbers(0), share=WHOLE, minutes=59, policy=policy).decision is WAIT
    assert judged(FINE, numbers(0), share=WHOLE, minutes=60, policy=policy).decision is PROMOTE


@pytest.mark.parametrize(
    ("old", "new", "whose"), [(None, FINE, "old"), (FINE, None, "new"), (None, None, "new")]
)
@pytest.mark.parametrize("minutes", [1, 10, 1440, 99_999])
def test_numbers_that_cannot_be_read_promote_nothing_however_long_it_takes(
    old: Numbers | None, new: Numbers | None, whose: str, minutes: float
) -> None:
    found = judged(old, new, minutes=minutes, failed_checks=2)
    assert (found.decision, found.judged, found.failed_checks) == (WAIT, False, 2)
    assert f"the {whose} version could not be read" in found.reason


def test_only_failed_checks_in_a_row_up_to_the_threshold_roll_back() -> None:
    policy = replace(POLICY, threshold=3)
    bad = numbers(100, 50)
    first = judged(FINE, bad, policy=policy)
    second = judged(FINE, bad, policy=policy, failed_checks=first.failed_checks)
    third = judged(FINE, bad, policy=policy, failed_checks=second.failed_checks)
    found = [(each.decision, each.failed_checks) for each in (first, second, third)]
    assert found == [(WAIT, 1), (WAIT, 2), (ROLL_BACK, 3)]
    assert "failed check 2 of 3" in second.reason
    # A check that passes begins the count anew; one that can't be judged leaves it.
    assert judged(FINE, FINE, policy=policy, failed_checks=2).failed_checks == 0
    assert judged(FINE, numbers(3), policy=policy, failed_checks=2).failed_checks == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (FINE, numbers(40, 3), "3 of 40 calls failed, where 1 % may"),
        (FINE, numbers(90, throttles=10), "10 of 100 calls were throttled, where 1 % may be"),
        (
            FINE,
            numbers(40, average_ms=200),
            (
                "calls took 200.0 ms on average, 100.0 ms with the old version, where 150.0 ms are "
                "allowed"
            ),
        ),
        (FINE, numbers(40, 3, average_ms=200), "may and calls took 200.0 ms"),
        (FINE, numbers(7), "7 of the 20 calls it takes to judge have been made"),
        (numbers(0), numbers(40), "durations were not compared, since the old version had too few"),
    ],
)
def test_the_reason_says_what_was_counted_and_what_is_allowed(
    old: Numbers, new: Numbers, said: str
) -> None:
    reason = judged(old, new).reason
    assert said in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("step", "maximum", "shares"),
    [
        (0.1, 0.5, [0.1, 0.2, 0.3, 0.4, 0.5, 1.0]),
        (0.3, 0.5, [0.3, 0.5, 1.0]),
        (0.6, 0.5, [0.5, 1.0]),
        (1.0, 1.0, [1.0]),
        (0.5, 1.0, [0.5, 1.0]),
        (0.025, 0.05, [0.025, 0.05, 1.0]),
        (1 / 3, 0.7, [0.3333, 0.6666, 0.7, 1.0]),
    ],
)
def test_weights_go_up_in_steps_to_the_maximum_and_then_to_the_whole(
    step: float, maximum: float, shares: list[float]
) -> None:
    policy = replace(POLICY, step=step, maximum=maximum)
    assert first_share(policy) == shares[0]
    assert list(way(policy)) == shares


# What calls cost.


@pytest.mark.parametrize(
    ("share", "minutes", "shared", "decision"),
    [
        # Nothing breaks before the end of a step.
        (0.1, 9.9, (FINE, SLOWER), WAIT),
        (0.1, 10, (FINE, SLOWER), ROLL_BACK),
        (0.1, 10, (FINE, FINE), PROMOTE),
        # The day before tells less: it is asked at the end of the bake, where nothing else is.
        (0.1, 10, None, PROMOTE),
        (WHOLE, 59.9, None, WAIT),
        (WHOLE, 60, None, ROLL_BACK),
        (WHOLE, 60, (FINE, FINE), PROMOTE),
        (WHOLE, 60, (numbers(3), FINE), ROLL_BACK),
    ],
)
def test_what_calls_cost_is_asked_once_a_step_is_over(
    share: float,
    minutes: float,
    shared: tuple[Numbers, Numbers] | None,
    decision: Decision,
) -> None:
    found = judged(FINE, SLOWER, share=share, minutes=minutes, shared=shared, policy=ON_ARM64)
    assert (found.decision, found.judged) == (decision, True)
    assert found.costs_more is (decision is ROLL_BACK)


def test_calls_that_cost_more_fail_as_many_checks_as_any_other() -> None:
    policy = replace(ON_ARM64, threshold=2)
    first = judged(FINE, SLOWER, shared=(FINE, SLOWER), policy=policy)
    assert (first.decision, first.failed_checks, first.costs_more) == (WAIT, 1, True)
    second = judged(FINE, SLOWER, shared=(FINE, SLOWER), policy=policy, failed_checks=1)
    assert second.decision is ROLL_BACK


def test_what_fails_besides_costing_more_has_failed() -> None:
    bad = replace(SLOWER, errors=100)
    found = judged(FINE, bad, shared=(FINE, SLOWER), policy=ON_ARM64)
    assert (found.decision, found.costs_more) == (ROLL_BACK, False)
    limited = replace(ON_ARM64, duration=0.5)
    found = judged(FINE, SLOWER, shared=(FINE, SLOWER), policy=limited)
    assert (found.decision, found.costs_more) == (ROLL_BACK, False)


def test_calls_that_cost_more_are_told_and_go_on_where_people_want_it_so() -> None:
    policy = replace(ON_ARM64, price=PriceCheck(roll_back=False, ratio=0.8))
    found = judged(FINE, SLOWER, shared=(FINE, SLOWER), policy=policy)
    assert (found.decision, found.costs_more, found.failed_checks) == (PROMOTE, False, 0)
    assert found.reason.endswith("they cost 60 % more")


def test_a_price_that_is_not_known_holds_nothing_back_and_is_told() -> None:
    policy = replace(ON_ARM64, price=PriceCheck(roll_back=True, ratio=None))
    found = judged(FINE, SLOWER, shared=(FINE, SLOWER), policy=policy)
    assert found.decision is PROMOTE
    assert "no price of its region is known" in found.reason


def test_few_calls_do_not_tell_what_they_cost_however_long_it_takes() -> None:
    slow = numbers(19, average_ms=9000)
    found = judged(FINE, slow, minutes=1440, shared=(FINE, slow), policy=ON_ARM64)
    assert (found.decision, found.judged) == (PROMOTE, False)
    assert found.reason.endswith("what they cost was not compared, since there were too few calls")


def way(policy: CanaryPolicy) -> Iterator[float]:
    share = 0.0
    while share < WHOLE:
        share = next_share(policy, share)
        yield share


SHARES = st.floats(0.001, 1)
POLICIES = st.builds(
    CanaryPolicy,
    interval=st.timedeltas(timedelta(), timedelta(hours=2)),
    step=SHARES,
    maximum=SHARES,
    threshold=st.integers(1, 4),
    minimum=st.integers(1, 200),
    errors=st.floats(0, 1),
    duration=st.none() | st.floats(0, 5),
    throttles=st.floats(0, 1),
    bake=st.timedeltas(timedelta(), timedelta(days=1)),
    longest=st.timedeltas(timedelta(), timedelta(days=2)),
    price=st.none()
    | st.builds(PriceCheck, roll_back=st.booleans(), ratio=st.none() | st.floats(0.1, 2)),
)


@st.composite
def counts(draw: st.DrawFn) -> Numbers:
    invocations = draw(st.integers(0, 400))
    return numbers(
        invocations,
        draw(st.integers(0, invocations)),
        draw(st.integers(0, 400)),
        draw(st.none() | st.floats(0.1, 900_000)),
    )


ELAPSED = st.timedeltas(timedelta(), timedelta(days=3))
BADNESS = {PROMOTE: 0, WAIT: 1, ROLL_BACK: 2}


@given(POLICIES)
def test_weights_rise_at_each_step_and_never_pass_the_maximum_before_the_whole(
    policy: CanaryPolicy,
) -> None:
    shares = list(way(policy))
    assert shares == sorted(set(shares))
    assert shares[-1] == WHOLE
    assert all(share <= round(policy.maximum, 4) for share in shares[:-1])


@given(POLICIES, counts(), counts(), ELAPSED, st.floats(0, 1), st.integers(0, 3), st.data())
def test_what_is_worse_is_never_judged_better(
    policy: CanaryPolicy,
    old: Numbers,
    new: Numbers,
    elapsed: timedelta,
    share: float,
    failed_checks: int,
    data: st.DataObject,
) -> None:
    side_by_side = data.draw(st.booleans())

    def decision(numbers: Numbers) -> Decision:
        return judge(
            policy,
            old,
            numbers,
            share=share,
            elapsed=elapsed,
            failed_checks=failed_checks,
            shared=(old, numbers) if side_by_side else None,
        ).decision

    before = decision(new)
    more_errors = new.errors + data.draw(st.integers(0, new.invocations - new.errors))
    slower = new.duration_ms * data.draw(st.floats(1, 10))
    assert BADNESS[decision(replace(new, errors=more_errors))] >= BADNESS[before]
    assert BADNESS[decision(replace(new, duration_ms=slower))] >= BADNESS[before]


@given(
    POLICIES,
    st.none() | counts(),
    st.none() | counts(),
    ELAPSED,
    st.floats(0, 1),
    st.integers(0, 3),
)
def test_nothing_is_promoted_but_what_was_judged_or_has_waited_longest(
    policy: CanaryPolicy,
    old: Numbers | None,
    new: Numbers | None,
    elapsed: timedelta,
    share: float,
    failed_checks: int,
) -> None:
    found = judge(policy, old, new, share=share, elapsed=elapsed, failed_checks=failed_checks)
    if found.decision is not PROMOTE:
        return
    assert old is not None
    assert new is not None
    least = policy.bake if share >= WHOLE else policy.interval
    assert elapsed >= least
    assert found.judged is (new.invocations >= policy.minimum)
    assert found.judged or elapsed >= policy.longest
    if new.invocations:
        excused = old.errors / max(old.invocations, 1)
        assert new.errors / new.invocations <= excused + policy.errors + 1e-6


@given(POLICIES, counts(), st.integers(1, 400), ELAPSED)
def test_a_version_that_always_fails_never_leaves_its_first_share(
    policy: CanaryPolicy, old: Numbers, calls: int, elapsed: timedelta
) -> None:
    old = replace(old, errors=0)
    policy = replace(policy, errors=min(policy.errors, 0.99))
    found = judge(policy, old, numbers(calls, calls), share=first_share(policy), elapsed=elapsed)
    assert found.decision is not PROMOTE
    if calls >= policy.minimum and policy.threshold == 1:
        assert found.decision is ROLL_BACK


def test_numbers_add_up() -> None:
    both = numbers(10, 1, 2, 100) + numbers(30, 2, 3, 200)
    assert both == Numbers(invocations=40, errors=3, throttles=5, duration_ms=7000.0, timed=40)
    assert both.average_ms == 175.0
    assert both.attempts == 45
    assert Numbers().average_ms is None
