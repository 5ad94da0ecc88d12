"""Functions whose aws-lambda-go was raised, and whose move was stopped halfway."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from fleet.deployment import Back, Route
from fleet.ledger import Action
from fleet.migration.candidates import rescued
from fleet.migration.facts import Asked
from fleet.migration.moving import move
from fleet.migration.preparing import prepare
from fleet.rebuilding.rebuilt import Rebuild
from fleet.results import Result
from moto_fixtures.packages import zipped
from moto_fixtures.server import Call, Moment
from tests.migration.mover import UPDATE_SECONDS, Mover
from tests.migration.orders import READS, Orders
from tests.migration.seeded import Snapshot
from tests.migration.test_architecture import small, written
from tests.migration.test_moving import Interrupter
from tests.moto_fixtures.small_organization import Organization
from tests.moto_fixtures.test_invoking import TOTAL, invoke
from tests.rebuilding.originals import EXECUTABLE, Team, handlers, own_cache, rebuild_with

VERSION = "v1.41.0"
RAISING = Asked(raise_library=VERSION)
AL2023 = "provided.al2023"
KEPT, UPLOADED, SWITCHED, WRITES = 2, 3, 4, 8
"""Writes of a rescue: version, alias, package, runtime, version, two aliases, tags."""
HALFWAY = range(UPLOADED, WRITES)
TRIED = HALFWAY if os.environ.get("EVERY_CRASH_POINT") else (HALFWAY[0], HALFWAY[1], HALFWAY[-1])
"""With EVERY_CRASH_POINT in the environment (`make crash-points`), all of them."""


@pytest.fixture(scope="module", autouse=True)
def _nothing_kept_of_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with own_cache(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A team whose library cannot speak to custom runtimes."""
    return Team.at(tmp_path_factory.mktemp("old") / "repository", handlers("1.17.0", "orders"))


@pytest.fixture(scope="module")
def program(team: Team) -> bytes:
    return team.build("./cmd/orders", "-ldflags=-s -w")


@pytest.fixture(scope="module")
def rebuild(team: Team) -> Rebuild:
    return rebuild_with(team.rule)


@dataclass
class Rescue:
    """A function on go1.x that only --raise-lambda-go takes off it, and who does that."""

    orders: Orders
    before: Snapshot
    plain: Mover
    """Without --raise-lambda-go, and with nothing that builds."""
    raising: Mover

    def stopped(self, after: int) -> None:
        """Press Ctrl-C after so many writes."""
        interrupter = Interrupter(after)
        stopping = self.raising.anew(leave_off=interrupter.leave_off)
        prepared = prepare(stopping.ground, stopping.ref(self.orders.name))
        emulator = self.orders.organization.emulator
        earlier = emulator.on_call

        def hear(call: Call, moment: Moment) -> None:
            # Those who call it write nothing.
            if call.operation != "Invoke":
                interrupter.hear(call, moment)
            if earlier is not None:
                earlier(call, moment)

        emulator.on_call = hear
        outcome = move(stopping.ground, prepared)
        emulator.on_call = earlier
        assert len(outcome.done) == after
        assert outcome.result is (Result.INTERRUPTED if after < WRITES else Result.MIGRATED)

    def called(self, qualifier: str = "$LATEST") -> object:
        """What its callers are answered."""
        return invoke(self.orders.client, Qualifier=qualifier).payload

    def settle(self) -> None:
        """Let the update be through that the last write has begun."""
        self.orders.organization.clock.now += UPDATE_SECONDS

    @contextmanager
    def being_called(self) -> Iterator[None]:
        """Call it before every write, which is after the one before, and at last."""
        emulator = self.orders.organization.emulator
        answers: list[object] = []

        def hear(call: Call, moment: Moment) -> None:
            if moment is Moment.BEFORE and not call.operation.startswith((*READS, "Invoke")):
                answers.append(self.called())

        emulator.on_call = hear
        yield
        emulator.on_call = None
        self.settle()
        answers += [self.called(), self.called("live")]
        assert len(answers) > UPLOADED
        assert [each for each in answers if each != TOTAL] == []

    @property
    def runtime(self) -> str:
        return str(self.orders.look().configuration["Runtime"])

    def is_back(self) -> bool:
        """Whether $LATEST is what it was, and its team's alias where it was."""
        now = self.orders.look()
        return (now.configuration, now.code_sha256, now.tags, now.aliases["live"]) == (
            self.before.configuration,
            self.before.code_sha256,
            self.before.tags,
            self.before.aliases["live"],
        )


