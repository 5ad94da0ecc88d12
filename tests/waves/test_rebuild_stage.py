"""`arm64: rebuild` in waves: builds from teams' repositories, and what becomes of the others."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

from fleet.aws.failures import Interrupted
from fleet.deployment import MIGRATED_FROM
from fleet.migration.equipping import Order as Equipment
from fleet.migration.facts import Asked
from fleet.model import GO1X
from fleet.rebuilding.package import Packed
from fleet.rebuilding.package import pack as really
from fleet.rebuilding.rebuilder import rebuilder
from fleet.rebuilding.rebuilt import NotRebuilt, Rebuilt, Wanted
from fleet.rebuilding.tools import Tools
from fleet.results import Result
from fleet.settings import KnownFunction, Settings
from fleet.settings import Rebuild as RebuildSettings
from fleet.sources import SourceRule
from fleet.wave import MemberState, OrderKind, Phase, Stage
from fleet.wave_status import WaveState
from fleet.waves.fingerprint import fingerprint
from fleet.waves.plan import REBUILD, Budget, Canary, Member, Plan, Wave, Window
from fleet.waves.remote import Gear
from fleet.waves.status import record_of
from fleet.waves.telling import FunctionFailed
from fleet.waves.writing import plan_text
from moto_fixtures.packages import zipped
from moto_fixtures.tools import go_root
from reports.waves import left_over
from tests.cli.inside import NO_TRIAL, Desk, is_write, small_organization
from tests.migration.orders import Orders
from tests.migration.test_architecture import small
from tests.moto_fixtures.small_organization import MANAGEMENT, Organization
from tests.package.elf_files import Made
from tests.rebuilding.originals import (
    EXECUTABLE,
    MODULE,
    Team,
    handlers,
    own_cache,
    package,
    rebuild_with,
    wanted,
)
from tests.waves.runner import Runner, plan, wave

ARM64, X86_64 = "arm64", "x86_64"
ELSEWHERE = "elsewhere.example/handlers"
"""A module of which nobody says where it is."""
EVENT = b'{"lines": [{"article": "cup", "pieces": 3, "cents": 250}]}'
SECRET = "do-not-leak-build"  # noqa: S105  # a value that a test looks for in vain
LIBRARY = Made(content=b"", kind=3).file
"""A shared object for x86_64, of which nothing tells where its source is."""
BAKE = Canary(interval="10m", step_weight=25, max_weight=50, bake="10m")


@pytest.fixture(scope="module", autouse=True)
def _nothing_kept_of_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with own_cache(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """Its last commit but one does not build."""
    team = Team.at(tmp_path_factory.mktemp("team") / "repository", handlers())
    team.repository.commit({"cmd/orders/more.go": "package main\n\nfunc broken( {\n"})
    team.repository.commit({"cmd/orders/more.go": None})
    return team


@pytest.fixture(scope="module")
def program(team: Team) -> bytes:
    return team.build("./cmd/orders", f"-ldflags=-s -w -X main.build={SECRET}")


@pytest.fixture(scope="module")
def silent(team: Team) -> bytes:
    """The same, and it does not tell its commit."""
    return team.build("./cmd/orders", "-buildvcs=false")


def builds(runner: Runner, *rules: SourceRule, **settings: object) -> None:
    """Let it be a process with these settings."""
    given = RebuildSettings.model_validate({"go": go_root(), **settings})
    rebuild = rebuilder(rules, given, lambda _: None)
    runner.ground = replace(runner.ground, rebuild=rebuild)


def function(runner: Runner, name: str, program: bytes, **others: bytes) -> Orders:
    """A function on go1.x whose package holds this program and other files."""
    files = {"main": (program, EXECUTABLE)}
    files |= {each: (content, 0o100644) for each, content in others.items()}
    return runner.function(name, Code={"ZipFile": zipped(files)})


def custom(runner: Runner, program: bytes, **others: bytes) -> Orders:
    """The function orders, which has left go1.x before."""
    files = {"bootstrap": (program, EXECUTABLE)}
    files |= {each: (content, 0o100644) for each, content in others.items()}
    return runner.function(
        "orders",
        Code={"ZipFile": zipped(files)},
        Runtime="provided.al2023",
        Handler="bootstrap",
        Tags={MIGRATED_FROM: GO1X},
    )


def to_arm64(runner: Runner, *names: str, **given: object) -> Wave:
    """A wave that the first failure stops."""
    members = map(runner.member, names)
    return wave("w", *members, **{"arm64": REBUILD, "budget": Budget(count=0), **given})


def look(orders: Orders) -> tuple[str, str]:
    found = orders.look().configuration
    return str(found["Runtime"]), str(found["Architectures"][0])


def answer(runner: Runner, name: str) -> object:
    return json.loads(runner.client().invoke(FunctionName=name, Payload=EVENT)["Payload"].read())


def off_go1x(runner: Runner, one: Plan) -> None:
    """Its functions move to the custom runtime, and wait for the second pass."""
    runner.tick(one)
    for state in runner.states().values():
        assert (state.stage, state.phase) == (Stage.ARM64, Phase.WAITING)


def plain(text: str) -> str:
    """What a table says, its columns aside."""
    return " ".join(text.split())


# --- a wave ----------------------------------------------------------------------------------


def test_what_can_be_built_goes_to_arm64_and_answers_there_and_the_others_are_marked(
    runner: Runner, team: Team, program: bytes, silent: bytes, tmp_path: Path
) -> None:
    source = handlers()
    source["go.mod"] = source["go.mod"].replace(MODULE, ELSEWHERE)
    unruled = Team.at(tmp_path / "elsewhere", source)
    with_library = {**small(), "lib/libcups.so": (LIBRARY, 0o100644)}
    functions = {
        "built": function(runner, "built", program),
        "broken": function(runner, "broken", silent),
        "unruled": function(runner, "unruled", unruled.build()),
        "with-library": runner.function("with-library", Code={"ZipFile": zipped(with_library)}),
    }
    runner.function("next")
    broken = team.repository.git("rev-parse", "HEAD^")
    builds(runner, team.rule, functions=(KnownFunction(function="broken", commit=broken),))
    one = plan(to_arm64(runner, *functions), wave("next", runner.member("next")))
    before = answer(runner, "built")
    off_go1x(runner, one)
    runner.tick(one)

    assert look(functions["built"]) == ("provided.al2023", ARM64)
    assert answer(runner, "built") == before
    assert runner.state("built").result is Result.MIGRATED
    marked = {
        "broken": "cmd/orders/more.go:3",
        "unruled": f"module: {ELSEWHERE}",
        "with-library": "lib/libcups.so is a library",
    }
    for name, why in marked.items():
        state = runner.state(name)
        assert (state.phase, state.result) == (Phase.ENDED, Result.BLOCKED)
        assert state.reason.startswith("it stays on x86_64: ")
        assert why in state.reason
        assert look(functions[name]) == ("provided.al2023", X86_64)
    # No budget counts them, and the next wave has begun.
    assert not any(isinstance(event, FunctionFailed) for event in runner.events)
    assert runner.state("next").result is Result.MIGRATED
    # They have left go1.x, and are told where people look.
    record = record_of(one, runner.record(one), runner.now())
    assert record.status.totals.done == 5
    assert runner.words(one) == [WaveState.DONE_NOT_ALL_MOVED, WaveState.DONE]
    left = {each.ref.name: (each.word, each.moved) for each in left_over(record)}
    assert left == dict.fromkeys(marked, ("blocked", True))
    assert SECRET not in repr(runner.states()) + repr(runner.events)


def test_once_its_source_can_be_found_a_retry_takes_it_to_arm64(
    runner: Runner, team: Team, program: bytes
) -> None:
    orders = custom(runner, program, data=b"unruled\n")
    one = plan(to_arm64(runner, "orders"))
    builds(runner)
    off_go1x(runner, one)
    runner.tick(one)
    assert "no-source-rule" not in runner.state().reason
    assert "sources:" in runner.state().reason
    runner.retry(one)
    assert (runner.state().stage, runner.state().phase) == (Stage.ARM64, Phase.WAITING)
    builds(runner, team.rule)
    runner.tick(one)
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert look(orders) == ("provided.al2023", ARM64)


def test_a_build_that_takes_too_long_marks_its_function_and_no_other(
    runner: Runner, team: Team, program: bytes
) -> None:
    custom(runner, program, data=b"slow\n")
    one = plan(to_arm64(runner, "orders"))
    builds(runner, team.rule, minutes=0.00001)
    off_go1x(runner, one)
    runner.tick(one)
    state = runner.state()
    assert (state.phase, state.result) == (Phase.ENDED, Result.BLOCKED)
    assert "its build was ended after" in state.reason
    assert runner.words(one) == [WaveState.DONE_NOT_ALL_MOVED]


@pytest.mark.parametrize("how", ["foreign", "broken"])
def test_a_package_that_cannot_be_read_marks_its_function_and_ends_no_run(
    runner: Runner, team: Team, program: bytes, how: str
) -> None:
    orders = custom(runner, program)
    one = plan(to_arm64(runner, "orders"))
    builds(runner, team.rule)
    off_go1x(runner, one)
    code = zipped({"bootstrap": (program, EXECUTABLE)})
    if how == "foreign":
        # Which of both archives is the package, readers do not agree on.
        code *= 2
    else:
        middle = len(code) // 2
        code = code[:middle] + bytes(16) + code[middle + 16 :]
    orders.deploy(code)
    runner.tick(one)
    assert runner.ended() == {"orders": Result.BLOCKED}
    assert "its package" in runner.state().reason
    assert gettempdir() not in runner.state().reason


# --- time passes while it is built --------------------------------------------------------------


class Slow:
    """What rebuilds, and what happens meanwhile."""

    def __init__(self, runner: Runner, meanwhile: Callable[[], object]) -> None:
        real = runner.ground.rebuild
        assert real is not None
        self._real, self._meanwhile = real, meanwhile
        runner.ground = replace(runner.ground, rebuild=self)

    def __call__(self, asked: Wanted, stop: threading.Event) -> Rebuilt:
        rebuilt = self._real(asked, stop)
        self._meanwhile()
        return rebuilt


@pytest.mark.parametrize("what", ["stop", "window"])
def test_what_was_stopped_while_it_was_built_is_not_begun(
    runner: Runner, team: Team, program: bytes, what: str
) -> None:
    orders = custom(runner, program)
    one = plan(to_arm64(runner, "orders", window=Window(hours="08:00-12:00")))
    builds(runner, team.rule)
    off_go1x(runner, one)
    meanwhile = (
        partial(runner.order, OrderKind.STOP) if what == "stop" else partial(runner.later, hours=4)
    )
    Slow(runner, meanwhile)
    before = orders.look()
    runner.tick(one)
    assert (runner.state().stage, runner.state().phase) == (Stage.ARM64, Phase.WAITING)
    assert orders.look() == before
    # It was built, and begins where it may.
    if what == "stop":
        runner.store.withdraw_orders("move", "", [OrderKind.STOP])
    else:
        runner.later(hours=20)
    builds(runner, team.rule)
    runner.tick(one)
    assert look(orders) == ("provided.al2023", ARM64)


# --- with a canary ---------------------------------------------------------------------------


def called(runner: Runner, old: str, new: str) -> None:
    """Both versions of the alias are called for a while, and ten minutes pass."""
    runner.later(minutes=10)
    for version in (old, new):
        runner.calls("orders", "live", version, invocations=1000, duration_ms=100)


def half_shifted(runner: Runner, orders: Orders) -> Plan:
    """A quarter of its calls go to arm64."""
    one = plan(to_arm64(runner, orders.name, canary=BAKE))
    off_go1x(runner, one)
    runner.tick(one)
    assert orders.look().aliases["live"] == ("1", {"2": 0.25})
    return one


def next_share(runner: Runner, one: Plan) -> None:
    """Both versions of the alias are called for a while, and ten minutes pass."""
    runner.later(minutes=10)
    for version in ("1", "2"):
        runner.calls("orders", "live", version, invocations=1000, duration_ms=100)
    runner.tick(one)


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Functions whose packages were built, one entry a build."""
    built: list[str] = []

    def pack(tools: Tools, asked: Wanted, *more: Any) -> Packed:  # noqa: ANN401  # as it is
        built.append(asked.ref.name)
        return really(tools, asked, *more)

    monkeypatch.setattr("fleet.rebuilding.rebuilder.pack", pack)
    return built


