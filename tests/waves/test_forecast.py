from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from fleet.cli.plan_show import calendar_of
from fleet.waves.forecast import A_MOVE, forecast, moving_time
from fleet.waves.plan import Member, Plan, Wave
from tests.waves.scans import HERE, PROD, THERE

START = "2026-12-07T09:00:00+00:00"


def members(count: int, region: str = HERE) -> tuple[Member, ...]:
    return tuple(
        Member(
            function=f"arn:aws:lambda:{region}:{PROD}:function:f{n}",
            fingerprint="0" * 16,
            verdict="ready",
        )
        for n in range(count)
    )


def wave(name: str = "a", count: int = 1, **more: Any) -> Wave:  # noqa: ANN401 - of a wave
    given = {"name": name, "start": START, "functions": members(count), **more}
    return Wave.model_validate(given)


def plan(*waves: Wave, window: dict[str, Any] | None = None) -> Plan:
    head = {"format": 1, "name": "shop", "organization": "o-1", "scan": "s"}
    zoned = {"zone": "UTC", **(window or {})}
    return Plan.model_validate({**head, "window": zoned, "waves": waves})


def test_functions_move_as_many_at_once_as_the_wave_and_their_region_allow() -> None:
    assert moving_time(wave(count=16, parallelism=8, per_account_region=8)) == 2 * A_MOVE
    assert moving_time(wave(count=16, parallelism=8, per_account_region=2)) == 8 * A_MOVE
    both = (*members(8), *members(8, THERE))
    assert moving_time(wave(functions=both, parallelism=8, per_account_region=8)) == 2 * A_MOVE


def test_what_does_not_fit_into_a_window_goes_on_when_it_opens_again() -> None:
    # 100 moves of 30 s one after the other: 50 minutes, of which each day has 20.
    slow = wave(count=100, per_account_region=1)
    (found,) = forecast(plan(slow, window={"hours": "09:00-09:20"}))
    assert found.begins == datetime(2026, 12, 7, 9, tzinfo=UTC)
    assert found.ends == datetime(2026, 12, 9, 9, 10, tzinfo=UTC)


def test_a_wave_begins_once_the_one_before_has_moved_and_baked() -> None:
    canary = {"bake": "30h", "step_weight": 50, "max_weight": 50, "interval": "10m"}
    first, second = forecast(plan(wave(canary=canary), wave("b", start=START)))
    moved = datetime(2026, 12, 7, 9, tzinfo=UTC) + A_MOVE
    assert first.ends == moved + timedelta(hours=30, minutes=10)
    assert second.begins == first.ends


def test_the_second_pass_takes_its_time_too() -> None:
    twice = wave(arm64={"artifact": "builds"}, canary={"bake": "1h"})
    (one,), (two,) = forecast(plan(wave(canary={"bake": "1h"}))), forecast(plan(twice))
    assert one.ends is not None
    assert two.ends is not None
    assert two.ends - two.start == 2 * (one.ends - one.start)


def test_the_calendar_warns_of_an_end_after_the_update_block_and_inside_a_freeze() -> None:
    frozen = {"freeze": [{"first": "2026-12-08", "last": "2026-12-09"}]}
    made = plan(wave(canary={"bake": "1d"}), window={"freeze": tuple(frozen["freeze"])})
    warnings = calendar_of(made, date(2026, 12, 8)).warnings
    assert "ends after AWS blocks updates of go1.x on 2026-12-08" in warnings[0]
    assert warnings[1] == "wave a ends on 2026-12-08, inside a freeze"
    assert calendar_of(plan(wave()), date(2026, 12, 8)).warnings == ()
    assert calendar_of(plan(wave()), None).warnings == ()


def test_an_end_that_is_not_in_sight_is_no_end() -> None:
    endless = wave(count=5000, per_account_region=1, parallelism=1)
    freeze = ({"first": "2026-12-09", "last": "2030-01-01"},)
    made = plan(endless, wave("b"), window={"hours": "09:00-09:01", "freeze": freeze})
    shown = calendar_of(made, date(2027, 3, 3))
    assert (shown.ends, shown.waves[1].begins) == (None, None)
    assert "does not end within" in shown.warnings[0]
