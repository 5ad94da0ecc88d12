"""`fleet rebuild`, and the two passes that build packages anew, as they are typed."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from fleet.deployment import MIGRATED_FROM
from fleet.model import GO1X
from moto_fixtures.packages import zipped
from moto_fixtures.tools import go_root
from tests.cli.inside import NO_TRIAL, SECRET, Desk
from tests.moto_fixtures.small_organization import HOME, MEMBER
from tests.rebuilding.originals import EXECUTABLE, Team, handlers, own_cache

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "reports" / "rebuild.schema.json").read_text(encoding="utf-8")
)
EVENT = b'{"lines": [{"article": "cup", "pieces": 3, "cents": 250}]}'


@pytest.fixture(scope="module", autouse=True)
def _nothing_kept_of_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with own_cache(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team.at(tmp_path_factory.mktemp("team") / "repository", handlers("1.41.0", "orders"))


@pytest.fixture(scope="module")
def old_team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A team whose library cannot speak to custom runtimes."""
    return Team.at(tmp_path_factory.mktemp("old") / "repository", handlers("1.17.0", "orders"))


@pytest.fixture(scope="module")
def program(team: Team) -> bytes:
    return team.build("./cmd/orders", f"-ldflags=-s -w -X main.build={SECRET}")


@pytest.fixture
def wired(desk: Desk, team: Team) -> Desk:
    """A desk whose fleet.yaml says where the teams' sources are."""
    write_settings(desk, team)
    return desk


def write_settings(desk: Desk, team: Team | None, more: str = "") -> None:
    rule = f"  - {{module: fleet.example/*, git: '{team.repository.url}'}}\n" if team else ""
    text = (f"sources:\n{rule}" if rule else "") + f"rebuild:\n  go: {go_root()}\n{more}"
    (desk.directory / "fleet.yaml").write_text(text, encoding="utf-8")


def code(programs: dict[str, bytes], data: bytes = b"1\n") -> dict[str, bytes]:
    files = {name: (content, EXECUTABLE) for name, content in programs.items()}
    return {"ZipFile": zipped({**files, "data": (data, 0o100644)})}


def custom(desk: Desk, name: str, program: bytes, **params: Any) -> str:  # noqa: ANN401  # any
    """A function that has left go1.x; its ARN."""
    given = {
        "Code": code({"bootstrap": program}, name.encode()),
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Tags": {MIGRATED_FROM: GO1X},
        **params,
    }
    return desk.function(name, **given)


