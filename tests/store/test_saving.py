from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.model import EVERY_REGION, Account, CoverageStatus, LaneResult, ScanState, Use
from fleet.store import Store
from tests.store.examples import (
    ACCOUNT,
    SCAN,
    START,
    column,
    header,
    lane,
    record,
    statuses,
)

NOT_ATTEMPTED = CoverageStatus.NOT_ATTEMPTED
OK = CoverageStatus.OK


@pytest.fixture
def scan(store: Store) -> Store:
    """A store with one scan that has planned one account."""
    store.begin_scan(header())
    store.plan_accounts(SCAN, [Account(ACCOUNT, "one", "Workloads/Prod")])
    return store


def test_planned_account_is_not_attempted_until_something_is_saved(scan: Store) -> None:
    assert scan.accounts(SCAN) == [Account(ACCOUNT, "one", "Workloads/Prod")]
    assert statuses(scan) == {(ACCOUNT, EVERY_REGION): NOT_ATTEMPTED}


def test_planned_regions_take_the_place_of_the_whole_account(scan: Store) -> None:
    scan.plan_lanes(SCAN, ACCOUNT, ["eu-west-1", "us-east-1"])
    assert statuses(scan) == {
        (ACCOUNT, "eu-west-1"): NOT_ATTEMPTED,
        (ACCOUNT, "us-east-1"): NOT_ATTEMPTED,
    }


def test_account_without_regions_stays_not_attempted(scan: Store) -> None:
    scan.plan_lanes(SCAN, ACCOUNT, [])
    assert statuses(scan) == {(ACCOUNT, EVERY_REGION): NOT_ATTEMPTED}


def test_planning_again_keeps_what_was_seen_and_learns_new_names(scan: Store) -> None:
    scan.plan_lanes(SCAN, ACCOUNT, ["eu-west-1", "us-east-1"])
    scan.save_lane(SCAN, lane("a"))
    scan.plan_accounts(SCAN, [Account(ACCOUNT, "renamed", "Sandbox", active=False)])
    scan.plan_lanes(SCAN, ACCOUNT, ["eu-west-1", "us-east-1", "af-south-1"])
    assert scan.accounts(SCAN) == [Account(ACCOUNT, "renamed", "Sandbox", active=False)]
    assert statuses(scan) == {
        (ACCOUNT, "af-south-1"): NOT_ATTEMPTED,
        (ACCOUNT, "eu-west-1"): OK,
        (ACCOUNT, "us-east-1"): NOT_ATTEMPTED,
    }
    assert column(scan, "name") == ["a"]


def test_planning_again_gives_up_the_reason_why_no_region_was_reached(scan: Store) -> None:
    denied = lane(region=EVERY_REGION, status=CoverageStatus.ROLE_MISSING, reason="no role")
    scan.save_lane(SCAN, denied)
    scan.plan_accounts(SCAN, [Account(ACCOUNT)])
    assert statuses(scan) == {(ACCOUNT, EVERY_REGION): CoverageStatus.ROLE_MISSING}
    scan.plan_lanes(SCAN, ACCOUNT, ["eu-west-1"])
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): NOT_ATTEMPTED}


def test_saved_region_takes_the_place_of_the_whole_account(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): OK}


def test_account_that_one_command_cannot_enter_keeps_the_lanes_another_planned(
    scan: Store,
) -> None:
    scan.plan_accounts(SCAN, [Account("000000000002")])
    scan.plan_lanes(SCAN, ACCOUNT, ["eu-west-1", "us-east-1"])
    scan.save_lane(SCAN, lane(region=EVERY_REGION, status=CoverageStatus.DENIED))
    scan.save_lane(SCAN, lane("a"))
    assert statuses(scan) == {
        (ACCOUNT, "eu-west-1"): OK,
        (ACCOUNT, "us-east-1"): NOT_ATTEMPTED,
        ("000000000002", EVERY_REGION): NOT_ATTEMPTED,
    }
    assert column(scan, "name") == ["a"]


def test_account_that_cannot_be_entered_says_nothing_beside_its_lanes(scan: Store) -> None:
    scan.plan_lanes(SCAN, ACCOUNT, ["eu-west-1"])
    scan.save_lane(SCAN, lane(region=EVERY_REGION, status=CoverageStatus.DENIED))
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): NOT_ATTEMPTED}


def test_account_planned_again_says_nothing_beside_its_lanes(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    scan.plan_accounts(SCAN, [Account(ACCOUNT)])
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): OK}


def test_lanes_of_another_scan_leave_room_for_an_account_that_cannot_be_entered(
    scan: Store,
) -> None:
    scan.save_lane(SCAN, lane("a"))
    later = "20261121T110000Z-0002"
    scan.begin_scan(header(later, minutes=60))
    scan.save_lane(later, lane(region=EVERY_REGION, status=CoverageStatus.DENIED))
    assert statuses(scan, later) == {(ACCOUNT, EVERY_REGION): CoverageStatus.DENIED}
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): OK}


