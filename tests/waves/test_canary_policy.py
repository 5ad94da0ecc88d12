from __future__ import annotations

from datetime import timedelta

from fleet.migration.canary import CanaryPolicy
from fleet.waves.canary_policy import policy_of
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