def told(desk: Desk, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    ended = desk.fleet("rebuild", *arguments, "--format", "json")
    document = json.loads(ended.out)
    jsonschema.validate(document, SCHEMA)
    return ended.status, document["functions"]


def answer(desk: Desk, name: str) -> Any:  # noqa: ANN401  # JSON
    return json.loads(desk.client.invoke(FunctionName=name, Payload=EVENT)["Payload"].read())


def state(desk: Desk, name: str) -> tuple[str, str]:
    now = desk.client.get_function_configuration(FunctionName=name)
    return now["Runtime"], now["Architectures"][0]


# --- fleet rebuild ---------------------------------------------------------------------------


def test_a_package_its_provenance_and_nothing_else_is_written_and_nothing_in_aws(
    wired: Desk, program: bytes
) -> None:
    arn = custom(wired, "plain", program)
    ended, calls = wired.recorded("rebuild", arn)
    assert ended.status == 0, ended.err
    assert {call.operation for call in calls} <= {"GetCallerIdentity", "AssumeRole", "GetFunction"}
    place = wired.directory / "fleet-rebuilt" / MEMBER / HOME
    assert {each.name for each in place.iterdir()} == {"plain.zip", "plain.provenance.json"}
    with zipfile.ZipFile(place / "plain.zip") as archive:
        assert archive.read("data") == b"plain"
        mode = archive.getinfo("bootstrap").external_attr >> 16
    assert stat.S_IMODE(mode) == 0o755
    assert "built for arm64" in ended.out
    assert SECRET not in ended.out + ended.err
    for each in place.glob("*.json"):
        assert SECRET not in each.read_text(encoding="utf-8")
    assert SECRET.encode() not in (wired.directory / "fleet.db").read_bytes()


def test_one_that_cannot_be_built_costs_no_other_and_the_status_tells(
    wired: Desk, team: Team, program: bytes
) -> None:
    good = custom(wired, "good", program)
    unknown = custom(wired, "unknown", team.build("./cmd/orders", "-buildvcs=false"))
    status, functions = told(wired, good, unknown)
    assert status == 3
    found = {each["name"]: (each["rebuilt"] is not None, each["code"]) for each in functions}
    assert found == {"good": (True, ""), "unknown": (False, "no-commit")}


def test_what_the_compiler_says_is_shown_and_the_status_is_that_of_a_failure(
    wired: Desk, tmp_path: Path
) -> None:
    other = Team.at(tmp_path / "repository")
    program = other.build("./cmd/orders", "-buildvcs=false")
    broken = other.repository.commit({"cmd/orders/more.go": "package main\n\nfunc broken( {\n"})
    more = f"  functions:\n    - {{function: broken, commit: {broken}}}\n"
    write_settings(wired, other, more)
    ended = wired.fleet("rebuild", custom(wired, "broken", program), NO_TRIAL)
    assert ended.status == 1
    assert "failed for arm64" in ended.out
    assert "cmd/orders/more.go:3" in ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--wave", "1"), "name its file with --plan"),
        (("--plan", "waves.yaml", "--from-scan"), "leave out ARNs"),
        ((), "name functions by their ARNs"),
        (("--verdict", "lovely"), "lovely"),
        (("--raise-lambda-go=newest",), "no release of aws-lambda-go"),
        (("--raise-lambda-go=v1.17.0",), "from v1.18.0 on"),
    ],
)
def test_what_contradicts_itself_is_a_usage_error(
    wired: Desk, arguments: tuple[str, ...], said: str
) -> None:
    ended = wired.fleet("rebuild", *arguments)
    assert ended.status == 2
    assert said in ended.err


def test_without_a_go_it_says_where_to_get_one(wired: Desk, program: bytes) -> None:
    arn = custom(wired, "no-go", program)
    (wired.directory / "fleet.yaml").write_text("rebuild: {go: /nowhere/go}\n", encoding="utf-8")
    ended, calls = wired.recorded("rebuild", arn)
    assert (ended.status, calls) == (1, [])
    assert "install Go" in ended.err


# --- fleet migrate ---------------------------------------------------------------------------


def test_the_second_pass_builds_what_runs_for_arm64_and_it_answers_there(
    wired: Desk, program: bytes
) -> None:
    arn = custom(wired, "second", program)
    before = answer(wired, "second")
    shown = wired.fleet("migrate", arn, "--arch", "arm64", "--rebuild")
    assert shown.status == 0, shown.err
    assert state(wired, "second") == ("provided.al2023", "x86_64")
    done = wired.fleet("migrate", arn, "--arch", "arm64", "--rebuild", "--apply", "--yes")
    assert done.status == 0, done.err + done.out
    assert state(wired, "second") == ("provided.al2023", "arm64")
    assert answer(wired, "second") == before == {"pieces": 3, "cents": 750, "build": SECRET}
    assert SECRET not in shown.out + shown.err + done.out + done.err


def test_a_package_of_fleets_own_building_is_no_stranger_when_it_is_given_as_an_artifact(
    wired: Desk, program: bytes
) -> None:
    arn = custom(wired, "given", program)
    assert wired.fleet("rebuild", arn, NO_TRIAL).status == 0
    shown = wired.fleet("migrate", arn, "--arch", "arm64", "--artifact", "fleet-rebuilt", NO_TRIAL)
    assert shown.status == 0, shown.err + shown.out
    assert "built-differently" not in shown.out


