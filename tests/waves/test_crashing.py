"""Runs that die, and states that are gone in the middle: whoever comes next ends it, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.leasing import Taken
from fleet.results import Result
from fleet.store import Store
from fleet.wave import Phase
from fleet.waves.due import Doing
from fleet.waves.plan import Arm64, Budget, Canary, Freeze, Plan, Window
from fleet.waves.telling import FunctionFailed, WaveBegan, WaveEnded
from moto_fixtures.packages import zipped
from tests.migration.seeded import Snapshot
from tests.migration.test_architecture import ARM64, small, written
from tests.moto_fixtures.small_organization import HOME, MEMBER
from tests.waves.disturbing import Killed, die, disturbed, lose
from tests.waves.runner import LONG, START, Runner, plan, wave

STEPS = Canary(interval="10m", step_weight=50, max_weight=50, bake="10m")
_numbers = count(1)


def to_the_end(runner: Runner, name: str, one: Plan) -> None:
    """Tick until it has ended, its calls going well."""
    for _ in range(9):
        runner.tick(one)
        state = runner.states().get(name)
        if state is not None and state.phase is Phase.ENDED:
            return
        runner.later(minutes=10)
        for version in "12":
            runner.calls(name, "live", version, invocations=100)


def undisturbed_or_not(
    runner: Runner, at: int, act: Callable[[], object], *names: str, **how: bool
) -> tuple[Snapshot, list[str], int]:
    """What becomes of a function that is disturbed once: the same as of any other."""
    runner.organization.emulator.take_for_updates(0)
    name = f"fn-{next(_numbers)}"
    orders = runner.function(name)
    one = plan(wave(name, runner.member(name), canary=STEPS))
    with disturbed(at, act, *names, **how) as calls, suppress(Killed, FileProblem):
        to_the_end(runner, name, one)
    to_the_end(runner, name, one)
    state = runner.state(name)
    assert (state.phase, state.result) == (Phase.ENDED, Result.MIGRATED), at
    kinds = [type(each) for each in runner.events if each.wave == name]
    assert FunctionFailed not in kinds
    # At most once, and missing only where whoever told it died as they did.
    assert kinds in ([WaveBegan, WaveEnded], [WaveEnded], [WaveBegan])
    look = orders.look()
    same = {key: value for key, value in look.configuration.items() if name not in str(value)}
    return Snapshot(same, look.code_sha256, look.tags, look.aliases), orders.versions(), calls.seen


@pytest.mark.parametrize(
    ("name", "after"),
    [("write", True), ("put_members", False), ("put_members", True), ("tell_once", True)],
)
def test_a_run_that_dies_at_any_write_is_gone_on_with(
    runner: Runner, name: str, *, after: bool
) -> None:
    *expected, writes = undisturbed_or_not(runner, 0, die, name)
    assert expected[1] == ["1", "2"]
    for at in range(1, writes + 1):
        *ends, _ = undisturbed_or_not(runner, at, die, name, after=after)
        assert ends == expected, f"killed at {name} {at}"


@pytest.mark.parametrize("ever", [True, False], ids=["gone", "for a moment"])
def test_a_state_that_is_gone_in_the_middle_stops_it_safely(runner: Runner, *, ever: bool) -> None:
    names = ("put_members", "begin_step", "end_step", "take_lease", "member", "orders", "tell_once")
    *expected, calls = undisturbed_or_not(runner, 0, lose, *names)
    for at in range(1 if ever else 3, calls + 1, 9):
        *ends, _ = undisturbed_or_not(runner, at, lose, *names, ever=ever)
        assert ends == expected, f"gone at {at}"


def test_a_state_that_is_gone_is_said_and_what_is_under_way_is_gone_on_with(
    runner: Runner,
) -> None:
    runner.function("orders")
    one = plan(wave("w", runner.member("orders")))
    with (
        disturbed(3, lose, "begin_step", ever=True),
        pytest.raises(FileProblem, match=r"fleet.db: can't be reached"),
    ):
        runner.tick(one)
    # Nothing is wrong with the function: no budget is spent by it.
    assert (runner.state().phase, runner.ended()) == (Phase.UNDER_WAY, {})
    runner.tick(one)
    assert (runner.state().result, runner.state().attempts) == (Result.MIGRATED, 2)


def test_what_somebody_held_who_died_is_had_when_it_is_over(runner: Runner) -> None:
    runner.function("orders")
    one = plan(wave("w", runner.member("orders")))
    # All was done, and the end of it not yet noted.
    with pytest.MonkeyPatch.context() as patch, disturbed(2, die, "put_members"):
        patch.setattr(Store, "release_lease", lambda *_: True)
        with pytest.raises(Killed):
            runner.tick(one)
    with pytest.raises(Taken):
        runner.tick(one)
    assert runner.state().phase is Phase.UNDER_WAY
    runner.later(seconds=LONG)
    runner.tick(one)
    # It was there already, and this plan's run had moved it.
    assert runner.ended() == {"orders": Result.MIGRATED}
    runner.bring_back(one, "w")
    assert runner.ended() == {"orders": Result.ROLLED_BACK}


def test_a_second_stage_that_dies_is_gone_on_with(runner: Runner, tmp_path: Path) -> None:
    written(tmp_path / "orders.zip", small("bootstrap", ARM64))
    runner.organization.emulator.take_for_updates(0)
    ends: list[Mapping[str, object]] = []
    for at in (0, 1, 3, 4):
        name = f"fn-{next(_numbers)}"
        orders = runner.function(name, Code={"ZipFile": zipped(small())})
        written(tmp_path / f"{name}.zip", small("bootstrap", ARM64))
        one = plan(wave(name, runner.member(name), arm64=Arm64(artifact=str(tmp_path))))
        runner.tick(one)
        with disturbed(at, die, "write", after=True) as calls, suppress(Killed):
            runner.tick(one)
        runner.tick(one)
        assert calls.seen >= at
        assert runner.state(name).result is Result.MIGRATED, at
        ends.append({"versions": orders.versions(), "aliases": orders.look().aliases})
    assert all(each == ends[0] for each in ends)
    assert ends[0]["versions"] == ["1", "2", "3"]


# What died halfway, at an hour when nothing may begin.

FROZEN = Window(freeze=(Freeze(first=START.date(), last=START.date()),))


@pytest.mark.parametrize(("at", "untouched"), [(1, True), (5, False)])
def test_out_of_hours_one_that_died_goes_on_if_it_was_changed(
    runner: Runner, at: int, *, untouched: bool
) -> None:
    orders = runner.function("orders")
    before = orders.look()
    member = runner.member("orders")
    with disturbed(at, die, "write"), pytest.raises(Killed):
        runner.tick(plan(wave("w", member)))
    assert runner.state().phase is Phase.UNDER_WAY
    runner.tick(plan(wave("w", member), window=FROZEN))
    if untouched:
        assert (runner.state().phase, orders.look()) == (Phase.WAITING, before)
        assert (runner.state().attempts, runner.state().touched) == (2, False)
        runner.later(days=1)
        runner.tick(plan(wave("w", member), window=FROZEN))
    assert runner.ended() == {"orders": Result.MIGRATED}


def test_rollback_on_stop_brings_back_what_stands_halfway(runner: Runner) -> None:
    names = ("a", "halfway", "b")
    for name in names:
        runner.function(name)
    one = plan(wave("w", *map(runner.member, names), parallelism=1, budget=Budget(count=0)))
    before = runner.orders("halfway").look()
    with disturbed(15, die, "write"), pytest.raises(Killed):
        runner.tick(one)
    assert runner.state("halfway").phase is Phase.UNDER_WAY
    assert runner.orders("halfway").look() != before
    runner.store.put_member("move", replace(runner.state("a"), result=Result.FAILED))
    runner.tasks.clear()
    runner.tick(one, rollback_on_stop=True)
    assert set(runner.done()) == {("a", Doing.BACK), ("halfway", Doing.BACK)}
    assert runner.ended() == dict.fromkeys(("a", "halfway"), Result.ROLLED_BACK)
    assert runner.orders("halfway").look().code_sha256 == before.code_sha256


def test_a_failure_is_told_once_by_whoever_comes_after_the_dead(runner: Runner) -> None:
    runner.function("orders")
    one = plan(wave("w", runner.member("orders")))
    runner.organization.emulator.fail_updates(MEMBER, HOME, "orders", "no room")
    # It has told that the wave began.
    with disturbed(2, die, "tell_once"), pytest.raises(Killed):
        runner.tick(one)
    assert runner.ended() == {"orders": Result.FAILED}
    assert [type(each) for each in runner.events] == [WaveBegan]
    for _ in range(2):
        runner.tick(one)
    assert [type(each) for each in runner.events] == [WaveBegan, FunctionFailed, WaveEnded]
