from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from fleet.errors import SettingsProblem
from fleet.model import ScanHeader
from fleet.waves.candidates import Sorted
from fleet.waves.plan import Plan, Staying
from fleet.waves.planfile import PlanFile
from fleet.waves.planning import make_plan
from fleet.waves.rules import RulesFile
from fleet.waves.writing import plan_text
from tests.waves.scans import DEV, PROD, inspected
from tests.waves.test_grouping import function

SATURDAY = inspected()
FLEET = [
    function(f"f{n:02}", account=account, invocations=n)
    for n in range(20)
    for account in (PROD, DEV)
]


def plan(
    tmp_path: Path,
    rules: str | None,
    header: ScanHeader = SATURDAY,
    functions: int = 40,
    zone: str | None = None,
) -> Plan:
    path = tmp_path / "rules.yaml"
    if rules is not None:
        path.write_text(rules, encoding="utf-8")
    said = RulesFile.read(path if rules is not None else None, traffic=True, zone=zone)
    made = make_plan(header, Sorted(tuple(FLEET[:functions]), ()), said)
    assert made is not None
    # What is made is what can be read.
    assert PlanFile.of("waves.yaml", plan_text(made.plan)).plan == made.plan
    return made.plan


def starts(made: Plan) -> list[str]:
    return [wave.start.isoformat(sep=" ", timespec="minutes") for wave in made.waves]


def waves(*more: str, window: str = "{zone: Europe/Berlin}") -> str:
    lines = [f"- {{name: w{n}, choose: {{count: 5}}, {each}}}\n" for n, each in enumerate(more)]
    return f"window: {window}\nwaves:\n{''.join(lines)}"


def test_without_rules_waves_start_on_following_days_from_the_monday_after_the_scan(
    tmp_path: Path,
) -> None:
    made = plan(tmp_path, None)
    assert [len(wave.functions) for wave in made.waves] == [2, 4, 16, 18]
    assert starts(made) == [
        "2026-11-23 09:00",
        "2026-11-24 09:00",
        "2026-11-25 09:00",
        "2026-11-26 09:00",
    ]


@pytest.mark.parametrize("days", range(7))
def test_the_monday_after_is_always_later_than_the_scan(tmp_path: Path, days: int) -> None:
    day = SATURDAY.started.replace(day=16 + days)
    made = plan(tmp_path, None, replace(SATURDAY, started=day))
    assert starts(made)[0] == "2026-11-23 09:00"


def test_the_rules_windows_and_zones_say_when_following_waves_open(tmp_path: Path) -> None:
    window = "{zone: Europe/Berlin, hours: 22:00-02:00, days: [thu, fri]}"
    rules = waves("", "", "after: 12h", "after: 7d", window=window)
    assert starts(plan(tmp_path, rules)) == [
        "2026-11-26 22:00",
        "2026-11-27 22:00",
        "2026-12-03 22:00",
        "2026-12-10 22:00",
    ]


def test_a_frozen_day_is_no_day_to_start(tmp_path: Path) -> None:
    window = "{zone: UTC, freeze: [{first: 2026-11-24, last: 2026-11-30}]}"
    assert starts(plan(tmp_path, waves("", "", window=window))) == [
        "2026-11-23 09:00",
        "2026-12-01 00:00",
    ]


def test_a_day_later_is_the_same_time_on_the_wall_though_the_clocks_change(tmp_path: Path) -> None:
    rules = waves("start: 2026-10-24 09:00", "after: 1d")
    made = plan(tmp_path, rules)
    assert starts(made) == ["2026-10-24 09:00", "2026-10-25 09:00"]
    hours = (made.start_of(made.waves[1]) - made.start_of(made.waves[0])).total_seconds() / 3600
    # Both by Berlin's clock: the difference of such times is the wall's.
    assert hours == 24
    assert [made.start_of(wave).utcoffset() for wave in made.waves] != [None, None]


def test_a_time_that_happens_twice_is_written_with_its_offset(tmp_path: Path) -> None:
    rules = waves("start: 2026-10-24 02:30", "after: 1d")
    assert starts(plan(tmp_path, rules))[1] == "2026-10-25 02:30+02:00"


def test_a_time_that_the_clocks_leave_out_becomes_the_next_there_is(tmp_path: Path) -> None:
    rules = waves("start: 2027-03-27 02:30", "after: 1d")
    assert starts(plan(tmp_path, rules))[1] == "2027-03-28 03:30"


def test_without_any_zone_the_plan_names_utc(tmp_path: Path) -> None:
    made = plan(tmp_path, waves("", window="{}"))
    assert "zone: UTC" in plan_text(made)
    assert starts(made) == ["2026-11-23 09:00"]


def test_a_wave_without_anybody_is_left_out_and_the_others_keep_their_days(tmp_path: Path) -> None:
    made = plan(tmp_path, None, functions=2)
    assert [wave.name for wave in made.waves] == ["canary"]
    rules = "waves:\n- {name: a, choose: {function: none}}\n- {name: b}\n"
    assert starts(plan(tmp_path, rules)) == ["2026-11-24 09:00"]


def test_waves_that_would_overlap_are_named_in_the_rules(tmp_path: Path) -> None:
    rules = (
        "waves:\n- {name: none, choose: {function: none}}\n"
        "- name: a\n  canary: {bake: 2d}\n  choose: {count: 1}\n- name: b\n"
    )
    with pytest.raises(SettingsProblem, match=r"before the start of wave a \(line 3\)") as caught:
        plan(tmp_path, rules)
    assert caught.value.place == "line 6, waves.2"


def test_a_window_that_never_opens_is_named_in_the_rules(tmp_path: Path) -> None:
    rules = waves("", window="{zone: UTC, freeze: [{first: 2026-01-01, last: 2029-01-01}]}")
    with pytest.raises(SettingsProblem, match="does not open within a year") as caught:
        plan(tmp_path, rules)
    assert caught.value.place == "line 3, waves.0"


def test_the_same_scan_and_rules_give_the_same_bytes(tmp_path: Path) -> None:
    assert plan_text(plan(tmp_path, None)) == plan_text(plan(tmp_path, None))


def test_the_manner_of_a_wave_is_as_its_rule_says(tmp_path: Path) -> None:
    rules = (
        "budget: {percent: 1}\nbucket: b-{account}\ntarget: provided.al2\nname: shop\nwaves:\n"
        "- name: a\n  parallelism: 3\n  per_account_region: 1\n  route: dual\n"
        "  canary: {errors: 2}\n  budget: {count: 4}\n  arm64: {artifact: 's3://b/{function}.zip'}\n"
    )
    made = plan(tmp_path, rules)
    (wave,) = made.waves
    assert (made.name, made.bucket, made.target, made.budget.percent) == (
        "shop",
        "b-{account}",
        "provided.al2",
        1,
    )
    assert (wave.parallelism, wave.per_account_region, wave.route) == (3, 1, "dual")
    assert wave.canary is not None
    assert wave.arm64 is not None
    assert (wave.canary.errors, wave.budget.count) == (2, 4)


def test_where_nobody_moves_there_is_no_plan() -> None:
    stays = Staying(function=FLEET[0].ref.arn, verdict="rebuild", reason="old")
    said = RulesFile.read(None, traffic=False)
    assert make_plan(SATURDAY, Sorted((), (stays,)), said) is None


def test_starts_are_real_datetimes(tmp_path: Path) -> None:
    made = plan(tmp_path, waves("start: 2026-12-07T09:00:00+01:00", ""))
    assert made.waves[1].start == datetime.fromisoformat("2026-12-08T09:00:00+01:00")
