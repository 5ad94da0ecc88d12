from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date

from rich.console import Console, RenderableType

from fleet.inspection import Verdict
from fleet.model import Coverage, CoverageStatus
from reports.brief import countdown
from reports.diff import Side, diff
from reports.table import CHANGES, diff_table, summary_table
from tests.reports.samples import (
    DEADLINE,
    INSPECTED,
    SEARCH,
    everything_seen,
    function,
    inspected,
    many,
    report,
    unread,
)


def printed(table: RenderableType) -> str:
    file = io.StringIO()
    Console(file=file, width=200, force_terminal=False, no_color=True).print(table)
    return file.getvalue()


def test_the_summary_says_first_what_was_found_and_what_was_not_seen() -> None:
    rows = [*everything_seen(), Coverage(SEARCH.id, "us-west-2", CoverageStatus.DENIED, "no way")]
    lines = printed(summary_table(report(many(12), rows))).splitlines()
    assert lines[0].startswith("At least 8 functions are on go1.x")
    assert lines[1].startswith("! Not seen: 1 of 5 account-regions.")
    assert any("search 222222222222" in line and "no way" in line for line in lines)


def test_the_second_line_says_how_many_can_move() -> None:
    rows = [inspected(Verdict.READY), inspected(Verdict.REBUILD, name="b"), unread(name="c")]
    lines = printed(summary_table(report(rows, asked=INSPECTED))).splitlines()
    assert lines[1] == (
        "1 of 3 function versions found is ready; 1 needs a rebuild and 1 is unknown (1 not read)."
    )
    assert lines[2].startswith("! Not read: the packages of 1 function version.")


def test_what_needs_a_rebuild_is_counted_by_module() -> None:
    rows = [inspected(Verdict.REBUILD, name=f"f{n}", module="github.com/a/b") for n in range(4)]
    rows.append(inspected(Verdict.REBUILD, name="g", module=""))
    rows.append(inspected(Verdict.READY, name="h", module="github.com/a/ready"))
    text = printed(summary_table(report(rows, asked=INSPECTED)))
    _, found = re.split(r"to rebuild, by module *\n", text)
    named = [line.split() for line in found.splitlines()[1:]]
    assert named == [
        ["github.com/a/b", "4", "0", "0", "4"],
        ["(unknown", "module)", "1", "0", "0", "1"],
    ]


def test_without_inspection_no_word_is_said_of_verdicts_or_modules() -> None:
    text = printed(summary_table(report(many(12))))
    assert "ready" not in text
    assert "module" not in text


def test_markup_and_escape_sequences_from_outside_are_shown_not_obeyed() -> None:
    evil = "[bold]x[/bold]\x1b[31m\x9b2J\u202eabc"
    row = inspected(Verdict.REBUILD, owner_kind="mapped", owner_name=evil, module=evil)
    text = printed(summary_table(report([row], asked=INSPECTED)))
    assert text.count("[bold]x[/bold]\ufffd[31m\ufffd2J\ufffdabc") == 2
    assert "\x1b" not in text


def test_the_largest_groups_are_named_and_the_rest_summed() -> None:
    rows = [function(name=f"f{n}", owner_kind="mapped", owner_name=f"o{n:02}") for n in range(13)]
    text = printed(summary_table(report(rows)))
    assert "o09 " in text
    assert "o10" not in text
    assert "3 others" in text


def test_the_countdown_turns_round_on_its_days() -> None:
    assert "1,056 days past" in countdown(DEADLINE)[0]
    assert countdown(DEADLINE)[1] == "102 days until updates are blocked (2027-03-03)."
    blocked = replace(DEADLINE, as_of=date(2027, 3, 3))
    assert countdown(blocked)[1] == "Updates are blocked since 2027-03-03."
    early = replace(DEADLINE, as_of=date(2023, 12, 30), update_block=None)
    before, block = countdown(early)
    assert before.startswith("1 day before the announced end of go1.x (2023-12-31)")
    assert block == "No day is announced from which updates are blocked."


def test_a_long_diff_says_how_much_it_leaves_out() -> None:
    data, nothing = report(many(600)), report()
    sides = [Side(each.header, each.functions, each.coverage) for each in (data, nothing)]
    text = printed(diff_table(diff(*sides)))
    assert f"{400 - CHANGES} more" in text
    assert "gone" in text
