"""`fleet policy waves` against what a plan's run is made with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cfnlint.api import lint

from fleet.cli.waving import permissions_of
from fleet.permissions import NOTIFY, Where
from fleet.waves.plan import Plan
from tests.cli.command import fleet


def plan_with(*options: str) -> Plan:
    wave: dict[str, object] = {"name": "all", "start": "2026-12-01T09:00:00Z", "functions": []}
    if "--artifact" in options:
        wave["arm64"] = {"artifact": "s3://builds/{function}.zip"}
    bucket = "fleet-{account}-{region}" if "--bucket" in options else None
    return Plan.model_validate(
        {
            "format": 1,
            "name": "go1x",
            "organization": "o-1",
            "scan": "s",
            "bucket": bucket,
            "waves": [wave],
        }
    )


def allowed(tmp_path: Path, *options: str) -> set[str]:
    ended = fleet("policy", "waves", *options, within=tmp_path)
    assert ended.status == 0, ended.err
    document = json.loads(ended.out)
    actions: set[str] = set()
    for statement in document["Statement"]:
        named = statement["Action"]
        actions.update([named] if isinstance(named, str) else named)
    return actions


@pytest.mark.parametrize("options", [(), ("--bucket", "--artifact")], ids=["plain", "all"])
def test_it_prints_what_a_run_of_such_a_plan_may_call(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    needed = {each.action for each in permissions_of(plan_with(*options), apply=True)}
    assert allowed(tmp_path, *options) == needed


def test_a_topic_needs_its_own(tmp_path: Path) -> None:
    told = {each.action for each in NOTIFY if each.where is Where.CALLER}
    assert allowed(tmp_path, "--notify") - allowed(tmp_path) == told == {"sns:Publish"}


def test_the_template_is_a_role_that_cfn_lint_has_nothing_to_say_of(tmp_path: Path) -> None:
    ended = fleet("policy", "waves", "--for", "template", within=tmp_path)
    template = yaml.safe_load(ended.out)
    assert template["Parameters"]["RoleName"]["Default"] == "fleet-waves"
    assert [str(each) for each in lint(ended.out)] == []