def test_history_without_a_raised_library_has_no_patch(wired: Desk) -> None:
    arn = wired.function("plain-history")
    assert wired.fleet("migrate", arn, NO_TRIAL).status == 0
    ended = wired.fleet("history", arn, "--patch")
    assert ended.status == 2
    assert "no raised library" in ended.err


def test_where_it_came_from_stays_in_the_ledger(wired: Desk, team: Team, program: bytes) -> None:
    arn = custom(wired, "noted", program)
    done = wired.fleet("migrate", arn, "--arch", "arm64", "--rebuild", NO_TRIAL, "--apply", "--yes")
    assert done.status == 0, done.err + done.out
    _, document = wired.told("history", arn)
    [statement] = [each["provenance"] for each in document["steps"] if each.get("provenance")]
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert team.repository.head in wired.fleet("history", arn).out


def test_what_nobody_can_vouch_for_stays_on_x86_64(wired: Desk, team: Team) -> None:
    arn = custom(wired, "lost", team.build("./cmd/orders", "-trimpath", "-ldflags=-X main.build=7"))
    done = wired.fleet("migrate", arn, "--arch", "arm64", "--rebuild", NO_TRIAL, "--apply", "--yes")
    assert done.status == 3
    assert "ldflags" in done.out
    assert state(wired, "lost") == ("provided.al2023", "x86_64")


def test_one_whose_library_is_too_old_leaves_go1x_with_a_rebuilt_program_and_comes_back(
    wired: Desk, old_team: Team
) -> None:
    write_settings(wired, old_team)
    program = old_team.build("./cmd/orders")
    arn = wired.function("rescued", Code=code({"main": program}), Handler="main")
    refused = wired.fleet("migrate", arn, NO_TRIAL)
    assert refused.status == 3
    asked = ("migrate", arn, "--raise-lambda-go")
    shown = wired.fleet(*asked)
    assert shown.status == 0, shown.err + shown.out
    assert "by dual" in shown.out
    done = wired.fleet(*asked, "--apply", "--yes")
    assert done.status == 0, done.err + done.out
    assert state(wired, "rescued") == ("provided.al2023", "x86_64")
    assert answer(wired, "rescued")["pieces"] == 3
    patch = wired.fleet("history", arn, "--patch")
    assert "+require github.com/aws/aws-lambda-go v1.28.0" in patch.out
    back = wired.fleet("rollback", arn, "--apply", "--yes")
    assert back.status == 0, back.err + back.out
    assert state(wired, "rescued") == ("go1.x", "x86_64")
    assert answer(wired, "rescued")["pieces"] == 3


def test_a_bootstrap_that_go1x_starts_is_not_replaced_under_it(wired: Desk, old_team: Team) -> None:
    write_settings(wired, old_team)
    program = old_team.build("./cmd/orders")
    given = code({"bootstrap": program}, b"in place")
    arn = wired.function("in-place", Code=given, Handler="bootstrap")
    asked = ("migrate", arn, "--raise-lambda-go", NO_TRIAL)
    refused = wired.fleet(*asked, "--apply", "--yes")
    assert refused.status == 3
    assert "--route direct remains" in refused.out
    assert answer(wired, "in-place")["pieces"] == 3
    done = wired.fleet(*asked, "--route", "direct", "--apply", "--yes")
    assert done.status == 0, done.err + done.out
    assert answer(wired, "in-place")["pieces"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rebuild",), "is for an --arch"),
        (("--arch", "arm64"), "--rebuild or --artifact"),
        (("--arch", "arm64", "--rebuild", "--artifact", "x.zip"), "use one of them"),
        (("--arch", "arm64", "--rebuild", "--raise-lambda-go"), "for leaving go1.x"),
        (("--arch", "arm64", "--rebuild", "--allow-different-source"), "line by line"),
    ],
)
def test_what_belongs_to_the_other_pass_is_a_usage_error(
    wired: Desk, arguments: tuple[str, ...], said: str
) -> None:
    ended = wired.fleet("migrate", "arn:aws:lambda:eu-west-1:111111111111:function:x", *arguments)
    assert ended.status == 2
    assert said in ended.err
