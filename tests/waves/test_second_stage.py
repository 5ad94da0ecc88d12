"""The runtime first, and after its bake the architecture, each with a canary of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.deployment import X86_64_ALIAS
from fleet.model import ROLLBACK_ALIAS
from fleet.results import Result
from fleet.wave import Phase, Stage
from fleet.wave_status import WaveState
from fleet.waves.due import Doing
from fleet.waves.plan import Arm64, Budget, Canary, Plan
from fleet.waves.telling import FunctionFailed
from moto_fixtures.packages import zipped
from tests.migration.orders import Orders
from tests.migration.test_architecture import ARM64, X86_64, small, written
from tests.waves.runner import Runner, plan, wave

BAKE = Canary(interval="10m", step_weight=50, max_weight=50, bake="10m")


@pytest.fixture
def builds(tmp_path: Path) -> Path:
    directory = tmp_path / "builds"
    directory.mkdir()
    return directory


@pytest.fixture
def orders(runner: Runner) -> Orders:
    """A function whose binary tells the commit it was built from."""
    return runner.function("orders", Code={"ZipFile": zipped(small())})


def in_two(runner: Runner, builds: Path, canary: Canary | None = None) -> Plan:
    second = Arm64(artifact=str(builds))
    return plan(wave("w", runner.member("orders"), arm64=second, canary=canary))


def architecture(orders: Orders) -> object:
    return orders.look().configuration["Architectures"]


def failures(runner: Runner) -> list[FunctionFailed]:
    return [event for event in runner.events if isinstance(event, FunctionFailed)]


def bake(runner: Runner, one: Plan, old: str, new: str, *, times: int, errors: int = 0) -> None:
    for _ in range(times):
        runner.later(minutes=10)
        for version, failed in ((old, 0), (new, errors)):
            runner.calls("orders", "live", version, invocations=100, errors=failed)
        runner.tick(one)


def test_both_stages_follow_each_other_where_nothing_is_watched(
    runner: Runner, orders: Orders, builds: Path
) -> None:
    written(builds / "orders.zip", small("bootstrap", ARM64))
    one = in_two(runner, builds)
    runner.tick(one)
    # Once a tick: people look at it in between, or say that it may go on.
    state = runner.state()
    assert (state.stage, state.phase, architecture(orders)) == (
        Stage.ARM64,
        Phase.WAITING,
        [X86_64],
    )
    runner.tick(one)
    state = runner.state()
    assert (state.stage, state.phase, state.result) == (Stage.ARM64, Phase.ENDED, Result.MIGRATED)
    assert architecture(orders) == [ARM64]
    assert orders.look().aliases["live"] == ("3", {})


def test_the_architecture_waits_until_the_runtime_has_baked(
    runner: Runner, orders: Orders, builds: Path
) -> None:
    written(builds / "orders.zip", small("bootstrap", ARM64))
    one = in_two(runner, builds, BAKE)
    runner.tick(one)
    bake(runner, one, "1", "2", times=1)
    assert (runner.state().stage, architecture(orders)) == (Stage.RUNTIME, [X86_64])
    bake(runner, one, "1", "2", times=1)
    assert (runner.state().stage, runner.state().phase) == (Stage.ARM64, Phase.BAKING)
    assert architecture(orders) == [ARM64]
    assert orders.look().aliases["live"] == ("2", {"3": 0.5})
    bake(runner, one, "2", "3", times=2)
    assert (runner.state().phase, runner.state().result) == (Phase.ENDED, Result.MIGRATED)
    assert orders.look().aliases["live"] == ("3", {})


def test_a_build_that_fails_goes_back_to_x86_64_and_no_further(
    runner: Runner, orders: Orders, builds: Path
) -> None:
    written(builds / "orders.zip", small("bootstrap", ARM64))
    one = in_two(runner, builds, BAKE)
    before = orders.look()
    runner.tick(one)
    bake(runner, one, "1", "2", times=2)
    assert architecture(orders) == [ARM64]
    bake(runner, one, "2", "3", times=1, errors=50)
    assert runner.state().result is Result.ROLLED_BACK
    look = orders.look()
    assert look.configuration["Architectures"] == [X86_64]
    assert look.configuration["Runtime"] == "provided.al2023"
    assert look.aliases["live"] == ("2", {})
    # By hand the whole of it comes back, and nobody is told twice that it failed.
    assert len(failures(runner)) == 1
    runner.bring_back(one, "w")
    runner.tick(one)
    assert len(failures(runner)) == 1
    ours = (ROLLBACK_ALIAS, "provided", X86_64_ALIAS)
    assert orders.look().without(*ours) == before
    assert (runner.state().stage, runner.state().result) == (Stage.RUNTIME, Result.ROLLED_BACK)
    runner.tasks.clear()
    runner.bring_back(one, "w")
    assert runner.tasks == []


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _: None, "there is no such file"),
        (lambda file: written(file, small("bootstrap", X86_64)), "x86_64"),
    ],
    ids=["none", "wrong"],
)
def test_without_a_build_it_stays_on_x86_64_and_has_left_go1x(
    runner: Runner, orders: Orders, builds: Path, make: object, why: str
) -> None:
    assert callable(make)
    make(builds / "orders.zip")
    one = in_two(runner, builds)
    runner.tick(one)
    runner.tick(one)
    state = runner.state()
    assert (state.phase, state.result) == (Phase.ENDED, Result.BLOCKED)
    assert runner.status(one).totals.done == 1
    assert runner.words(one) == [WaveState.DONE_NOT_ALL_MOVED]
    assert state.reason.startswith("it stays on x86_64: ")
    assert why in state.reason
    assert architecture(orders) == [X86_64]


def test_arm64_that_is_taken_out_of_the_plan_halfway_goes_back_to_x86_64(
    runner: Runner, orders: Orders, builds: Path
) -> None:
    written(builds / "orders.zip", small("bootstrap", ARM64))
    one = in_two(runner, builds, BAKE)
    runner.tick(one)
    bake(runner, one, "1", "2", times=3)
    assert (runner.state().stage, architecture(orders)) == (Stage.ARM64, [ARM64])
    without = plan(one.waves[0].model_copy(update={"arm64": None}))
    bake(runner, without, "2", "3", times=1)
    # What people take back is no failure, and it has left go1.x.
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert runner.state().reason == "it stays on x86_64: the plan asks for no more"
    assert failures(runner) == []
    look = orders.look()
    assert (look.aliases["live"], architecture(orders)) == (("2", {}), [X86_64])
    assert look.configuration["Runtime"] == "provided.al2023"


def test_arm64_that_is_taken_out_of_the_plan_after_its_run_has_died_is_taken_back(
    runner: Runner, orders: Orders, builds: Path
) -> None:
    written(builds / "orders.zip", small("bootstrap", ARM64))
    one = in_two(runner, builds, BAKE)
    runner.tick(one)
    bake(runner, one, "1", "2", times=2)
    assert orders.look().aliases["live"] == ("2", {"3": 0.5})
    # As it was noted when it was begun.
    died = replace(runner.state(), phase=Phase.UNDER_WAY, result=None, share=0.0)
    runner.store.put_member("move", died)
    runner.tick(plan(one.waves[0].model_copy(update={"arm64": None})))
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert runner.state().reason == "it stays on x86_64: the plan asks for no more"
    assert (orders.look().aliases["live"], architecture(orders)) == (("2", {}), [X86_64])


def test_arm64_that_is_taken_out_of_the_plan_before_it_begins_is_the_end(
    runner: Runner, orders: Orders, builds: Path
) -> None:
    one = in_two(runner, builds)
    runner.tick(one)
    before = orders.look()
    runner.tick(plan(one.waves[0].model_copy(update={"arm64": None})))
    assert runner.ended() == {"orders": Result.MIGRATED}
    assert runner.state().attempts == 0
    assert orders.look() == before


@pytest.mark.parametrize("how", ["by hand", "on stop"])
def test_what_had_left_go1x_before_its_plan_is_never_put_back_on_it(
    runner: Runner, orders: Orders, builds: Path, how: str
) -> None:
    written(builds / "orders.zip", small("bootstrap", ARM64))
    one = in_two(runner, builds)
    assert runner.migrate("orders") is Result.MIGRATED
    runner.tick(one)
    assert (runner.state().stage, runner.state().phase) == (Stage.ARM64, Phase.WAITING)
    # What the plan has not touched yet is not its to bring back.
    runner.bring_back(one, "w")
    assert [task.doing for task in runner.tasks] == [Doing.MOVE]
    runner.tick(one)
    assert architecture(orders) == [ARM64]
    if how == "by hand":
        runner.bring_back(one, "w")
    else:
        runner.store.put_member("move", replace(runner.state(), result=Result.FAILED))
        stopped = one.model_copy(update={"budget": Budget(count=0)})
        runner.tick(stopped, rollback_on_stop=True)
    assert runner.ended() == {"orders": Result.ROLLED_BACK}
    look = orders.look()
    assert architecture(orders) == [X86_64]
    assert look.configuration["Runtime"] == "provided.al2023"
    # However often.
    runner.tasks.clear()
    runner.bring_back(one, "w")
    assert orders.look() == look
