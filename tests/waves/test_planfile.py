from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import FileProblem, SettingsProblem
from fleet.waves.plan import (
    Budget,
    Canary,
    Day,
    Freeze,
    Member,
    OnPrice,
    Plan,
    RouteName,
    Staying,
    Wave,
    Window,
)
from fleet.waves.planfile import PlanFile
from fleet.waves.planschema import plan_schema, schema_text
from fleet.waves.writing import plan_text
from fleet.yamlfile import YamlFile

ARN = "arn:aws:lambda:eu-central-1:111111111111:function:"
PRINT = "0123456789abcdef"
VALIDATOR = jsonschema.Draft202012Validator(plan_schema())
DOCS = Path(__file__).parents[2] / "docs"
PLAN = """\
format: 1
name: shop
organization: o-abc123
scan: 20261121T100000Z-abcd
window: {zone: Europe/Berlin, days: [mon, tue], hours: 09:00-16:00}
waves:
- name: canary
  start: 2026-12-07 09:00
  canary: {bake: 2h}
  functions:
  - {function: "arn:aws:lambda:eu-central-1:111111111111:function:a", fingerprint: 0123456789abcdef, verdict: ready}
- name: rest
  start: 2026-12-08 09:00
  functions:
  - {function: "arn:aws:lambda:eu-central-1:111111111111:function:b", fingerprint: "1234567890123456", verdict: ready}
staying:
- {function: "arn:aws:lambda:eu-central-1:111111111111:function:c", verdict: rebuild, reason: "too old"}
"""  # noqa: E501 - one line a function


def read(text: str) -> Plan:
    return PlanFile.of("waves.yaml", text).plan


def changed(old: str, new: str, count: int = 1) -> str:
    assert old in PLAN
    return PLAN.replace(old, new, count)


def test_a_plan_is_read_with_its_text_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "waves.yaml"
    path.write_text(PLAN, encoding="utf-8")
    found = PlanFile.read(path)
    assert (found.text, len(found.digest)) == (PLAN, 64)
    assert [wave.name for wave in found.plan.waves] == ["canary", "rest"]
    assert found.plan.start_of(found.plan.waves[0]) == datetime(2026, 12, 7, 8, tzinfo=UTC)
    assert PlanFile.of("store", PLAN).digest == found.digest


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"nowhere\.yaml"):
        PlanFile.read(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("start", "utc"),
    [
        ("2026-12-07 09:00", datetime(2026, 12, 7, 8, tzinfo=UTC)),
        ("2026-12-07 09:00:30", datetime(2026, 12, 7, 8, 0, 30, tzinfo=UTC)),
        ("2026-12-07T09:00:00+05:00", datetime(2026, 12, 7, 4, tzinfo=UTC)),
        ("2026-12-07T09:00Z", datetime(2026, 12, 7, 9, tzinfo=UTC)),
        ("'2026-12-07 09:00'", datetime(2026, 12, 7, 8, tzinfo=UTC)),
    ],
)
def test_a_start_means_the_same_quoted_or_not(start: str, utc: datetime) -> None:
    plan = read(changed("2026-12-07 09:00", start))
    assert plan.start_of(plan.waves[0]) == utc


