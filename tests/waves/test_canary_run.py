"""Functions that are watched after their move: what their aliases send where, tick by tick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.results import Result
from fleet.wave import OrderKind, Phase
from fleet.wave_status import WaveState
from fleet.waves.plan import Budget, Canary, Plan, Window
from tests.migration.orders import Orders, recorded
from tests.moto_fixtures.small_organization import HOME, MEMBER
from tests.waves.runner import START, Runner, plan, wave

STEPS = Canary(interval="10m", step_weight=25, max_weight=50, bake="30m", longest="2h")
AL2023 = "provided.al2023"
Way = tuple[str, Mapping[str, float]]


def watched(runner: Runner, name: str = "orders", **given: Any) -> Plan:  # noqa: ANN401  # of Wave
    return plan(wave("w", runner.member(name), **{"canary": STEPS, **given}))


def live(orders: Orders) -> Way:
    version, weights = orders.look().aliases["live"]
    return version, dict(weights)


def called(runner: Runner, good: str = "2", *, errors: int = 0, calls: int = 100) -> None:
    """Both versions of the alias are called for a while, and ten minutes pass."""
    runner.later(minutes=10)
    runner.calls("orders", "live", "1", invocations=calls)
    runner.calls("orders", "live", good, invocations=calls, errors=errors)


def runtime(orders: Orders) -> object:
    return orders.look().configuration["Runtime"]


@pytest.fixture
def orders(runner: Runner) -> Orders:
    """A function whose alias live is on version 1, which is what $LATEST is."""
    return runner.function("orders")


def test_calls_are_shifted_step_by_step_as_long_as_all_is_well(
    runner: Runner, orders: Orders
) -> None:
    one = watched(runner)
    runner.tick(one)
    shares: list[Way] = [live(orders)]
    assert runner.state().phase is Phase.BAKING
    while runner.state().phase is Phase.BAKING and len(shares) < 9:
        called(runner)
        # In vain: a step lasts an interval, and the bake half an hour.
        runner.tick(one)
        runner.tick(one)
        shares.append(live(orders))
    assert shares == [
        ("1", {"2": 0.25}),
        ("1", {"2": 0.5}),
        ("2", {}),
        ("2", {}),
        ("2", {}),
        ("2", {}),
    ]
    state = runner.state()
    assert (state.phase, state.result, state.unjudged) == (Phase.ENDED, Result.MIGRATED, False)
    assert orders.look().tags["fleet:migrated-from"] == GO1X
    assert orders.versions() == ["1", "2"]
    assert runner.words(one) == [WaveState.DONE]


def test_tags_say_that_it_has_moved_no_sooner_than_every_call_does(
    runner: Runner, orders: Orders
) -> None:
    one = watched(runner)
    runner.tick(one)
    assert "fleet:migrated-from" not in orders.look().tags
    called(runner)
    runner.tick(one)
    assert "fleet:migrated-from" not in orders.look().tags


def test_a_version_that_fails_is_rolled_back_at_its_first_step(
    runner: Runner, orders: Orders
) -> None:
    before = orders.look()
    one = watched(runner)
    runner.tick(one)
    assert live(orders) == ("1", {"2": 0.25})
    called(runner, errors=50)
    runner.tick(one)
    state = runner.state()
    assert (state.phase, state.result) == (Phase.ENDED, Result.ROLLED_BACK)
    assert "its canary failed at 0.25 of its calls" in state.reason
    assert "50 of 100 calls failed" in state.reason
    assert orders.look().without(ROLLBACK_ALIAS, "provided") == before
    assert runner.words(one) == [WaveState.DONE_WITH_FAILURES]
    called(runner)
    runner.tick(one)
    assert orders.look().without(ROLLBACK_ALIAS, "provided") == before


@pytest.mark.parametrize("step", [1, 4], ids=["second step", "baking"])
def test_a_version_that_fails_later_is_rolled_back_there(
    runner: Runner, orders: Orders, step: int
) -> None:
    before = orders.look()
    one = watched(runner)
    runner.tick(one)
    for _ in range(step):
        called(runner)
        runner.tick(one)
    assert runner.state().phase is Phase.BAKING
    called(runner, errors=10)
    runner.tick(one)
    assert runner.state().result is Result.ROLLED_BACK
    assert orders.look().without(ROLLBACK_ALIAS, "provided") == before


def test_one_check_that_fails_is_no_end_where_two_have_to(runner: Runner, orders: Orders) -> None:
    one = watched(runner, canary=STEPS.model_copy(update={"threshold": 2}))
    runner.tick(one)
    called(runner, errors=50)
    runner.tick(one)
    assert (runner.state().failed_checks, live(orders)) == (1, ("1", {"2": 0.25}))
    called(runner)
    runner.tick(one)
    # Numbers are those since the share was set: half of its errors are in them still.
    assert runner.state().result is Result.ROLLED_BACK


def test_a_function_that_nobody_calls_goes_on_unjudged_after_the_longest_wait(
    runner: Runner, orders: Orders
) -> None:
    one = watched(runner)
    runner.tick(one)
    runner.later(minutes=110)
    runner.tick(one)
    assert live(orders) == ("1", {"2": 0.25})
    runner.later(minutes=10)
    runner.tick(one)
    # More small steps would tell no more.
    assert live(orders) == ("2", {})
    runner.later(minutes=30)
    runner.tick(one)
    state = runner.state()
    assert (state.result, state.unjudged) == (Result.MIGRATED, True)
    assert "unjudged" in state.reason
    assert runner.status(one).waves[0].counts.unjudged == 1


def test_a_version_that_is_called_too_little_is_waited_for(runner: Runner, orders: Orders) -> None:
    one = watched(runner)
    runner.tick(one)
    called(runner, calls=5)
    runner.tick(one)
    assert live(orders) == ("1", {"2": 0.25})
    assert "5 of the 20 calls" in runner.state().reason


@pytest.mark.parametrize("status", ["Forbidden", "PartialData"])
def test_numbers_that_cannot_be_read_promote_nothing(
    runner: Runner, orders: Orders, status: str
) -> None:
    one = watched(runner)
    runner.tick(one)
    emulator = runner.organization.emulator
    emulator.spoil_metrics(MEMBER, HOME, "orders", status)
    for _ in range(3):
        runner.later(days=1)
        runner.tick(one)
    assert live(orders) == ("1", {"2": 0.25})
    assert "could not be read" in runner.state().reason
    emulator.spoil_metrics(MEMBER, HOME, "orders", None)
    called(runner)
    runner.tick(one)
    assert live(orders) == ("1", {"2": 0.5})


def test_outside_of_the_window_it_is_only_rolled_back(runner: Runner) -> None:
    names = ("orders", "fails")
    functions = {name: runner.function(name) for name in names}
    window = Window(hours="07:00-08:05")
    members = [runner.member(name) for name in names]
    one = plan(wave("w", *members, canary=STEPS, window=window, budget=Budget()))
    runner.at(START)
    runner.tick(one)
    called(runner)
    runner.calls("fails", "live", "1", invocations=100)
    runner.calls("fails", "live", "2", invocations=100, errors=50)
    assert runner.now().hour == 8
    runner.tick(one)
    assert runner.ended() == {"fails": Result.ROLLED_BACK}
    assert live(functions["fails"]) == ("1", {})
    assert live(functions["orders"]) == ("1", {"2": 0.25})
    runner.at(datetime(2026, 10, 20, 7, 30, tzinfo=UTC))
    runner.tick(one)
    assert live(functions["orders"]) == ("1", {"2": 0.5})


def test_a_bake_ends_whatever_the_hour(runner: Runner) -> None:
    runner.function("orders", alias=None)
    one = watched(runner, window=Window(hours="07:00-08:30"))
    runner.at(START)
    runner.tick(one)
    runner.later(minutes=40)
    runner.calls("orders", None, invocations=100)
    runner.tick(one)
    assert runner.now() > START.replace(minute=30)
    assert runner.ended() == {"orders": Result.MIGRATED}


def test_a_pause_keeps_the_share_and_a_bad_version_is_rolled_back_nevertheless(
    runner: Runner, orders: Orders
) -> None:
    one = watched(runner)
    runner.tick(one)
    runner.order(OrderKind.PAUSE)
    called(runner)
    runner.tick(one)
    assert live(orders) == ("1", {"2": 0.25})
    called(runner, errors=90)
    runner.tick(one)
    assert live(orders) == ("1", {})
    assert runner.state().result is Result.ROLLED_BACK


# Functions without an alias that could be weighted.


def test_a_function_that_is_called_at_latest_bakes_and_ends(runner: Runner) -> None:
    orders = runner.function("orders", alias=None)
    runner.calls("orders", None, invocations=1000)
    one = watched(runner)
    runner.tick(one)
    assert (runner.state().phase, runner.state().share) == (Phase.BAKING, 1.0)
    assert runtime(orders) == AL2023
    for minutes in (10, 20):
        runner.later(minutes=minutes)
        runner.calls("orders", None, invocations=100)
        runner.tick(one)
    assert (runner.state().phase, runner.state().result) == (Phase.ENDED, Result.MIGRATED)
    assert not runner.state().unjudged


def test_a_function_whose_errors_rise_at_latest_is_rolled_back(runner: Runner) -> None:
    orders = runner.function("orders", alias=None)
    before = orders.look()
    runner.calls("orders", None, invocations=1000, errors=10)
    one = watched(runner)
    runner.tick(one)
    runner.later(minutes=10)
    runner.calls("orders", "$LATEST", invocations=100, errors=5)
    runner.tick(one)
    assert runner.state().result is Result.ROLLED_BACK
    assert orders.look().without(ROLLBACK_ALIAS, "provided") == before


def test_errors_that_were_there_before_are_not_held_against_it(runner: Runner) -> None:
    runner.function("orders", alias=None)
    runner.calls("orders", None, invocations=1000, errors=100)
    one = watched(runner)
    runner.tick(one)
    for minutes in (10, 20):
        runner.later(minutes=minutes)
        runner.calls("orders", None, invocations=100, errors=10)
        runner.tick(one)
    assert runner.state().result is Result.MIGRATED


def test_an_alias_with_provisioned_concurrency_is_given_no_weights(
    runner: Runner, orders: Orders
) -> None:
    with runner.organization.emulator.seeding():
        orders.client.put_provisioned_concurrency_config(
            FunctionName="orders", Qualifier="live", ProvisionedConcurrentExecutions=2
        )
    runner.later(minutes=5)
    runner.calls("orders", "live", "1", invocations=1000)
    one = watched(runner)
    with recorded() as sent:
        runner.tick(one)
    # AWS refuses weights beside provisioned concurrency.
    assert not any(
        each.get("RoutingConfig", {}).get("AdditionalVersionWeights") for _, each in sent
    )
    assert live(orders) == ("2", {})
    assert runner.state().share == 1
    runner.later(minutes=10)
    runner.calls("orders", "live", "2", invocations=100, errors=30)
    runner.tick(one)
    assert runner.state().result is Result.ROLLED_BACK
    assert live(orders) == ("1", {})


# What people do meanwhile.


def test_a_deploy_while_calls_are_shifted_is_not_overwritten(
    runner: Runner, orders: Orders
) -> None:
    one = watched(runner)
    runner.tick(one)
    orders.deploy()
    deployed = orders.look()
    called(runner)
    runner.tick(one)
    assert runner.state().result is Result.STALE
    assert orders.look().code_sha256 == deployed.code_sha256


def test_a_cancelled_wave_brings_back_what_was_halfway(runner: Runner, orders: Orders) -> None:
    before = orders.look()
    one = watched(runner)
    runner.tick(one)
    runner.order(OrderKind.CANCEL, wave="w")
    runner.tick(one)
    assert runner.state().result is Result.ROLLED_BACK
    assert runner.state().reason == "its wave was cancelled while it was on its way"
    assert orders.look().without(ROLLBACK_ALIAS, "provided") == before


def test_a_canary_that_is_taken_out_of_the_plan_moves_every_call(
    runner: Runner, orders: Orders
) -> None:
    one = watched(runner)
    runner.tick(one)
    runner.tick(plan(wave("w", *one.waves[0].functions)))
    assert live(orders) == ("2", {})
    assert runner.state().result is Result.MIGRATED