@pytest.fixture
def rescue(
    organization: Organization, mover: Mover, program: bytes, rebuild: Rebuild
) -> Callable[[str], Rescue]:
    return partial(rescue_of, organization, mover, program, rebuild)


def rescue_of(
    organization: Organization, mover: Mover, program: bytes, rebuild: Rebuild, entry: str
) -> Rescue:
    client = organization.add_function(
        "orders",
        Code={"ZipFile": zipped({entry: (program, EXECUTABLE)})},
        Handler=entry,
        # Of real time, which on a busy machine is short.
        Timeout=20,
        MemorySize=256,
        Tags={"team": "orders"},
    )
    orders = Orders(organization, client)
    orders.alias("live", orders.publish())
    raising = mover.anew(asked=RAISING, differently={"rebuild": rebuild})
    return Rescue(orders, orders.look(), mover, raising)


@pytest.mark.parametrize("after", TRIED)
def test_stopped_after_the_upload_the_plain_command_goes_on_and_nobody_who_calls_notices(
    rescue: Callable[[str], Rescue], after: int
) -> None:
    halfway = rescue("main")
    with halfway.being_called():
        halfway.stopped(after)
        there = halfway.orders.look().code_sha256
        assert halfway.plain.migrate().result is Result.MIGRATED
        assert halfway.runtime == AL2023
        now = halfway.orders.look()
        assert (now.code_sha256, now.aliases["live"]) == (there, ("2", {}))
        assert halfway.orders.versions() == ["1", "2"]


@pytest.mark.parametrize("after", [*TRIED, WRITES])
def test_after_the_upload_it_comes_back_from_everywhere_and_nobody_who_calls_notices(
    rescue: Callable[[str], Rescue], after: int
) -> None:
    halfway = rescue("main")
    with halfway.being_called():
        halfway.stopped(after)
        assert halfway.plain.roll_back().result is Result.ROLLED_BACK
    assert halfway.is_back()


def test_stopped_before_the_upload_nothing_has_begun_and_it_is_asked_for_again(
    rescue: Callable[[str], Rescue],
) -> None:
    function = rescue("main")
    function.stopped(KEPT)
    assert function.is_back()
    assert {each.code for each in function.plain.plan().reasons} == {"library-too-old"}
    assert function.plain.plan_back().result is Result.ALREADY_THERE
    assert function.raising.anew().migrate().result is Result.MIGRATED


def test_what_is_there_goes_on_whatever_is_asked_for_and_is_not_built_again(
    rescue: Callable[[str], Rescue],
) -> None:
    halfway = rescue("main")
    halfway.stopped(UPLOADED)
    there = halfway.orders.look().code_sha256
    # All that is left is the change of the runtime, which AWS takes after the others.
    asked = Asked(route=Route.BRIDGE, updates_blocked=True, raise_library="v1.47.0")
    other = halfway.plain.anew(asked=asked)
    plan = other.plan()
    assert plan.result is Result.READY, plan.reasons
    [said] = [each.text for each in plan.notes if each.code == "goes-on"]
    assert f"aws-lambda-go {VERSION}" in said
    assert "goes back" not in "".join(each.text for each in plan.promises[:1])
    assert other.migrate().result is Result.MIGRATED
    assert halfway.orders.look().code_sha256 == there


def test_settings_that_were_changed_meanwhile_stay_and_aliases_wait_for_their_owners(
    rescue: Callable[[str], Rescue],
) -> None:
    halfway = rescue("main")
    halfway.stopped(UPLOADED)
    halfway.settle()
    halfway.orders.configure(MemorySize=300)
    assert halfway.plain.migrate().result is Result.MIGRATED
    now = halfway.orders.look()
    assert (now.configuration["Runtime"], now.configuration["MemorySize"]) == (AL2023, 300)
    assert now.aliases["live"] == ("1", {})


