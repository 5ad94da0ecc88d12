"""What calls cost on another architecture beside what they cost before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.migration.call_cost import Cost, PriceCheck, compared
from fleet.traffic import Numbers

CHECK = PriceCheck(roll_back=True, ratio=0.8)
MINIMUM = 20


def calls(count: int, average_ms: float) -> Numbers:
    return Numbers(
        invocations=count, errors=0, throttles=0, duration_ms=count * average_ms, timed=count
    )


def cost(old: Numbers, new: Numbers, ratio: float | None = 0.8) -> Cost:
    check = PriceCheck(roll_back=True, ratio=ratio)
    return compared(check, (old, new), None, minimum=MINIMUM)


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        # 4/5 of the price: 5/4 of the time is worth it to the millisecond, and no longer.
        (calls(1_000_000, 1000), calls(1_000_000, 800), False),
        (calls(1_000_000, 1000), calls(1_000_000, 1250), False),
        (calls(1_000_000, 1000), calls(1_000_000, 1260), True),
        # The fewer the calls, the more averages differ by chance.
        (calls(10_000, 1000), calls(10_000, 1260), False),
        (calls(10_000, 1000), calls(10_000, 1300), True),
        (calls(1000, 1000), calls(100, 1500), False),
        (calls(1000, 1000), calls(100, 1600), True),
        (calls(20, 1000), calls(20, 3300), False),
        (calls(20, 1000), calls(20, 3500), True),
        # Durations are billed rounded up: a call of 0.1 ms may have cost as much as one of 1 ms.
        (calls(1_000_000, 0.1), calls(1_000_000, 1.3), False),
        (calls(1_000_000, 0.1), calls(1_000_000, 1.4), True),
        (calls(1_000_000, 0), calls(1_000_000, 1.2), False),
    ],
)
def test_calls_cost_more_once_they_are_slower_than_the_price_is_worth_and_not_by_chance(
    old: Numbers, new: Numbers, *, more: bool
) -> None:
    assert cost(old, new).more is more


@pytest.mark.parametrize(
    ("old", "new"), [(calls(19, 10), calls(500, 900)), (calls(500, 10), calls(19, 900))]
)
def test_too_few_calls_of_either_version_say_nothing(old: Numbers, new: Numbers) -> None:
    assert cost(old, new) == Cost(
        "what they cost was not compared, since there were too few calls", more=False
    )


def test_without_a_price_of_its_region_nothing_is_compared_and_that_is_said() -> None:
    found = cost(calls(10_000, 10), calls(10_000, 900), ratio=None)
    assert not found.more
    assert "no price of its region is known" in found.said


def test_numbers_of_one_time_go_before_those_of_the_day_before() -> None:
    alike = calls(10_000, 100), calls(10_000, 100)
    weak = calls(10_000, 100), calls(10_000, 900)
    found = compared(CHECK, alike, weak, minimum=MINIMUM)
    assert not found.more
    assert "the day before" not in found.said


@pytest.mark.parametrize(
    "shared", [None, (None, None), (calls(10_000, 1), None), (calls(0, 0), calls(10_000, 1))]
)
def test_the_day_before_is_taken_where_both_had_no_calls_at_one_time_and_it_is_said(
    shared: tuple[Numbers | None, Numbers | None] | None,
) -> None:
    found = compared(CHECK, shared, (calls(10_000, 100), calls(10_000, 200)), minimum=MINIMUM)
    assert found.more
    assert found.said.endswith(
        "(the old version's are of the day before, and may have been other calls)"
    )
    assert compared(CHECK, shared, None, minimum=MINIMUM).said.endswith("too few calls")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            calls(10_000, 140),
            (
                "calls took 140.0 ms on average, 100.0 ms with the old version: at 80 % of the "
                "price of a GB-second they cost 12 % more"
            ),
        ),
        (calls(10_000, 126), "they cost 0.8 % more, which may be chance"),
        (calls(10_000, 125), "they cost the same"),
        (calls(10_000, 100), "they cost 20 % less"),
    ],
)
def test_the_clause_says_what_calls_take_and_cost(new: Numbers, said: str) -> None:
    assert cost(calls(10_000, 100), new).said.endswith(said)


COUNTS = st.integers(1, 10**7)
DURATIONS = st.floats(0, 900_000)
RATIOS = st.floats(0.1, 2)


@given(COUNTS, COUNTS, DURATIONS, RATIOS)
def test_as_much_slower_as_the_price_is_worth_never_costs_more(
    olds: int, news: int, before: float, ratio: float
) -> None:
    assert not cost(calls(olds, before), calls(news, before / ratio), ratio).more


@given(COUNTS, COUNTS, DURATIONS, DURATIONS, RATIOS, st.floats(1, 10))
def test_what_is_slower_still_never_costs_less(
    olds: int, news: int, before: float, now: float, ratio: float, slower: float
) -> None:
    old = calls(olds, before)
    if cost(old, calls(news, now), ratio).more:
        assert cost(old, calls(news, now * slower), ratio).more


@given(COUNTS, COUNTS, DURATIONS, DURATIONS, RATIOS, st.integers(1, 100))
def test_more_calls_with_the_same_averages_never_take_a_finding_back(
    olds: int, news: int, before: float, now: float, ratio: float, times: int
) -> None:
    if cost(calls(olds, before), calls(news, now), ratio).more:
        more = cost(calls(olds * times, before), calls(news * times, now), ratio).more
        assert more
