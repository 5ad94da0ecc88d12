from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from fleet.inspection import Verdict
from fleet.model import Account, Coverage, CoverageStatus
from tests.reports.conftest import Open
from tests.reports.samples import (
    ACCOUNTS,
    HEADER,
    INSPECTED,
    REVISION,
    everything_seen,
    function,
    inspected,
    many,
    many_inspected,
    past,
    remarks,
    report,
    unread,
)

pytestmark = pytest.mark.browser

ORIGIN = ("module", "module_version", "go_version", "lambda_library", "revision", "signing_profile")
EVIL = (
    "</script><script>window.ran=1</script><svg onload=window.ran=1>"
    '<img src="http://127.0.0.1:9/x" onerror="window.ran=1">{{7*7}}"\'`'
)


def test_search_finds_every_word_in_any_column(open_report: Open) -> None:
    rows = [
        function(name="orders", tags='{"team": "Blue"}'),
        function(name="invoices", tags='{"team": "blue"}', handler="orders"),
        function(name="users"),
    ]
    seen = open_report(report(rows))
    seen.page.fill("#search", "BLUE ord")
    expect(seen.page.locator("#status")).to_have_text("2 of 3 function versions")
    seen.page.fill("#search", "blue invoice")
    assert seen.names() == ["invoices"]
    seen.page.fill("#search", "nothing like it")
    assert seen.names() == []
    assert seen.status() == "0 of 3 function versions"


def test_filters_narrow_by_use_account_region_unit_and_owner(open_report: Open) -> None:
    seen = open_report(report(many(60)))
    page = seen.page
    for field, value, left in (
        ("use", "finding", 40),
        ("region", "us-east-1", 20),
        ("account account_name", "SEARCH", 5),
        ("ou", "workloads/dev", 5),
        ("owner", "stack-1", 1),
    ):
        control = page.locator(f"[data-filter='{field}']")
        if field in {"use", "region"}:
            control.select_option(value)
        else:
            control.fill(value)
        expect(page.locator("#status")).to_have_text(f"{left} of 60 function versions")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#status")).to_have_text("60 of 60 function versions")


def test_an_account_is_found_by_its_id_too(open_report: Open) -> None:
    seen = open_report(report(many(12)))
    seen.page.fill("[data-filter='account account_name']", "0012345")
    expect(seen.page.locator("#status")).to_have_text("6 of 12 function versions")


def test_each_use_is_told_apart_in_words(open_report: Open) -> None:
    seen = open_report(report(many(6)))
    uses = seen.page.locator("#grid td[data-use]").all_text_contents()
    assert sorted(uses) == ["image", "kept", "kept for rollback", "latest", "served", "unknown"]


def test_a_heading_sorts_up_then_down_and_tells_the_screen_reader(open_report: Open) -> None:
    rows = [
        function(name=name, qualifier=version, invocations=calls)
        for name, version, calls in (("b", "10", 5), ("A", "9", None), ("C", "$LATEST", 100))
    ]
    seen = open_report(report(rows))
    heading = seen.page.get_by_role("columnheader", name="Function", exact=True)
    heading.click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert seen.names() == ["A", "b", "C"]
    heading.click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert seen.names() == ["C", "b", "A"]
    seen.page.get_by_role("columnheader", name="Version", exact=True).click()
    assert seen.names() == ["C", "A", "b"]
    expect(heading).to_have_attribute("aria-sort", "none")
    seen.page.get_by_role("columnheader", name="Calls, 30 days", exact=True).click()
    assert seen.names() == ["A", "b", "C"]


