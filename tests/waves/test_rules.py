from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from fleet.errors import SettingsProblem
from fleet.waves.planschema import rules_schema
from fleet.waves.rules import Rules, RulesFile, Traffic, default_rules
from fleet.yamlfile import YamlFile

RULES = """\
name: shop
window: {zone: Europe/Berlin, hours: 09:00-16:00}
waves:
- name: canary
  start: 2026-12-07 09:00
  canary: {}
  choose: {ou: Workloads/Dev, traffic: low, count: 5, per_account_region: 1}
- name: rest
  after: 2d
  allow_managed: true
  choose: {tag: [team, tier=1], account: "001234567890", region: eu-*, function: [pay-*]}
"""


def read(tmp_path: Path, text: str, *, traffic: bool = True, zone: str | None = None) -> Rules:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return RulesFile.read(path, traffic=traffic, zone=zone).rules


def changed(old: str, new: str) -> str:
    assert old in RULES
    return RULES.replace(old, new, 1)


def test_one_pattern_needs_no_list(tmp_path: Path) -> None:
    canary, rest = read(tmp_path, RULES).waves
    assert (canary.choose.ou, canary.choose.traffic) == (("Workloads/Dev",), Traffic.LOW)
    assert (rest.choose.tag, rest.choose.account) == (("team", "tier=1"), ("001234567890",))
    assert (rest.after, rest.allow_managed) == ("2d", True)


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        (changed("name: shop", "nme: shop"), "line 1, nme", "no such key"),
        (changed("count: 5", "cuont: 5"), "line 7, waves.0.choose.cuont", "no such key"),
        (changed("count: 5", "count: 0"), "line 7, waves.0.choose.count", "greater than"),
        (changed("count: 5", "percent: 101"), "line 7, waves.0.choose.percent", "less than"),
        (changed("traffic: low", "traffic: no"), "line 7, waves.0.choose.traffic", "low"),
        (changed("[pay-*]", "[]"), "line 11, waves.1.choose.function", "at least 1"),
        (
            changed('"001234567890"', "001234567890"),
            "line 11, waves.1.choose.account",
            "must be a list",
        ),
        (changed('"001234567890"', '"1234"'), "line 11, waves.1.choose.account.0", "pattern"),
        (changed("after: 2d", "after: 2d\n  start: 2026-12-09 09:00"), "line 8", "not both"),
        (changed("start: 2026-12-07 09:00", "after: 2d"), "line 5, waves.0.after", "say `start`"),
        (changed("name: rest", "name: canary"), "line 8, waves.1.name", "in line 4 too"),
        (changed("zone: Europe/Berlin, ", ""), "line 2, window.hours", "no `zone`"),
        (
            changed("{zone: Europe/Berlin, hours: 09:00-16:00}", "{}"),
            "line 5, waves.0.start",
            "without an offset",
        ),
        (changed("2026-12-07 09:00", "2026-03-29 02:30"), "line 5, waves.0.start", "never happens"),
        (RULES[: RULES.index("waves:")] + "waves: []\n", "line 3, waves", "at least 1"),
    ],
)
def test_a_mistake_is_named_with_line_and_key(
    tmp_path: Path, text: str, place: str, problem: str
) -> None:
    with pytest.raises(SettingsProblem) as caught:
        read(tmp_path, text)
    assert caught.value.place.startswith(place)
    assert problem in caught.value.problem


def test_an_order_by_traffic_is_refused_where_the_scan_counted_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="scan with --traffic") as caught:
        read(tmp_path, RULES, traffic=False)
    assert caught.value.place == "line 7, waves.0.choose.traffic"


def test_the_command_line_goes_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    start = datetime.fromisoformat("2027-01-11T08:00:00+01:00")
    rules = RulesFile.read(
        path, traffic=True, zone="Asia/Tokyo", start=start, name="other", allow_managed=True
    ).rules
    assert (rules.name, rules.window.zone, rules.window.hours) == (
        "other",
        "Asia/Tokyo",
        "09:00-16:00",
    )
    assert [(wave.start, wave.allow_managed) for wave in rules.waves] == [
        (start, True),
        (None, True),
    ]


def test_a_zone_on_the_command_line_is_a_zone_named(tmp_path: Path) -> None:
    text = changed("zone: Europe/Berlin, ", "")
    assert read(tmp_path, text, zone="Asia/Tokyo").window.zone == "Asia/Tokyo"


@pytest.mark.parametrize("traffic", [True, False])
def test_the_default_rules_ask_for_an_order_only_where_traffic_is_known(traffic: bool) -> None:
    waves = default_rules(traffic=traffic).waves
    assert [wave.name for wave in waves] == ["canary", "tenth", "most", "rest"]
    assert {wave.choose.traffic for wave in waves} == {Traffic.LOW if traffic else None}


def test_the_schema_of_rules_takes_one_pattern_or_a_list() -> None:
    values = json.loads(json.dumps(YamlFile.of("rules.yaml", RULES).values))
    jsonschema.validate(values, rules_schema())
    values["waves"][1]["choose"]["account"] = 1234567890
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, rules_schema())


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    canary, _, rest = read(tmp_path, example).waves
    assert canary.choose.per_account_region == 1
    assert rest.window is not None
    assert rest.window.model_fields_set == {"hours"}