BAD: list[tuple[str, str, str]] = [
    (changed("format: 1\n", ""), "line 1", "a plan begins with `format: 1`"),
    (changed("format: 1", "format: 2"), "line 1, format", "newer fleet"),
    (changed("format: 1", "format: 0"), "line 1, format", "must be 1"),
    (changed("format: 1", "format: true"), "line 1, format", "must be 1"),
    (changed("format: 1", "format: '1'"), "line 1, format", "must be 1"),
    (changed("name: shop", "name: 12"), "line 2, name", "put it in quotes"),
    (changed("name: shop", "name: a b"), "line 2, name", "pattern"),
    (changed("o-abc123", "111111111111"), "line 3, organization", "put it in quotes"),
    (changed("scan:", "scna:"), "line 4, scna", "there is no such key"),
    (changed("scan: 20261121T100000Z-abcd\n", ""), "line 1, scan", "required"),
    (changed("zone: Europe/Berlin", "zone: Berlin"), "line 5, window.zone", "Europe/Berlin"),
    (changed("zone: Europe/Berlin, ", ""), "line 5, window.days", "no `zone`"),
    (
        changed("{zone: Europe/Berlin, days: [mon, tue], hours: 09:00-16:00}", "{}"),
        "line 8, waves.0.start",
        "a time without an offset, and no window names its zone",
    ),
    (changed("[mon, tue]", "[]"), "line 5, window.days", "at least 1"),
    (changed("[mon, tue]", "[monday]"), "line 5, window.days.0", "mon"),
    (changed("09:00-16:00", "9-16"), "line 5, window.hours", "hours such as"),
    (changed("09:00-16:00", "09:00-09:00"), "line 5, window.hours", "00:00-24:00"),
    (
        changed("hours: 09", "freeze: [{first: 2026-01-01, last: 2029-01-01}], hours: 09"),
        "line 8, waves.0.start",
        "does not open within a year",
    ),
    (
        changed("hours: 09", "freeze: [{first: 2026-12-24, last: 2026-12-23}], hours: 09"),
        "line 5, window.freeze.0",
        "ends before it begins",
    ),
    (
        changed("hours: 09", "freeze: [{first: 24.12.2026, last: 2026-12-25}], hours: 09"),
        "line 5, window.freeze.0.first",
        "a date such as 2026-12-24",
    ),
    (
        changed("hours: 09", "freeze: [{first: 2026-02-30, last: 2026-12-25}], hours: 09"),
        "line 5, window.freeze.0.first",
        "no day that there is",
    ),
    (changed("2026-12-07 09:00", "2026-12-07"), "line 8, waves.0.start", "must be a time such as"),
    (changed("2026-12-07 09:00", "1796284800"), "line 8, waves.0.start", "must be text"),
    (changed("2026-12-07 09:00", "2026-12-32 09:00"), "line 8, waves.0.start", "no time that"),
    (changed("2026-12-07 09:00", "soon"), "line 8, waves.0.start", "must be a time such as"),
    (changed("2026-12-07 09:00", "2026-03-29 02:30"), "line 8, waves.0.start", "never happens"),
    (changed("2026-12-07 09:00", "2026-10-25 02:30"), "line 8, waves.0.start", "happens twice"),
    (changed("2h", "2 hours"), "line 9, waves.0.canary.bake", "a duration such as"),
    (changed("bake: 2h", "interval: 0"), "line 9, waves.0.canary.interval", "longer than 0"),
    (changed("bake: 2h", "errors: '2'"), "line 9, waves.0.canary.errors", "number"),
    (changed("bake: 2h", "price: cheap"), "line 9, waves.0.canary.price", "'rollback', 'flag'"),
    (changed("canary: {bake: 2h}", "canary: yes"), "line 9, waves.0.canary", "keys and values"),
    (
        changed("  canary: {bake: 2h}", "  allow_managed: no"),
        "line 9, waves.0.allow_managed",
        "true or false",
    ),
    (
        changed("  canary: {bake: 2h}", "  parallelism: true"),
        "line 9, waves.0.parallelism",
        "integer",
    ),
    (
        changed("  canary: {bake: 2h}", "  parallelism: 1:30"),
        "line 9, waves.0.parallelism",
        "integer",
    ),
    (
        changed("function:a", "function:a:live"),
        "line 11, waves.0.functions.0.function",
        "leave out the version or alias",
    ),
    (
        changed("111111111111:function:a", "1111:function:a"),
        "line 11, waves.0.functions.0.function",
        "is no ARN of a function",
    ),
    (
        changed("arn:aws:lambda:eu-central-1:111111111111:function:b",
                "arn:aws-cn:lambda:cn-north-1:111111111111:function:b"),
        "line 15, waves.1.functions.0.function",
        "is in the partition aws-cn, others are in aws",
    ),
    (
        changed('"1234567890123456"', "1234567890123456"),
        "line 15, waves.1.functions.0.fingerprint",
        "put it in quotes",
    ),
    (
        changed("function:b", "function:a"),
        "line 15, waves.1.functions.0.function",
        "is in line 11 already",
    ),
    (changed("function:c", "function:a"), "line 17, staying.0.function", "in line 11 already"),
    (changed("name: rest", "name: canary"), "line 12, waves.1.name", "the wave in line 7 too"),
    (
        changed("2026-12-08 09:00", "2026-12-07 10:59"),
        "line 13, waves.1.start",
        "before the start of wave canary (line 8) and its bake of 2h",
    ),
    (changed("2026-12-08", "2026-12-06"), "line 13, waves.1.start", "waves follow one another"),
    (PLAN[: PLAN.index("\n  - {")] + " []\n", "line 10, waves.0.functions", "holds no function"),
    (PLAN[: PLAN.index("waves:")] + "waves: []\n", "line 6, waves", "at least 1"),
    (changed("name: canary\n", "name: canary\n  name: x\n"), "line 8", "stands twice"),
    ("just words\n", "line 1", "keys and values"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "problem"), BAD)
def test_a_mistake_is_named_with_line_key_and_what_to_do(
    text: str, place: str, problem: str
) -> None:
    with pytest.raises(SettingsProblem) as caught:
        read(text)
    assert (caught.value.path, caught.value.place) == ("waves.yaml", place)
    assert problem in caught.value.problem


