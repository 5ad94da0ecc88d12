"""kill -9 before and after the calls that a migration and a rollback make, then the same again.

The calls are taken from a recorded run. Every write is a point, before and after it. Of the reads,
between which nothing changes in AWS, one in READS_APART is; with EVERY_CRASH_POINT in the
environment (`make crash-points`) every one of them, before and after it, and on every route.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import pytest

from fleet.deployment import SERVING_ALIAS
from fleet.ledger import Verb
from fleet.results import Result
from moto_fixtures.build import build
from moto_fixtures.definition import Build
from moto_fixtures.packages import zipped
from moto_fixtures.server import Call, Moment
from tests.migration.killing import Killer, Point, is_write, killing
from tests.migration.victims import (
    RENAMED,
    SHIMMED,
    Kind,
    Victim,
    created,
    kind,
    lambda_client,
    runs,
)
from tests.moto_fixtures.small_organization import Client, Organization, running

EVERY_POINT = bool(os.environ.get("EVERY_CRASH_POINT"))
READS_APART = 20
EVENT = {"lines": [{"article": "tent", "pieces": 2, "cents": 12_050}]}
ANSWER = {"pieces": 2, "cents": 24_100, "build": "unset"}
UPDATE_SECONDS = 2
"""Of the emulator's clock, which goes on by one with each look at the function."""

KINDS = {
    "bridge, renamed": kind("bridge", *RENAMED, layered=True),
    "bridge, with a shim": kind("bridge", *SHIMMED, unreleased=True),
    "dual": kind("dual", *SHIMMED),
    "direct": kind("direct", *RENAMED),
}


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with running() as small:
        small.emulator.take_for_updates(UPDATE_SECONDS)
        yield small


@pytest.fixture(scope="module")
def client(organization: Organization) -> Client:
    return lambda_client(organization)


@pytest.fixture(scope="module")
def killer(
    organization: Organization, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killer]:
    with killing(organization, tmp_path_factory.mktemp("states")) as made:
        yield made


@dataclass(frozen=True)
class Undisturbed:
    """What happens to a function that nothing is killed with."""

    before: dict[str, Any]
    moved: dict[str, Any]
    back: dict[str, Any]
    forth: list[Call]
    """Calls of the migration."""
    return_: list[Call]
    """Calls of the rollback."""


def points(calls: list[Call]) -> Iterator[Point]:
    """Where a run that makes these calls is killed."""
    for index, call in enumerate(calls):
        if is_write(call) or EVERY_POINT:
            yield from (Point(index, moment, call.operation) for moment in Moment)
        elif index % READS_APART == READS_APART - 1:
            yield Point(index, Moment.BEFORE, call.operation)


