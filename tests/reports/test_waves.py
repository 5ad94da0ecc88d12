from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import jsonschema  # type: ignore[import-untyped] # its stubs are a package of their own
import pytest
from rich.console import Console, RenderableType

from fleet.wave_status import PlanRecord, WaveState, WaveStatus
from reports.csv import COLUMNS, write_csv
from reports.html import LEFT, render_html
from reports.json import write_json
from reports.report import ReportData
from reports.table import summary_table
from reports.wave_burndown import Day, days, picture
from reports.waves import WAVE_COLUMNS, left_over
from reports.waves_json import write_status_json
from reports.waves_table import NAMED, waves_table
from tests.reports.samples import SEARCH, function, report
from tests.reports.waves import FIRST, NOW, SECOND, counts, member, record, ref, staying, stop

SCHEMA = json.loads(files("reports").joinpath("waves-status.schema.json").read_text("utf-8"))
EVIL = '</script><img src=x onerror="window.ran=1">[bold]'

MIXED = record(
    member("a", "migrated"),
    member("b", "failed", reason="it broke"),
    member("c", "blocked", reason="code signing"),
    member("d", "baking", wave="rest", start=SECOND),
    member("e", "waiting", wave="rest", start=SECOND),
    member("f", "unattended", wave="rest", start=SECOND),
    staying("g"),
)


def with_plans(data: ReportData, *records: PlanRecord) -> ReportData:
    return replace(data, waves=records)


def rows_of(data: ReportData) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    write_csv(data, file)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def printed(table: RenderableType) -> str:
    file = io.StringIO()
    Console(file=file, width=200, force_terminal=False, no_color=True).print(table)
    return file.getvalue()


def plain(page: str) -> str:
    body = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_csv_ends_with_what_the_plan_says_of_each_function() -> None:
    assert COLUMNS[-len(WAVE_COLUMNS) :] == WAVE_COLUMNS
    rows = [function(name=name) for name in "abgz"] + [function(name="a", qualifier="3")]
    found = rows_of(with_plans(report(rows), MIXED))
    told = {
        (row["name"], row["qualifier"]): tuple(row[each] for each in WAVE_COLUMNS) for row in found
    }
    start, ended = "2026-12-01T09:00:00+00:00", "2026-12-01T10:00:00+00:00"
    assert told == {
        ("a", "$LATEST"): ("move", "canary", start, "migrated", "", ended),
        ("a", "3"): ("move", "canary", start, "migrated", "", ended),
        ("b", "$LATEST"): ("move", "canary", start, "failed", "it broke", ended),
        ("g", "$LATEST"): ("move", "", "", "staying", "rebuild: its library is too old", ""),
        ("z", "$LATEST"): ("", "", "", "", "", ""),
    }


def test_a_function_of_the_same_name_elsewhere_is_another() -> None:
    rows = [function(name="a", account=SEARCH.id), function(name="a", region="us-east-1")]
    assert {row["wave"] for row in rows_of(with_plans(report(rows), MIXED))} == {""}


def test_without_a_plan_the_columns_are_there_and_empty() -> None:
    (row,) = rows_of(report([function()]))
    assert [row[each] for each in WAVE_COLUMNS] == [""] * len(WAVE_COLUMNS)
    assert rows_of(report([])) == []


def test_of_two_plans_the_later_counts_unless_the_earlier_has_moved_it() -> None:
    earlier = record(member("a", "migrated"), member("b", "failed"), name="first")
    later = record(member("b", "waiting"), staying("a"), name="second")
    rows = [function(name=name) for name in "ab"]
    found = {row["name"]: row for row in rows_of(with_plans(report(rows), earlier, later))}
    assert (found["a"]["wave_plan"], found["a"]["wave_result"]) == ("first", "migrated")
    assert (found["b"]["wave_plan"], found["b"]["wave_result"]) == ("second", "waiting")


def test_a_reason_cannot_be_a_formula() -> None:
    plan = record(member("a", "failed", reason="=HYPERLINK(1)"))
    (row,) = rows_of(with_plans(report([function(name="a")]), plan))
    assert row["wave_reason"] == "'=HYPERLINK(1)"


