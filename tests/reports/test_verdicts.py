from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import InspectionDepth, Verdict
from reports.coverage import look
from reports.groups import totals
from reports.report import ReportData
from reports.summary import Headline, headline
from reports.verdicts import MEANING, verdict_sentence
from tests.reports.samples import INSPECTED, function, header, inspected, report, unread

DOCUMENTS = Path(__file__).parents[2] / "docs"
counts = st.dictionaries(st.sampled_from([each.value for each in Verdict]), st.integers(0, 3))


def said(data: ReportData) -> Headline:
    seen = look(data.header, data.coverage, data.accounts)
    return headline(data.header, seen, totals(data.functions, data.header))


def test_the_sentence_says_who_is_ready_how_and_what_the_others_need() -> None:
    by_verdict = {verdict.value: at for at, verdict in enumerate(MEANING, start=1)}
    assert verdict_sentence(sum(by_verdict.values()), by_verdict, 2) == (
        "6 of 45 function versions found are ready "
        "(2 with a shim, 3 with a bootstrap already there); 4 need a rebuild, 5 need a decision, "
        "6 are unknown (2 not read), 7 are empty, 8 are not Go and 9 are container images."
    )


def test_one_of_each_is_said_in_the_singular() -> None:
    assert verdict_sentence(3, {"ready": 1, "rebuild": 1, "needs decision": 1}, 0) == (
        "1 of 3 function versions found is ready; 1 needs a rebuild and 1 needs a decision."
    )


def test_nothing_to_move_has_nothing_to_be_ready() -> None:
    assert verdict_sentence(0, {}, 0) == ""
    assert said(report(asked=INSPECTED)).verdicts == ""


@given(counts, st.integers(0, 3))
def test_every_version_is_in_the_sentence_once(by_verdict: dict[str, int], without: int) -> None:
    versions = sum(by_verdict.values()) + without
    sentence = verdict_sentence(versions, by_verdict, 0)
    flat = re.sub(r" \([^)]*\)", "", sentence)
    numbers = [int(found) for found in re.findall(r"\d+", flat)]
    if versions:
        ready, found, *others = numbers
        assert found == versions
        assert ready + sum(others) == versions
        unknown = by_verdict.get("unknown", 0) + without
        assert ("unknown" in flat) == bool(unknown)


def test_a_package_that_could_not_be_read_is_a_warning_with_the_way_to_ask_again() -> None:
    words = said(report([inspected(Verdict.READY), unread(name="b")], asked=INSPECTED))
    assert words.verdicts == ("1 of 2 function versions found is ready; 1 is unknown (1 not read).")
    (warning,) = words.warnings
    assert warning == (
        "Not read: the packages of 1 function version. Whether this one can move is not known; "
        f"the reasons tell why, and `fleet scan --resume --scan {INSPECTED.id}` asks again."
    )


def test_no_verdict_in_an_inspected_scan_is_a_package_not_read() -> None:
    data = report([inspected(Verdict.READY), function(name="b")], asked=INSPECTED)
    assert totals(data.functions, data.header).unread == 1
    assert said(data).verdicts.endswith("1 is unknown (1 not read).")
    assert said(data).warnings[0].startswith("Not read: the packages of 1 function version.")


def test_unknown_after_reading_is_not_called_unread() -> None:
    words = said(report([inspected(Verdict.UNKNOWN)], asked=INSPECTED))
    assert words.verdicts == "0 of 1 function version found is ready; 1 is unknown."
    assert words.warnings == ()


def test_a_verdict_nobody_has_heard_of_is_unknown() -> None:
    data = report([inspected("splendid")], asked=INSPECTED)
    assert said(data).verdicts == "0 of 1 function version found is ready; 1 is unknown."


def test_only_what_has_to_move_counts() -> None:
    rows = [
        inspected(Verdict.READY),
        inspected(Verdict.IMAGE, name="b", use="image"),
        function(name="c", use="kept for rollback"),
    ]
    data = report(rows, asked=INSPECTED)
    found = totals(data.functions, data.header)
    assert (sum(found.by_verdict.values()), found.unread) == (1, 0)
    assert said(data).verdicts == "1 of 1 function version found is ready."


def test_a_scan_that_was_to_read_no_package_is_silent_about_them() -> None:
    words = said(report([function()]))
    assert words.verdicts == ""
    assert words.warnings == ()


def test_an_index_scan_says_that_no_binary_was_read() -> None:
    asked = header(inspect=InspectionDepth.INDEX)
    words = said(report([inspected(Verdict.UNKNOWN)], asked=asked))
    assert any("no binary (--inspect=index)" in warning for warning in words.warnings)
    assert said(report(asked=asked)).warnings == ()


def test_schema_and_document_of_the_reports_name_every_verdict() -> None:
    schema = json.loads(files("reports").joinpath("report.schema.json").read_text("utf-8"))
    named = schema["properties"]["functions"]["items"]["properties"]["verdict"]["enum"]
    assert set(named) == {*(each.value for each in Verdict), None}
    document = (DOCUMENTS / "csv-columns.md").read_text("utf-8")
    (row,) = re.findall(r"^\| `verdict` \|(.*)", document, re.MULTILINE)
    assert {each.value for each in Verdict} <= set(re.findall(r"`([^`]*)`", row))
    assert set(MEANING) == set(Verdict)
