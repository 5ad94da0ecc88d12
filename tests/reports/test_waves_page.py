from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from fleet.wave_status import WaveState, WaveStatus
from tests.reports.conftest import Open
from tests.reports.samples import function, report
from tests.reports.waves import FIRST, counts, member, record, ref, staying

pytestmark = pytest.mark.browser

EVIL = (
    "</script><script>window.ran=1</script><svg onload=window.ran=1>"
    '<img src="http://127.0.0.1:9/x" onerror="window.ran=1">{{7*7}}"\'`'
)


def test_hostile_text_of_a_plan_is_shown_and_never_runs(open_report: Open) -> None:
    wave = WaveStatus(
        name=EVIL, start=FIRST, state=WaveState.STOPPED, why=EVIL, counts=counts(["failed"])
    )
    failed = member("orders", "failed", wave=EVIL, reason=EVIL)
    evil = record(failed, staying(EVIL, EVIL), waves=[wave], name=EVIL)
    seen = open_report(replace(report([function()]), waves=(evil,)))
    page = seen.page
    expect(page.get_by_role("heading", name="Waves of")).to_contain_text("window.ran=1")
    assert page.get_by_text("{{7*7}}").count() > 3
    page.locator("#grid tbody td").first.dblclick()
    expect(page.get_by_role("dialog")).to_contain_text("window.ran=1")
    page.pdf()
    assert page.evaluate("window.ran") is None
    assert page.evaluate("window.violations") == []
    assert page.locator("img, iframe, object, script").count() == 2


def test_the_table_of_functions_finds_and_sorts_by_wave(open_report: Open) -> None:
    plan = record(
        member("a", "migrated"),
        member("b", "failed", ref=replace(ref("b"), name="b"), reason="it broke"),
    )
    rows = [function(name=name) for name in "abc"]
    seen = open_report(replace(report(rows), waves=(plan,)))
    seen.page.get_by_role("columnheader", name="In its wave", exact=True).click()
    assert seen.names() == ["c", "b", "a"]
    seen.page.fill("#search", "failed")
    assert seen.names() == ["b"]
    seen.page.locator("#grid tbody td").first.dblclick()
    expect(seen.page.get_by_role("dialog")).to_contain_text("it broke")
