"""What a move leaves alone, waits for, and goes on from."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

import pytest

from fleet.deployment import BRIDGE_LAYER, SERVING_ALIAS, Route
from fleet.ledger import Action
from fleet.migration import acting, proving
from fleet.migration.facts import Asked, AskedRoute
from fleet.migration.moving import move
from fleet.migration.preparing import prepare
from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.results import Result
from moto_fixtures.corrections import updates
from moto_fixtures.corrections.answers import Refusal
from moto_fixtures.invoking import invoke as invoking
from moto_fixtures.server import Call, Moment
from tests.migration.mover import UPDATE_SECONDS, Mover, moving
from tests.migration.orders import READS, SECRET, TO_RENAME, Orders, add_orders, recorded, when
from tests.moto_fixtures.small_organization import (
    HOME,
    MEMBER,
    RULES,
    Organization,
    running,
)
from tests.moto_fixtures.test_invoking import (
    ORDER,
    TOTAL,
    create,
    invoke,
    program,
    publish_layer,
    totalled,
)

AL2023 = "provided.al2023"
WRITES = 9
"""Of a first move on bridge: two versions, three aliases, three updates, and the tags."""
REFUND = {"lines": [{"article": "tent", "pieces": -1, "cents": 12_050}]}


@pytest.fixture
def orders(organization: Organization) -> Orders:
    return add_orders(organization)


def test_no_setting_and_no_hash_of_one_is_in_what_a_ledger_tells(
    mover: Mover, orders: Orders, tmp_path: Path
) -> None:
    assert mover.migrate().result is Result.MIGRATED
    assert mover.roll_back().result is Result.ROLLED_BACK
    hashes = {
        each.rest
        for entry in mover.ledger()
        for each in (entry.deployment_before, entry.deployment_after)
        if each is not None
    }
    assert len(hashes) == 1
    told = [f"{each.what} {each.result} {each.problem}" for each in mover.ledger()]
    assert not any(each in line for each in hashes for line in told)
    assert all(SECRET.encode() not in file.read_bytes() for file in tmp_path.rglob("*.db*"))
    assert orders.look().configuration["Environment"] == {"Variables": {"API_KEY": SECRET}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Orders.deploy, "code"),
        (lambda orders: orders.configure(MemorySize=512), "environment or other settings"),
        (lambda orders: orders.configure(Runtime="provided.al2"), "runtime"),
    ],
    ids=["code", "memory", "runtime"],
)
def test_what_somebody_deployed_since_the_plan_stays(
    mover: Mover, orders: Orders, change: Callable[[Orders], None], told: str
) -> None:
    prepared = prepare(mover.ground, mover.ref())
    change(orders)
    before = orders.look()
    outcome = move(mover.ground, prepared)
    assert outcome.result is Result.STALE
    assert f"somebody else changed it: {told}; nothing of it was overwritten" in outcome.reason
    assert orders.look() == before


@pytest.mark.parametrize(
    ("operation", "nth"),
    [
        ("UpdateFunctionConfiguration", 1),
        ("UpdateFunctionCode", 1),
        ("UpdateFunctionConfiguration", 2),
        ("PublishVersion", 2),
    ],
)
def test_what_somebody_deploys_in_the_middle_stays(
    mover: Mover, orders: Orders, operation: str, nth: int
) -> None:
    left = []

    def deploy() -> None:
        orders.configure(MemorySize=512, Environment={"Variables": {"API_KEY": "other"}})
        left.append(orders.look())

    with when(mover.organization, operation, deploy, nth=nth):
        outcome = mover.migrate()
    assert outcome.result is Result.STALE
    assert orders.look() == left[0]
    assert orders.look().aliases["live"] == ("1", {})


def test_an_alias_that_somebody_moves_meanwhile_stays_where_they_put_it(
    mover: Mover, orders: Orders
) -> None:
    orders.configure(MemorySize=512)
    orders.publish()
    orders.move_alias("live", "2")
    with when(mover.organization, "UpdateAlias", lambda: orders.move_alias("live", "1")):
        outcome = mover.migrate()
    assert outcome.result is Result.MIGRATED
    assert orders.look().aliases["live"] == ("1", {})
    assert "alias live stays on version 1" in outcome.notes


def test_an_alias_that_shares_its_calls_stays_and_is_told(mover: Mover, orders: Orders) -> None:
    orders.configure(MemorySize=512)
    orders.alias("canary", orders.publish(), v1=0.25)
    outcome = mover.migrate()
    assert outcome.result is Result.MIGRATED
    assert orders.look().aliases["canary"] == ("2", {"1": 0.25})
    assert "alias canary stays on version 2, with its weights" in outcome.notes


@pytest.mark.parametrize("operation", ["UpdateFunctionConfiguration", "UpdateFunctionCode"])
@pytest.mark.parametrize("code", [409, 412])
def test_an_update_of_somebody_else_is_waited_for(
    mover: Mover, orders: Orders, monkeypatch: pytest.MonkeyPatch, operation: str, code: int
) -> None:
    if code == HTTPStatus.CONFLICT:
        # Which of its two reasons AWS gives first is not known.
        monkeypatch.setattr(updates, "check_revision", lambda *_: None)

    def describe() -> None:
        orders.client.update_function_configuration(FunctionName="orders", Description="theirs")

    with when(mover.organization, operation, describe):
        assert mover.migrate().result is Result.MIGRATED
    assert orders.look().configuration["Description"] == "theirs"
    problems = [each.problem for each in mover.ledger() if each.problem]
    assert len(problems) == 1
    refusal = "ResourceConflict" if code == HTTPStatus.CONFLICT else "PreconditionFailed"
    assert refusal in problems[0]


@pytest.mark.parametrize(
    ("denied", "done", "runtime"),
    [
        ("lambda:PublishVersion", 0, GO1X),
        ("lambda:CreateAlias", 1, GO1X),
        ("lambda:UpdateFunctionConfiguration", 2, GO1X),
        ("lambda:UpdateFunctionCode", 3, AL2023),
        ("lambda:UpdateAlias", 7, AL2023),
        ("lambda:TagResource", 8, AL2023),
    ],
)
def test_a_call_that_is_denied_in_the_middle_ends_it_blocked_and_it_goes_on_once_allowed(
    tmp_path: Path, denied: str, done: int, runtime: str
) -> None:
    rules = replace(RULES, denied=frozenset({(MEMBER, denied)}))
    with running(rules) as organization, moving(organization, tmp_path) as mover:
        orders = add_orders(organization)
        outcome = mover.migrate()
        assert outcome.result is Result.BLOCKED
        assert denied in outcome.reason
        assert "`fleet policy migrate` prints what to allow" in outcome.reason
        assert len(outcome.done) == done
        assert orders.look().configuration["Runtime"] == runtime
        organization.emulator._world.rules = RULES
        assert mover.migrate().result is Result.MIGRATED
        assert orders.versions() == ["1", "2"]
        assert orders.look().aliases["live"] == ("2", {})


def events(event: object, expected: object | None = None) -> proving.TestEvents:
    wanted = None if expected is None else json.dumps(expected).encode()
    return proving.TestEvents(
        by_name={"orders": proving.TestEvent(json.dumps(event).encode(), wanted)}
    )


def test_a_function_that_answers_its_test_event_stays_moved(
    organization: Organization, mover: Mover
) -> None:
    client = create(organization, "orders", program())
    outcome = mover.anew(differently={"events": events(ORDER, TOTAL)}).migrate()
    assert outcome.result is Result.MIGRATED
    assert outcome.notes == ("it answers the test event as expected",)
    assert totalled(invoke(client))
    assert Action.INVOKE in {each.action for each in mover.ledger()}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (events(REFUND), "it fails with the test event (Unhandled, errorString)"),
        (events(ORDER, {"pieces": 3}), "it answers the test event otherwise than expected"),
    ],
    ids=["an error", "another answer"],
)
def test_a_function_that_fails_its_proof_goes_back_by_itself(
    organization: Organization, mover: Mover, given: proving.TestEvents, told: str
) -> None:
    client = create(organization, "orders", program())
    orders = Orders(organization, client)
    orders.alias("live", orders.publish())
    before = orders.look()
    outcome = mover.anew(differently={"events": given}).migrate()
    assert outcome.result is Result.ROLLED_BACK
    assert told in outcome.reason
    after = orders.look()
    assert after.without(ROLLBACK_ALIAS) == before
    assert after.aliases[ROLLBACK_ALIAS] == ("1", {})
    assert totalled(invoke(client))


def _without_concurrency(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    orders.client.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=0)


def _idle(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    orders.organization.emulator.make_idle(MEMBER, HOME, "orders")


def _throttled(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    del orders

    def serving(*_: object) -> None:
        raise Refusal("TooManyRequestsException", "Rate Exceeded.", 429)

    monkeypatch.setattr(invoking, "serving", serving)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_without_concurrency, "its reserved concurrency is 0"),
        (_idle, "ResourceNotReadyException"),
        (_throttled, "TooManyRequestsException"),
    ],
    ids=["no concurrency", "inactive", "throttled"],
)
def test_what_cannot_be_invoked_just_now_never_goes_back_and_its_aliases_wait(
    mover: Mover,
    orders: Orders,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Orders, pytest.MonkeyPatch], None],
    told: str,
) -> None:
    make(orders, monkeypatch)
    outcome = mover.anew(differently={"events": events(ORDER, TOTAL)}).migrate()
    assert outcome.result is Result.BLOCKED
    assert told in outcome.reason
    assert "these aliases wait for the proof: live" in outcome.reason
    found = orders.look()
    assert (found.configuration["Runtime"], found.aliases["live"]) == (AL2023, ("1", {}))


def test_without_aliases_that_wait_an_open_proof_is_a_note(
    organization: Organization, mover: Mover
) -> None:
    organization.add_function("orders", Code={"ZipFile": TO_RENAME})
    organization.emulator.make_idle(MEMBER, HOME, "orders")
    outcome = mover.anew(differently={"events": events(ORDER, TOTAL)}).migrate()
    assert outcome.result is Result.MIGRATED
    assert "ResourceNotReadyException" in outcome.notes[0]


@pytest.fixture
def _too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "fits_into_a_call", lambda _: False)


@pytest.mark.usefixtures("_too_large")
def test_a_large_package_goes_through_the_accounts_own_bucket_and_leaves_it_empty(
    mover: Mover, orders: Orders
) -> None:
    s3 = mover.organization.client("s3", MEMBER)
    s3.create_bucket(Bucket=f"packages-{MEMBER}-{HOME}")
    before = orders.look()
    mover = mover.anew(
        asked=Asked(bucket=True), differently={"bucket": "packages-{account}-{region}"}
    )
    with recorded() as sent:
        assert mover.migrate().result is Result.MIGRATED
    by_operation = dict(sent)
    assert by_operation["PutObject"]["ExpectedBucketOwner"] == MEMBER
    assert by_operation["DeleteObject"]["ExpectedBucketOwner"] == MEMBER
    assert "ZipFile" not in by_operation["UpdateFunctionCode"]
    assert "Contents" not in s3.list_objects_v2(Bucket=f"packages-{MEMBER}-{HOME}")
    assert orders.look().code_sha256 != before.code_sha256
    assert mover.roll_back().result is Result.ROLLED_BACK
    assert orders.look().code_sha256 == before.code_sha256


@pytest.mark.usefixtures("_too_large")
def test_a_bucket_of_another_account_gets_nothing(mover: Mover, orders: Orders) -> None:
    name = f"packages-{MEMBER}-{HOME}"
    theirs = mover.organization.client("s3")
    theirs.create_bucket(Bucket=name)
    mover = mover.anew(
        asked=Asked(bucket=True), differently={"bucket": "packages-{account}-{region}"}
    )
    outcome = mover.migrate()
    assert outcome.result is Result.BLOCKED
    assert "s3:PutObject" in outcome.reason
    assert "Contents" not in theirs.list_objects_v2(Bucket=name)
    assert orders.look().configuration["Runtime"] == AL2023


def test_every_upload_names_key_and_architecture_and_every_update_what_it_was_read_as(
    mover: Mover, organization: Organization
) -> None:
    key = f"arn:aws:kms:{HOME}:{MEMBER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    orders = add_orders(organization)
    orders.client.update_function_code(
        FunctionName="orders", ZipFile=TO_RENAME, SourceKMSKeyArn=key
    )
    mover.pass_time(UPDATE_SECONDS)
    with recorded() as sent:
        assert mover.migrate().result is Result.MIGRATED
        assert mover.roll_back().result is Result.ROLLED_BACK
    uploads = [params for operation, params in sent if operation == "UpdateFunctionCode"]
    assert [(each["SourceKMSKeyArn"], each["Architectures"]) for each in uploads] == [
        (key, ["x86_64"])
    ] * 2
    guarded = {"UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateAlias", "PublishVersion"}
    assert all(params.get("RevisionId") for operation, params in sent if operation in guarded)
    publishes = [params for operation, params in sent if operation == "PublishVersion"]
    assert [bool(each.get("CodeSha256")) for each in publishes] == [True, True]
    found = orders.client.get_function(FunctionName="orders")
    assert found["Code"]["SourceKMSKeyArn"] == key


def test_a_functions_layers_stay_in_their_order_with_the_bridge_behind_them(
    mover: Mover, organization: Organization
) -> None:
    layers = [
        publish_layer(organization, name, {name: (b"", 0o100644)}) for name in ("zeta", "alpha")
    ]
    orders = add_orders(organization, Layers=layers)
    with recorded() as sent:
        assert mover.migrate().result is Result.MIGRATED
        assert mover.roll_back().result is Result.ROLLED_BACK
    bridge = mover.ground.knowledge(mover.ref()).bridge()
    lists = [params["Layers"] for _, params in sent if "Layers" in params]
    assert lists == [[*layers, bridge], layers] * 2
    assert [each["Arn"] for each in orders.look().configuration["Layers"]] == layers


def test_migrating_twice_changes_nothing_the_second_time(mover: Mover, orders: Orders) -> None:
    assert mover.migrate().result is Result.MIGRATED
    before = orders.look()
    orders.organization.emulator.calls.clear()
    outcome = mover.migrate()
    assert (outcome.result, outcome.done) == (Result.ALREADY_THERE, ())
    assert orders.look() == before
    assert orders.written() == []


def test_what_is_deployed_after_the_move_is_its_owners(mover: Mover, orders: Orders) -> None:
    assert mover.migrate().result is Result.MIGRATED
    orders.deploy()
    before = orders.look()
    orders.organization.emulator.calls.clear()
    assert mover.migrate().result is Result.ALREADY_THERE
    assert orders.look() == before
    assert orders.written() == []


def test_it_can_migrate_again_after_a_rollback(mover: Mover, orders: Orders) -> None:
    assert mover.migrate().result is Result.MIGRATED
    there = orders.look()
    assert mover.roll_back().result is Result.ROLLED_BACK
    assert mover.migrate().result is Result.MIGRATED
    assert orders.look() == there
    assert orders.versions() == ["1", "2"]
    assert mover.roll_back().result is Result.ROLLED_BACK


@dataclass
class Interrupter:
    """Whoever presses Ctrl-C after so many writes."""

    after: int
    leave_off: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._press()

    def hear(self, call: Call, moment: Moment) -> None:
        # The layer is no step of the function's.
        if moment is Moment.AFTER and not call.operation.startswith((*READS, "PublishLayer")):
            self.after -= 1
            self._press()

    def _press(self) -> None:
        if self.after <= 0:
            self.leave_off.set()


@pytest.mark.parametrize("route", [Route.BRIDGE, Route.DUAL])
def test_ctrl_c_between_writes_leaves_what_runs_and_the_next_run_finishes(
    mover: Mover, organization: Organization, route: AskedRoute
) -> None:
    asked = Asked(route=route)
    # On dual what is its own is in the middle: upload, then the runtime.
    for writes in (0, 1, 3, 4, WRITES - 2) if route is Route.BRIDGE else (2, 3, 4):
        orders = add_orders(organization, f"orders-{writes}")
        interrupter = Interrupter(writes)
        interrupted = mover.anew(asked=asked, leave_off=interrupter.leave_off)
        prepared = prepare(interrupted.ground, interrupted.ref(orders.name))
        organization.emulator.on_call = interrupter.hear
        outcome = move(interrupted.ground, prepared)
        organization.emulator.on_call = None
        assert (outcome.result, len(outcome.done)) == (Result.INTERRUPTED, writes)
        assert "the same command goes on from here" in outcome.reason
        assert prepared.plan.way is not None
        found = orders.look().configuration
        assert (found["Runtime"], found["Handler"], len(found.get("Layers", []))) in {
            (each.runtime, each.handler, len(each.layers)) for each in prepared.plan.way.path
        }
        assert mover.anew(asked=asked).migrate(orders.name).result is Result.MIGRATED
        assert orders.versions() == ["1", "2"]
        assert orders.look().aliases["live"] == ("2", {})


def test_ctrl_c_in_the_gap_of_direct_leaves_the_gap_first(mover: Mover, orders: Orders) -> None:
    leave_off = threading.Event()
    interrupted = mover.anew(asked=Asked(route=Route.DIRECT), leave_off=leave_off)
    with when(mover.organization, "UpdateFunctionConfiguration", leave_off.set, Moment.AFTER):
        outcome = interrupted.migrate()
    assert outcome.result is Result.INTERRUPTED
    plan = prepare(mover.ground, mover.ref()).plan
    assert plan.way is not None
    found = orders.look().configuration
    assert (found["CodeSha256"], found["LastUpdateStatus"]) == (
        plan.way.end.code_sha256,
        "Successful",
    )
    assert SERVING_ALIAS not in orders.look().aliases
    assert mover.migrate().result is Result.MIGRATED


def test_the_bridge_is_published_once_and_found_again_by_its_content(
    mover: Mover, organization: Organization, tmp_path: Path
) -> None:
    for name in ("one", "two", "three"):
        add_orders(organization, name)
    # Both are planned while there is none.
    for prepared in [prepare(mover.ground, mover.ref(name)) for name in ("one", "two")]:
        assert move(mover.ground, prepared).result is Result.MIGRATED
    other = mover.anew(directory=tmp_path / "other")
    other.directory.mkdir()
    assert other.migrate("three").result is Result.MIGRATED
    other.close()
    operations = [each.operation for each in organization.emulator.calls]
    assert operations.count("PublishLayerVersion") == 1


def test_a_foreign_layer_of_the_bridges_name_is_not_used(
    mover: Mover, organization: Organization, orders: Orders
) -> None:
    foreign = publish_layer(organization, BRIDGE_LAYER, {"bootstrap": (b"#!/bin/sh", 0o100755)})
    with recorded() as sent:
        assert mover.migrate().result is Result.MIGRATED
    used = [arn for _, params in sent for arn in params.get("Layers", [])]
    assert used == [f"{foreign.removesuffix(':1')}:2"]
    del orders
