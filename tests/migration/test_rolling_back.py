"""What the way back restores, leaves alone, and goes on from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fleet.deployment import OWN_ALIASES, Route
from fleet.ledger import EntryState
from fleet.migration.facts import Asked, AskedRoute
from fleet.migration.returning import bring_back, prepare_back
from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.results import Result
from moto_fixtures.server import Moment
from tests.migration.mover import Mover, moving
from tests.migration.orders import TO_RENAME, TO_SHIM, Orders, add_orders, recorded, when
from tests.migration.seeded import Snapshot
from tests.moto_fixtures.small_organization import HOME, MEMBER, RULES, Organization, running

AL2023 = "provided.al2023"
WRITES = 5
"""Of a way back on bridge: an alias, the tags, three updates."""


@pytest.fixture
def orders(organization: Organization) -> Orders:
    return add_orders(organization)


@pytest.fixture
def before(orders: Orders, mover: Mover) -> Snapshot:
    """What it was; it has moved since."""
    was = orders.look()
    assert mover.migrate().result is Result.MIGRATED
    return was


@pytest.mark.parametrize("route", [Route.BRIDGE, Route.DUAL, Route.DIRECT])
@pytest.mark.parametrize("code", [TO_RENAME, TO_SHIM], ids=["rename", "shim"])
def test_code_settings_aliases_and_tags_are_as_they_were(
    mover: Mover, organization: Organization, route: AskedRoute, code: bytes
) -> None:
    orders = add_orders(organization, Code={"ZipFile": code}, MemorySize=256)
    was = orders.look()
    mover = mover.anew(asked=Asked(route=route))
    assert mover.migrate().result is Result.MIGRATED
    assert orders.look().code_sha256 != was.code_sha256
    outcome = mover.roll_back()
    assert (outcome.result, outcome.notes) == (Result.ROLLED_BACK, ())
    assert orders.look().without(*OWN_ALIASES) == was


def test_rolling_back_twice_changes_nothing_the_second_time(
    mover: Mover, orders: Orders, before: Snapshot
) -> None:
    assert mover.roll_back().result is Result.ROLLED_BACK
    orders.organization.emulator.calls.clear()
    assert mover.roll_back().result is Result.ALREADY_THERE
    assert orders.written() == []
    assert orders.look().without(*OWN_ALIASES) == before


@pytest.mark.usefixtures("before")
def test_without_the_ledger_latest_is_restored_and_aliases_it_cannot_know_are_named(
    mover: Mover, orders: Orders, tmp_path: Path
) -> None:
    there = orders.look()
    stranger = mover.anew(directory=tmp_path / "other")
    stranger.directory.mkdir()
    outcome = stranger.roll_back()
    assert outcome.result is Result.PARTLY_BACK
    assert "$LATEST is back; an alias is not" in outcome.reason
    assert ["alias live stays on version 2" in each for each in outcome.notes] == [True]
    assert "--state" in outcome.notes[0]
    after = orders.look()
    assert after.configuration["Runtime"] == GO1X
    assert after.code_sha256 != there.code_sha256
    assert after.aliases["live"] == ("2", {})
    # Whoever has the ledger can still bring it back.
    assert mover.roll_back().result is Result.ROLLED_BACK
    assert orders.look().aliases["live"] == ("1", {})
    stranger.close()


def test_without_its_alias_nothing_is_guessed(mover: Mover, orders: Orders) -> None:
    plan = mover.plan_back()
    assert (plan.result, plan.reasons[0].code) == (Result.BLOCKED, "no-rollback-alias")
    assert orders.look().configuration["Runtime"] == GO1X


def test_code_that_somebody_deployed_after_the_move_stays_and_only_aliases_go_back(
    mover: Mover, orders: Orders, before: Snapshot
) -> None:
    orders.deploy()
    there = orders.look()
    outcome = mover.roll_back()
    assert outcome.result is Result.PARTLY_BACK
    assert "$LATEST stays as it is: somebody else changed it" in outcome.reason
    after = orders.look()
    assert (after.configuration, after.code_sha256) == (there.configuration, there.code_sha256)
    assert after.aliases["live"] == before.aliases["live"]


def test_settings_that_somebody_changed_after_the_move_stay_and_the_rest_goes_back(
    mover: Mover, orders: Orders, before: Snapshot
) -> None:
    orders.configure(MemorySize=512)
    outcome = mover.roll_back()
    assert outcome.result is Result.ROLLED_BACK
    assert "they stay as they are now" in outcome.notes[0]
    after = orders.look()
    assert after.configuration == {**before.configuration, "MemorySize": 512}
    assert (after.code_sha256, after.tags) == (before.code_sha256, before.tags)


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    ("operation", "nth"),
    [
        ("UpdateFunctionConfiguration", 1),
        ("UpdateFunctionCode", 1),
        ("UpdateFunctionConfiguration", 2),
    ],
)
def test_what_somebody_deploys_in_the_middle_stays(
    mover: Mover, orders: Orders, operation: str, nth: int
) -> None:
    left: list[Snapshot] = []

    def deploy() -> None:
        orders.configure(MemorySize=512)
        left.append(orders.look())

    with when(mover.organization, operation, deploy, nth=nth):
        outcome = mover.roll_back()
    assert outcome.result is Result.PARTLY_BACK
    assert "somebody else changed it" in outcome.reason
    assert orders.look() == left[0]


@pytest.mark.usefixtures("before")
def test_an_alias_that_its_owners_moved_since_is_theirs(mover: Mover, orders: Orders) -> None:
    orders.configure(MemorySize=512)
    version = orders.publish()
    orders.move_alias("live", version)
    orders.configure(MemorySize=128)
    outcome = mover.roll_back()
    assert outcome.result is Result.PARTLY_BACK
    assert f"alias live is on version {version}, and was on 1 before" in outcome.reason
    found = orders.look()
    assert (found.aliases["live"], found.configuration["Runtime"]) == ((version, {}), GO1X)


@pytest.mark.parametrize(
    ("denied", "done", "runtime"),
    [
        ("lambda:UpdateAlias", 1, AL2023),
        ("lambda:UpdateFunctionConfiguration", 2, AL2023),
        ("lambda:UpdateFunctionCode", 3, AL2023),
        ("lambda:UntagResource", 0, AL2023),
    ],
)
def test_a_call_that_is_denied_in_the_middle_ends_it_blocked_and_it_goes_on_once_allowed(
    tmp_path: Path, denied: str, done: int, runtime: str
) -> None:
    with running() as organization, moving(organization, tmp_path) as mover:
        orders = add_orders(organization)
        was = orders.look()
        assert mover.migrate().result is Result.MIGRATED
        rules = replace(RULES, denied=frozenset({(MEMBER, denied)}))
        organization.emulator._world.rules = rules
        outcome = mover.roll_back()
        assert (outcome.result, len(outcome.done)) == (Result.BLOCKED, done)
        assert denied in outcome.reason
        assert orders.look().configuration["Runtime"] == runtime
        organization.emulator._world.rules = RULES
        assert mover.roll_back().result is Result.ROLLED_BACK
        assert orders.look().without(*OWN_ALIASES) == was


@pytest.mark.parametrize("writes", range(WRITES))
def test_ctrl_c_between_writes_leaves_what_runs_and_the_next_run_finishes(
    mover: Mover, orders: Orders, before: Snapshot, writes: int
) -> None:
    leave_off = threading.Event()
    if not writes:
        leave_off.set()
    mover.organization.emulator.calls.clear()

    def hear(*_: object) -> None:
        if len(orders.written()) >= writes:
            leave_off.set()

    interrupted = mover.anew(leave_off=leave_off)
    prepared = prepare_back(interrupted.ground, interrupted.ref())
    orders.organization.emulator.on_call = hear
    outcome = bring_back(interrupted.ground, prepared)
    orders.organization.emulator.on_call = None
    assert outcome.result is Result.INTERRUPTED
    assert len(outcome.done) == writes
    assert prepared.plan.way is not None
    found = orders.look().configuration
    assert (found["Runtime"], found["Handler"], len(found.get("Layers", []))) in {
        (each.runtime, each.handler, len(each.layers)) for each in prepared.plan.way.path
    }
    assert mover.roll_back().result is Result.ROLLED_BACK
    assert orders.look().without(*OWN_ALIASES) == before


def _sign(orders: Orders, policy: str) -> None:
    with orders.organization.emulator.seeding():
        made = orders.client.create_code_signing_config(
            AllowedPublishers={
                "SigningProfileVersionArns": [
                    f"arn:aws:signer:{HOME}:{MEMBER}:/signing-profiles/shop/abc"
                ]
            },
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
        )
        orders.client.put_function_code_signing_config(
            FunctionName=orders.name,
            CodeSigningConfigArn=made["CodeSigningConfig"]["CodeSigningConfigArn"],
        )


def _pin_runtime(orders: Orders) -> None:
    with orders.organization.emulator.seeding():
        orders.client.put_runtime_management_config(
            FunctionName=orders.name,
            UpdateRuntimeOn="Manual",
            RuntimeVersionArn=f"arn:aws:lambda:{HOME}::runtime:abc",
        )


def _deny(action: str) -> Callable[[Orders], None]:
    def denied(orders: Orders) -> None:
        rules = replace(RULES, denied=frozenset({(MEMBER, action)}))
        orders.organization.emulator._world.rules = rules

    return denied


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (partial(_sign, policy="Enforce"), "its code signing policy is Enforce"),
        (partial(_sign, policy="Warn"), "its code signing policy is Warn"),
        (_deny("lambda:ListCodeSigningConfigs"), "its code signing policy is not to be read"),
        (_pin_runtime, "its runtime management mode is Manual"),
        (
            _deny("lambda:GetRuntimeManagementConfig"),
            "its runtime management mode is not to be read",
        ),
    ],
    ids=["signed", "signed to warn", "signing unreadable", "manual", "mode unreadable"],
)
def test_what_keeps_latest_from_changing_or_might_lets_aliases_back_and_is_told(
    mover: Mover,
    orders: Orders,
    before: Snapshot,
    happens: Callable[[Orders], None],
    why: str,
) -> None:
    there = orders.look()
    happens(orders)
    orders.organization.emulator.calls.clear()
    outcome = mover.anew().roll_back()
    orders.organization.emulator._world.rules = RULES
    assert outcome.result is Result.PARTLY_BACK
    assert outcome.reason.startswith(f"$LATEST stays as it is: {why}")
    assert not [
        each for each in orders.written() if each.startswith(("UpdateFunction", "UntagResource"))
    ]
    after = orders.look()
    assert (after.configuration, after.code_sha256) == (there.configuration, there.code_sha256)
    assert after.without(*OWN_ALIASES).aliases == before.aliases


def test_ctrl_c_in_the_gap_of_direct_leaves_the_gap_first(
    mover: Mover, orders: Orders, before: Snapshot
) -> None:
    leave_off = threading.Event()
    interrupted = mover.anew(asked=Asked(route=Route.DIRECT), leave_off=leave_off)
    with when(mover.organization, "UpdateFunctionCode", leave_off.set, Moment.AFTER):
        assert interrupted.roll_back().result is Result.ROLLED_BACK
    after = orders.look()
    assert (after.configuration, after.code_sha256) == (before.configuration, before.code_sha256)


def test_every_step_back_is_in_the_ledger_with_who_what_and_request(
    mover: Mover, orders: Orders, before: Snapshot
) -> None:
    went = len(mover.ledger())
    with recorded() as sent:
        assert mover.roll_back().result is Result.ROLLED_BACK
    steps = mover.ledger()[went:]
    assert len(steps) == len(sent) == WRITES
    assert all(each.state is EntryState.DONE and each.request_id for each in steps)
    assert {each.caller for each in steps} == {mover.ground.aws.caller.arn}
    assert orders.look().aliases[ROLLBACK_ALIAS] == ("1", {})
    assert before.aliases["live"] == ("1", {})
