"""A function that a move or a way back left halfway: found by the next scan, and then finished."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fleet.model import GO1X, LATEST
from moto_fixtures.server import Call, Moment
from tests.cli.command import Ended
from tests.cli.inside import NO_TRIAL, Desk, small_organization
from tests.moto_fixtures.small_organization import HOME, MEMBER, Organization

AL2023 = "provided.al2023"
DO_IT = (NO_TRIAL, "--apply", "--yes")
SCAN = ("scan", "--region", HOME, "--no-report", "--quiet")
ADVICE = "run the same `fleet migrate` or `fleet waves run` again, or `fleet rollback`"
BACK = ("UpdateFunctionConfiguration", "UpdateFunctionCode")
FORTH = {
    "the bridge is on": ("UpdateFunctionConfiguration",),
    "the code is there": ("UpdateFunctionConfiguration", "UpdateFunctionCode"),
}


@pytest.fixture
def organization() -> Iterator[Organization]:
    """One a test: a scan counts whatever is there."""
    with small_organization() as each:
        yield each


@dataclass
class Interrupter:
    """Whoever presses Ctrl-C once so many updates are made."""

    desk: Desk
    after: tuple[str, ...]

    def __enter__(self) -> None:
        self._left = list(self.after)
        self.desk.organization.emulator.on_call = self._hear

    def __exit__(self, *_: object) -> None:
        self.desk.organization.emulator.on_call = None
        assert not self._left

    def _hear(self, call: Call, moment: Moment) -> None:
        if self._left and moment is Moment.AFTER and call.operation == self._left[0]:
            self._left.pop(0)
            if not self._left:
                os.kill(os.getpid(), signal.SIGINT)


def alone(desk: Desk) -> Desk:
    """Somebody in the account itself, so that a scan asks nobody else."""
    return desk.again(desk.directory, **desk.organization.emulator.credentials_of(MEMBER))


def findings(ended: Ended) -> dict[str, dict[str, Any]]:
    """Version → row of what has to move of the one function there."""
    rows = csv.DictReader(io.StringIO(ended.out, newline=""))
    return {row["qualifier"]: row for row in rows if row["finding"] == "true"}


def runtime_and_layers(desk: Desk) -> tuple[str, int]:
    with desk.organization.emulator.seeding():
        found = desk.client.get_function_configuration(FunctionName="orders")
    return found["Runtime"], len(found.get("Layers", []))


@pytest.mark.parametrize("stage", FORTH)
def test_what_a_move_left_halfway_is_found_told_of_chosen_and_finished(
    desk: Desk, stage: str
) -> None:
    arn = desk.function("orders")
    with Interrupter(desk, FORTH[stage]):
        assert desk.fleet("migrate", arn, *DO_IT).status == 130
    assert runtime_and_layers(desk) == (AL2023, 1)
    scan = (*SCAN, "--inspect", "--format", "csv", "--fail-on-findings")
    ended, calls = alone(desk).recorded(*scan)
    assert ended.status == 3, ended.err
    # Its go1.x version is the way back, and no finding.
    [row] = findings(ended).values()
    assert (row["qualifier"], row["use"], row["runtime"]) == (LATEST, "halfway", AL2023)
    # The bridge goes, so it is no reason to leave package and layer as they are.
    assert row["verdict"] == ("ready" if stage == "the bridge is on" else "already custom")
    assert "layer" not in row["reasons"]
    assert not [call for call in calls if call.operation.startswith("GetLayer")]
    text = " ".join(alone(desk).fleet("report").out.split())
    assert "1 function is on go1.x or halfway off it, with 1 function version to move." in text
    assert ADVICE in text
    # No wave takes it, and it is not lost: its own command finishes it.
    assert "can move (1 halfway)" in " ".join(desk.fleet("plan", "--from-scan").err.split())
    ended = desk.fleet("migrate", "--from-scan", *DO_IT)
    assert ended.status == 0, ended.err
    assert runtime_and_layers(desk) == (AL2023, 0)
    ended = alone(desk).fleet(*scan)
    assert (ended.status, findings(ended)) == (0, {})


def test_what_a_way_back_left_halfway_is_found_even_where_versions_are_not_asked_for(
    desk: Desk,
) -> None:
    arn = desk.function("orders")
    assert desk.fleet("migrate", arn, *DO_IT).status == 0
    with Interrupter(desk, BACK):
        assert desk.fleet("rollback", arn, "--apply", "--yes").status == 130
    ended = alone(desk).fleet(*SCAN, "--latest-only", "--format", "json")
    report = json.loads(ended.out)
    assert report["totals"]["by_use"]["halfway"] == report["totals"]["functions"] == 1
    assert desk.fleet("rollback", arn, "--apply", "--yes").status == 0
    assert runtime_and_layers(desk) == (GO1X, 0)
    ended = alone(desk).fleet(*SCAN, "--latest-only", "--format", "csv")
    assert findings(ended)[LATEST]["use"] == "latest"
