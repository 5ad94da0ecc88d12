from __future__ import annotations

import io
import json
from importlib.resources import files
from typing import Any

import jsonschema  # type: ignore[import-untyped] # its stubs are a package of their own
import pandas as pd
import pytest

from fleet.inspection import Verdict
from fleet.model import CoverageStatus
from reports import json as report_json
from reports.csv import COLUMNS
from reports.diff import Side, diff
from reports.report import ReportData
from tests.reports.samples import (
    HEADER,
    INSPECTED,
    function,
    inspected,
    many,
    many_inspected,
    past,
    report,
    unread,
    with_status,
)

SCHEMA = json.loads(files("reports").joinpath("report.schema.json").read_text("utf-8"))


def written(data: ReportData) -> dict[str, Any]:
    file = io.StringIO()
    report_json.write_json(data, file)
    document: dict[str, Any] = json.loads(file.getvalue())
    return document


@pytest.mark.parametrize(
    "data",
    [
        report(),
        report(many(30), history=past({20: 9, 10: 7, 0: 5})),
        report(many(6), with_status(CoverageStatus.DENIED, "AccessDenied")),
        report([function(aliases=None, tags=None, last_modified=None, handler=None)]),
        report([*many_inspected(30), unread(), function(name="b")], asked=INSPECTED),
        report([inspected(each, name=each.value) for each in Verdict], asked=INSPECTED),
    ],
    ids=["empty", "full", "incomplete", "unknowns", "inspected", "every verdict"],
)
def test_the_document_is_what_the_schema_says(data: ReportData) -> None:
    jsonschema.validate(written(data), SCHEMA)


def test_the_schema_names_the_columns_of_the_csv() -> None:
    described = SCHEMA["properties"]["functions"]["items"]["properties"]
    assert tuple(described) == COLUMNS


def test_numbers_are_numbers_and_lists_are_lists() -> None:
    aliases = [{"name": "live", "version": "3", "weights": {"4": 0.1}}]
    row = function(aliases=json.dumps(aliases), invocations=7, tags='{"a": "<b>"}')
    (found,) = written(report([row]))["functions"]
    assert (found["code_size"], found["invocations"]) == (1_000_000, 7)
    assert found["aliases"] == aliases
    assert found["tags"] == {"a": "<b>"}
    assert found["callers"] is None


def test_remarks_are_lists_and_what_was_not_inspected_is_null() -> None:
    rows = [inspected(Verdict.READY, modified=True), function(name="unread")]
    first, second = written(report(rows, asked=INSPECTED))["functions"]
    assert first["reasons"] == [{"code": "some-reason", "text": "why it is so"}]
    assert (first["warnings"], first["modified"]) == ([], True)
    assert (second["verdict"], second["reasons"], second["modified"]) == (None, None, None)


def test_the_totals_count_verdicts_and_what_was_not_read() -> None:
    rows = [inspected(Verdict.REBUILD), unread(name="b"), function(name="c")]
    document = written(report(rows, asked=INSPECTED))
    assert document["totals"]["unread"] == 2
    counted = document["totals"]["by_verdict"]
    assert {word: number for word, number in counted.items() if number} == {
        "rebuild": 1,
        "unknown": 1,
    }
    assert document["headline"]["verdicts"].startswith("0 of 3")
    assert document["complete"] is True


def test_a_scan_that_read_no_package_counts_no_verdict() -> None:
    document = written(report([function()]))
    assert (document["totals"]["by_verdict"], document["totals"]["unread"]) == ({}, 0)
    assert document["headline"]["verdicts"] == ""


def test_incomplete_coverage_is_said_beside_the_counts() -> None:
    document = written(report(coverage=with_status(CoverageStatus.FAILED, "boom")))
    assert document["complete"] is False
    assert document["headline"]["warnings"]
    assert "boom" in [row["reason"] for row in document["coverage"]]


def test_more_functions_than_one_write_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_json, "CHUNK", 7)
    names = [row["name"] for row in written(report(many(23)))["functions"]]
    assert sorted(names) == [f"fn-{index:06}" for index in range(23)]


def test_the_dates_are_counted_from_the_day_the_report_speaks_about() -> None:
    deadline = written(report())["deadline"]
    assert (deadline["days_past"], deadline["days_to_block"]) == (1056, 102)


def test_a_diff_is_written_with_its_counts() -> None:
    data = report([function()])
    nothing = report()
    changes: pd.DataFrame = diff(
        Side(data.header, data.functions, data.coverage),
        Side(nothing.header, nothing.functions, nothing.coverage),
    )
    file = io.StringIO()
    report_json.write_diff_json(changes, HEADER, HEADER, file)
    document = json.loads(file.getvalue())
    assert document["counts"]["gone"] == 1
    assert document["changes"][0]["name"] == "orders"