def test_the_grid_works_by_keyboard_alone(open_report: Open) -> None:
    seen = open_report(report(many(300)))
    page = seen.page
    page.locator("#copy-rows").focus()
    page.keyboard.press("Tab")
    assert seen.focused() == ("1", "1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert seen.focused() == ("2", "2")
    page.keyboard.press("Control+End")
    assert seen.focused()[0] == "301"
    page.keyboard.press("PageUp")
    assert int(seen.focused()[0]) < 301
    page.keyboard.press("Control+Home")
    assert seen.focused() == ("2", "1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Function", exact=True)).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert seen.focused() == ("1", "1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert "1 selected" in seen.status()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("fn-000000")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert seen.focused() == ("2", "1")


def test_the_focused_cell_is_visible_and_survives_scrolling_away(open_report: Open) -> None:
    seen = open_report(report(many(300)))
    page = seen.page
    page.locator("#grid th").first.focus()
    page.keyboard.press("ArrowDown")
    outline = page.locator("#grid :focus").evaluate("cell => getComputedStyle(cell).outlineStyle")
    assert outline == "solid"
    page.locator("#scroller").evaluate("scroller => scroller.scrollTop = scroller.scrollHeight")
    expect(page.locator("#grid tbody tr").last).to_have_attribute("aria-rowindex", "301")
    page.keyboard.press("ArrowDown")
    assert seen.focused() == ("3", "1")


def test_the_grid_tells_its_size_and_where_its_rows_are(open_report: Open) -> None:
    seen = open_report(report(many(300)))
    grid = seen.page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "301")
    expect(grid).to_have_attribute("aria-colcount", "11")
    expect(grid.locator("tbody tr").first).to_have_attribute("aria-rowindex", "2")
    seen.page.fill("#search", "fn-00001")
    expect(grid).to_have_attribute("aria-rowcount", "11")


def test_copied_arns_are_those_selected_or_else_all_shown(open_report: Open) -> None:
    rows = [function(name="a"), function(name="b", qualifier="3", use="served"), function(name="c")]
    seen = open_report(report(rows))
    arn = "arn:aws:lambda:eu-central-1:001234567890:function:"
    seen.page.get_by_role("button", name="Copy ARNs").click()
    expect(seen.page.locator("#status")).to_contain_text("3 ARNs copied")
    assert seen.clipboard() == f"{arn}a\n{arn}b:3\n{arn}c\n"
    seen.page.locator("#grid tbody tr").nth(1).click()
    seen.page.get_by_role("button", name="Copy ARNs").click()
    expect(seen.page.locator("#status")).to_contain_text("1 ARN copied")
    assert seen.clipboard() == f"{arn}b:3\n"


def test_copied_rows_paste_into_a_spreadsheet_as_text(open_report: Open) -> None:
    evil = ["=1+1", "\uff1d1", "-1", "@x", " =1", "'quoted", "tab\tand\nline"]
    rows = [function(name=f"n{i}", handler=text) for i, text in enumerate(evil)]
    seen = open_report(report(rows))
    seen.page.get_by_role("button", name="Copy rows").click()
    expect(seen.page.locator("#status")).to_contain_text("7 rows copied")
    lines = [line.split("\t") for line in seen.clipboard().rstrip("\n").split("\n")]
    assert len(lines) == 8
    at = lines[0].index("Handler")
    assert [line[at] for line in lines[1:]] == [
        "'=1+1", "'\uff1d1", "'-1", "'@x", "' =1", "''quoted", "tab and line",
    ]  # fmt: skip
    assert lines[1][lines[0].index("Account")] == "001234567890"


def test_the_details_show_what_the_table_has_no_room_for(open_report: Open) -> None:
    aliases = [{"name": "live", "version": "3", "weights": {"4": 0.1}}]
    callers = [{"kind": "event source", "source": "arn:aws:sqs:x", "qualifier": "live"}]
    row = function(aliases=json.dumps(aliases), callers=json.dumps(callers), tags=None)
    seen = open_report(report([row]))
    seen.page.locator("#grid tbody td").first.dblclick()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_contain_text("live → 3 + 10% → 4")
    expect(dialog).to_contain_text("event source arn:aws:sqs:x → live")
    expect(dialog.locator("dt:has-text('Tags') + dd")).to_have_text("not looked at")
    expect(dialog.locator("dt:has-text('Layers') + dd")).to_have_text("none")


def test_numbers_are_shown_as_they_were_counted(open_report: Open) -> None:
    rows = [
        function(name=name, invocations=calls)
        for name, calls in (("a", 1_200), ("b", None), ("c", 0), ("d", 70_000), ("e", 1_200))
    ]
    seen = open_report(report(rows))
    calls = seen.page.locator("#grid td[data-key=invocations]").all_text_contents()
    assert calls == ["1,200", "not looked at", "0", "70,000", "1,200"]


def test_verdict_module_and_versions_are_columns_of_an_inspected_scan(open_report: Open) -> None:
    seen = open_report(report([inspected(Verdict.READY), unread(name="b")], asked=INSPECTED))
    cells = {
        key: seen.page.locator(f"#grid td[data-key={key}]").all_text_contents()
        for key in ("verdict", "module", "go_version", "lambda_library")
    }
    assert cells == {
        "verdict": ["unknown", "ready"],
        "module": ["–", "github.com/acme/orders"],
        "go_version": ["–", "go1.20.14"],
        "lambda_library": ["–", "v1.41.0"],
    }
    plain = open_report(report([function()]))
    expect(plain.page.locator("#grid th[data-key=use]")).to_have_count(1)
    expect(plain.page.locator("#grid th[data-key=verdict], [data-filter=verdict]")).to_have_count(0)


