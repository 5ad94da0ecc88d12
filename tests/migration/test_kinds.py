"""Every kind of go1.x function of the seeded organization ends as its verdict says, and comes back.

One emulator for all: a function that was moved is brought back, or no other test needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from fleet.deployment import OWN_ALIASES, SERVING_ALIAS, Route
from fleet.inspection import Strategy
from fleet.migration.facts import Asked
from fleet.migration.moving import move
from fleet.migration.preparing import prepare
from fleet.model import GO1X, ROLLBACK_ALIAS, FunctionRef
from fleet.results import Result
from tests.migration.mover import Mover
from tests.migration.seeded import FILES, Seeded, Snapshot, named, seeded_organization, snapshot
from tests.moto_fixtures.small_organization import Client

RENAME, SHIM, AS_IT_IS = Strategy.RENAME, Strategy.SHIM, None

READY: Mapping[tuple[str, str], Strategy | None] = {
    # Plain packages, and every way of building them.
    ("data-platform", "warehouse-split"): RENAME,
    ("payments-prod", "payout-enrich"): RENAME,
    ("data-platform", "clickstream-ingest"): RENAME,
    ("logistics-prod", "parcel-sync"): RENAME,
    ("payments-prod", "fraud-score"): RENAME,
    ("payments-prod", "card-distance-check"): RENAME,
    # What needs its place, its Handler, or the files beside it.
    ("logistics-prod", "parcel-notify"): SHIM,
    ("logistics-prod", "parcel-router"): SHIM,
    ("retail-prod", "letterhead"): SHIM,
    ("retail-prod", "checkout-refund"): SHIM,
    # Aliases: plain, weighted, behind $LATEST, on $LATEST, the same code under other settings.
    ("payments-prod", "invoice-publish"): SHIM,
    ("payments-prod", "payout-batch"): SHIM,
    ("retail-prod", "basket-merger"): RENAME,
    ("retail-prod", "checkout-orders"): RENAME,
    # Layers: data, extensions, another account's.
    ("payments-prod", "ledger-booking"): RENAME,
    ("shared-services", "chatops-webhook"): RENAME,
    # A bootstrap beside the program: nothing is uploaded.
    ("logistics-prod", "route-tracker"): AS_IT_IS,
    # Moved before as far as go1x-rollback tells, without the tags that say that all is done.
    ("retail-prod", "loyalty-points"): RENAME,
    ("retail-prod", "loyalty-tiers"): RENAME,
}
BLOCKED: Mapping[tuple[str, str], str] = {
    ("logistics-prod", "route-planner"): "empty-package",
    ("logistics-prod", "customs-enrich"): "library-too-old",
    ("payments-prod", "card-authorize"): "library-too-old",
    ("payments-prod", "card-capture"): "library-too-old",
    ("logistics-prod", "route-optimizer"): "handler-missing",
    ("logistics-prod", "parcel-accept"): "handler-missing",
    ("<script>alert(1)</script> =1+1 sandbox", "-1-1-experiment"): "handler-missing",
    ("logistics-prod", "label-print"): "image",
}
MANAGED: Mapping[tuple[str, str], str] = {
    ("payments-prod", "fraud-score"): "managed-cloudformation",
    ("retail-prod", "checkout-refund"): "managed-sam",
    ("payments-prod", "ledger-booking"): "managed-serverless",
}
MOVED_LONG_AGO = {
    ("retail-prod", "basket-janitor"): "",
    ("retail-prod", "catalog-search"): "",
    ("retail-prod", "catalog-feed"): "still on go1.x: live (version 1)",
    ("payments-prod", "fraud-replay"): "",
}
AT_EVERY_PHASE = (
    ("data-platform", "warehouse-split"),
    ("logistics-prod", "parcel-notify"),
    ("payments-prod", "invoice-publish"),
    ("payments-prod", "payout-batch"),
    ("payments-prod", "ledger-booking"),
)
"""They have an alias of each sort between them, both strategies, and layers."""
UNPUBLISHED = (("data-platform", "warehouse-archive"), ("logistics-prod", "parcel-audit"))
"""No version of them was ever published; no other test needs them."""
ELSEWHERE = {("retail-prod", "basket-merger")}
"""Their layers can't be read, and so not be set again: no bridge."""


