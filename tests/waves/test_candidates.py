from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.inspection import Verdict
from fleet.model import Owner, OwnerKind, Use
from fleet.store import Store
from fleet.waves.candidates import Sorted, sort_out
from fleet.waves.fingerprint import fingerprint_of_config
from tests.waves.scans import ACCOUNTS, PROD, Function, save

UNITS = {account.id: account.ou for account in ACCOUNTS}


def sorted_out(tmp_path: Path, *functions: Function, blocklist: tuple[str, ...] = ()) -> Sorted:
    with Store.open(str(tmp_path / "fleet.db")) as store:
        said = save(store, functions)
        return sort_out(store.function_rows(said.id), "aws", UNITS, blocklist=blocklist)


def why(found: Sorted) -> str:
    assert found.candidates == ()
    (staying,) = found.staying
    return f"{staying.verdict}: {staying.reason}"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_what_its_verdict_calls_ready_can_move(tmp_path: Path, verdict: Verdict) -> None:
    found = sorted_out(tmp_path, Function("orders", verdict))
    if verdict.is_ready:
        (one,) = found.candidates
        assert (one.ref.name, one.verdict, one.ou) == ("orders", verdict, "Workloads/Prod")
        assert found.staying == ()
    else:
        assert why(found) == f"{verdict}: why orders is so"


def test_a_package_nobody_has_read_stays_and_is_never_taken_for_ready(tmp_path: Path) -> None:
    assert why(sorted_out(tmp_path, Function("orders", None))).startswith("not inspected: its pack")


def test_a_container_image_stays_whatever_its_verdict(tmp_path: Path) -> None:
    found = sorted_out(tmp_path, Function("orders", Verdict.READY, image=True))
    assert "container image" in why(found)


def test_a_function_of_unknown_tags_stays_since_nobody_knows_whose_it_is(tmp_path: Path) -> None:
    assert "tags could not be read" in why(sorted_out(tmp_path, Function("orders", tags=None)))


def test_an_account_on_the_blocklist_stays(tmp_path: Path) -> None:
    assert "blocklist" in why(sorted_out(tmp_path, Function("orders"), blocklist=(PROD,)))


def test_versions_left_behind_on_go1x_are_told_once_with_their_numbers(tmp_path: Path) -> None:
    served = Function("orders", qualifier="3", use=Use.SERVED, latest_runtime="provided.al2023")
    kept = replace(served, qualifier="7", use=Use.KEPT)
    rollback = replace(served, qualifier="8", use=Use.ROLLBACK)
    said = why(sorted_out(tmp_path, served, kept, rollback))
    assert "its $LATEST is on provided.al2023 already; published on go1.x is 3, 7:" in said


def test_what_only_a_rollback_alias_holds_is_in_no_plan(tmp_path: Path) -> None:
    held = Function("orders", qualifier="3", use=Use.ROLLBACK, latest_runtime="provided.al2023")
    assert sorted_out(tmp_path, held) == Sorted((), ())


def test_what_stands_halfway_is_in_no_wave_and_told_how_to_finish(tmp_path: Path) -> None:
    halfway = Function("orders", use=Use.HALFWAY, runtime="provided.al2023")
    unread, untagged = (
        replace(halfway, name="unread", verdict=None),
        replace(halfway, name="untagged", tags=None),
    )
    found = sorted_out(tmp_path, halfway, unread, untagged)
    assert found.candidates == ()
    assert {each.verdict for each in found.staying} == {"halfway"}
    assert len(found.staying) == 3
    (said,) = {each.reason for each in found.staying}
    assert said.startswith("it is on a custom runtime with the bridge layer")
    assert "`fleet migrate ARN`" in said


def test_a_function_with_versions_is_one_member_by_its_latest(tmp_path: Path) -> None:
    latest = Function("orders", owner=Owner(OwnerKind.SAM, "shop"), invocations=7)
    versions = [
        replace(latest, qualifier=number, use=Use.SERVED, code=number) for number in ("1", "2")
    ]
    (one,) = sorted_out(tmp_path, latest, *versions).candidates
    assert one.fingerprint == fingerprint_of_config(latest.config)
    assert (one.is_managed, one.invocations) == (True, 7)