def test_search_finds_modules_reasons_and_commits(open_report: Open) -> None:
    rows = [
        inspected(Verdict.REBUILD, name="a", reasons=remarks(library_too_old="main hangs")),
        inspected(Verdict.READY, name="b", module="bitbucket.org/acme/Billing"),
        inspected(Verdict.READY, name="c", revision="9" * 40, warnings=remarks(packed="by UPX")),
    ]
    seen = open_report(report(rows, asked=INSPECTED))
    for words, names in (
        ("library-too-old", ["a"]),
        ("HANGS", ["a"]),
        ("billing", ["b"]),
        ("upx", ["c"]),
        ("9" * 40, ["c"]),
        (REVISION[:7], ["a", "b"]),
        (f"{REVISION} billing", ["b"]),
    ):
        seen.page.fill("#search", words)
        assert seen.names() == names, words


def test_a_verdict_can_be_chosen_and_so_can_those_without(open_report: Open) -> None:
    rows = [
        inspected(Verdict.READY, name="a"),
        inspected(Verdict.READY_WITH_SHIM, name="b"),
        inspected(Verdict.UNKNOWN, name="c"),
        function(name="d"),
    ]
    seen = open_report(report(rows, asked=INSPECTED))
    choice = seen.page.locator("[data-filter=verdict]")
    for option, names in (
        ("ready", ["a"]),
        ("ready with shim", ["b"]),
        ("unknown", ["c"]),
        ("not looked at", ["d"]),
        ("all", ["a", "b", "c", "d"]),
    ):
        choice.select_option(label=option)
        assert seen.names() == names, option


def test_versions_sort_by_their_numbers(open_report: Open) -> None:
    rows = [
        inspected(Verdict.READY, name=name, lambda_library=library, go_version=go)
        for name, library, go in (
            ("a", "v1.9.0", "go1.9"),
            ("b", "v1.18.0", "go1.21.10"),
            ("c", "v1.2.0", "go1.21.9"),
            ("d", "", ""),
        )
    ]
    seen = open_report(report(rows, asked=INSPECTED))
    seen.page.locator("#grid th[data-key=lambda_library]").click()
    assert seen.names() == ["d", "c", "a", "b"]
    seen.page.locator("#grid th[data-key=go_version]").click()
    assert seen.names() == ["d", "a", "c", "b"]


def test_the_details_tell_why_and_from_which_commit(open_report: Open) -> None:
    said = remarks(signed="its code is signed", other_machine="built for arm64")
    row = inspected(Verdict.NEEDS_DECISION, reasons=said, modified=True)
    rows = [row, inspected(Verdict.READY, name="b", module_version=""), function(name="c")]
    seen = open_report(report(rows, asked=INSPECTED))
    dialog = seen.page.get_by_role("dialog")

    def told(name: str, title: str) -> str:
        seen.page.locator("#grid td[data-key=name]", has_text=re.compile(f"^{name}$")).dblclick()
        text = dialog.locator(f"dt:text-is('{title}') + dd").inner_text()
        seen.page.keyboard.press("Escape")
        return text

    assert told("orders", "Reasons") == "signed: its code is signed\nother-machine: built for arm64"
    assert told("orders", "Commit") == "3f786850e387 + uncommitted changes"
    assert told("orders", "Warnings") == "none"
    assert told("orders", "Signing profile") == "none"
    assert told("orders", "Repackage by") == "none"
    assert told("b", "Commit") == "3f786850e387"
    assert told("b", "Module version") == "not told by the binary"
    assert told("c", "Reasons") == "not looked at"
    assert told("c", "Repackage by") == "not looked at"