@pytest.fixture(scope="module")
def _organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mover]:
    directory = tmp_path_factory.mktemp("state")
    with seeded_organization(directory, asked=Asked(allow_managed=True)) as mover:
        yield mover


@pytest.fixture
def mover(_organization: Mover) -> Iterator[Mover]:
    yield _organization
    _organization.organization.emulator.block_runtimes()


def client_of(mover: Mover, ref: FunctionRef) -> Client:
    return mover.organization.client("lambda", ref.account, ref.region)


def look(mover: Mover, ref: FunctionRef) -> Snapshot:
    with mover.organization.emulator.seeding():
        return snapshot(client_of(mover, ref), ref.name)


def runtime(mover: Mover, ref: FunctionRef, qualifier: str) -> str:
    with mover.organization.emulator.seeding():
        found = client_of(mover, ref).get_function(FunctionName=ref.name, Qualifier=qualifier)
    return str(found["Configuration"]["Runtime"])


def assert_there(mover: Mover, seeded: Seeded, before: Snapshot, notes: tuple[str, ...]) -> None:
    """It is moved: $LATEST, its own aliases, and those of its owners that may move."""
    ref, after = seeded.ref, look(mover, seeded.ref)
    assert after.configuration["Runtime"] == "provided.al2023"
    assert after.configuration.get("Layers") == before.configuration.get("Layers")
    assert after.tags.items() > before.tags.items()
    assert runtime(mover, ref, ROLLBACK_ALIAS) == GO1X
    assert runtime(mover, ref, SERVING_ALIAS) == "provided.al2023"
    told = {note.split(" stays on version ")[0] for note in notes if " stays on version " in note}
    stayed = set()
    for name, (version, weights) in before.aliases.items():
        if name in seeded.moving:
            assert after.aliases[name] == (after.aliases[SERVING_ALIAS][0], {})
        elif name not in OWN_ALIASES:
            assert after.aliases[name] == (version, weights)
            if version != "$LATEST" and (version, {}) != after.aliases[SERVING_ALIAS]:
                stayed.add(f"alias {name}")
    assert told == stayed


@pytest.mark.parametrize(("account", "name"), READY)
def test_what_is_ready_moves_and_comes_back_as_it_was(
    mover: Mover, account: str, name: str
) -> None:
    seeded = named(account, name)
    before = look(mover, seeded.ref)
    prepared = prepare(mover.ground, seeded.ref)
    assert prepared.plan.assessment is not None
    assert prepared.plan.assessment.strategy is READY[account, name]
    assert prepared.plan.route is (Route.DUAL if (account, name) in ELSEWHERE else Route.BRIDGE)
    moved = move(mover.ground, prepared)
    assert moved.result is Result.MIGRATED, moved.reason
    if before.configuration["Runtime"] == GO1X:
        assert_there(mover, seeded, before, moved.notes)
    back = mover.roll_back(seeded.ref)
    after = look(mover, seeded.ref)
    if before.configuration["Runtime"] == GO1X:
        assert back.result is Result.ROLLED_BACK, back.reason
        assert after.without(*OWN_ALIASES) == before.without(*OWN_ALIASES)
    else:
        assert after.configuration["Runtime"] == GO1X


@pytest.mark.parametrize(("account", "name"), BLOCKED)
def test_what_is_not_ready_is_blocked_with_its_reason_and_left_alone(
    mover: Mover, account: str, name: str
) -> None:
    ref = named(account, name).ref
    mover.organization.emulator.calls.clear()
    assert mover.migrate(ref).result is Result.BLOCKED
    assert [reason.code for reason in mover.plan(ref).reasons] == [BLOCKED[account, name]]
    assert_nothing_written(mover)


def assert_nothing_written(mover: Mover) -> None:
    reads = ("Get", "List", "AssumeRole")
    calls = {each.operation for each in mover.organization.emulator.calls}
    assert [each for each in calls if not each.startswith(reads)] == []


