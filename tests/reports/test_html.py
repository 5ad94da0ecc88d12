from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date

import pytest

from fleet.inspection import InspectionDepth, Verdict
from fleet.model import Account, Coverage, CoverageStatus, ScanState
from reports import html as report_html
from reports.html import render_html
from tests.reports.samples import (
    DEADLINE,
    INSPECTED,
    SEARCH,
    everything_seen,
    function,
    header,
    inspected,
    many,
    many_inspected,
    past,
    remarks,
    report,
    unread,
    with_status,
)

EVIL = '</script><script>window.ran=1</script><img src=x onerror="window.ran=1">'


def plain(page: str) -> str:
    """The words of the page, without its style, script and data."""
    body = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_policy_allows_nothing_but_the_page_s_own_style_and_script() -> None:
    page = render_html(report(many(6)))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    policy = policy.replace("&#39;", "'")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert style is not None
    assert script is not None
    hashes = [
        base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        for found in (script, style)
    ]
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{hashes[0]}'" in policy
    assert f"style-src 'sha256-{hashes[1]}'" in policy
    assert "unsafe" not in policy


def test_the_page_says_how_many_of_what_runs_stand_halfway() -> None:
    halfway = function(use="halfway", runtime="provided.al2023")
    words = plain(render_html(report([function(name="other"), halfway])))
    assert "2 running ($LATEST, or served by an alias or trigger), 1 of them halfway" in words
    assert "1 function stands halfway:" in words
    assert "halfway" not in plain(render_html(report([function()])))


def test_nothing_in_the_page_points_outside_of_it() -> None:
    page = render_html(report(many(6), history=past({20: 9, 10: 7, 0: 5})))
    assert not re.search(r"\b(src|srcset|action|xlink:href)\s*=", page)
    assert re.findall(r'href="([^"]*)"', page) == ["#functions"]
    assert "http:" not in page
    assert "https:" not in page
    assert " style=" not in page


def test_text_from_outside_is_escaped_everywhere() -> None:
    accounts = [Account("001234567890", EVIL, EVIL), replace(SEARCH, active=False, name=EVIL)]
    coverage = [*everything_seen(), Coverage("001234567890", "x", CoverageStatus.FAILED, EVIL)]
    asked = header(tags=(EVIL,), runtimes=(EVIL,), inspect=InspectionDepth.WHOLE)
    asked = replace(asked, organization=EVIL)
    texts = ("name", "owner_name", "handler", "module", "go_version", "lambda_library", "revision")
    rows = [
        inspected(Verdict.REBUILD, owner_kind="mapped", **dict.fromkeys(texts, EVIL)),
        inspected(EVIL, name="b", reasons=remarks(a=EVIL)),
    ]
    deadline = replace(DEADLINE, source=EVIL)
    page = render_html(report(rows, coverage, accounts=accounts, asked=asked, deadline=deadline))
    assert "<img" not in page
    assert page.count("<script") == 2


def test_the_headline_never_says_none_while_something_was_not_seen() -> None:
    words = plain(render_html(report(coverage=with_status(CoverageStatus.DENIED, "AccessDenied"))))
    assert "no all-clear" in words
    assert not re.search(r"\b0 (found|functions)", words)
    assert words.index("no all-clear") < words.index("1 of 4 account-regions")
    assert "None in the part that was seen." in words
    assert "AccessDenied" in words


def test_partial_is_said_before_the_headline() -> None:
    page = render_html(report(asked=header(ScanState.INTERRUPTED)))
    assert page.index("Partial: this scan was interrupted") < page.index("<h1>")


def test_coverage_comes_before_the_dates_and_the_dates_before_the_rest() -> None:
    page = render_html(report(many(6)))
    order = [page.index(f'id="{part}"') for part in ("coverage", "dates", "where", "burndown")]
    assert order == sorted(order)


