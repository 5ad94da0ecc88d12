"""`fleet rollback` as it is typed."""

from __future__ import annotations

from moto_fixtures.server import Call
from tests.cli.inside import NO_TRIAL, Desk, is_write
from tests.cli.test_migrate_command import owned, results
from tests.migration.victims import timeless

DO_IT = ("--apply", "--yes")
AL2023, GO1X = "provided.al2023", "go1.x"


def looked_at(desk: Desk, name: str) -> object:
    """All that its owners see of a function, without what is of the moment."""
    with desk.organization.emulator.seeding():
        found = desk.client.get_function(FunctionName=name)
        aliases = desk.client.list_aliases(FunctionName=name)["Aliases"]
    own = [each for each in aliases if each["Name"] not in {"go1x-rollback", "provided"}]
    return timeless({"function": found, "aliases": own})


def migrated(desk: Desk, name: str) -> str:
    """The ARN of a function with aliases that has moved."""
    arn = owned(desk, name)
    assert desk.fleet("migrate", arn, NO_TRIAL, *DO_IT).status == 0
    return arn


def writes(calls: list[Call]) -> list[Call]:
    return [call for call in calls if is_write(call)]


def test_what_was_moved_is_what_it_was_and_that_is_success(desk: Desk) -> None:
    arn = owned(desk, "back")
    before = looked_at(desk, "back")
    assert desk.fleet("migrate", arn, NO_TRIAL, *DO_IT).status == 0
    assert looked_at(desk, "back") != before
    status, outcome = desk.told("rollback", arn, *DO_IT)
    assert (status, results(outcome)) == (0, {"back": "rolled back"})
    assert looked_at(desk, "back") == before
    status, outcome = desk.told("rollback", arn, *DO_IT)
    assert (status, results(outcome)) == (0, {"back": "already there"})
    assert desk.told("migrate", arn, NO_TRIAL, *DO_IT)[0] == 0
    assert desk.versions("back") == ["1", "2", "3"]


def test_what_was_never_moved_is_blocked_with_status_3(desk: Desk) -> None:
    arn = desk.function("unmoved")
    ended, calls = desk.recorded("rollback", arn, *DO_IT)
    assert ended.status == 3
    assert "there is no alias go1x-rollback" in ended.out
    assert writes(calls) == []


def test_once_aws_refuses_go1x_the_aliases_are_back_and_the_rest_is_said(desk: Desk) -> None:
    arn = migrated(desk, "late")
    desk.organization.emulator.block_runtimes(creating=[GO1X], updating=[GO1X], publishing=[GO1X])
    status, outcome = desk.told("rollback", arn, *DO_IT)
    assert (status, results(outcome)) == (1, {"late": "partly back"})
    assert "$LATEST can never go back" in outcome["functions"][0]["reason"]
    with desk.organization.emulator.seeding():
        live = desk.client.get_function(FunctionName="late", Qualifier="prod")["Configuration"]
    assert live["Runtime"] == GO1X
    assert desk.runtime("late") == AL2023


def test_without_the_state_that_moved_it_the_plan_names_what_nobody_knows(
    desk: Desk,
) -> None:
    arn = migrated(desk, "forgotten")
    desk.state.rename(desk.directory / "mislaid.db")
    status, plan = desk.told("rollback", arn)
    assert status == 0
    notes = [each["text"] for each in plan["functions"][0]["notes"]]
    assert any("alias prod stays on version" in each and "--state" in each for each in notes), notes
    status, plan = desk.told("rollback", arn, "--state", "mislaid.db")
    moved = [each["before"] for each in plan["functions"][0]["steps"] if each["before"]]
    assert "prod" in [each.get("alias") for each in moved]


def test_x86_64_is_no_way_back_from_x86_64(desk: Desk) -> None:
    arn = migrated(desk, "one-pass")
    ended, calls = desk.recorded("rollback", arn, "--to", "x86_64", *DO_IT)
    assert ended.status == 3
    assert "there is no alias" in ended.out
    assert writes(calls) == []


def test_a_scan_chooses_nothing_to_bring_back(desk: Desk) -> None:
    ended, calls = desk.recorded("rollback", *DO_IT)
    assert ended.status == 2
    assert "ARN" in ended.err
    assert desk.fleet("rollback", "--from-scan", *DO_IT).status == 2
    assert calls == []
