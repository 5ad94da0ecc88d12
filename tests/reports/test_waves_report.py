from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.model import FunctionRef, ScanState
from fleet.results import Result
from fleet.store import Store
from fleet.wave import MemberState, Phase, SavedPlan
from tests.cli.command import fleet
from tests.store.examples import ACCOUNT, SCAN, START, header, lane

END = datetime(2026, 12, 1, 10, tzinfo=UTC)
PLAN = f"""\
format: 1
name: move
organization: o-1
scan: "{SCAN}"
waves:
  - name: canary
    start: 2026-12-01T09:00:00+00:00
    functions:
      - function: arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders
        fingerprint: "0123456789abcdef"
        verdict: ready
      - function: arn:aws:lambda:eu-west-1:{ACCOUNT}:function:invoices
        fingerprint: "0123456789abcdef"
        verdict: ready
staying:
  - function: arn:aws:lambda:eu-west-1:{ACCOUNT}:function:old
    verdict: rebuild
    reason: its library is too old
"""


def ended(name: str, result: Result, reason: str = "") -> MemberState:
    return MemberState(
        wave="canary",
        ref=FunctionRef("aws", ACCOUNT, "eu-west-1", name),
        phase=Phase.ENDED,
        result=result,
        reason=reason,
        began=END - timedelta(minutes=5),
        since=END,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a saved scan and a plan that was run, and one of somebody else."""
    with Store.open(f"sqlite:///{tmp_path / 'fleet.db'}") as store:
        store.begin_scan(header())
        store.plan_lanes(SCAN, ACCOUNT, ["eu-west-1"])
        store.save_lane(SCAN, lane("orders", "invoices", "old"))
        store.finish_scan(SCAN, ScanState.FINISHED, START)
        for name, organization in (("move", "o-1"), ("other", "o-2")):
            text = PLAN.replace("o-1", organization).replace("move", name)
            digest = hashlib.sha256(text.encode()).hexdigest()
            store.save_plan(
                SavedPlan(
                    name=name,
                    organization=organization,
                    digest=digest,
                    text=text,
                    fleet="0",
                    saved=START,
                )
            )
        store.put_members(
            "move",
            [ended("orders", Result.MIGRATED), ended("invoices", Result.ROLLED_BACK, "errors")],
        )
    return tmp_path


def test_the_report_shows_the_plans_of_its_organization_and_no_others(place: Path) -> None:
    run = fleet("report", within=place)
    assert run.status == 0, run.err
    assert "Plan move" in run.out
    assert "other" not in run.out
    reports = place / "fleet-report"
    page = (reports / "fleet-report.html").read_text("utf-8")
    assert "Waves of <bdi>move</bdi>" in page
    assert "its library is too old" in page
    (plan,) = json.loads((reports / "fleet-report.json").read_text("utf-8"))["waves"]
    assert plan["plan"] == "move"
    assert plan["waves"][0]["state"] == "done with failures"
    with (reports / "fleet-report.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert {name: row["wave_result"] for name, row in rows.items()} == {
        "orders": "migrated",
        "invoices": "rolled back",
        "old": "staying",
    }
    assert rows["invoices"]["wave_reason"] == "errors"
