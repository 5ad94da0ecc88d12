from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import EVERY_REGION, Coverage, CoverageStatus, ScanHeader
from reports.csv import write_frame
from reports.diff import COLUMNS, Change, Side, counts, diff
from reports.report import ReportData
from tests.reports.samples import HEADER, PAYMENTS, SEARCH, function, header, many, report, seen

HERE = [seen(PAYMENTS.id, "eu-central-1")]
DENIED = [Coverage(PAYMENTS.id, "eu-central-1", CoverageStatus.DENIED, "no")]


def side(
    rows: Iterable[tuple[object, ...]] = (),
    coverage: list[Coverage] | None = None,
    asked: ScanHeader = HEADER,
) -> Side:
    data: ReportData = report(rows, HERE if coverage is None else coverage, asked=asked)
    return Side(data.header, data.functions, data.coverage)


def change(before: Side, after: Side) -> str:
    (found,) = diff(before, after)["change"]
    return str(found)


def test_a_function_that_is_not_there_any_more_is_gone() -> None:
    assert change(side([function()]), side()) == Change.GONE


def test_a_function_that_was_not_there_before_is_new() -> None:
    assert change(side(), side([function()])) == Change.NEW


def test_a_function_of_both_scans_is_still_there_whatever_its_use() -> None:
    before = side([function(qualifier="1", use="served")])
    assert change(before, side([function(qualifier="1", use="kept")])) == Change.STILL_THERE


def test_what_stood_halfway_is_gone_or_new_only_to_a_scan_that_would_have_listed_it() -> None:
    halfway = side([function(use="halfway", runtime="provided.al2023")])
    other = side(asked=header(runtimes=("python3.8",)))
    assert change(halfway, side()) == Change.GONE
    assert change(halfway, other) == Change.NOT_SEEN
    assert change(side(), halfway) == Change.NEW
    assert change(other, halfway) == Change.NEWLY_SEEN
    assert change(side([function()]), halfway) == Change.STILL_THERE


@pytest.mark.parametrize("coverage", [[], DENIED, [seen(SEARCH.id, "eu-central-1")]])
def test_what_the_newer_scan_did_not_look_at_is_not_seen_never_gone(
    coverage: list[Coverage],
) -> None:
    assert change(side([function()]), side(coverage=coverage)) == Change.NOT_SEEN


def test_an_account_that_was_not_reached_is_not_seen() -> None:
    missing = [Coverage(PAYMENTS.id, EVERY_REGION, CoverageStatus.ROLE_MISSING, "no role")]
    assert change(side([function()]), side(coverage=missing)) == Change.NOT_SEEN


def test_what_the_older_scan_did_not_look_at_is_newly_seen_not_new() -> None:
    assert change(side(coverage=DENIED), side([function()])) == Change.NEWLY_SEEN


def test_a_version_is_not_gone_because_only_latest_was_looked_at() -> None:
    before = side([function(qualifier="1", use="served")])
    assert change(before, side(asked=header(latest_only=True))) == Change.NOT_SEEN
    before = side([function()])
    assert change(before, side(asked=header(latest_only=True))) == Change.GONE


@pytest.mark.parametrize("asked", [header(tags=("team=a",)), header(runtimes=("python3.8",))])
def test_a_function_is_not_gone_because_it_was_filtered_out(asked: ScanHeader) -> None:
    assert change(side([function()]), side(asked=asked)) == Change.NOT_SEEN


def test_a_version_that_only_the_rollback_alias_holds_is_kept_not_gone() -> None:
    before = side([function(qualifier="1", use="served")])
    after = side([function(qualifier="1", use="kept for rollback")])
    assert change(before, after) == Change.KEPT_FOR_ROLLBACK
    assert change(after, before) == Change.NEW


def test_images_are_no_change() -> None:
    assert diff(side([function(use="image")]), side()).empty


@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)))
def test_every_finding_of_either_scan_has_one_row(old: set[int], new: set[int]) -> None:
    rows = many(12)
    before = report([rows[index] for index in old])
    after = report([rows[index] for index in new])
    changes = diff(
        Side(before.header, before.functions, before.coverage),
        Side(after.header, after.functions, after.coverage),
    )
    found = {index for index in range(12) if index % 6 not in {3, 5}}
    assert counts(changes) == {
        "gone": len((old - new) & found),
        "kept for rollback": 0,
        "still there": len(old & new & found),
        "new": len((new - old) & found),
        "newly seen": 0,
        "not seen": 0,
    }


def test_the_csv_of_a_diff_is_safe_too() -> None:
    file = io.StringIO(newline="")
    write_frame(diff(side([function(name="=1+1")]), side()), COLUMNS, file)
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert tuple(row) == COLUMNS
    assert (row["change"], row["name"], row["use_after"]) == ("gone", "'=1+1", "")
