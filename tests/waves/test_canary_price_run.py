"""Functions on arm64 that are watched for what their calls cost: slower than the price is worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.model import GO1X
from fleet.results import Result
from fleet.wave import Phase, Stage
from fleet.wave_status import WaveState
from fleet.waves.plan import Arm64, Budget, Canary, OnPrice, Plan
from fleet.waves.telling import FunctionFailed
from moto_fixtures.packages import zipped
from tests.migration.orders import Orders
from tests.migration.test_architecture import ARM64, X86_64, small, written
from tests.waves.disturbing import disturbed, refuse
from tests.waves.runner import Runner, plan, wave

BAKE = Canary(interval="10m", step_weight=25, max_weight=50, bake="20m")
CALLS = 1000


@pytest.fixture
def orders(runner: Runner) -> Orders:
    """A function whose binary tells the commit it was built from."""
    return runner.function("orders", Code={"ZipFile": zipped(small())})


def on_arm64(runner: Runner, builds: Path, canary: Canary = BAKE) -> Plan:
    """Its plan, once its runtime has moved and a share of its calls go to arm64."""
    written(builds / "orders.zip", small("bootstrap", ARM64))
    second = Arm64(artifact=str(builds))
    # The first failure would stop it.
    one = plan(
        wave("w", runner.member("orders"), arm64=second, canary=canary, budget=Budget(count=0))
    )
    runner.tick(one)
    # Two steps, the whole, and its bake.
    for _ in range(4):
        called(runner, "1", "2")
        runner.tick(one)
    assert (runner.state().stage, runner.state().phase) == (Stage.ARM64, Phase.BAKING)
    return one


def called(runner: Runner, old: str = "2", new: str = "3", *, slower: float = 1.0) -> None:
    """Both versions of the alias are called for a while, and ten minutes pass."""
    runner.later(minutes=10)
    runner.calls("orders", "live", old, invocations=CALLS, duration_ms=100)
    runner.calls("orders", "live", new, invocations=CALLS, duration_ms=100 * slower)


def architecture(orders: Orders) -> object:
    return orders.look().configuration["Architectures"]


def test_slower_than_the_price_is_worth_goes_back_to_x86_64_and_is_no_failure(
    runner: Runner, orders: Orders, tmp_path: Path
) -> None:
    one = on_arm64(runner, tmp_path)
    assert orders.look().aliases["live"] == ("2", {"3": 0.25})
    called(runner, slower=1.5)
    runner.tick(one)
    look = orders.look()
    assert (look.aliases["live"], architecture(orders)) == (("2", {}), [X86_64])
    assert look.configuration["Runtime"] == "provided.al2023"
    assert look.tags["fleet:migrated-from"] == GO1X
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert runner.state().reason == (
        "it stays on x86_64: it costs more on arm64 at 25 % of its calls: live: calls took "
        "150.0 ms on average, 100.0 ms with the old version: at 80 % of the price of a GB-second "
        "they cost 20 % more"
    )
    assert runner.words(one) == [WaveState.DONE]
    assert not any(isinstance(event, FunctionFailed) for event in runner.events)


def test_slower_and_still_worth_the_price_stays_on_arm64_and_says_what_it_saves(
    runner: Runner, orders: Orders, tmp_path: Path
) -> None:
    one = on_arm64(runner, tmp_path)
    for _ in range(4):
        called(runner, slower=1.2)
        runner.tick(one)
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert (orders.look().aliases["live"], architecture(orders)) == (("3", {}), [ARM64])
    assert runner.state().reason.endswith("they cost 4 % less")


def test_slower_than_the_price_is_worth_stays_where_it_is_only_to_be_told(
    runner: Runner, orders: Orders, tmp_path: Path
) -> None:
    flagging = BAKE.model_copy(update={"price": OnPrice.FLAG})
    one = on_arm64(runner, tmp_path, flagging)
    for _ in range(2):
        called(runner, slower=2)
        runner.tick(one)
    assert runner.state().share == 1
    # What both versions took at one time is not forgotten for what one of them takes later.
    for _ in range(2):
        called(runner, slower=1)
        runner.tick(one)
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert architecture(orders) == [ARM64]
    assert "they cost 60 % more" in runner.state().reason


def test_a_way_back_from_arm64_that_is_refused_is_gone_at_the_next_check(
    runner: Runner, orders: Orders, tmp_path: Path
) -> None:
    one = on_arm64(runner, tmp_path)
    called(runner, slower=1.5)
    with disturbed(1, refuse, "write", ever=True):
        runner.tick(one)
    assert (runner.state().phase, runner.state().result) == (Phase.BAKING, Result.BAKING)
    assert "it is not back yet" in runner.state().reason
    called(runner, slower=1.5)
    runner.tick(one)
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert architecture(orders) == [X86_64]
    assert not any(isinstance(event, FunctionFailed) for event in runner.events)
