"""What goes wrong around a migration: what was typed, what AWS refuses, who reads the output."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from moto.awslambda.utils import get_backend

from fleet.deployment import MIGRATED_FROM
from tests.cli.command import start
from tests.cli.inside import NO_TRIAL, SECRET, Desk, add, arn_of, is_write
from tests.cli.test_bad_input import with_streams
from tests.moto_fixtures.small_organization import HOME, MEMBER, OUTSIDER, RULES

DO_IT = (NO_TRIAL, "--apply", "--yes")
ARN = arn_of("orders")
ELSEWHERE = "eu-west-1"
EVIL = "\x1b[2J\r\x9b31m\u202eno room"
AL2023, GO1X = "provided.al2023", "go1.x"


# --- what was typed ------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["migrate", "rollback", "history"])
@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("orders", "name a function as arn:aws:lambda:REGION:ACCOUNT:function:NAME"),
        ("arn:aws:lambda:us-east-1:1111:function:orders", "name a function as"),
        ("arn:aws:s3:::orders", "name a function as"),
        (f"{ARN} ", "name a function as"),
        (f"{ARN}\x1b[2J", "name a function as"),
        (f"{ARN}:7", "leave out the version or alias"),
        (f"{ARN}:live", "leave out the version or alias"),
        ("", "name a function as"),
    ],
)
def test_what_is_no_functions_arn_is_a_usage_error(
    desk: Desk, verb: str, arn: str, said: str
) -> None:
    ended, calls = desk.recorded(verb, arn)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert "\x1b" not in ended.err
    assert calls == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name functions by their ARNs, or say --from-scan"),
        ((ARN, "--from-scan"), "name functions or take them from a scan, not both"),
        ((ARN, "--region", "eu-*"), "say --from-scan as well"),
        ((ARN, "--expect", "answer.json"), "says what the answer to --event has to be"),
        ((ARN, "--artifact", "orders.zip"), "is a build for an --arch; name that too"),
        ((ARN, "--arch", "arm64"), "--rebuild or --artifact"),
        ((ARN, "--arch", "arm64", "--artifact", "a.zip", "--route", "dual"), "--route"),
        ((ARN, "--allow-different-source"), "name that and --arch"),
        (("--from-scan", "--account", "1"), "would be 000000000001"),
        ((ARN, "--max-failures", "0"), "--max-failures"),
        ((ARN, "--route", "architecture"), "--route"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    desk: Desk, arguments: tuple[str, ...], said: str
) -> None:
    ended, calls = desk.recorded("migrate", *arguments, *DO_IT)
    assert (ended.status, ended.out) == (2, "")
    # The terminal's frame around a sentence breaks its lines.
    assert said in " ".join(ended.err.replace("│", " ").split())
    assert calls == []


@pytest.mark.parametrize("verb", ["migrate", "rollback"])
def test_a_namesake_in_another_partition_is_not_the_one_that_is_meant(
    desk: Desk, verb: str
) -> None:
    desk.function(f"partitioned-{verb}")
    arn = arn_of(f"partitioned-{verb}").replace("arn:aws:", "arn:aws-cn:")
    ended, calls = desk.recorded(verb, arn, "--apply", "--yes")
    assert ended.status == 3
    assert "it is in the partition aws-cn, and these credentials are of aws" in ended.out
    assert [call.operation for call in calls] == ["GetCallerIdentity"]


def _a_directory(desk: Desk) -> None:
    (desk.directory / "event.json").mkdir()


def _holding(content: bytes) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        (desk.directory / "event.json").write_bytes(content)

    return write


@pytest.mark.parametrize("option", ["--event", "--expect", "--events"])
@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda _: None, "No such file"),
        (_a_directory, "Is a directory"),
        (_holding(b"{"), "is not JSON"),
        (_holding(b"\xff\xfe\x00"), "is not JSON"),
        (_holding(b"[" * 100_000), "is not JSON"),
        (_holding(b'"' + b"x" * 7_000_000 + b'"'), "is larger than 6 MB"),
    ],
    ids=["missing", "directory", "not JSON", "not text", "nested", "7 MB"],
)
def test_an_event_that_can_not_be_one_stops_everything_before_it_begins(
    desk: Desk, option: str, prepare: Callable[[Desk], None], said: str
) -> None:
    prepare(desk)
    given: tuple[str, ...] = (option, "event.json")
    if option == "--expect":
        (desk.directory / "good.json").write_text("{}", encoding="utf-8")
        given = ("--event", "good.json", *given)
    if option == "--events":
        if said == "No such file":
            given = ("--events", "none")
        elif said != "Is a directory":
            given = ("--events", ".")
            said = f"event.json: {said}"
        else:
            (desk.directory / "event.json").rmdir()
            (desk.directory / "event.json").write_bytes(b"{}")
            given = ("--events", "event.json")
        said = said.replace("No such file", "is no directory")
        said = said.replace("Is a directory", "is no directory")
        (desk.directory / "dates.toml").touch()
    ended, calls = desk.recorded("migrate", ARN, *DO_IT, *given)
    assert (ended.status, ended.out) == (1, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert calls == []


def test_a_state_of_a_newer_fleet_is_left_alone(desk: Desk) -> None:
    arn = desk.function("ahead")
    assert desk.fleet("migrate", arn, *DO_IT).status == 0
    with closing(sqlite3.connect(desk.state)) as connection, connection:
        connection.execute("UPDATE fleet_schema SET version = 99")
    for command in (
        ("migrate", arn, *DO_IT),
        ("rollback", arn, "--apply", "--yes"),
        ("history", arn),
        ("cleanup", "--apply", "--yes"),
    ):
        ended, calls = desk.recorded(*command)
        assert ended.status == 1, command
        assert "newer" in ended.err
        assert calls == []


# --- what AWS says -------------------------------------------------------------------------------


def test_what_is_not_there_and_who_lets_nobody_in_cost_the_others_nothing(desk: Desk) -> None:
    refs = [desk.function("here"), arn_of("nowhere"), arn_of("orders", OUTSIDER)]
    status, outcome = desk.told("migrate", *refs, *DO_IT)
    assert status == 1
    told = {each["arn"]: (each["result"], each["reason"]) for each in outcome["functions"]}
    assert told[refs[0]] == ("migrated", "")
    assert told[refs[1]][0] == "failed"
    assert "it is not there (any more)" in told[refs[1]][1]
    assert told[refs[2]][0] == "blocked"
    assert f"{OUTSIDER}:role/OrganizationAccountAccessRole cannot be assumed" in told[refs[2]][1]


def test_a_function_that_vanishes_between_plan_and_apply_has_failed_and_only_that(
    desk: Desk,
) -> None:
    refs = [desk.function("stays"), desk.function("vanishes")]

    def vanish() -> str:
        with desk.organization.emulator.seeding():
            desk.client.delete_function(FunctionName="vanishes")
        return "migrate 2\n"

    ended = desk.fleet("migrate", *refs, NO_TRIAL, "--apply", "--format", "json", typing=vanish)
    status, outcome = ended.status, json.loads(ended.out)
    assert status == 1
    assert [each["result"] for each in outcome["functions"]] == ["migrated", "failed"]
    assert "it is not there (any more)" in outcome["functions"][1]["reason"]


@pytest.mark.parametrize(
    "operation",
    [
        "PublishLayerVersion",
        "PublishVersion",
        "CreateAlias",
        "UpdateFunctionConfiguration",
        "UpdateFunctionCode",
        "InvokeFunction",
        "UpdateAlias",
        "TagResource",
    ],
)
def test_without_one_permission_it_ends_blocked_and_goes_on_once_it_is_there(
    desk: Desk, operation: str
) -> None:
    name = f"without-{operation}"
    # The first of its account and region: it publishes the bridge.
    region = ELSEWHERE if operation == "PublishLayerVersion" else HOME
    add(desk.organization, name, region=region)
    arn = arn_of(name, region=region)
    client = desk.organization.client("lambda", MEMBER, region)
    with desk.organization.emulator.seeding():
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    world = desk.organization.emulator._world
    world.rules = replace(RULES, denied=frozenset({(MEMBER, f"lambda:{operation}")}))
    (desk.directory / "event.json").write_text("{}", encoding="utf-8")
    event = ("--event", "event.json") if operation == "InvokeFunction" else ()
    status, outcome = desk.told("migrate", arn, *DO_IT, *event)
    world.rules = RULES
    (function,) = outcome["functions"]
    assert (status, function["result"]) == (3, "blocked"), function
    assert f"lambda:{operation}: AccessDeniedException" in function["reason"]
    assert "`fleet policy migrate` prints what to allow" in function["reason"]
    assert function["reason"].endswith("then run the same command again")
    history = desk.told("history", arn)[1]["steps"]
    assert function["done"] == [
        each["text"] + (f": version {each['result']}" if each["action"] == "publish" else "")
        for each in history
        if each["state"] == "done" and each["name"]
    ]
    assert desk.told("migrate", arn, *DO_IT)[0] == 0
    with desk.organization.emulator.seeding():
        versions = client.list_versions_by_function(FunctionName=name)["Versions"]
        found = client.get_function(FunctionName=name)
    assert [each["Version"] for each in versions] == ["$LATEST", "1", "2"]
    assert found["Configuration"]["Runtime"] == AL2023
    assert found["Tags"][MIGRATED_FROM] == GO1X


# --- who reads the output ------------------------------------------------------------------------


def test_with_standard_output_closed_nothing_is_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = desk.function("unheard")
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    desk.organization.emulator.calls.clear()
    status, said = with_streams(">&-", "migrate", arn, *DO_IT, within=desk.directory)
    assert status == 1
    assert "standard output: is closed, so nothing was done" in said
    assert desk.organization.emulator.calls == []


def test_a_reader_that_goes_away_stops_no_migration(desk: Desk) -> None:
    arn = desk.function("piped")
    process = start("migrate", arn, *DO_IT, within=desk.directory, environ=desk.environment)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 1
    assert "Traceback" not in said
    assert desk.runtime("piped") == AL2023
    assert desk.told("history", arn)[1]["steps"][-1]["state"] == "done"


def test_nothing_from_outside_moves_the_cursor(desk: Desk) -> None:
    name = "hostile"
    arn = desk.function(name)
    (desk.directory / "fleet.yaml").write_text(
        'owners:\n  - {tag: team, owner: "{value}"}\n', encoding="utf-8"
    )
    emulator = desk.organization.emulator
    emulator.fail_updates(MEMBER, HOME, name, EVIL)
    # AWS would take neither; what answers here need not be AWS.
    latest = get_backend(MEMBER, HOME)._lambdas._functions[name]["latest"]
    latest.tags["team"] = EVIL
    with emulator.seeding():
        desk.client.publish_version(FunctionName=name)
        desk.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    (alias,) = get_backend(MEMBER, HOME).list_aliases(name)
    alias.name = EVIL
    for command in (
        ("migrate", arn, NO_TRIAL),
        ("migrate", arn, *DO_IT, "--allow-managed"),
        ("history", arn),
        ("rollback", arn),
    ):
        for shown in ((), ("--format", "json")):
            ended = desk.fleet(*command, *shown)
            said = ended.out + ended.err
            assert not {"\x1b", "\r", "\x9b", "\u202e"} & set(said), command
    emulator.fail_updates(MEMBER, HOME, name, None)


def test_no_secret_is_logged_shown_or_kept(desk: Desk) -> None:
    arn = desk.function("confidential")
    emulator = desk.organization.emulator
    (desk.directory / "event.json").write_text("{}", encoding="utf-8")
    arguments = ("--debug", "migrate", arn, *DO_IT, "--event", "event.json")
    process = start(*arguments, within=desk.directory, environ=desk.environment)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    keys = [each for each, _ in emulator._world.sessions._sessions.values()]
    assert keys
    secrets = [
        SECRET,
        "X-Amz-",
        "/package",
        desk.environment["AWS_SECRET_ACCESS_KEY"],
        desk.environment["AWS_ACCESS_KEY_ID"],
        *(value for each in keys for value in (each.access_key, each.secret_key, each.token)),
    ]
    kept = b"".join(file.read_bytes() for file in desk.directory.iterdir() if file.is_file())
    assert b"go1x-rollback" in kept
    for secret in secrets:
        assert secret
        assert secret not in out + err
        assert secret.encode() not in kept


def test_what_is_refused_without_apply_is_told_with_status_3(desk: Desk) -> None:
    arn = desk.function("unreadable")
    world = desk.organization.emulator._world
    world.rules = replace(RULES, denied=frozenset({(MEMBER, "lambda:GetFunction")}))
    ended, calls = desk.recorded("migrate", arn, NO_TRIAL, "--format", "json")
    assert ended.status == 3
    (function,) = json.loads(ended.out)["functions"]
    assert "lambda:GetFunction: AccessDeniedException" in function["reasons"][0]["text"]
    assert not any(map(is_write, calls))