def test_the_status_is_what_its_schema_says() -> None:
    file = io.StringIO()
    stopped = replace(MIXED, status=replace(MIXED.status, orders=(stop(),)))
    write_status_json(stopped, file)
    document = json.loads(file.getvalue())
    jsonschema.validate(document, SCHEMA)
    described = SCHEMA["properties"]
    assert document.keys() == described.keys()
    assert document["functions"][0].keys() == described["functions"]["items"]["properties"].keys()
    assert document["totals"].keys() == SCHEMA["$defs"]["counts"]["properties"].keys()
    assert described["waves"]["items"]["properties"]["state"]["enum"] == [*WaveState]
    assert document["functions"][1] == {
        "arn": ref("b").arn,
        "wave": "canary",
        "planned_start": "2026-12-01T09:00:00Z",
        "result": "failed",
        "reason": "it broke",
        "moved": False,
        "unjudged": False,
        "began": None,
        "ended": "2026-12-01T10:00:00Z",
    }


def test_the_json_report_has_every_plan_as_the_status_has_it() -> None:
    file = io.StringIO()
    write_json(with_plans(report([function(name="a")]), MIXED), file)
    document: dict[str, Any] = json.loads(file.getvalue())
    schema = json.loads(files("reports").joinpath("report.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    (plan,) = document["waves"]
    jsonschema.validate({"format": 1, **plan}, SCHEMA)
    assert document["functions"][0]["wave"] == "canary"


def test_the_table_shows_every_wave_the_totals_and_why() -> None:
    waves = [
        WaveStatus(
            name="canary",
            start=FIRST,
            state=WaveState.STOPPED,
            why="the failure budget is spent",
            counts=replace(counts(["migrated", "failed", "blocked"]), budget_left=0),
            began=FIRST,
        ),
        WaveStatus(
            name="rest",
            start=SECOND,
            state=WaveState.RUNNING,
            counts=counts(["baking", "waiting", "unattended"]),
            expected_end=SECOND + timedelta(hours=3),
        ),
    ]
    text = printed(waves_table(record(*MIXED.members, waves=waves)))
    cells = [line.split() for line in text.splitlines()]
    assert ["canary", "2026-12-01", "09:00", "stopped", *"3100011", "0"] == cells[3][:12]
    assert ["rest", "2026-12-08", "09:00", "running", *"3011100", "any"] == cells[4][:12]
    assert "not before 2026-12-08 12:00" in text
    assert cells[5] == ["all", *"6111111", "any"]
    for said in (
        "canary: the failure budget is spent",
        "canary: 1 failed, 1 blocked",
        "1 function begun by a run that is gone",
        "1 function cannot move and are in no wave.",
    ):
        assert said in text


def test_what_did_not_move_is_named_with_its_reason_up_to_a_number() -> None:
    failed = [member(f"f{number:02}", "failed", reason="it broke") for number in range(NAMED + 3)]
    text = printed(waves_table(record(*failed, staying("old"))))
    assert text.count("it broke") == NAMED
    assert "… 3 more: --format json has all." in text
    assert "too old" not in text
    assert "not moved\n" not in printed(waves_table(record(member("a", "migrated"))))


def test_nothing_from_outside_is_markup_in_the_table() -> None:
    waves = [WaveStatus(name=EVIL, start=FIRST, state=WaveState.DUE, why=EVIL, counts=counts([]))]
    text = printed(waves_table(record(waves=waves)))
    assert text.count("[bold]") == 3


def test_the_summary_ends_with_the_waves() -> None:
    text = printed(summary_table(with_plans(report([function()]), MIXED)))
    assert text.index("by owner") < text.index("Plan move, made of scan")


def test_the_burn_down_has_both_lines_day_by_day() -> None:
    late = member("d", "migrated", wave="rest", start=SECOND, ended=FIRST + timedelta(days=1))
    plan = record(member("a", "migrated"), member("b", "failed"), late)
    assert days(plan) == [
        Day(FIRST.date(), planned=1, actual=2),
        Day(FIRST.date() + timedelta(days=1), planned=1, actual=1),
        Day(NOW.date(), planned=1, actual=1),
        Day(SECOND.date(), planned=0, actual=None),
    ]


def heights(path: str) -> list[float]:
    return [float(part) for part in re.findall(r"V(\S+)", path)]


def test_the_lines_go_down_as_planned_and_by_what_has_moved_and_by_nothing_else() -> None:
    seen = picture(MIXED, date(2027, 3, 3))
    assert len(heights(seen.planned)) == 2
    assert heights(seen.planned)[-1] == seen.counts[0].at
    assert len(heights(seen.actual)) == 1
    assert heights(seen.actual)[0] < heights(seen.planned)[0]
    assert seen.actual.endswith(f"H{seen.today.at}")
    assert seen.block is not None


@pytest.mark.parametrize("members", [(), (staying("g"),)], ids=["nothing", "all stay"])
def test_a_plan_that_moves_nothing_can_be_shown(members: tuple[Any, ...]) -> None:
    plan = record(*members)
    assert picture(plan, None).planned == picture(plan, None).actual
    assert "Waves of" in plain(render_html(with_plans(report([]), plan)))


def test_what_is_left_is_what_the_plan_does_not_go_on_with() -> None:
    assert [(each.ref.name, each.word) for each in left_over(MIXED)] == [
        ("b", "failed"),
        ("c", "blocked"),
        ("f", "unattended"),
        ("g", "staying"),
    ]


def test_the_page_shows_each_wave_and_what_is_left_with_its_reason() -> None:
    page = render_html(with_plans(report([function(name="a")]), MIXED))
    words = plain(page)
    assert "1 of 6 functions moved, 1 failed or was brought back, 1 ended" in words
    for said in ("it broke", "code signing", "rebuild: its library is too old"):
        assert said in words
    assert "What does not move, and why (4)" in words
    assert page.index('id="burndown"') < page.index('id="plan-1"') < page.index('id="functions"')
    pictures = re.findall(r"<svg[^>]*role=\"img\"[^>]*>.*?</svg>", page, re.DOTALL)
    for each in pictures:
        named = re.search(r'aria-labelledby="([^" ]*) ([^"]*)"', each)
        assert named is not None
        assert f'<title id="{named[1]}">' in each
        assert f'<desc id="{named[2]}">' in each


def test_two_plans_have_a_section_each() -> None:
    other = record(member("z", "waiting"), name="other")
    page = render_html(with_plans(report([]), MIXED, other))
    assert 'id="plan-1"' in page
    assert 'id="plan-2-t"' in page
    assert len(re.findall(r'id="([^"]*)"', page)) == len(set(re.findall(r'id="([^"]*)"', page)))


def test_without_a_plan_the_page_says_nothing_of_waves() -> None:
    assert "Waves of" not in render_html(report([function()]))


def test_text_of_a_plan_is_escaped() -> None:
    wave = WaveStatus(
        name=EVIL, start=FIRST, state=WaveState.STOPPED, why=EVIL, counts=counts(["failed"])
    )
    evil = member("a", "failed", reason=EVIL, wave=EVIL, ref=replace(ref("a"), name=EVIL))
    page = render_html(with_plans(report([]), record(evil, waves=[wave], name=EVIL)))
    assert "<img" not in page
    assert page.count("<script") == 2


def test_a_long_list_of_what_is_left_is_cut_and_says_so() -> None:
    plan = record(*(staying(f"s{number}") for number in range(LEFT + 5)))
    page = render_html(with_plans(report([]), plan))
    assert "5 more: fleet report --format json has them all." in plain(page)
    assert page.count("its library is too old") == LEFT


def test_the_burn_down_of_a_large_plan_stays_a_small_picture() -> None:
    ends = [FIRST + timedelta(minutes=number) for number in range(20_000)]
    plan = record(*(member(f"f{end:%d%H%M}", "migrated", ended=end) for end in ends))
    assert len(picture(plan, date(2027, 3, 3)).actual) < 15_000
    assert len(days(plan)) == 15