def test_lane_saved_twice_counts_once_and_as_it_was_last(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a", "b"))
    scan.save_lane(SCAN, lane("b", "c"))
    assert column(scan, "name") == ["b", "c"]
    assert scan.totals(SCAN).findings == 2


def test_lane_that_was_listed_is_kept_when_a_resumed_look_lists_nothing(scan: Store) -> None:
    listed = lane("a", status=CoverageStatus.DENIED, reason="tags", listed=True)
    scan.save_lane(SCAN, listed)
    scan.save_lane(SCAN, lane(status=CoverageStatus.THROTTLED_OUT, reason="late"))
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): CoverageStatus.DENIED}
    assert column(scan, "name") == ["a"]
    scan.save_lane(SCAN, lane("a", "b"))
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): OK}
    assert column(scan, "name") == ["a", "b"]


def test_reading_creates_no_file_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        Store.open(str(tmp_path / "typo.db"), create=False)
    assert list(tmp_path.iterdir()) == []


def test_failure_never_takes_the_place_of_what_was_seen(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    scan.save_lane(SCAN, lane(status=CoverageStatus.THROTTLED_OUT, reason="late"))
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): OK}
    assert column(scan, "name") == ["a"]


def test_failed_lane_is_replaced_by_the_next_attempt(scan: Store) -> None:
    scan.save_lane(SCAN, lane(status=CoverageStatus.FAILED, reason="first"))
    scan.save_lane(SCAN, lane(status=CoverageStatus.DENIED, reason="second"))
    assert [row.reason for row in scan.coverage(SCAN)] == ["second"]
    scan.save_lane(SCAN, lane("a"))
    assert statuses(scan) == {(ACCOUNT, "eu-west-1"): OK}


def test_version_listed_twice_counts_once(scan: Store) -> None:
    twice = lane("a", "a")
    scan.save_lane(SCAN, twice)
    assert column(scan, "name") == ["a"]
    assert scan.totals(SCAN).findings == 1


def test_record_of_another_lane_is_refused_and_nothing_saved(scan: Store) -> None:
    stray = replace(lane("a"), records=(record("a", region="us-east-1"),))
    with pytest.raises(ValueError, match="does not belong to"):
        scan.save_lane(SCAN, stray)
    assert statuses(scan) == {(ACCOUNT, EVERY_REGION): NOT_ATTEMPTED}


def test_lanes_of_one_account_or_region_leave_the_others_alone(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    scan.save_lane(SCAN, lane("b", region="us-east-1"))
    scan.save_lane(SCAN, lane("c", account="000000000002"))
    scan.save_lane(SCAN, lane("d"))
    assert column(scan, "name") == ["d", "b", "c"]


def test_scans_do_not_mix(scan: Store) -> None:
    scan.begin_scan(header("20261121T110000Z-0002", minutes=60))
    scan.save_lane(SCAN, lane("a"))
    scan.save_lane("20261121T110000Z-0002", lane("b"))
    assert column(scan, "name") == ["a"]
    assert column(scan, "name", "20261121T110000Z-0002") == ["b"]
    assert scan.accounts("20261121T110000Z-0002") == []


def test_text_no_database_can_hold_costs_no_lane(scan: Store) -> None:
    hostile = replace(record("a"), tags={"team\0": "\ud800x"})
    result = lane("a", reason="null \0 and half \ud800 a pair")
    scan.save_lane(SCAN, LaneResult(result.coverage, (hostile,)))
    assert [row.reason for row in scan.coverage(SCAN)] == ["null \ufffd and half \ufffd a pair"]
    assert column(scan, "tags") == ['{"team\ufffd":"\ufffdx"}']


def test_scan_id_that_is_taken_is_refused_and_the_first_one_kept(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    with pytest.raises(FileProblem, match="holds a scan 20261121T100000Z-0001 already"):
        scan.begin_scan(header(minutes=1))
    assert scan.scans() == [header()]
    assert column(scan, "name") == ["a"]


def test_scan_that_was_never_begun_takes_nothing(store: Store) -> None:
    with pytest.raises(FileProblem, match="holds no scan nowhere"):
        store.plan_accounts("nowhere", [Account(ACCOUNT)])
    with pytest.raises(FileProblem, match="holds no scan nowhere"):
        store.plan_lanes("nowhere", ACCOUNT, ["eu-west-1"])
    with pytest.raises(FileProblem, match="holds no scan nowhere"):
        store.finish_scan("nowhere", ScanState.FINISHED, START)
    with pytest.raises(FileProblem, match="holds no scan nowhere"):
        store.totals("nowhere")
    with pytest.raises(FileProblem):
        store.save_lane("nowhere", lane("a"))
    assert store.coverage("nowhere") == []


def test_finding_is_what_has_to_move(scan: Store) -> None:
    uses = [
        record("a", "$LATEST"),
        record("a", "1", use=Use.KEPT),
        record("b", "7", use=Use.UNKNOWN),
        record("c", "1", use=Use.ROLLBACK),
        record("d", use=Use.IMAGE),
    ]
    scan.save_lane(SCAN, LaneResult(lane().coverage, tuple(uses)))
    totals = scan.totals(SCAN)
    assert (totals.findings, totals.functions) == (3, 2)
    assert totals.by_use == {
        Use.LATEST: 1,
        Use.KEPT: 1,
        Use.UNKNOWN: 1,
        Use.ROLLBACK: 1,
        Use.IMAGE: 1,
    }
