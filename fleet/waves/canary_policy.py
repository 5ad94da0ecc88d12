"""What a plan's file says of canaries, in the units that the judgement reckons in."""

from __future__ import annotations

from fleet.migration.canary import CanaryPolicy
from fleet.waves.plan import Canary, duration_of

_PERCENT = 100


def policy_of(canary: Canary) -> CanaryPolicy:
    """The policy that a wave's canary asks for."""
    return CanaryPolicy(
        interval=duration_of(canary.interval),
        step=canary.step_weight / _PERCENT,
        maximum=canary.max_weight / _PERCENT,
        threshold=canary.threshold,
        minimum=canary.minimum_invocations,
        errors=canary.errors / _PERCENT,
        duration=canary.duration / _PERCENT,
        throttles=canary.throttles / _PERCENT,
        bake=duration_of(canary.bake),
        longest=duration_of(canary.longest),
    )
