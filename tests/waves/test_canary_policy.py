from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from fleet.migration.call_cost import PriceCheck
from fleet.migration.canary import CanaryPolicy
from fleet.prices import Price, Prices, load_prices
from fleet.wave import Stage
from fleet.waves.canary_policy import policy_of, price_ratio
from fleet.waves.plan import Canary


def test_durations_become_times_and_percents_become_shares() -> None:
    canary = Canary(
        interval="5m",
        step_weight=2.5,
        max_weight=25,
        threshold=3,
        minimum_invocations=40,
        errors=0.5,
        duration=75,
        throttles=2,
        bake="2h",
        longest="3d",
    )
    assert policy_of(canary) == CanaryPolicy(
        interval=timedelta(minutes=5),
        step=0.025,
        maximum=0.25,
        threshold=3,
        minimum=40,
        errors=0.005,
        duration=0.75,
        throttles=0.02,
        bake=timedelta(hours=2),
        longest=timedelta(days=3),
    )


@pytest.mark.parametrize(
    ("said", "ratio", "price", "duration"),
    [
        # What it costs says how slow is too slow, unless the plan says it.
        ({}, 0.8, PriceCheck(roll_back=True, ratio=0.8), None),
        ({"price": "rollback"}, 0.8, PriceCheck(roll_back=True, ratio=0.8), None),
        ({"price": "flag"}, 0.8, PriceCheck(roll_back=False, ratio=0.8), None),
        ({"duration": 50}, 0.8, PriceCheck(roll_back=True, ratio=0.8), 0.5),
        ({"price": "off"}, 0.8, None, 0.5),
        # Where the price is not known, something has to.
        ({}, None, PriceCheck(roll_back=True, ratio=None), 0.5),
    ],
)
def test_on_arm64_what_calls_cost_stands_for_the_limit_on_durations(
    said: dict[str, object],
    ratio: float | None,
    price: PriceCheck | None,
    duration: float | None,
) -> None:
    policy = policy_of(Canary.model_validate(said), Stage.ARM64, ratio)
    assert (policy.price, policy.duration) == (price, duration)


def test_the_runtime_alone_changes_no_price() -> None:
    policy = policy_of(Canary(), Stage.RUNTIME, 0.8)
    assert (policy.price, policy.duration) == (None, 0.5)


def test_the_ratio_is_of_its_own_region_or_not_known() -> None:
    price = Price(x86_64=Decimal("0.00002"), arm64=Decimal("0.000015"), request=Decimal("2e-7"))
    prices = Prices({"eu-north-9": price})
    assert price_ratio(prices, "eu-north-9") == 0.75
    assert price_ratio(prices, "us-east-1") is None
    assert price_ratio(load_prices(), "us-east-1") == pytest.approx(0.8, abs=1e-4)
