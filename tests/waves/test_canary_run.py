"""Functions that are watched after their move: what their aliases send where, tick by tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.results import Result
from fleet.wave import MemberState, OrderKind, Phase
from fleet.wave_status import WaveState
from fleet.waves.due import Doing
from fleet.waves.plan import Budget, Canary, Plan, Window
from fleet.waves.telling import FunctionFailed, WaveBegan, WaveEnded
from fleet.waves.worker import Task
from tests.migration.orders import Orders, recorded
from tests.moto_fixtures.small_organization import HOME, MEMBER
from tests.waves.disturbing import disturbed, refuse
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
    assert "its canary failed at 25 % of its calls" in state.reason
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


@pytest.mark.parametrize(
    ("change", "result"),
    [
        (Orders.deploy, Result.PARTLY_BACK),
        (lambda orders: orders.configure(Timeout=77), Result.ROLLED_BACK),
    ],
    ids=["code", "settings"],
)
def test_what_is_changed_while_calls_are_shifted_is_not_overwritten_and_gets_no_more_of_them(
    runner: Runner, orders: Orders, change: Callable[[Orders], None], result: Result
) -> None:
    one = watched(runner)
    runner.tick(one)
    change(orders)
    changed = orders.look()
    called(runner)
    runner.tick(one)
    # Nobody could tell how it fares any more: that is no place to stay.
    assert live(orders) == ("1", {})
    assert (runner.state().phase, runner.state().result) == (Phase.ENDED, result)
    if result is Result.PARTLY_BACK:
        assert orders.look().code_sha256 == changed.code_sha256
    assert orders.look().configuration["Timeout"] == changed.configuration["Timeout"]
    assert [type(event) for event in runner.events] == [WaveBegan, FunctionFailed, WaveEnded]


def test_a_step_that_is_refused_is_tried_again(runner: Runner, orders: Orders) -> None:
    one = watched(runner)
    runner.tick(one)
    called(runner)
    with disturbed(1, refuse, "write", ever=True):
        runner.tick(one)
    assert (runner.state().phase, live(orders)) == (Phase.BAKING, ("1", {"2": 0.25}))
    assert runner.state().reason.startswith("it could not go on: ")
    called(runner)
    runner.tick(one)
    assert live(orders) == ("1", {"2": 0.5})
    assert not any(isinstance(event, FunctionFailed) for event in runner.events)


def test_a_step_that_is_blocked_leaves_the_share_as_it_is(runner: Runner, orders: Orders) -> None:
    one = watched(runner)
    runner.tick(one)
    called(runner)
    ground = runner.ground
    runner.ground = replace(ground, blocklist=frozenset({MEMBER}))
    runner.tick(one)
    assert (runner.state().phase, live(orders)) == (Phase.BAKING, ("1", {"2": 0.25}))
    runner.ground = ground
    called(runner)
    runner.tick(one)
    assert live(orders) == ("1", {"2": 0.5})


def test_a_canary_whose_way_back_is_refused_has_failed_and_comes_back_next_time(
    runner: Runner, orders: Orders
) -> None:
    runner.function("later")
    member = runner.member("orders")
    given = {"canary": STEPS, "budget": Budget(count=0)}
    runner.tick(plan(wave("w", member, **given)))
    # The plan was edited.
    two = plan(wave("w", member, runner.member("later"), **given))
    called(runner, errors=50)
    with disturbed(1, refuse, "write", ever=True):
        found = runner.tick(two)
    state = runner.state()
    assert (state.phase, state.result) == (Phase.BAKING, Result.FAILED)
    assert "its canary failed at 25 % of its calls" in state.reason
    assert "it is not back yet" in state.reason
    # It counts at once: nothing more is begun.
    assert "the failure budget of wave w is spent" in found.holdups[0].why
    assert "later" not in runner.states()
    # Numbers that have become better since change nothing.
    called(runner, calls=10_000)
    runner.tick(two)
    assert runner.ended() == {"orders": Result.ROLLED_BACK}
    assert live(orders) == ("1", {})
    assert sum(isinstance(event, FunctionFailed) for event in runner.events) == 1


def test_what_was_put_back_to_go1x_while_it_bakes_has_not_moved(runner: Runner) -> None:
    orders = runner.function("orders", alias=None)
    one = watched(runner)
    runner.tick(one)
    orders.configure(Runtime=GO1X, Handler="main")
    for _ in range(3):
        runner.later(hours=1)
        runner.calls("orders", None, invocations=100)
        runner.tick(one)
    assert runner.ended() == {"orders": Result.STALE}
    assert "back on go1.x" in runner.state().reason
    assert runtime(orders) == GO1X


def test_a_cancelled_wave_brings_back_what_was_halfway(runner: Runner, orders: Orders) -> None:
    before = orders.look()
    one = watched(runner)
    runner.tick(one)
    runner.order(OrderKind.CANCEL, wave="w")
    runner.tick(one)
    assert runner.state().result is Result.ROLLED_BACK
    assert runner.state().reason == "its wave was cancelled while it was on its way"
    assert orders.look().without(ROLLBACK_ALIAS, "provided") == before


def test_a_canary_that_is_taken_out_of_the_plan_moves_every_call_in_its_hours(
    runner: Runner, orders: Orders
) -> None:
    one = watched(runner)
    runner.tick(one)
    without = wave("w", *one.waves[0].functions)
    runner.order(OrderKind.STOP, plan="")
    runner.tick(plan(without))
    assert (live(orders), runner.state().phase) == (("1", {"2": 0.25}), Phase.BAKING)
    assert runner.store.withdraw_orders("", "", [OrderKind.STOP]) == 1
    runner.tick(plan(without, window=Window(hours="20:00-21:00")))
    assert (live(orders), runner.state().phase) == (("1", {"2": 0.25}), Phase.BAKING)
    runner.tick(plan(without))
    assert live(orders) == ("2", {})
    assert runner.state().result is Result.MIGRATED


def test_judgements_that_wait_when_all_is_stopped_shift_nothing(runner: Runner) -> None:
    names = ("orders", "other")
    functions = [runner.function(name) for name in names]
    one = plan(wave("w", *map(runner.member, names), canary=STEPS, parallelism=1))
    runner.tick(one)
    called(runner)
    for version in "12":
        runner.calls("other", "live", version, invocations=100)
    runner.tasks.clear()

    def stopped_meanwhile(do: Callable[[Task], MemberState], task: Task) -> MemberState:
        if len(runner.tasks) == 1:
            runner.order(OrderKind.STOP, plan="")
        return do(task)

    runner.around = stopped_meanwhile
    runner.tick(one)
    assert runner.done() == [(name, Doing.JUDGE) for name in names]
    assert [live(each) for each in functions] == [("1", {"2": 0.25})] * 2
