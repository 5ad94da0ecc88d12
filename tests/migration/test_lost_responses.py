"""Faults on the wire and deploys by others, while a function moves and comes back."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from fleet.aws.failures import CallFailed, Interrupted, Situation
from fleet.ledger import Action, EntryState, Verb
from fleet.migration.acting import Journal
from fleet.model import GO1X, ROLLBACK_ALIAS, FunctionRef
from fleet.results import Result
from fleet.store import Store
from tests.migration.killing import WRITES, Killer, Ran, killing
from tests.migration.victims import (
    RENAMED,
    SHIMMED,
    Kind,
    Victim,
    created,
    kind,
    lambda_client,
    package,
)
from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization, running
from tests.scan.microburst import Microburst, Rule, microburst

UPDATE_SECONDS = 2
THEIRS = package(*RENAMED, release="theirs")
KINDS = {"bridge": kind("bridge", *RENAMED, layered=True), "dual": kind("dual", *SHIMMED)}


def error(code: str, status: int) -> Rule:
    return {"error": {"code": code, "status": status, "message": "said"}}


LOST: Rule = {"response": {"abort_bytes": 1}}
FAULTS: dict[str, Rule] = {
    "answer lost": LOST,
    "500": error("ServiceException", 500),
    "connection reset": {"reset": True},
    "409": error("ResourceConflictException", 409),
    "412": error("PreconditionFailedException", 412),
    "429": error("TooManyRequestsException", 429),
}
NOTED = {
    "answer lost": EntryState.INTENDED,
    "500": EntryState.INTENDED,
    "connection reset": EntryState.INTENDED,
    "409": EntryState.FAILED,
    "412": EntryState.FAILED,
}
"""What the ledger says of a write with which that happens; one that was throttled is tried again
within its step."""


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with running() as small:
        small.emulator.take_for_updates(UPDATE_SECONDS)
        yield small


@pytest.fixture(scope="module")
def client(organization: Organization) -> Client:
    return lambda_client(organization)


@pytest.fixture(scope="module")
def proxy(
    organization: Organization, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Microburst]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    log = tmp_path_factory.mktemp("microburst") / "log"
    with microburst(organization.emulator.url, port, log) as it:
        yield it


@pytest.fixture(scope="module")
def process(
    organization: Organization, proxy: Microburst, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killer]:
    """What migrates, behind the proxy."""
    directory = tmp_path_factory.mktemp("state")
    with killing(organization, directory, endpoint=proxy.url) as made:
        yield made


@dataclass(frozen=True)
class Usual:
    """What becomes of a function that nothing happens to."""

    moved: dict[str, Any]
    back: dict[str, Any]
    forth: Ran
    return_: Ran


@pytest.fixture(scope="module")
def usual(process: Killer, client: Client) -> dict[str, Usual]:
    return {name: undisturbed(process, client, each) for name, each in KINDS.items()}


def undisturbed(process: Killer, client: Client, kind: Kind) -> Usual:
    victim = created(process.organization, client, kind)
    forth, moved = process.run(victim, Verb.MIGRATE), victim.settled()
    return_, back = process.run(victim, Verb.ROLLBACK), victim.settled()
    victim.remove()
    return Usual(moved, back, forth, return_)


@pytest.fixture
def victim(process: Killer, proxy: Microburst, client: Client, named: str) -> Iterator[Victim]:
    with a_victim(process, client, named) as made:
        yield made
        proxy.spoil()


def operations(fault: str) -> list[str]:
    """The writes that may meet a fault: an answer without a body can't be cut off in it."""
    bodiless = {"TagResource", "UntagResource"} if fault == "answer lost" else set()
    return [each for each in WRITES if each not in bodiless]


def at_first(fault: str) -> list[Rule]:
    """Every second write of each kind meets a fault, the first one too."""
    often = {"service": "lambda", "sequence": {"fail": 1, "pass": 1}}
    return [{**often, "operation": each, **FAULTS[fault]} for each in operations(fault)]


def met(fault: str, usual: Ran) -> set[Action]:
    """What a fault should have hit of a run that usually makes these writes."""
    return set(usual.writes) & {WRITES[each] for each in operations(fault)}