def test_every_share_has_the_package_of_the_first_which_others_build_again_to_the_byte(
    runner: Runner, team: Team, program: bytes, packed: list[str], tmp_path: Path
) -> None:
    orders = custom(runner, program, data=b"watched\n")
    builds(runner, team.rule)
    one = half_shifted(runner, orders)
    sha256 = orders.look().configuration["CodeSha256"]
    next_share(runner, one)
    assert orders.look().aliases["live"] == ("1", {"2": 0.5})
    assert packed == ["orders"]
    # Another process, in which nothing is kept.
    (tmp_path / "other").mkdir()
    with own_cache(tmp_path / "other"):
        builds(runner, team.rule)
        for _ in range(3):
            next_share(runner, one)
    assert packed == ["orders", "orders"]
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert orders.look().aliases["live"] == ("2", {})
    assert orders.look().configuration["CodeSha256"] == sha256


def test_a_share_that_was_stopped_while_it_was_built_again_waits(
    runner: Runner, team: Team, program: bytes
) -> None:
    orders = custom(runner, program, data=b"watched\n")
    builds(runner, team.rule)
    one = half_shifted(runner, orders)
    Slow(runner, partial(runner.order, OrderKind.STOP))
    next_share(runner, one)
    assert (runner.state().phase, runner.state().share) == (Phase.BAKING, 0.25)
    assert orders.look().aliases["live"] == ("1", {"2": 0.25})