@contextmanager
def killed(victim: Victim, *at: Point | None) -> Iterator[None]:
    """Say where it was killed if that turns out badly."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"{victim.kind.route}, killed {' then '.join(map(str, at))}")
        raise


@pytest.mark.timeout(3600 if EVERY_POINT else 300)
@pytest.mark.parametrize("named", KINDS if EVERY_POINT else ("bridge, renamed", "dual"))
def test_killed_anywhere_a_migration_and_a_rollback_end_as_if_nothing_had_happened(
    killer: Killer, client: Client, named: str
) -> None:
    crashes = Crashes(killer, client, KINDS[named])
    usual = crashes.undisturbed()
    for forth, back in zip_longest(points(usual.forth), points(usual.return_)):
        crashes.at(forth, back, usual)


@pytest.mark.timeout(3600 if EVERY_POINT else 300)
@pytest.mark.parametrize("named", KINDS if EVERY_POINT else ("bridge, renamed", "dual"))
def test_a_migration_that_was_killed_after_any_write_can_be_rolled_back_instead(
    killer: Killer, client: Client, named: str
) -> None:
    crashes = Crashes(killer, client, KINDS[named])
    usual = crashes.undisturbed()
    for point in points(usual.forth):
        if point.moment is Moment.AFTER:
            crashes.given_up(point, usual)


@dataclass
class Crashes:
    killer: Killer
    client: Client
    kind: Kind

    def victim(self) -> Victim:
        self.killer.begin_anew()
        return created(self.killer.organization, self.client, self.kind)

    def undisturbed(self) -> Undisturbed:
        victim = self.victim()
        before = victim.look()
        ran = []
        seen = []
        for verb in (Verb.MIGRATE, Verb.ROLLBACK):
            ran.append(self.killer.run(victim, verb))
            victim.settle()
            seen.append(victim.look())
            self.killer.check_ledger(victim, ran[-1])
        assert [each.said["result"] for each in ran] == [Result.MIGRATED, Result.ROLLED_BACK]
        self.check_moved(seen[0])
        self.check_back(before, seen[1])
        victim.remove()
        return Undisturbed(before, seen[0], seen[1], ran[0].calls, ran[1].calls)

    def check_moved(self, after: dict[str, Any]) -> None:
        """Of its team's aliases those have moved that ran what $LATEST was, and nothing else."""
        now = {each["Name"]: each["FunctionVersion"] for each in after["aliases"]}
        released = len(self.kind.releases) == 2
        moved = {name for name, version in now.items() if version == now[SERVING_ALIAS]}
        assert moved == {SERVING_ALIAS, *(("plain", "steady") if released else ())}

    def check_back(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """All that is left is what a migration has published, and its aliases."""
        assert after["function"] == before["function"]
        assert after["provisioned"] == before["provisioned"]
        for each in (*before["aliases"], *before["versions"]):
            assert each in after["aliases"] or each in after["versions"]

    def at(self, forth: Point | None, back: Point | None, usual: Undisturbed) -> None:
        """Kill a migration and a rollback of one function, each once."""
        victim = self.victim()
        with killed(victim, forth, back):
            self.disturbed(victim, Verb.MIGRATE, forth, Result.MIGRATED)
            assert victim.look() == usual.moved
            self.disturbed(victim, Verb.ROLLBACK, back, Result.ROLLED_BACK)
            assert victim.look() == usual.back
            assert len(victim.bridges()) == (self.kind.route == "bridge")
        victim.remove()

    def given_up(self, at: Point, usual: Undisturbed) -> None:
        """Kill a migration, and roll back."""
        victim = self.victim()
        with killed(victim, at):
            self.killer.run(victim, Verb.MIGRATE, at)
            ran = self.killer.run(victim, Verb.ROLLBACK)
            # Before its first change there is nothing to come back from.
            fine = (Result.ROLLED_BACK, Result.ALREADY_THERE, Result.BLOCKED)
            assert ran.said["result"] in fine, ran.said
            victim.settle()
            self.check_back(usual.before, victim.look())
        victim.remove()

    def disturbed(self, victim: Victim, verb: Verb, at: Point | None, result: Result) -> None:
        if at is not None:
            ran = self.killer.run(victim, verb, at)
            self.killer.check_ledger(victim, ran, at)
            self.check_callers(victim)
            victim.check_going_back_is_possible()
        again = self.killer.run(victim, verb)
        self.killer.check_ledger(victim, again)
        over = at is not None and again.said["result"] == Result.ALREADY_THERE
        assert over or again.said["result"] == result, again.said
        victim.settle()

    def check_callers(self, victim: Victim) -> None:
        """Whoever calls it finds something that runs, also once AWS is done."""
        if self.kind.route != "direct":
            assert runs(victim.serves())
        versions = {each for each, _ in victim.aliases().values()}
        assert all(runs(victim.serves(each)) for each in versions)
        victim.settle()
        if self.kind.route != "direct":
            assert runs(victim.serves())


def real(route: str) -> Kind:
    """A program that Lambda can run."""
    program = build(Build(command="orders")).read_bytes()
    releases = (zipped({"main": (program, 0o100755), each: (b"", 0o100644)}) for each in "12")
    return Kind(route, tuple(releases))


@pytest.mark.parametrize("route", ["bridge", "dual"])
def test_whatever_is_killed_after_an_update_a_real_program_answers(
    killer: Killer, client: Client, route: str
) -> None:
    kind = real(route)
    usual = created(killer.organization, client, kind)
    calls = killer.run(usual, Verb.MIGRATE).calls
    for point in points(calls):
        if point.moment is Moment.AFTER and point.operation.startswith("UpdateFunction"):
            victim = created(killer.organization, client, kind)
            with killed(victim, point):
                killer.run(victim, Verb.MIGRATE, point)
                assert victim.answers(EVENT) == ANSWER
                victim.settle()
                assert victim.answers(EVENT) == ANSWER
            victim.remove()
    usual.remove()