def test_a_local_time_that_clocks_show_twice_is_taken_with_its_offset() -> None:
    plan = read(changed("2026-12-07 09:00", "2026-10-25T02:30:00+01:00"))
    assert plan.start_of(plan.waves[0]) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_wave_with_other_hours_keeps_the_zone_and_the_frozen_days_of_the_plan() -> None:
    text = changed("hours: 09", "freeze: [{first: 2026-12-24, last: 2026-12-31}], hours: 09")
    text = text.replace("  canary: {bake: 2h}", "  window: {hours: 22:00-04:00}")
    plan = read(text)
    window = plan.window_of(plan.waves[0])
    assert (window.hours, window.zone) == ("22:00-04:00", "Europe/Berlin")
    assert (window.days, window.freeze) == (plan.window.days, plan.window.freeze)


# --- writing -------------------------------------------------------------------------------------

_free = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_reasons = st.sampled_from(
    ["no", "1e3", "0o17", "a: b", "# c", "- d", "x\ny: z", "{", "\u202e", "'\"", " ", "~"]
)
_texts = _free | _reasons
_arns = st.integers(0, 10_000).map(lambda number: f"{ARN}f-{number}")
_fingerprints = st.sampled_from([PRINT, "1234567890123456", "12e4567890123456"])


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    arns = draw(st.lists(_arns, min_size=2, max_size=8, unique=True))
    members = tuple(
        Member(function=arn, fingerprint=draw(_fingerprints), verdict=draw(_texts))
        for arn in arns[1:]
    )
    window = Window(
        zone="Europe/Berlin",
        days=(Day.MONDAY, Day.SUNDAY),
        freeze=(Freeze(first=date(2026, 12, 24), last=date(2026, 12, 26), why=draw(_texts)),),
    )
    wave: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "window": st.just(Window(hours="22:00-04:00")),
                "parallelism": st.integers(1, 9),
                "route": st.sampled_from(RouteName),
                "allow_managed": st.booleans(),
                "canary": st.sampled_from(
                    [Canary(), Canary(errors=0.5, step_weight=20), Canary(price=OnPrice.OFF)]
                ),
                "budget": st.sampled_from([Budget(), Budget(count=3), Budget(percent=2.5)]),
            },
        )
    )
    start = draw(
        st.sampled_from([datetime(2026, 12, 7, 9), datetime(2026, 12, 7, 9, tzinfo=UTC)])  # noqa: DTZ001 - by the zone's clocks
    )
    return Plan(
        format=1,
        name=draw(st.sampled_from(["shop", "12", "on", "1e3"])),
        organization=draw(_texts),
        scan=draw(_texts),
        window=window,
        bucket=draw(st.none() | _texts),
        waves=(Wave(name="no", start=start, functions=members, **wave),),
        staying=(Staying(function=arns[0], verdict=draw(_texts), reason=draw(_texts)),),
    )


@settings(max_examples=50)
@given(_plans(), st.lists(_texts, max_size=2))
def test_what_is_written_is_read_back_as_it_was_and_written_alike(
    plan: Plan, remarks: list[str]
) -> None:
    text = plan_text(plan, remarks)
    assert read(text) == plan
    assert plan_text(read(text), remarks) == text


@settings(max_examples=50)
@given(_plans())
def test_one_line_a_function_and_nothing_that_could_turn_the_text_around(plan: Plan) -> None:
    text = plan_text(plan)
    functions = [line for line in text.splitlines() if "{function: " in line]
    assert len(functions) == len(plan.waves[0].functions) + len(plan.staying)
    assert all(line.endswith("}") for line in functions)
    assert text.isascii()
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_change_of_one_function_changes_one_line() -> None:
    plan = read(PLAN)
    rest = plan.waves[1]
    other = rest.functions[0].model_copy(update={"fingerprint": "f" * 16})
    waves = (plan.waves[0], rest.model_copy(update={"functions": (other,)}))
    before = plan_text(plan).splitlines()
    after = plan_text(plan.model_copy(update={"waves": waves})).splitlines()
    assert sum(one != two for one, two in zip(before, after, strict=True)) == 1


# --- the schema ----------------------------------------------------------------------------------


def test_the_published_schema_is_that_of_the_classes() -> None:
    published = (DOCS / "waves.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(plan_schema()), "fleet plan schema > docs/waves.schema.json"


@settings(max_examples=30)
@given(_plans())
def test_a_plan_that_is_written_fits_the_schema(plan: Plan) -> None:
    values = json.loads(json.dumps(YamlFile.of("waves.yaml", plan_text(plan)).values))
    VALIDATOR.validate(values)


@pytest.mark.parametrize(
    ("old", "new"),
    [("scan:", "scna:"), ("2026-12-07 09:00", "soon"), ("2h", "2 hours"), ("[mon", "[monday")],
)
def test_the_schema_sees_what_editors_can_see(old: str, new: str) -> None:
    values = json.loads(json.dumps(YamlFile.of("waves.yaml", changed(old, new)).values))
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(values)


def test_the_head_of_a_plan_names_its_schema_without_any_host() -> None:
    head = plan_text(read(PLAN)).splitlines()[0]
    assert head == "# yaml-language-server: $schema=waves.schema.json"