def test_what_is_kept_waits_for_no_other_build(
    team: Team, program: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    rebuild = rebuild_with(team.rule)
    ours = wanted(package(tmp_path / "ours.zip", {"bootstrap": program}, data=b"ours\n"))
    theirs = wanted(package(tmp_path / "theirs.zip", {"bootstrap": program}, data=b"theirs\n"))
    kept = rebuild(ours, threading.Event())
    begun, go_on = threading.Event(), threading.Event()

    def pack(*_: object) -> None:
        begun.set()
        go_on.wait(60)
        raise NotRebuilt("late", "it was late")

    monkeypatch.setattr("fleet.rebuilding.rebuilder.pack", pack)
    with ThreadPoolExecutor(1) as threads:
        building = threads.submit(rebuild, theirs, threading.Event())
        assert begun.wait(60)
        # Whoever has to wait for their turn leaves off.
        stopped = threading.Event()
        stopped.set()
        try:
            assert rebuild(ours, stopped) == kept
            with pytest.raises(Interrupted):
                rebuild(theirs, stopped)
        finally:
            go_on.set()
        assert isinstance(building.exception(), NotRebuilt)


# --- as it is typed ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def typed() -> Iterator[Organization]:
    with small_organization() as each:
        yield each


@pytest.fixture
def desk(typed: Organization, tmp_path: Path) -> Desk:
    """Somebody with a file of a plan, and no sources: in fleet.yaml."""
    return Desk(typed, tmp_path)


def planned(desk: Desk, name: str, **params: Any) -> Plan:  # noqa: ANN401  # CreateFunction's
    """A plan of one function, in waves.yaml."""
    arn = desk.function(name, **params)
    found = desk.client.get_function(FunctionName=name)["Configuration"]
    was = fingerprint(found["Runtime"], found["Handler"], X86_64, [], found["CodeSha256"])
    member = Member(function=arn, fingerprint=was, verdict="ready")
    one = plan(wave("w", member, arm64=REBUILD), organization=MANAGEMENT)
    (desk.directory / "waves.yaml").write_text(plan_text(one), encoding="utf-8")
    return one


def test_the_calendar_says_that_builds_are_made_here(desk: Desk) -> None:
    planned(desk, "shown")
    assert "then arm64, built here from source" in plain(
        desk.fleet("plan", "show", "waves.yaml").out
    )
    told = json.loads(desk.fleet("plan", "show", "waves.yaml", "--format", "json").out)
    assert [(each["arm64"], each["rebuild"]) for each in told["waves"]] == [(True, True)]


def test_a_check_tells_of_a_fleet_yaml_without_sources(desk: Desk, team: Team) -> None:
    planned(desk, "checked")
    ended = desk.fleet("plan", "check", "waves.yaml")
    assert ended.status == 0
    assert "arm64: rebuild of w: fleet.yaml has no sources:" in ended.err
    rule = f"sources:\n- {{module: fleet.example/*, git: '{team.repository.url}'}}\n"
    (desk.directory / "fleet.yaml").write_text(rule, encoding="utf-8")
    assert "sources:" not in desk.fleet("plan", "check", "waves.yaml").err


def test_a_dry_run_says_what_comes_after_the_runtime_and_then_what_was_built(
    desk: Desk, team: Team, program: bytes
) -> None:
    planned(desk, "dry")
    run = ("waves", "run", "waves.yaml", "--wave", "w", NO_TRIAL)
    said = plain(desk.fleet(*run).out)
    assert "a later call takes it to arm64, with a package that is built here" in said
    # Once it has left go1.x.
    code = zipped({"bootstrap": (program, EXECUTABLE)})
    one = planned(
        desk,
        "left",
        Code={"ZipFile": code},
        Runtime="provided.al2023",
        Handler="bootstrap",
        Tags={MIGRATED_FROM: GO1X},
    )
    (member,) = one.waves[0].functions
    with desk.store() as store:
        waiting = MemberState(
            wave="w", ref=member.ref, stage=Stage.ARM64, fingerprint=member.fingerprint
        )
        store.put_member(one.name, waiting)
    (desk.directory / "fleet.yaml").write_text(
        f"sources:\n- {{module: fleet.example/*, git: '{team.repository.url}'}}\n"
        f"rebuild: {{go: {go_root()}}}\n",
        encoding="utf-8",
    )
    ended, calls = desk.recorded(*run)
    assert ended.status == 0, ended.err
    assert f"bootstrap was built from {team.repository.url}" in plain(ended.out)
    assert "a later call" not in plain(ended.out)
    assert SECRET not in ended.out + ended.err
    # DescribeOrganization besides, which changes nothing either.
    assert {call.operation for call in calls if is_write(call)} <= {"DescribeOrganization"}


# --- a cluster -------------------------------------------------------------------------------


def test_what_workers_are_equipped_for_is_a_key_that_travels_and_shows_no_ldflags(
    tmp_path: Path,
) -> None:
    file = tmp_path / "fleet.yaml"
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
    file.write_text(
        "sources:\n- {module: fleet.example/*, git: 'https://git.example/{1}'}\n"
        "rebuild:\n  go: /opt/go/bin/go\n  functions:\n"
        f"  - {{function: '{arn}', ldflags: '-X main.key={SECRET}', accept: [modified]}}\n",
        encoding="utf-8",
    )
    settings = Settings.load(file, {})
    gear = Gear(MANAGEMENT, settings, (), Equipment(Asked(), rebuild=True), sharing=2)
    travelled = pickle.loads(pickle.dumps(gear))  # noqa: S301  # its own bytes
    assert (travelled, hash(travelled)) == (gear, hash(gear))
    assert travelled.settings.rebuild.functions[0].ldflags == f"-X main.key={SECRET}"
    for each in (gear, settings, settings.rebuild, settings.rebuild.functions[0]):
        assert SECRET not in f"{each!r} {each}"
