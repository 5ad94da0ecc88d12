from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import Account, Coverage, CoverageStatus, ScanOptions, ScanState, Use
from reports.coverage import filters, look
from reports.groups import AT_ROOT, NO_OWNER, by_group, totals
from reports.report import ReportData
from reports.summary import Headline, headline
from tests import strategies
from tests.reports.samples import (
    ACCOUNTS,
    HEADER,
    PAYMENTS,
    SEARCH,
    everything_seen,
    function,
    header,
    many,
    report,
    with_status,
)

INCOMPLETE = [status for status in CoverageStatus if not status.is_complete]


def said(data: ReportData) -> Headline:
    seen = look(data.header, data.coverage, data.accounts)
    return headline(data.header, seen, totals(data.functions, data.header))


def everything_said(data: ReportData) -> str:
    words = said(data)
    return " ".join((words.sentence, *words.warnings, *words.notes))


def test_an_all_clear_needs_everything_seen() -> None:
    assert said(report()).sentence.startswith("None is on go1.x in any account and region")
    assert said(report()).warnings == ()


@pytest.mark.parametrize("status", INCOMPLETE)
def test_none_found_is_no_all_clear_while_something_was_not_seen(status: CoverageStatus) -> None:
    words = said(report(coverage=with_status(status, "why")))
    assert words.sentence == "None on go1.x in the part that was seen, which is no all-clear."
    assert words.warnings[0].startswith("Not seen: 1 of 4 account-regions.")


@given(st.lists(strategies.coverages, max_size=6), st.sampled_from(ScanState))
def test_nothing_but_full_coverage_gives_an_all_clear(
    rows: list[Coverage], state: ScanState
) -> None:
    data = report(coverage=rows, asked=header(state), accounts=())
    full = (
        state is ScanState.FINISHED
        and all(row.status.is_complete for row in rows)
        and any(row.status is CoverageStatus.OK for row in rows)
    )
    assert ("can be called" in said(data).sentence) == full


def test_findings_beside_a_gap_are_at_least_so_many() -> None:
    data = report(many(12), with_status(CoverageStatus.DENIED, "AccessDenied"))
    assert said(data).sentence.startswith("At least 8 functions are on go1.x")


def test_findings_count_functions_and_their_versions() -> None:
    rows = [function(), function(qualifier="1", use="served"), function(name="other")]
    assert said(report(rows)).sentence == (
        "2 functions are on go1.x, with 3 function versions to move."
    )


def test_a_whole_account_that_was_not_reached_is_counted_apart() -> None:
    rows = [row for row in everything_seen() if row.account != SEARCH.id]
    rows.append(Coverage(SEARCH.id, "*", CoverageStatus.ROLE_MISSING, "no role"))
    assert said(report(coverage=rows)).warnings[0].startswith("Not seen: 1 whole account.")


def test_an_active_account_without_any_result_is_a_gap() -> None:
    rows = [row for row in everything_seen() if row.account != SEARCH.id]
    data = report(coverage=rows)
    assert [gap.account for gap in look(data.header, data.coverage, data.accounts).gaps] == [
        SEARCH.id
    ]


@pytest.mark.parametrize("state", [ScanState.RUNNING, ScanState.INTERRUPTED])
def test_a_scan_that_did_not_finish_says_partial_first(state: ScanState) -> None:
    data = report(coverage=with_status(CoverageStatus.NOT_ATTEMPTED, ""), asked=header(state))
    assert said(data).warnings[0].startswith("Partial:")
    assert "all-clear" in said(data).sentence


def test_nothing_answered_is_not_nothing_found() -> None:
    data = report(coverage=[], accounts=[])
    assert said(data).sentence == "Nothing was seen, so nothing is known about go1.x."
    assert "may match none" in everything_said(data)


def test_a_scan_that_saw_nothing_is_not_complete() -> None:
    nothing = report(coverage=[], accounts=[])
    assert not look(nothing.header, nothing.coverage, nothing.accounts).complete


def test_latest_only_says_that_versions_were_not_looked_at() -> None:
    data = report(asked=header(latest_only=True))
    assert "any more" not in said(data).sentence
    assert any("Published versions were not looked at" in line for line in said(data).warnings)


def test_suspended_accounts_are_named_as_not_looked_at() -> None:
    assert "old-sandbox 333333333333" in everything_said(report())


