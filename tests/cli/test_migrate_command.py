"""`fleet migrate` as it is typed: what it shows, asks, does, and ends with."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleet.deployment import SERVING_ALIAS
from fleet.model import ROLLBACK_ALIAS, CoverageStatus, FunctionRecord
from moto_fixtures.server import Call, Moment
from tests.cli.command import Ended, fleet
from tests.cli.inside import NO_TRIAL, Desk, add, arn_of, is_write
from tests.migration.victims import SHIMMED, package
from tests.moto_fixtures.small_organization import DELEGATE, HOME, MEMBER, Organization
from tests.store.examples import SCAN, header, lane

AL2023, GO1X = "provided.al2023", "go1.x"
DO_IT = (NO_TRIAL, "--apply", "--yes")
NOT_ASKED = "there is no terminal to confirm on; with --yes it is not asked"
STACK = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "Orders"}
_WRITES = {
    "publish": "PublishVersion",
    "update configuration": "UpdateFunctionConfiguration",
    "update code": "UpdateFunctionCode",
    "put tags": "TagResource",
    "remove tags": "UntagResource",
}


def writes(calls: list[Call]) -> list[str]:
    return [call.operation for call in calls if is_write(call)]


def planned(document: dict[str, Any]) -> list[str]:
    """The writes that the steps of the one function in a plan stand for."""
    (function,) = document["functions"]
    made = []
    for step in function["steps"]:
        if step["action"] == "put alias":
            made.append("UpdateAlias" if step["before"] else "CreateAlias")
        elif step["action"] != "prove":
            made.append(_WRITES[step["action"]])
    return made


def results(document: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["result"] for each in document["functions"]}


def owned(desk: Desk, name: str, **params: Any) -> str:  # noqa: ANN401  # of CreateFunction
    """A function with versions and with aliases of its owners: one of them may move; its ARN."""
    arn = desk.function(name, **params)
    with desk.organization.emulator.seeding():
        client = desk.client
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        weights = {"AdditionalVersionWeights": {"2": 0.25}}
        client.update_function_configuration(FunctionName=name, MemorySize=512)
        client.publish_version(FunctionName=name)
        client.create_alias(
            FunctionName=name, Name="mixed", FunctionVersion="1", RoutingConfig=weights
        )
        client.create_alias(FunctionName=name, Name="prod", FunctionVersion="2")
    return arn


@contextmanager
def once(desk: Desk, operation: str, act: Callable[[], object]) -> Iterator[None]:
    """Let something happen in AWS before the first call of this operation."""
    emulator = desk.organization.emulator
    seen: list[Call] = []

    def hook(call: Call, moment: Moment) -> None:
        if call.operation == operation and moment is Moment.BEFORE:
            emulator.on_call = None
            seen.append(call)
            act()

    emulator.on_call = hook
    yield
    assert seen, f"{operation} was never called"


# --- without --apply -----------------------------------------------------------------------------


def test_without_apply_nothing_is_written_and_no_session_could_write(desk: Desk) -> None:
    arn = owned(desk, "looked-at")
    sessions = desk.organization.emulator._world.sessions._sessions
    for command in (("migrate", arn, NO_TRIAL), ("rollback", arn)):
        sessions.clear()
        ended, calls = desk.recorded(*command)
        assert ended.status in {0, 3}, ended.err
        assert writes(calls) == []
        policies = [who.session_policy for _, who in sessions.values()]
        assert policies
        for policy in policies:
            assert policy is not None
            allowed = [name for each in policy.statements for name in each.patterns]
            # A key's use changes nothing.
            assert [
                each
                for each in allowed
                if not each.startswith(("lambda:Get", "lambda:List", "kms:"))
            ] == []
    assert desk.versions("looked-at") == ["1", "2"]


def test_the_plan_says_that_nothing_was_changed_and_how_to_do_it(desk: Desk) -> None:
    ended = desk.fleet("migrate", desk.function("shown"), NO_TRIAL)
    assert ended.status == 0
    assert "shown: ready by bridge, no gap" in ended.out
    assert "nothing was changed; --apply does it" in ended.err


@pytest.mark.parametrize("route", ["bridge", "dual", "direct"])
def test_apply_makes_the_very_writes_that_the_plan_shows(desk: Desk, route: str) -> None:
    code = {"ZipFile": package(*SHIMMED, release="1")}
    # The bridge layer is the account's: here it is there already.
    desk.fleet("migrate", desk.function(f"first-{route}"), *DO_IT)
    arn = owned(desk, f"shown-{route}", Code=code)
    status, plan = desk.told("migrate", arn, NO_TRIAL, "--route", route)
    ended, calls = desk.recorded("migrate", arn, *DO_IT, "--route", route)
    assert (status, ended.status) == (0, 0), ended.err
    assert plan["functions"][0]["gap"] is (route == "direct")
    assert planned(plan) == writes(calls)
    assert "UpdateAlias" in planned(plan)
    assert desk.runtime(f"shown-{route}") == AL2023
    status, back = desk.told("rollback", arn)
    ended, calls = desk.recorded("rollback", arn, "--apply", "--yes")
    assert (status, ended.status) == (0, 0), ended.err
    assert planned(back) == writes(calls)
    assert desk.runtime(f"shown-{route}") == GO1X


def test_the_first_of_an_account_and_region_publishes_the_bridge_that_the_plan_calls_new(
    organization: Organization, desk: Desk
) -> None:
    add(organization, "alone", account=DELEGATE)
    arn = arn_of("alone", DELEGATE)
    ended = desk.fleet("migrate", arn, NO_TRIAL)
    assert "layers + fleet-go1x-bridge:(new)" in ended.out
    _, calls = desk.recorded("migrate", arn, *DO_IT)
    assert writes(calls).count("PublishLayerVersion") == 1


def test_a_plan_an_outcome_and_a_history_are_as_the_schema_says(desk: Desk) -> None:
    arn = owned(desk, "documented")
    assert desk.told("migrate", arn, NO_TRIAL)[1]["kind"] == "plan"
    status, outcome = desk.told("migrate", arn, *DO_IT)
    assert (status, outcome["kind"], results(outcome)) == (
        0,
        "outcomes",
        {"documented": "migrated"},
    )
    (function,) = outcome["functions"]
    assert function["done"][0] == "publish $LATEST as a version: version 2"
    assert "alias mixed stays on version 1, with its weights" in function["notes"]
    assert "alias live stays on version 1" in function["notes"]
    _, history = desk.told("history", arn)
    assert [each["state"] for each in history["steps"]] == ["done"] * len(history["steps"])


# --- one confirmation ----------------------------------------------------------------------------


def typed(desk: Desk, answer: bytes, *arguments: str) -> tuple[int, str, str]:
    """Run a command at a terminal and answer what it asks; status, stdout, stderr."""
    master, slave = pty.openpty()
    own = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_")}
    with open(master, "wb", buffering=0) as keyboard:  # noqa: PTH123  # a descriptor
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "fleet", *arguments],
            cwd=desk.directory,
            env={**own, **desk.environment},
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(slave)
        keyboard.write(answer)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("answer", ["yes\n", "migrate 1\n", "rollback 2\n", "\n"])
def test_what_is_not_typed_as_asked_changes_nothing(desk: Desk, answer: str) -> None:
    arns = [desk.function(f"{name}-{answer.encode().hex()}") for name in ("asked", "too")]
    desk.organization.emulator.calls.clear()
    ended = desk.fleet("migrate", *arns, NO_TRIAL, "--apply", typing=lambda: answer)
    assert (ended.status, ended.out) == (1, "")
    assert "Type `migrate 2` to go on: " in ended.err
    assert ended.err.endswith("fleet: not confirmed, so nothing was changed\n")
    assert writes(desk.organization.emulator.calls) == []


def test_ctrl_c_at_the_question_is_interrupted_and_changes_nothing(desk: Desk) -> None:
    def ctrl_c() -> str:
        signal.raise_signal(signal.SIGINT)
        return "migrate 1\n"

    arn = desk.function("hesitating")
    desk.organization.emulator.calls.clear()
    ended = desk.fleet("migrate", arn, NO_TRIAL, "--apply", typing=ctrl_c)
    assert (ended.status, ended.out) == (130, "")
    assert writes(desk.organization.emulator.calls) == []


def test_ctrl_d_at_a_terminal_is_no_confirmation(desk: Desk) -> None:
    arn = desk.function("left")
    status, out, err = typed(desk, b"\x04", "migrate", arn, NO_TRIAL, "--apply")
    assert (status, out) == (1, "")
    assert err.endswith("to go on: \nfleet: not confirmed, so nothing was changed\n")
    assert desk.runtime("left") == GO1X


def test_one_word_confirms_all_functions_once_their_steps_were_shown(desk: Desk) -> None:
    arns = [desk.function(name) for name in ("both", "confirmed")]
    status, out, err = typed(desk, b"migrate 2\n", "migrate", *arns, NO_TRIAL, "--apply")
    assert status == 0, err
    assert err.count("to go on: ") == 1
    assert "functions that will be changed: 2, accounts: 1; 2 have no known owner" in err
    assert err.index("Handler main -> bootstrap") < err.index("to go on: ")
    assert out.splitlines()[-1] == "2 functions: 2 migrated."


def test_without_a_terminal_it_is_not_asked_and_nothing_is_changed(desk: Desk) -> None:
    arn = desk.function("unasked")
    for command in ("migrate", arn, NO_TRIAL), ("rollback", arn):
        if command[0] == "rollback":
            assert desk.fleet("migrate", arn, *DO_IT).status == 0
        ended, calls = desk.recorded(*command, "--apply")
        assert ended.status == 2
        assert NOT_ASKED in ended.err
        assert writes(calls) == []


# --- how it ends ---------------------------------------------------------------------------------


def test_what_is_done_already_is_said_and_is_no_error(desk: Desk) -> None:
    arn = desk.function("done")
    assert desk.fleet("migrate", arn, *DO_IT).status == 0
    ended, calls = desk.recorded("migrate", arn, *DO_IT)
    assert ended.status == 0
    assert "done: already there" in ended.out
    assert writes(calls) == []


def test_a_blocked_function_ends_with_status_3_and_costs_the_others_nothing(desk: Desk) -> None:
    arns = [desk.function("free"), desk.function("in-a-stack", Tags=STACK)]
    status, outcome = desk.told("migrate", *arns, *DO_IT)
    assert status == 3
    assert results(outcome) == {"free": "migrated", "in-a-stack": "blocked"}
    assert "shop" in outcome["functions"][1]["reason"]
    assert desk.runtime("in-a-stack") == GO1X
    assert desk.fleet("migrate", arns[1], *DO_IT, "--allow-managed").status == 0


def test_somebody_elses_deploy_in_the_middle_ends_stale_and_stays(desk: Desk) -> None:
    arn = desk.function("shared")

    def deploy() -> None:
        with desk.organization.emulator.seeding():
            desk.client.update_function_configuration(FunctionName="shared", MemorySize=1024)

    with once(desk, "UpdateFunctionCode", deploy):
        status, outcome = desk.told("migrate", arn, *DO_IT)
    assert (status, results(outcome)) == (3, {"shared": "stale"})
    with desk.organization.emulator.seeding():
        now = desk.client.get_function(FunctionName="shared")["Configuration"]
    assert now["MemorySize"] == 1024


def test_what_fails_the_event_is_rolled_back_by_itself_with_status_1(desk: Desk) -> None:
    # As far as a verdict looks it is a handler; nothing can start it.
    arn = owned(desk, "broken")
    (desk.directory / "event.json").write_text("{}", encoding="utf-8")
    status, outcome = desk.told("migrate", arn, *DO_IT, "--event", "event.json")
    assert (status, results(outcome)) == (1, {"broken": "rolled back"}), outcome
    assert desk.runtime("broken") == GO1X


def test_an_update_that_aws_can_not_finish_is_a_failure_that_can_be_gone_on_from(
    desk: Desk,
) -> None:
    arn = desk.function("stuck")
    emulator = desk.organization.emulator
    emulator.fail_updates(MEMBER, HOME, "stuck", "no room")
    ended = desk.fleet("migrate", arn, *DO_IT)
    emulator.fail_updates(MEMBER, HOME, "stuck", None)
    assert ended.status == 1
    assert "stuck: failed" in ended.out
    assert "AWS could not finish an update: no room" in ended.out
    assert desk.runtime("stuck") == GO1X
    assert desk.fleet("migrate", arn, *DO_IT).status == 0
    assert desk.versions("stuck") == ["1", "2"]


def test_after_so_many_failures_no_further_one_is_begun(desk: Desk) -> None:
    arns = [desk.function(f"falling-{number}") for number in range(3)]
    for number in range(3):
        desk.organization.emulator.fail_updates(MEMBER, HOME, f"falling-{number}", "no room")
    status, outcome = desk.told(
        "migrate", *arns, *DO_IT, "--parallelism", "1", "--max-failures", "1"
    )
    assert status == 1
    assert sorted(results(outcome).values()) == ["failed", "interrupted", "interrupted"]
    reasons = {each["reason"] for each in outcome["functions"] if each["result"] == "interrupted"}
    assert reasons == {"not begun: so many have failed"}


def test_ctrl_c_leaves_each_where_it_works_and_the_same_command_finishes(desk: Desk) -> None:
    names = [f"interrupted-{number}" for number in range(3)]
    arns = [desk.function(name) for name in names]
    command = ("migrate", *arns, *DO_IT, "--parallelism", "1")
    interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)  # noqa: E731  # said once
    with once(desk, "UpdateFunctionCode", interrupt):
        status, outcome = desk.told(*command)
    assert (status, set(results(outcome).values())) == (130, {"interrupted"})
    reasons = [each["reason"] for each in outcome["functions"]]
    assert reasons == ["the same command goes on from here", "not begun", "not begun"]
    assert [desk.runtime(name) for name in names] == [AL2023, GO1X, GO1X]
    status, outcome = desk.told(*command)
    assert (status, set(results(outcome).values())) == (0, {"migrated"})
    assert [desk.versions(name) for name in names] == [["1", "2"]] * 3


OVERTAKEN = ("PublishVersion", "UpdateFunctionCode")


@pytest.mark.parametrize("operation", [None, *OVERTAKEN], ids=["at the question", *OVERTAKEN])
def test_two_commands_on_one_function_both_end_well_and_mint_nothing_twice(
    desk: Desk, tmp_path: Path, operation: str | None
) -> None:
    name = f"contended-{operation}"
    arn = desk.function(name)
    other = desk.again(tmp_path / "other")
    other.directory.mkdir()
    ends: list[Ended] = []

    def meanwhile() -> str:
        # Whoever waits for this is overtaken, from the start to the end.
        ends.append(
            fleet("migrate", arn, *DO_IT, within=other.directory, environ=other.environment)
        )
        return "migrate 1\n"

    if operation is None:
        ends.append(desk.fleet("migrate", arn, NO_TRIAL, "--apply", typing=meanwhile))
    else:
        with once(desk, operation, meanwhile):
            ends.append(desk.fleet("migrate", arn, *DO_IT))
    assert [each.status for each in ends] == [0, 0], ends
    assert desk.versions(name) == ["1", "2"]
    with desk.organization.emulator.seeding():
        aliases = desk.client.list_aliases(FunctionName=name)["Aliases"]
    assert {each["Name"]: each["FunctionVersion"] for each in aliases} == {
        ROLLBACK_ALIAS: "1",
        SERVING_ALIAS: "2",
    }


# --- out of a scan -------------------------------------------------------------------------------


def scanned(desk: Desk, *names: str, status: CoverageStatus = CoverageStatus.OK) -> None:
    """Save a scan that has found these functions, and another account, seen or not."""
    with desk.store() as store:
        store.begin_scan(header())
        found = lane(*names, account=MEMBER, region=HOME)
        tagged = [_tagged(record) for record in found.records]
        store.save_lane(SCAN, replace(found, records=tuple(tagged)))
        store.save_lane(SCAN, lane(account=DELEGATE, region=HOME, status=status))


def _tagged(record: FunctionRecord) -> FunctionRecord:
    return replace(record, tags={"team": record.config.ref.name})


def test_a_scan_says_which_functions_and_filters_choose_among_them(desk: Desk) -> None:
    names = ("scan-orders", "scan-refund", "scan-stock")
    for name in names:
        desk.function(name)
    scanned(desk, *names)
    chosen = {
        ("--account", MEMBER, "--exclude-region", "eu-*"): set(names),
        ("--function", "*-orders,*-stock", "--region", "us-*"): {"scan-orders", "scan-stock"},
        ("--tag", "team=scan-refund"): {"scan-refund"},
    }
    for filters, wanted in chosen.items():
        _, plan = desk.told("migrate", "--from-scan", *filters, NO_TRIAL)
        assert set(results(plan)) == wanted, filters
    nothing = (
        ("--account", DELEGATE),
        ("--exclude-account", MEMBER),
        ("--region", "eu-*"),
        ("--exclude-region", "us-*"),
        ("--tag", "team=none"),
        ("--function", "none*"),
    )
    for filters in nothing:
        ended, calls = desk.recorded("migrate", "--from-scan", *filters, *DO_IT)
        assert ended.status == 2, filters
        assert "holds no function on go1.x like these" in ended.err
        assert calls == []


@pytest.mark.parametrize("option", ["--account", "--region", "--function", "--tag"])
def test_an_empty_value_selects_nothing_and_never_everything(desk: Desk, option: str) -> None:
    scanned(desk, "orders")
    ended, calls = desk.recorded("migrate", "--from-scan", option, "", *DO_IT)
    assert ended.status == 2
    assert f"{option} ''" in ended.err
    assert calls == []


def test_a_scan_that_has_not_seen_everything_says_so(desk: Desk) -> None:
    desk.function("seen")
    scanned(desk, "seen", status=CoverageStatus.DENIED)
    ended = desk.fleet("migrate", f"--from-scan={SCAN}", NO_TRIAL)
    assert ended.status == 0
    assert f"scan {SCAN} has not seen everything" in ended.err


@pytest.mark.parametrize("key", ["blocklist", "exclude_accounts"])
def test_an_account_that_is_not_to_be_written_to_is_not(desk: Desk, key: str) -> None:
    arn = desk.function(f"kept-{key.replace('_', '-')}")
    (desk.directory / "fleet.yaml").write_text(f'{key}: ["{MEMBER}"]\n', encoding="utf-8")
    for command in (("migrate", arn, *DO_IT), ("rollback", arn, "--apply", "--yes")):
        ended, calls = desk.recorded(*command)
        assert ended.status == 3
        assert "blocklist" in ended.out
        assert writes(calls) == []