def test_what_its_owners_have_deployed_since_is_neither_taken_on_nor_brought_back(
    rescue: Callable[[str], Rescue], program: bytes
) -> None:
    halfway = rescue("main")
    halfway.stopped(UPLOADED)
    halfway.settle()
    files = {"main": (program, EXECUTABLE), "release": (b"2", EXECUTABLE)}
    halfway.orders.deploy(zipped(files))
    assert {each.code for each in halfway.plain.plan().reasons} == {"library-too-old"}
    assert halfway.plain.plan_back().result is Result.STALE


def test_only_what_was_made_of_the_very_release_is_a_rescue(
    rescue: Callable[[str], Rescue],
) -> None:
    halfway = rescue("main")
    halfway.stopped(UPLOADED)
    store = halfway.plain.store
    entries = halfway.plain.ledger()
    [(start, now)] = [
        (each.deployment_before, each.deployment_after)
        for each in entries
        if each.action is Action.UPDATE_CODE
    ]
    assert start is not None
    assert now is not None
    statements = store.statements([now.code_sha256])
    assert rescued(start, now, entries, statements) == VERSION
    assert rescued(start, replace(now, runtime=AL2023), entries, statements) == VERSION
    # Such a package over another release, by whatever hand.
    another = replace(start, code_sha256="another")
    assert rescued(another, now, entries, statements) == ""
    assert rescued(start, replace(now, handler="other"), entries, statements) == ""
    assert rescued(start, now, entries, {}) == ""
    assert rescued(start, start, entries, statements) == ""


def test_in_the_gap_of_direct_it_says_what_is_left_and_what_goes_on(
    rescue: Callable[[str], Rescue],
) -> None:
    halfway = rescue("main")
    halfway.stopped(KEPT)
    # Killed after its first update.
    halfway.orders.configure(Runtime=AL2023)
    plan = halfway.plain.plan()
    assert plan.result is Result.BLOCKED
    assert plan.reasons[0].code == "halfway"
    assert "`fleet migrate --raise-lambda-go` goes on" in plan.reasons[0].text
    assert halfway.raising.anew().migrate().result is Result.MIGRATED
    assert halfway.called() == TOTAL


def test_a_program_in_the_place_of_the_old_one_goes_on_too_and_comes_back_by_direct(
    rescue: Callable[[str], Rescue],
) -> None:
    halfway = rescue("bootstrap")
    halfway.raising = halfway.raising.anew(asked=replace(RAISING, route=Route.DIRECT))
    halfway.stopped(SWITCHED)
    assert halfway.plain.migrate().result is Result.MIGRATED
    assert halfway.called() == TOTAL
    notes = [each.text for each in halfway.plain.plan_back().notes]
    assert any("has taken the place of the old one" in each for each in notes), notes
    direct = halfway.plain.anew(asked=Asked(route=Route.DIRECT))
    assert direct.roll_back().result is Result.ROLLED_BACK
    assert halfway.is_back()
    assert halfway.called() == TOTAL


def test_from_arm64_it_does_not_pass_through_where_its_old_program_hangs(
    rescue: Callable[[str], Rescue], tmp_path: Path
) -> None:
    function = rescue("main")
    function.stopped(WRITES)
    function.settle()
    mover, store = function.plain, function.plain.store
    statement = next(iter(store.statements([code_of(function)]).values()))
    artifact = written(tmp_path / "arm64.zip", small("bootstrap", "arm64"))
    moved = mover.move_to_arm64(artifact, allow_different_source=True)
    assert moved.result is Result.MIGRATED, moved.reason
    store.save_statement(code_of(function), statement)
    stayed = mover.roll_back()
    assert stayed.result is Result.PARTLY_BACK
    assert "`fleet rollback --to x86_64` first" in stayed.reason
    assert (function.runtime, function.orders.look().aliases["live"]) == (AL2023, ("1", {}))
    # Its aliases are further back than that already, which is told.
    assert mover.anew().roll_back(to=Back.X86_64).result is Result.PARTLY_BACK
    assert mover.anew().roll_back().result is Result.ROLLED_BACK
    assert function.is_back()


def code_of(function: Rescue) -> str:
    return str(function.orders.look().configuration["CodeSha256"])