@pytest.mark.parametrize(("account", "name"), MANAGED)
def test_what_a_stack_owns_is_left_to_it(mover: Mover, account: str, name: str) -> None:
    plan = mover.anew(asked=Asked()).plan(named(account, name).ref)
    assert plan.result is Result.BLOCKED
    assert [reason.code for reason in plan.reasons] == [MANAGED[account, name]]


@pytest.mark.parametrize(("account", "name"), MOVED_LONG_AGO)
def test_what_left_go1x_without_fleet_is_there_already(
    mover: Mover, account: str, name: str
) -> None:
    ref = named(account, name).ref
    mover.organization.emulator.calls.clear()
    outcome = mover.migrate(ref)
    assert outcome.result is Result.ALREADY_THERE
    assert MOVED_LONG_AGO[account, name] in outcome.reason
    back = mover.plan_back(ref)
    assert (back.result, back.reasons[0].code) == (Result.BLOCKED, "no-rollback-alias")
    assert_nothing_written(mover)


@pytest.mark.parametrize(("account", "name"), AT_EVERY_PHASE)
def test_while_only_creating_is_blocked_all_goes_as_before(
    mover: Mover, account: str, name: str
) -> None:
    seeded = named(account, name)
    mover.organization.emulator.block_runtimes(creating=[GO1X])
    before = look(mover, seeded.ref)
    moved = mover.migrate(seeded.ref)
    assert moved.result is Result.MIGRATED, moved.reason
    assert_there(mover, seeded, before, moved.notes)
    assert mover.roll_back(seeded.ref).result is Result.ROLLED_BACK
    assert look(mover, seeded.ref).without(*OWN_ALIASES) == before.without(*OWN_ALIASES)


@pytest.mark.parametrize(
    ("account", "name", "known"),
    [("retail-prod", "storefront-archive", True), ("payments-prod", "card-enrich", False)],
    ids=["known by its dates", "learnt by its refusal"],
)
def test_once_updating_is_blocked_aliases_come_back_and_latest_is_told_to_stay(
    mover: Mover,
    account: str,
    name: str,
    known: bool,
) -> None:
    # No other test needs these: they stay as far back as they can get.
    seeded = named(account, name)
    ref = seeded.ref
    before = look(mover, ref)
    mover.organization.emulator.block_runtimes(creating=[GO1X], updating=[GO1X])
    mover = mover.anew(asked=Asked(allow_managed=True, updates_blocked=known))
    moved = mover.migrate(ref)
    assert moved.result is Result.MIGRATED, moved.reason
    assert_there(mover, seeded, before, moved.notes)
    there = look(mover, ref)
    back = mover.roll_back(ref)
    assert back.result is Result.PARTLY_BACK
    told = "$LATEST stays on the custom runtime" if known else "$LATEST can never go back"
    assert told in back.reason
    after = look(mover, ref)
    assert seeded.moving
    for alias in seeded.moving:
        assert after.aliases[alias] == before.aliases[alias]
        assert runtime(mover, ref, alias) == GO1X
    assert (after.configuration, after.code_sha256) == (there.configuration, there.code_sha256)


@pytest.mark.parametrize(("account", "name"), UNPUBLISHED)
def test_what_cannot_be_published_any_more_does_not_move(
    mover: Mover, account: str, name: str
) -> None:
    ref = named(account, name).ref
    mover.organization.emulator.block_runtimes(creating=[GO1X], updating=[GO1X], publishing=[GO1X])
    before = look(mover, ref)
    outcome = mover.migrate(ref)
    assert (outcome.result, outcome.done) == (Result.BLOCKED, ())
    assert "can't be published" in outcome.reason
    assert look(mover, ref) == before


def test_every_package_of_a_go1x_function_is_among_the_kinds() -> None:
    kinds = {named(*each).function.package for each in (*READY, *BLOCKED)}
    functions = [one for account in FILES.accounts for one in account.functions]
    assert kinds >= {one.package for one in functions if one.runtime == GO1X}