def check_truth(
    process: Killer, victim: Victim, ran: Ran, fired: Counter[Action], fault: str
) -> None:
    """What is done was answered, what has failed has not happened, the rest may have happened."""
    entries = process.noted(victim, ran)
    noted = Counter((each.action, each.state) for each in entries)
    lost = fired if fault == "answer lost" else Counter()
    for action in Action:
        seen = Counter(ran.writes)[action]
        assert noted[action, EntryState.DONE] == seen - lost[action]
        for state in (EntryState.INTENDED, EntryState.FAILED):
            expected = fired[action] if NOTED.get(fault) is state else 0
            assert noted[action, state] == expected


def fired(proxy: Microburst) -> Counter[Action]:
    return Counter(WRITES[each["operation"]] for each in proxy.fired())


@pytest.mark.parametrize(
    ("named", "fault"), [*(("bridge", fault) for fault in FAULTS), ("dual", "answer lost")]
)
def test_a_fault_at_the_first_try_of_every_write_changes_nothing_of_the_result(
    process: Killer,
    proxy: Microburst,
    victim: Victim,
    usual: dict[str, Usual],
    named: str,
    fault: str,
) -> None:
    proxy.spoil(*at_first(fault))
    ran = process.run(victim, Verb.MIGRATE)
    assert ran.said["result"] == Result.MIGRATED, ran.said
    faults = fired(proxy)
    assert faults.keys() == met(fault, usual[named].forth)
    check_truth(process, victim, ran, faults, fault)
    assert victim.settled() == usual[named].moved
    assert len(victim.bridges()) == (named == "bridge")

    proxy.spoil(*at_first(fault))
    ran = process.run(victim, Verb.ROLLBACK)
    assert ran.said["result"] == Result.ROLLED_BACK, ran.said
    faults = fired(proxy)
    assert faults.keys() == met(fault, usual[named].return_)
    check_truth(process, victim, ran, faults, fault)
    assert victim.settled() == usual[named].back


def to_environment(victim: Victim) -> None:
    victim.client.update_function_configuration(
        FunctionName=victim.name, Environment={"Variables": {"TABLE": "theirs"}}
    )


def to_code(victim: Victim) -> None:
    victim.client.update_function_code(FunctionName=victim.name, ZipFile=THEIRS)


@pytest.mark.parametrize("named", ["bridge"])
@pytest.mark.parametrize("verb", [Verb.MIGRATE, Verb.ROLLBACK])
def test_a_deploy_by_somebody_else_just_before_any_write_is_not_overwritten(
    process: Killer,
    client: Client,
    usual: dict[str, Usual],
    named: str,
    verb: Verb,
) -> None:
    usually = usual[named].forth if verb is Verb.MIGRATE else usual[named].return_
    deploys = cycle([to_environment, to_code])
    for number, action in enumerate(usually.writes):
        deploy = next(deploys)
        with naming(f"before write {number}, {action}"), a_victim(process, client, named) as victim:
            if verb is Verb.ROLLBACK:
                process.run(victim, Verb.MIGRATE)
            meanwhile = Meanwhile(victim, number, partial(deploy, victim))
            ran = process.run(victim, verb, before_write=meanwhile)
            assert ran.said["result"] in (Result.STALE, Result.PARTLY_BACK), ran.said
            assert victim.settled()["function"]["Configuration"] == meanwhile.then
            assert_can_go_back(victim)


@pytest.mark.parametrize("named", ["bridge"])
def test_an_alias_that_somebody_else_moves_just_before_one_is_written_stays_where_they_put_it(
    process: Killer, client: Client, usual: dict[str, Usual], named: str
) -> None:
    for verb, usually in (
        (Verb.MIGRATE, usual[named].forth),
        (Verb.ROLLBACK, usual[named].return_),
    ):
        for number in (at for at, each in enumerate(usually.writes) if each is Action.PUT_ALIAS):
            with (
                naming(f"{verb}, before write {number}"),
                a_victim(process, client, named) as victim,
            ):
                if verb is Verb.ROLLBACK:
                    process.run(victim, Verb.MIGRATE)
                meanwhile = Meanwhile(victim, number, partial(move_plain, victim))
                ran = process.run(victim, verb, before_write=meanwhile)
                # Whether it says so depends on whether the alias was back before.
                fine = (Result.MIGRATED, Result.ROLLED_BACK, Result.PARTLY_BACK)
                assert ran.said["result"] in fine, ran.said
                assert victim.aliases()["plain"] == ("1", {})


def move_plain(victim: Victim) -> None:
    victim.client.update_alias(FunctionName=victim.name, Name="plain", FunctionVersion="1")