def test_hostile_text_is_shown_and_never_runs(open_report: Open) -> None:
    accounts = [Account(ACCOUNTS[0].id, EVIL, EVIL)]
    row = inspected(
        "rebuild",
        name=EVIL,
        handler=EVIL,
        runtime=EVIL,
        use="served",
        tags=json.dumps({EVIL: EVIL}),
        layers=json.dumps([EVIL]),
        aliases=json.dumps([{"name": EVIL, "version": "1", "weights": {}}]),
        callers=json.dumps([{"kind": EVIL, "source": EVIL, "qualifier": EVIL}]),
        owner_kind="mapped",
        owner_name=EVIL,
        reasons=json.dumps([{"code": EVIL, "text": EVIL}]),
        warnings=json.dumps([{"code": EVIL, "text": EVIL}]),
        strategy=EVIL,
        **dict.fromkeys(ORIGIN, EVIL),
    )
    gaps = [Coverage(ACCOUNTS[0].id, EVIL, CoverageStatus.FAILED, EVIL)]
    rows = [row, inspected(EVIL, name="b", module=EVIL)]
    seen = open_report(
        report(rows, [*everything_seen(), *gaps], accounts=accounts, asked=INSPECTED)
    )
    page = seen.page
    assert seen.names() == [EVIL, "b"]
    page.locator("[data-filter=verdict]").select_option(label=EVIL)
    assert seen.names() == ["b"]
    page.get_by_role("button", name="Clear").click()
    page.fill("#search", EVIL.split(maxsplit=1)[0])
    page.locator("[data-filter=owner]").focus()
    page.locator("#grid tbody td").first.dblclick()
    expect(page.get_by_role("dialog")).to_contain_text("window.ran=1")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy rows").click()
    page.pdf()
    assert page.evaluate("window.ran") is None
    assert page.evaluate("window.violations") == []
    assert page.locator("img, iframe, object, script").count() == 2


