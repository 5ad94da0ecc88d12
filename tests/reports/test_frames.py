from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import InspectionDepth
from fleet.model import FUNCTION_COLUMNS, FunctionRef, ScanOptions
from reports.arn import arns
from reports.frames import function_frame, history_frame, question
from tests import strategies
from tests.reports.samples import ACCOUNTS, HEADER, START, Point, function


def test_account_name_and_unit_are_joined_and_an_unlisted_account_has_none() -> None:
    frame = function_frame([function(), function(account="999999999999")], ACCOUNTS)
    assert frame["account_name"].tolist() == ["payments", ""]
    assert frame["ou"].tolist() == ["Workloads/Prod", ""]


@pytest.mark.parametrize(
    ("use", "finding"),
    [
        ("latest", True),
        ("served", True),
        ("kept", True),
        ("unknown", True),
        ("a word nobody knows yet", True),
        ("kept for rollback", False),
        ("image", False),
    ],
)
def test_only_rollback_versions_and_images_need_not_move(use: str, finding: bool) -> None:
    assert function_frame([function(use=use)], ACCOUNTS)["finding"].tolist() == [finding]


def test_versions_are_sorted_by_number_behind_latest() -> None:
    rows = [function(qualifier=version) for version in ("10", "9", "$LATEST", "1")]
    assert function_frame(rows, ACCOUNTS)["qualifier"].tolist() == ["$LATEST", "1", "9", "10"]


def test_not_looked_at_stays_apart_from_none_there() -> None:
    frame = function_frame([function(aliases=None, invocations=None)], ACCOUNTS)
    assert frame["aliases"].tolist() == [None]
    assert frame["invocations"].isna().tolist() == [True]
    assert frame["layers"].tolist() == ["[]"]


def test_no_rows_make_an_empty_frame_with_every_column() -> None:
    frame = function_frame([], ACCOUNTS)
    assert len(frame) == 0
    assert set(FUNCTION_COLUMNS) | {"account_name", "ou", "finding"} == set(frame.columns)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        function_frame([function()[:-1]], ACCOUNTS)


@given(st.lists(strategies.refs("001234567890", "eu-west-1"), max_size=4))
def test_arns_are_those_of_the_model(refs: list[FunctionRef]) -> None:
    rows = [
        function(account=ref.account, region=ref.region, name=ref.name, qualifier=ref.qualifier)
        for ref in refs
    ]
    frame = function_frame(rows, ACCOUNTS)
    assert sorted(arns(frame, "aws")) == sorted(ref.arn for ref in refs)


def test_history_is_oldest_first_and_drops_points_without_a_header() -> None:
    older = replace(HEADER, id="older", started=START - timedelta(days=1))
    frame = history_frame([Point(HEADER.id, 3), Point("older", 5), Point("?", 9)], [HEADER, older])
    assert frame["scan"].tolist() == ["older", HEADER.id]
    assert frame["findings"].tolist() == [5, 3]


@pytest.mark.parametrize(
    "options",
    [
        ScanOptions(organization=True, latest_only=True),
        ScanOptions(organization=True, tags=("team=a",)),
        ScanOptions(organization=True, regions=("eu-*",)),
        ScanOptions(organization=True, accounts=()),
        ScanOptions(organization=True, excluded_accounts=("222222222222",)),
        ScanOptions(organization=True, runtimes=("provided",)),
        ScanOptions(organization=False),
    ],
)
def test_scans_that_count_something_else_do_not_ask_the_same(options: ScanOptions) -> None:
    assert question(replace(HEADER, options=options)) != question(HEADER)


def test_scans_of_two_organizations_do_not_ask_the_same() -> None:
    assert question(replace(HEADER, organization="o-other")) != question(HEADER)


def test_looking_at_more_or_in_another_order_asks_the_same() -> None:
    more = ScanOptions(
        organization=True,
        callers=True,
        traffic=True,
        inspect=InspectionDepth.WHOLE,
        role_name="Audit",
    )
    assert question(replace(HEADER, options=more)) == question(HEADER)
    one, two = (
        ScanOptions(organization=True, regions=regions) for regions in (("a", "b"), ("b", "a"))
    )
    assert question(replace(HEADER, options=one)) == question(replace(HEADER, options=two))