@dataclass
class Meanwhile:
    """Somebody else, who does something just before a write reaches AWS."""

    victim: Victim
    number: int
    act: Callable[[], object]
    then: dict[str, Any] = field(default_factory=dict)
    """The configuration of $LATEST that they have left."""

    def __call__(self, number: int) -> None:
        if number == self.number:
            with self.victim.organization.emulator.seeding():
                self.act()
            self.then = self.victim.look()["function"]["Configuration"]


def assert_can_go_back(victim: Victim) -> None:
    held = victim.aliases().get(ROLLBACK_ALIAS)
    assert held is None or victim.serves(held[0]).runtime == GO1X


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Say what it was if it turns out badly."""
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise


@contextmanager
def a_victim(process: Killer, client: Client, named: str) -> Iterator[Victim]:
    made = created(process.organization, client, KINDS[named])
    try:
        yield made
    finally:
        made.remove()


READS = ("GetFunction", "ListAliases", "ListProvisionedConcurrencyConfigs", "ListLayerVersions")


def at_random(chance: random.Random) -> list[Rule]:
    """Faults of every kind, of writes and reads, never more in a row than are worth a try."""
    return [
        {
            "service": "lambda",
            "operation": operation,
            "sequence": {"fail": chance.randint(1, 2), "pass": chance.randint(1, 3)},
            **FAULTS[fault],
        }
        for operation in (*WRITES, *READS)
        for fault in [chance.choice(list(FAULTS))]
        # Nobody answers a read in this way.
        if not (operation in READS and fault in {"409", "412"})
    ]


@pytest.mark.parametrize("seed", range(4))
def test_faults_at_random_leave_nothing_that_a_second_try_does_not_bring_to_its_end(
    process: Killer, proxy: Microburst, client: Client, usual: dict[str, Usual], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be the same every time
    named = chance.choice(list(KINDS))
    with a_victim(process, client, named) as victim:
        for verb, result in (
            (Verb.MIGRATE, Result.MIGRATED),
            (Verb.ROLLBACK, Result.ROLLED_BACK),
        ):
            proxy.spoil(*at_random(chance))
            ran = process.run(victim, verb)
            proxy.spoil()
            assert_nothing_is_said_that_is_not_true(process, victim, ran)
            assert_can_go_back(victim)
            assert ran.said["result"] in (result, Result.FAILED), ran.said
            if ran.said["result"] == Result.FAILED:
                ran = process.run(victim, verb)
            assert ran.said["result"] in (result, Result.ALREADY_THERE), ran.said
            then = usual[named].moved if verb is Verb.MIGRATE else usual[named].back
            assert victim.settled() == then
        assert len(victim.bridges()) == (named == "bridge")


def assert_nothing_is_said_that_is_not_true(process: Killer, victim: Victim, ran: Ran) -> None:
    noted = Counter((each.action, each.state) for each in process.noted(victim, ran))
    for action, seen in Counter(ran.writes).items():
        done, intended = noted[action, EntryState.DONE], noted[action, EntryState.INTENDED]
        assert done <= seen <= done + intended


def failure(situation: Situation, code: str = "Said") -> CallFailed:
    return CallFailed("lambda:UpdateAlias", MEMBER, HOME, situation, code, "said")


def interrupted(cause: CallFailed | None = None) -> Interrupted:
    stopped = Interrupted()
    stopped.__cause__ = cause
    return stopped


@pytest.mark.parametrize(
    ("raised", "state"),
    [
        (failure(Situation.DENIED), EntryState.FAILED),
        (failure(Situation.CHANGED), EntryState.FAILED),
        (interrupted(), EntryState.FAILED),
        (failure(Situation.TRANSIENT), EntryState.INTENDED),
        (failure(Situation.OTHER, "UnreadableAnswer"), EntryState.INTENDED),
        (interrupted(failure(Situation.TRANSIENT)), EntryState.INTENDED),
    ],
    ids=repr,
)
def test_a_step_has_failed_only_if_it_surely_has_not_happened(
    tmp_path: Path, raised: Exception, state: EntryState
) -> None:
    def act() -> tuple[str, str]:
        raise raised

    ref = FunctionRef("aws", MEMBER, HOME, "orders")
    with Store.open(str(tmp_path / "fleet.db")) as store:
        journal = Journal(store, "run", "somebody", lambda: datetime.fromtimestamp(0, UTC))
        with pytest.raises(type(raised)):
            journal.noted(Verb.MIGRATE, ref, Action.PUT_ALIAS, "an alias", act)
        assert [each.state for each in store.steps(ref)] == [state]