def test_filters_in_force_are_named_and_an_empty_one_means_none() -> None:
    asked = header(accounts=(), regions=("eu-*", "us-east-1"), tags=("team=a",))
    assert filters(asked.options) == [
        "--account (none)",
        "--tag team=a",
        "--region eu-*, us-east-1",
    ]
    data = report(asked=asked)
    assert "Limited by: --account (none); --tag team=a" in everything_said(data)
    assert "every account" not in everything_said(data)


def test_a_use_that_is_unknown_counts_and_is_said() -> None:
    data = report([function(qualifier="3", use="unknown")])
    assert totals(data.functions, data.header).versions == 1
    assert any("told served from kept" in line for line in said(data).warnings)


def test_what_stands_halfway_is_counted_as_left_to_move_and_told_how_to_go_on() -> None:
    halfway = function(use="halfway", runtime="provided.al2023")
    data = report([halfway])
    assert totals(data.functions, data.header).versions == 1
    words = said(data)
    assert words.sentence == (
        "1 function is on go1.x or halfway off it, with 1 function version to move."
    )
    (warning,) = words.warnings
    assert warning.startswith("1 function stands halfway: on a custom runtime, with the bridge")
    assert "again, or `fleet rollback`" in warning
    assert by_group(data.functions, "account")["running"].tolist() == [1]
    several = report([halfway], asked=header(runtimes=("go1.x", "provided.al2")))
    assert "is on go1.x or provided.al2 or halfway off go1.x, with" in said(several).sentence
    assert "halfway" not in everything_said(report([function()]))


def test_images_and_rollback_versions_are_listed_and_not_counted() -> None:
    data = report([function(use="image", runtime=None), function(name="b", use=Use.ROLLBACK.value)])
    found = totals(data.functions, data.header)
    assert found.versions == 0
    assert (found.by_use["image"], found.by_use["kept for rollback"]) == (1, 1)
    assert "1 container image listed, not counted" in everything_said(data)


@pytest.mark.parametrize("group", ["ou", "account", "region", "owner"])
def test_every_grouping_adds_up_to_the_findings(group: str) -> None:
    data = report(many(60))
    table = by_group(data.functions, group)
    assert table["total"].sum() == totals(data.functions, data.header).versions
    assert (table[["running", "kept", "unknown"]].sum(axis=1) == table["total"]).all()
    assert table["total"].is_monotonic_decreasing


def test_groups_without_a_name_say_so() -> None:
    rows = report([function(account="999999999999")], accounts=[*ACCOUNTS]).functions
    assert by_group(rows, "ou").index.tolist() == [AT_ROOT]
    assert by_group(rows, "owner").index.tolist() == [NO_OWNER]


def test_accounts_of_one_name_stay_apart() -> None:
    twin = Account("444444444444", PAYMENTS.name)
    rows = [function(), function(account=twin.id)]
    table = by_group(report(rows, accounts=[PAYMENTS, twin]).functions, "account")
    assert table.index.tolist() == ["payments 001234567890", "payments 444444444444"]


def test_an_empty_scan_has_empty_groups() -> None:
    table: pd.DataFrame = by_group(report().functions, "ou")
    assert table.empty
    assert list(table.columns) == ["running", "kept", "unknown", "total"]


def test_a_scan_of_single_accounts_never_speaks_for_an_organization() -> None:
    asked = replace(HEADER, organization="", options=ScanOptions())
    words = said(report(asked=asked))
    assert (
        words.sentence == "None on go1.x among what this scan was limited to, by any version seen."
    )
    assert any("not an organization" in note for note in words.notes)


def test_what_is_listed_with_a_gap_is_counted_and_not_called_unseen() -> None:
    lane = everything_seen()[0]
    gap = replace(lane, status=CoverageStatus.DENIED, reason="lambda:ListTags", listed=True)
    words = said(report([function()], [gap, *everything_seen()[1:]]))
    assert words.sentence.startswith("At least 1 function is on go1.x")
    assert not any("Not seen" in warning for warning in words.warnings)
    assert any("they are counted all the same" in warning for warning in words.warnings)


def test_versions_held_for_rollback_are_named_beside_an_all_clear() -> None:
    words = said(report([function(qualifier="1", use="kept for rollback")]))
    assert words.sentence.startswith("None is on go1.x")
    assert any("1 version held by the alias go1x-rollback" in note for note in words.notes)
