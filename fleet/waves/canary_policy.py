"""What a plan's file says of canaries, in the units that the judgement reckons in."""

from __future__ import annotations

from fleet.migration.call_cost import PriceCheck
from fleet.migration.canary import CanaryPolicy
from fleet.prices import Prices
from fleet.wave import Stage
from fleet.waves.plan import Canary, OnPrice, duration_of

_PERCENT = 100


def policy_of(
    canary: Canary, stage: Stage = Stage.RUNTIME, price_ratio: float | None = None
) -> CanaryPolicy:
    """The policy that a wave's canary asks for in a stage.

    `price_ratio` is the price of a GB-second on arm64 as a share of that on x86_64; None where it
    is not known. What calls cost is asked of the second stage alone, where the price changes. It
    then stands for the limit on durations too, but for one that the plan names: a function may be
    as much slower as the price is worth.
    """
    price = None
    if stage is Stage.ARM64 and canary.price is not OnPrice.OFF:
        price = PriceCheck(roll_back=canary.price is OnPrice.ROLLBACK, ratio=price_ratio)
    limited = price is None or price.ratio is None or "duration" in canary.model_fields_set
    return CanaryPolicy(
        interval=duration_of(canary.interval),
        step=canary.step_weight / _PERCENT,
        maximum=canary.max_weight / _PERCENT,
        threshold=canary.threshold,
        minimum=canary.minimum_invocations,
        errors=canary.errors / _PERCENT,
        duration=canary.duration / _PERCENT if limited else None,
        throttles=canary.throttles / _PERCENT,
        bake=duration_of(canary.bake),
        longest=duration_of(canary.longest),
        price=price,
    )


def price_ratio(prices: Prices, region: str) -> float | None:
    """Price of a GB-second on arm64 as a share of that on x86_64; None where it is not known."""
    price = prices.of(region)
    return None if price is None else float(price.arm64 / price.x86_64)
