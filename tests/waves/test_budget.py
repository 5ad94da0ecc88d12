from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, Phase
from fleet.waves.budget import failures, is_failure, is_spent, left
from fleet.waves.plan import Budget

REF = FunctionRef("aws", "123456789012", "eu-west-1", "orders")
PERCENTS = st.decimals(0, 100, places=2).map(float)
BUDGETS = st.builds(Budget, count=st.none() | st.integers(0, 50), percent=st.none() | PERCENTS)


@pytest.mark.parametrize(
    ("budget", "failed", "total", "spent"),
    [
        (Budget(count=0), 0, 10, False),
        (Budget(count=0), 1, 10, True),
        (Budget(count=2), 2, 10, False),
        (Budget(count=2), 3, 10, True),
        (Budget(percent=10), 1, 10, False),
        (Budget(percent=10), 2, 10, True),
        (Budget(percent=0), 1, 10_000, True),
        (Budget(percent=100), 10, 10, False),
        # 0.57 * 10000 / 100 is less than 57 in floating point
        (Budget(percent=0.57), 57, 10_000, False),
        (Budget(percent=0.57), 58, 10_000, True),
        (Budget(count=5, percent=10), 2, 10, True),
        (Budget(count=0, percent=100), 1, 10, True),
        (Budget(), 10, 10, False),
    ],
)
def test_one_more_than_the_budget_allows_spends_it(
    budget: Budget, failed: int, total: int, *, spent: bool
) -> None:
    assert is_spent(budget, failed, total) is spent


@given(BUDGETS, st.integers(0, 200), st.integers(0, 200))
def test_what_is_left_may_fail_and_one_more_is_too_many(
    budget: Budget, failed: int, total: int
) -> None:
    more = left(budget, failed, total)
    if more is None:
        assert (budget.count, budget.percent) == (None, None)
        assert not is_spent(budget, failed, total)
        return
    assert is_spent(budget, failed + more + 1, total)
    if not is_spent(budget, failed, total):
        assert not is_spent(budget, failed + more, total)
    by_percent = budget.percent is not None and failed * 100 > Fraction(str(budget.percent)) * total
    by_count = budget.count is not None and failed > budget.count
    assert is_spent(budget, failed, total) is (by_percent or by_count)


@pytest.mark.parametrize("result", Result)
def test_what_was_not_touched_is_no_failure(result: Result) -> None:
    state = MemberState(wave="w", ref=REF, phase=Phase.ENDED, result=result)
    expected = result in {Result.FAILED, Result.ROLLED_BACK, Result.PARTLY_BACK}
    assert failures([state, state]) == 2 * expected
    assert is_failure(state) is expected


def test_what_people_had_brought_back_is_no_failure() -> None:
    back = MemberState(
        wave="w", ref=REF, phase=Phase.ENDED, result=Result.ROLLED_BACK, ordered=True
    )
    assert failures([back]) == 0


@pytest.mark.parametrize(
    ("result", "expected"), [(Result.BAKING, 0), (None, 0), (Result.FAILED, 1)]
)
def test_one_that_bakes_is_a_failure_once_it_was_to_come_back_and_did_not(
    result: Result | None, expected: int
) -> None:
    state = MemberState(wave="w", ref=REF, phase=Phase.BAKING, result=result)
    assert failures([state]) == expected


def test_a_failure_that_is_tried_again_counts_no_more_until_it_ends() -> None:
    again = MemberState(wave="w", ref=REF, phase=Phase.WAITING, result=Result.FAILED, attempts=1)
    assert failures([again]) == 0


def test_an_end_that_nobody_can_say_went_well_is_a_failure() -> None:
    assert failures([MemberState(wave="w", ref=REF, phase=Phase.ENDED)]) == 1