def test_the_countdown_tells_days_phase_and_what_rollback_means() -> None:
    words = plain(render_html(report(many(6))))
    for said in (
        "1,056 days",
        "102 days",
        "from 2027-03-03 AWS refuses updates",
        "Phase on 2026-11-21: create blocked",
        "Existing functions can be updated.",
        DEADLINE.rollback,
    ):
        assert said in words
    after = replace(DEADLINE, as_of=date(2027, 3, 13))
    assert "10 days AWS refuses updates since 2027-03-03" in plain(
        render_html(report(deadline=after))
    )


def test_a_projection_is_held_against_the_day_of_the_block() -> None:
    slow = past({30: 400, 20: 390, 10: 380, 0: 370})
    assert "268 days after updates are blocked" in plain(render_html(report(many(6), history=slow)))
    fast = past({30: 40, 20: 30, 10: 20, 0: 10})
    assert "92 days before updates are blocked" in plain(render_html(report(many(6), history=fast)))


def test_every_picture_has_a_title_a_description_and_its_numbers_as_text() -> None:
    page = render_html(report(many(60), history=past({20: 9, 10: 7, 0: 5})))
    pictures = re.findall(r"<svg[^>]*role=\"img\"[^>]*>.*?</svg>", page, re.DOTALL)
    assert pictures
    for picture in pictures:
        named = re.search(r'aria-labelledby="([^" ]*) ([^"]*)"', picture)
        assert named is not None
        assert f'<title id="{named[1]}">' in picture
        assert f'<desc id="{named[2]}">' in picture
    assert "The burn-down as a table" in page


def test_a_long_list_of_gaps_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_html, "GAPS", 3)
    gaps = [
        Coverage(f"{number:012}", "*", CoverageStatus.ROLE_MISSING, "no role")
        for number in range(8)
    ]
    words = plain(render_html(report(coverage=[*everything_seen(), *gaps])))
    assert "5 more: fleet report --format json has them all" in words


def test_without_script_the_page_says_where_the_rows_are() -> None:
    page = render_html(report(many(6)))
    (words,) = re.findall(r"<noscript>(.*?)</noscript>", page)
    assert "--format csv" in words


def test_the_same_scan_gives_the_same_page() -> None:
    assert render_html(report(many(60))) == render_html(report(reversed(many(60))))


def test_a_hundred_thousand_functions_make_less_than_five_megabytes() -> None:
    data = report(many_inspected(100_000), asked=INSPECTED)
    assert len(render_html(data).encode()) < 5_000_000


def test_only_an_inspected_scan_says_whether_they_can_move() -> None:
    rows = [inspected(Verdict.READY), inspected(Verdict.REBUILD, name="b", module="x.org/y")]
    words = plain(render_html(report(rows, asked=INSPECTED)))
    assert "1 of 2 function versions found is ready; 1 needs a rebuild." in words
    assert "Can they move?" in words
    assert "To rebuild, by module" in words
    assert "x.org/y" in words
    words = plain(render_html(report(rows)))
    assert "Can they move?" not in words
    assert "ready" not in words


def test_the_picture_counts_what_has_to_move_and_what_has_no_verdict() -> None:
    rows = [
        inspected(Verdict.READY),
        inspected(Verdict.READY_WITH_SHIM, name="b"),
        inspected(Verdict.READY, name="c", use="kept for rollback"),
        inspected(Verdict.IMAGE, name="d", use="image"),
        unread(name="e"),
        function(name="f"),
        inspected("a word nobody knows yet", name="g"),
    ]
    page = render_html(report(rows, asked=INSPECTED))
    pictures = re.findall(r'<title id="verdict-\d+-t">(.*?): (\d+)</title>.*?class="(\w+)"', page)
    assert pictures == [
        ("ready", "1", "running"),
        ("ready with shim", "1", "running"),
        ("unknown", "1", "unknown"),
        ("a word nobody knows yet", "1", "unknown"),
        ("no verdict", "1", "unknown"),
    ]
    assert "Not read: the packages of 2 function versions." in plain(page)
