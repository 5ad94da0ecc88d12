from __future__ import annotations

import re
import sys
import threading

import pytest

from fleet.cli.progress import Counts, ScanProgress, showing
from fleet.model import Coverage, CoverageStatus


def coverage(status: CoverageStatus = CoverageStatus.OK, throttles: int = 0) -> Coverage:
    return Coverage("111122223333", "eu-west-1", status, throttles=throttles)


def test_progress_tells_accounts_regions_findings_throttles_gaps_and_time_left() -> None:
    progress = ScanProgress(Counts(started=100.0))
    progress.planned(4, 0)
    progress.account_done(10)
    progress.account_done(10)
    for _ in range(9):
        progress.lane_done(coverage(throttles=1), 2)
    progress.lane_done(coverage(CoverageStatus.DENIED), 0)
    line = progress.counts.line(120.0)
    assert "2 of 4 accounts asked" in line
    # The accounts not entered yet are taken to have ten regions too.
    assert "10 of 40 account-regions" in line
    assert "18 versions found" in line
    assert "9 throttles" in line
    assert "1 not seen" in line
    assert "about 60 s left" in line


def test_no_time_left_is_made_up_before_anything_is_done() -> None:
    assert "left" not in Counts(accounts=3).line(50.0)


def test_without_a_terminal_the_last_line_is_plain_and_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with showing(quiet=False) as progress:
        progress.planned(1, 0)
        progress.account_done(1)
        progress.lane_done(coverage(), 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "1 of 1 account-regions" in err
    assert not re.search(r"\x1b", err)


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with showing(quiet=True) as progress:
        progress.planned(1, 1)
    assert capsys.readouterr() == ("", "")


def test_the_heartbeat_ends_with_the_scan() -> None:
    before = threading.active_count()
    assert not sys.stderr.isatty()
    with showing(quiet=False):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
