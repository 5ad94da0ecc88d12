"""Runs that die, and states that are gone in the middle: whoever comes next ends it, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fleet.aws.session import Aws
from fleet.errors import FileProblem
from fleet.leasing import Taken
from fleet.results import Result
from fleet.store import Store
from fleet.wave import Phase
from fleet.waves.plan import Arm64, Canary, Plan
from fleet.waves.telling import FunctionFailed, WaveBegan, WaveEnded
from moto_fixtures.packages import zipped
from tests.migration.seeded import Snapshot
from tests.migration.test_architecture import ARM64, small, written
from tests.waves.runner import LONG, Runner, plan, wave

STEPS = Canary(interval="10m", step_weight=50, max_weight=50, bake="10m")
_numbers = count(1)


class Killed(BaseException):
    """kill -9, as far as AWS and the store can tell."""


@dataclass
class Disturbed:
    """Writes to the store and to AWS, one of which, or all from which on, goes wrong."""

    seen: int = 0

    def count(self, at: int, ever: bool) -> bool:  # a rule of tests only
        self.seen += 1
        return self.seen == at or (ever and 0 < at < self.seen)


@contextmanager
def disturbed(
    at: int, act: Callable[[], object], *names: str, after: bool = False, ever: bool = False
) -> Iterator[Disturbed]:
    """Act before or after the call of this number, or before all from there on."""
    calls = Disturbed()

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:  # noqa: ANN401  # as it is
            hit = calls.count(at, ever)
            if hit and not after:
                act()
            answer = real(*args, **given)
            if hit and after:
                act()
            return answer

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            owner: Any = Aws if name == "write" else Store
            patch.setattr(owner, name, wrapped(getattr(owner, name)))
        yield calls


def die() -> None:
    raise Killed


def lose() -> None:
    raise FileProblem("fleet.db", "can't be reached", "try again")


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
    assert runner.ended() == {"orders": Result.MIGRATED}


def test_a_second_stage_that_dies_is_gone_on_with(runner: Runner, tmp_path: Path) -> None:
    written(tmp_path / "orders.zip", small("bootstrap", ARM64))
    runner.organization.emulator.take_for_updates(0)
    ends: list[Mapping[str, object]] = []
    for at in (0, 11, 12, 13, 14):
        name = f"fn-{next(_numbers)}"
        orders = runner.function(name, Code={"ZipFile": zipped(small())})
        written(tmp_path / f"{name}.zip", small("bootstrap", ARM64))
        one = plan(wave(name, runner.member(name), arm64=Arm64(artifact=str(tmp_path))))
        with disturbed(at, die, "write", after=True) as calls, suppress(Killed):
            runner.tick(one)
        runner.tick(one)
        assert calls.seen >= at
        assert runner.state(name).result is Result.MIGRATED, at
        ends.append({"versions": orders.versions(), "aliases": orders.look().aliases})
    assert all(each == ends[0] for each in ends)
    assert ends[0]["versions"] == ["1", "2", "3"]
