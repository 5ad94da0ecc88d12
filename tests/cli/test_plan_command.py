"""`fleet plan` as it is typed: made of saved scans, shown, and checked against the emulator."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from fleet.inspection import Verdict
from fleet.model import ScanOptions
from fleet.waves.planfile import PlanFile
from tests.cli.inside import SECRET, Desk
from tests.migration.victims import RENAMED, package
from tests.moto_fixtures.small_organization import MANAGEMENT, MEMBER
from tests.waves.scans import DEV, HERE, PROD, THERE, Function, inspected, save

FLEET = tuple(
    Function(
        f"fn-{number:02}",
        Verdict.REBUILD if number == 7 else Verdict.READY,
        account=(PROD, DEV)[number % 2],
        region=(HERE, THERE)[number // 2 % 2],
        tags={"team": "pay" if number < 5 else "find"},
    )
    for number in range(20)
)
START = ("--start", "2027-01-11 09:00", "--zone", "Europe/Berlin")


def saved(desk: Desk, functions: tuple[Function, ...] = FLEET, **how: Any) -> None:  # noqa: ANN401 - of save
    with desk.store() as store:
        save(store, functions, **how)


def planned(desk: Desk, *arguments: str) -> PlanFile:
    ended = desk.fleet("plan", "--from-scan", *arguments, "-o", "waves.yaml")
    assert (ended.status, ended.out) == (0, ""), ended.err
    return PlanFile.read(desk.directory / "waves.yaml")


# --- making --------------------------------------------------------------------------------------


def test_a_plan_holds_every_function_once_and_says_why_some_stay(desk: Desk) -> None:
    saved(desk)
    plan = planned(desk, "latest", *START).plan
    assert [(wave.name, len(wave.functions)) for wave in plan.waves] == [
        ("canary", 4),
        ("tenth", 2),
        ("most", 8),
        ("rest", 5),
    ]
    (staying,) = plan.staying
    assert (staying.verdict, staying.reason) == ("rebuild", "why fn-07 is so")
    assert plan.organization == "o-1"


def test_without_an_output_the_same_plan_goes_to_stdout(desk: Desk) -> None:
    saved(desk)
    text = planned(desk, *START).text
    for way in (("--from-scan",), ("--from-scan", "latest"), ("--from-scan=latest",)):
        assert desk.fleet("plan", *way, *START).out == text


def test_a_plan_that_is_there_is_not_written_over_unasked(desk: Desk) -> None:
    saved(desk)
    planned(desk, *START)
    path = desk.directory / "waves.yaml"
    path.write_text("edited\n", encoding="utf-8")
    ended = desk.fleet("plan", "--from-scan", "-o", "waves.yaml", *START)
    assert (ended.status, path.read_text(encoding="utf-8")) == (2, "edited\n")
    assert "--force" in ended.err
    assert desk.fleet("plan", "--from-scan", "-o", "waves.yaml", "--force", *START).status == 0
    assert [each.name for each in desk.directory.glob("*waves*")] == ["waves.yaml"]


def test_a_scan_that_read_no_packages_is_refused_with_what_to_run(desk: Desk) -> None:
    saved(desk, said=inspected(options=ScanOptions()))
    ended = desk.fleet("plan", "--from-scan", "-o", "waves.yaml")
    assert ended.status == 2
    assert "without --inspect" in ended.err
    assert "fleet scan --inspect" in ended.err
    assert not (desk.directory / "waves.yaml").exists()


def test_what_the_scan_has_not_seen_is_told_and_stands_in_the_file(desk: Desk) -> None:
    saved(desk, missed=True)
    ended = desk.fleet("plan", "--from-scan", *START)
    assert ended.status == 0
    assert "has not seen everything: functions it missed are in no wave" in ended.err
    assert "# The scan has not seen everything: functions it missed are in no wave.\n" in ended.out


def test_where_nobody_can_move_there_is_no_plan(desk: Desk) -> None:
    saved(desk, (Function("a", Verdict.REBUILD), Function("b", Verdict.UNKNOWN)))
    ended = desk.fleet("plan", "--from-scan", "-o", "waves.yaml")
    assert ended.status == 2
    assert "holds no function that can move (1 rebuild, 1 unknown)" in ended.err


def test_a_start_in_the_past_is_told(desk: Desk) -> None:
    old = inspected()
    saved(desk, said=replace(old, started=old.started.replace(year=2020)))
    ended = desk.fleet("plan", "--from-scan")
    assert ended.status == 0
    assert "wave canary starts in the past" in ended.err
    assert "past" not in desk.fleet("plan", "--from-scan", "--start", "2098-01-06 09:00").err


def test_rules_group_and_their_mistakes_are_named(desk: Desk) -> None:
    saved(desk)
    rules = desk.directory / "rules.yaml"
    rules.write_text(
        "waves:\n- {name: pay, choose: {tag: team=pay}}\n- {name: x, choose: {ou: Nowhere}}\n",
        encoding="utf-8",
    )
    ended = desk.fleet("plan", "--from-scan", "--rules", "rules.yaml", "-o", "waves.yaml", *START)
    assert ended.status == 0
    assert "wave x: ou Nowhere matches no function that can move" in ended.err
    assert "wave x takes no function, and is left out" in ended.err
    plan = PlanFile.read(desk.directory / "waves.yaml").plan
    assert [len(wave.functions) for wave in plan.waves] == [5]
    assert sum("no wave's rules take it" in each.reason for each in plan.staying) == 14
    rules.write_text("waves:\n- {name: a, choose: {traffic: low}}\n", encoding="utf-8")
    ended = desk.fleet("plan", "--from-scan", "--rules", "rules.yaml")
    assert ended.status == 2
    assert "rules.yaml, line 2, waves.0.choose.traffic: the scan has not counted" in ended.err


def test_an_account_that_is_never_written_to_is_in_no_wave(desk: Desk) -> None:
    saved(desk)
    (desk.directory / "fleet.yaml").write_text(f"blocklist: ['{DEV}']\n", encoding="utf-8")
    plan = planned(desk, *START).plan
    assert {member.ref.account for _, member in plan.members()} == {PROD}
    assert sum("blocklist" in each.reason for each in plan.staying) == 9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which saved scan"),
        (("--from-scan", "nothing"), "is no scan in"),
        (("--from-scan", "--start", "soon"), "--start 'soon': must be a time such as"),
        (("--from-scan", "--start", "2027-01-11 09:00"), ""),
        (("--from-scan", "--zone", "Berlin"), "--zone 'Berlin': must be a time zone"),
        (("--from-scan", "--name", "a b"), "--name 'a b'"),
        (("--from-scan", "--rules", "no.yaml"), "no.yaml: No such file"),
        (("--from-scan", "-o", "no/waves.yaml"), "no/waves.yaml: No such file"),
        (("--from-scan=latest", "show", "x.yaml"), "makes a plan, and show reads one"),
        (("show", "no.yaml"), "no.yaml: No such file"),
    ],
)
def test_what_cannot_be_done_is_said(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    saved(desk)
    ended = desk.fleet("plan", *arguments)
    assert said in ended.err
    assert (ended.status == 0) is (said == "")


# --- showing -------------------------------------------------------------------------------------


def test_show_is_the_calendar_with_totals_and_what_stays(desk: Desk) -> None:
    saved(desk)
    planned(desk, *START)
    ended = desk.fleet("plan", "show", "waves.yaml")
    assert ended.status == 0
    for said in (
        "Mon 2027-01-11 09:00 +0100",
        "19 functions in 4 waves, 1 staying.",
        "AWS blocks updates of go1.x on 2099-01-01",
        "why fn-07 is so",
    ):
        assert said in ended.out
    shown = json.loads(desk.fleet("plan", "show", "waves.yaml", "--format", "json").out)
    assert (shown["kind"], shown["moving"], shown["warnings"]) == ("plan calendar", 19, [])
    assert [wave["functions"] for wave in shown["waves"]] == [4, 2, 8, 5]
    assert shown["waves"][0]["account_regions"] == 4
    assert {(wave["window"], wave["zone"]) for wave in shown["waves"]} == {
        ("mon, tue, wed, thu 09:00-16:00", "Europe/Berlin")
    }
    assert shown["staying"] == [{"verdict": "rebuild", "reason": "why fn-07 is so", "functions": 1}]


def test_show_warns_of_an_end_after_updates_are_blocked(desk: Desk) -> None:
    saved(desk)
    planned(desk, *START)
    dates = desk.directory / "block.toml"
    dates.write_text('[runtimes."go1.x"]\nupdate_blocked = 2027-01-12\n', encoding="utf-8")
    ended = desk.fleet("plan", "show", "waves.yaml", "--lifecycle", "block.toml")
    assert "wave tenth ends after AWS blocks updates of go1.x on 2027-01-12" in ended.out
    assert "wave canary ends after" not in ended.out


@pytest.mark.parametrize("kind", ["plan", "rules"])
def test_the_schema_is_printed(desk: Desk, kind: str) -> None:
    printed = json.loads(desk.fleet("plan", "schema", "--of", kind).out)
    assert "waves" in printed["required"]


# --- checking ------------------------------------------------------------------------------------


@pytest.fixture
def plan(desk: Desk) -> PlanFile:
    """A plan of two functions that are really there."""
    for name in ("checked-a", "checked-b"):
        if name not in _names(desk):
            desk.function(name)
    with desk.organization.emulator.seeding():
        code = package(*RENAMED, release="2")
        for name in ("checked-a", "checked-b"):
            desk.client.update_function_code(FunctionName=name, ZipFile=code)
    ended = desk.fleet("scan", "--account", MEMBER, "--region", "us-east-1", "--inspect=whole",
                       "--no-report", "--quiet")  # fmt: skip
    assert ended.status == 0, ended.err
    rules = desk.directory / "rules.yaml"
    rules.write_text("waves:\n- {name: all, choose: {function: checked-*}}\n", encoding="utf-8")
    return planned(desk, "--rules", "rules.yaml", *START)


def _names(desk: Desk) -> list[str]:
    with desk.organization.emulator.seeding():
        return [each["FunctionName"] for each in desk.client.list_functions()["Functions"]]


def standings(desk: Desk) -> tuple[int, dict[str, str]]:
    ended = desk.fleet("plan", "check", "waves.yaml", "--quiet", "--format", "json")
    found = json.loads(ended.out)["functions"]
    return ended.status, {each["function"].split(":")[-1]: each["standing"] for each in found}


@pytest.mark.usefixtures("plan")
def test_a_plan_that_still_holds_is_confirmed_by_reads_alone(desk: Desk) -> None:
    ended, calls = desk.recorded("plan", "check", "waves.yaml", "--quiet")
    assert (ended.status, ended.out.strip()) == (0, "2 functions: 2 as planned.")
    made = Counter(call.operation for call in calls)
    assert made.keys() == {"GetCallerIdentity", "DescribeOrganization", "AssumeRole", "GetFunction"}
    assert made["GetFunction"] == 2
    assert SECRET not in ended.out + ended.err


@pytest.mark.usefixtures("plan")
def test_offline_only_the_file_is_checked(desk: Desk) -> None:
    ended, calls = desk.recorded("plan", "check", "waves.yaml", "--offline")
    assert (ended.status, calls) == (0, [])
    assert "AWS was not asked" in ended.err


@pytest.mark.usefixtures("plan")
def test_members_that_changed_or_are_gone_are_named(desk: Desk) -> None:
    with desk.organization.emulator.seeding():
        other = package(*RENAMED, release="3")
        desk.client.update_function_code(FunctionName="checked-a", ZipFile=other)
        desk.client.delete_function(FunctionName="checked-b")
    assert standings(desk) == (3, {"checked-a": "stale", "checked-b": "gone"})
    table = desk.fleet("plan", "check", "waves.yaml", "--quiet").out
    assert "function:checked-a" in table
    assert "scan with --inspect and plan again" in table


@pytest.mark.usefixtures("plan")
def test_an_environment_that_changed_makes_no_member_stale(desk: Desk) -> None:
    with desk.organization.emulator.seeding():
        desk.client.update_function_configuration(
            FunctionName="checked-a", Environment={"Variables": {"OTHER": "1"}}
        )
    assert standings(desk)[0] == 0


@pytest.mark.usefixtures("plan")
def test_a_member_that_cannot_be_read_is_not_fine(desk: Desk) -> None:
    ended = desk.fleet("plan", "check", "waves.yaml", "--quiet", "--role-name", "Nobody",
                       "--format", "json")  # fmt: skip
    found = json.loads(ended.out)["functions"]
    assert (ended.status, {each["standing"] for each in found}) == (4, {"not readable"})
    assert all("Nobody cannot be assumed" in each["reason"] for each in found)


def test_a_plan_for_another_organization_is_refused(desk: Desk, plan: PlanFile) -> None:
    path = desk.directory / "waves.yaml"
    assert f'organization: "{MANAGEMENT}"' in plan.text
    path.write_text(plan.text.replace(f'"{MANAGEMENT}"', '"o-elsewhere"'), encoding="utf-8")
    ended, calls = desk.recorded("plan", "check", "waves.yaml")
    assert ended.status == 2
    assert "organization: the plan is for o-elsewhere, and these credentials belong" in ended.err
    assert "GetFunction" not in [call.operation for call in calls]


def test_a_plan_of_another_partition_is_refused(desk: Desk, plan: PlanFile) -> None:
    path = desk.directory / "waves.yaml"
    path.write_text(plan.text.replace("arn:aws:", "arn:aws-cn:"), encoding="utf-8")
    ended = desk.fleet("plan", "check", "waves.yaml")
    assert ended.status == 2
    assert "partition aws-cn, these credentials in aws" in ended.err