def test_no_script_but_the_page_s_own_can_run(open_report: Open) -> None:
    seen = open_report(report([function()]))
    seen.page.evaluate(
        """() => {
          const script = document.createElement("script");
          try { script.textContent = "window.ran = 1"; document.body.append(script); } catch {}
          try { document.body.innerHTML += "<b>x</b>"; window.ran = 1; } catch {}
        }"""
    )
    assert seen.page.evaluate("window.ran") is None
    assert seen.complaints
    seen.complaints.clear()


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_the_page_follows_light_and_dark_with_enough_contrast(
    open_report: Open, scheme: str, light: bool
) -> None:
    rows = many_inspected(60)
    data = report(rows, history=past({20: 9, 10: 7, 0: 5}), asked=INSPECTED)
    seen = open_report(data, color_scheme=scheme)
    paper = luminance(
        seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    )
    assert (paper > 0.5) == light
    for part in (
        "h1",
        ".kicker",
        ".lead",
        ".notes li",
        "#grid td",
        ".bars small",
        "summary",
        "button",
    ):
        color = seen.page.locator(part).first.evaluate("part => getComputedStyle(part).color")
        high, low = sorted((paper, luminance(color)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, part


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it, of an rgb() color."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_paper_gets_a_plain_table_of_what_is_shown(open_report: Open) -> None:
    seen = open_report(report(many(60)))
    seen.page.fill("#search", "fn-00001")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    seen.page.emulate_media(media="print")
    paper = seen.page.locator("#print")
    expect(paper).to_contain_text("10 of 60 function versions, as chosen on screen.")
    expect(paper.locator("th")).to_have_count(9)
    expect(paper.locator("tbody tr")).to_have_count(10)
    expect(seen.page.locator("#tool")).to_be_hidden()
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(paper.locator("tr")).to_have_count(0)


def test_paper_gets_verdict_and_module_of_an_inspected_scan(open_report: Open) -> None:
    seen = open_report(report([inspected(Verdict.READY)], asked=INSPECTED))
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    row = seen.page.locator("#print tbody tr")
    expect(row.locator("[data-key=verdict]")).to_have_text("ready")
    expect(row.locator("[data-key=module]")).to_have_text("github.com/acme/orders")


def test_a_printed_table_too_long_for_paper_says_where_it_ends(open_report: Open) -> None:
    seen = open_report(report(many(1_500)))
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = seen.page.locator("#print")
    expect(paper).to_contain_text("The first 1,000 of 1,500 function versions chosen")
    expect(paper.locator("tbody tr")).to_have_count(1_000)


def test_printing_lays_the_rows_out_on_paper(open_report: Open) -> None:
    few, more = open_report(report(many(6))), open_report(report(many(400)))
    pages = [each.page.pdf().count(b"/Type /Page\n") for each in (few, more)]
    assert pages[1] >= pages[0] + 4


def test_without_script_the_summary_and_the_way_to_the_rows_are_there(open_report: Open) -> None:
    seen = open_report(report(many(60)), ready=False, java_script_enabled=False)
    expect(seen.page.locator("h1")).to_contain_text("40 functions are on go1.x")
    expect(seen.page.locator("noscript p")).to_contain_text("--format csv")
    expect(seen.page.locator("#tool")).to_be_hidden()


def test_a_browser_without_decompression_says_where_the_rows_are(open_report: Open) -> None:
    seen = open_report(report(many(60)))
    seen.page.context.add_init_script("delete window.DecompressionStream")
    seen.page.reload()
    expect(seen.page.locator("#trouble")).to_contain_text("fleet report --format csv")
    expect(seen.page.locator("h1")).to_contain_text("40 functions are on go1.x")


def test_a_narrow_screen_scrolls_the_table_and_not_the_page(open_report: Open) -> None:
    gaps = [Coverage("1" * 12, "eu-west-1", CoverageStatus.FAILED, "x" * 300)]
    rows = [inspected(Verdict.REBUILD, name=f"f{n}", module="x" * 300) for n in range(60)]
    burnt = past({20: 9, 10: 7, 0: 5})
    data = report(rows, [*everything_seen(), *gaps], history=burnt, asked=INSPECTED)
    seen = open_report(data, viewport={"width": 390, "height": 800})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_hundred_thousand_rows_scroll_search_and_sort(open_report: Open) -> None:
    seen = open_report(report(many_inspected(100_000), asked=INSPECTED))
    page = seen.page
    expect(page.locator("#status")).to_have_text("100,000 of 100,000 function versions")
    assert page.locator("#grid tr").count() < 100
    page.locator("#scroller").evaluate("scroller => scroller.scrollTop = scroller.scrollHeight")
    expect(page.locator("#grid tbody tr").last).to_have_attribute("aria-rowindex", "100001")
    page.fill("#search", "fn-09999")
    expect(page.locator("#status")).to_have_text("10 of 100,000 function versions")
    page.fill("#search", "")
    page.get_by_role("columnheader", name="Function", exact=True).click()
    page.locator("#grid th").first.focus()
    page.keyboard.press("Control+Home")
    assert seen.names()[:2] == ["fn-000000", "fn-000001"]
    page.get_by_role("button", name="Copy ARNs").click()
    expect(page.locator("#status")).to_contain_text("100,000 ARNs copied")
    assert seen.clipboard().count("\n") == 100_000


def test_costs_are_shown_sorted_and_told_in_the_details(open_report: Open) -> None:
    rows = [
        function(
            name=name, memory_mb=memory, invocations=calls, duration_ms=calls * 100, init_ms=init
        )
        for name, memory, calls, init in (
            ("cheap", 128, 1, 5),
            ("dear", 1024, 1_000_000, None),
            ("dearer", 1024, 10_000_000, 900_000),
            ("unknown", 1024, 0, 0),
        )
    ]
    rows.append(function(name="unmeasured", memory_mb=512))
    asked = replace(HEADER, options=replace(HEADER.options, traffic=True))
    seen = open_report(report(rows, asked=asked))
    heading = seen.page.get_by_role("columnheader", name="Cost, 30 days", exact=True)
    heading.click()
    heading.click()
    assert seen.names() == ["dearer", "dear", "cheap", "unknown", "unmeasured"]
    costs = seen.page.locator("#grid td[data-key=cost_custom_runtime]").all_text_contents()
    # 2 + 10 × 1.66667 + 900 GB-s × 0.0000166667; 0.2 + 1.66667; less than a ten-thousandth.
    assert costs == ["18.6817", "1.8667", "0", "0", "not estimated"]
    dialog = seen.page.get_by_role("dialog")
    for name, note in (
        ("dearer", "estimated in USD"),
        ("dear", "at least: init is not known"),
        ("unmeasured", "its calls or how long they took are not known"),
    ):
        seen.page.get_by_role("gridcell", name=name, exact=True).dblclick()
        expect(dialog).to_contain_text(f"About the cost{note}")
        seen.page.keyboard.press("Escape")
    assert "What it is worth" in (seen.page.locator("main").text_content() or "")


def test_without_traffic_the_table_has_no_costs(open_report: Open) -> None:
    seen = open_report(report([function(memory_mb=512)]))
    assert seen.page.get_by_role("columnheader", name="Cost, 30 days", exact=True).count() == 0
    seen.page.get_by_role("gridcell", name="orders", exact=True).dblclick()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Memory in MB512")
    expect(dialog).not_to_contain_text("cost")
