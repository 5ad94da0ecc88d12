"""Every build of the matrix: read, judged, repackaged and started, and verdict and start agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.inspection import BOOTSTRAP, Assessment, Deployed, Strategy, Target, Verdict
from fleet.package.inspect import inspect_package
from fleet.package.rewriting.repackage import repackage
from fleet.package.verdict.assessment import assess
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.trial.emulator import Emulator, emulator
from fleet.toolchain.trial.trial import Trial, try_package
from fleet.toolchain.trial.verdict import TrialOutcome
from moto_fixtures.build import build
from moto_fixtures.definition import Build
from moto_fixtures.packages import zipped
from tests.package.builds import MATRIX, READABLE, Case, package

NEVER = Limits(seconds=3)
"""Long enough: what starts does so in a tenth of that. A busy machine is given ten times as much
where a start is what is expected."""
AT_ONCE = Limits(seconds=30)


@pytest.fixture(scope="module")
def aws() -> Emulator:
    return emulator()


def assessed(case: Case, target: Target = Target.AL2023) -> Assessment:
    deployed = Deployed(handler=case.handler, target=target)
    return assess(deployed, inspect_package(package(case)))


def tried(
    case: Case, strategy: Strategy, aws: Emulator, directory: Path, *, architecture: str = ""
) -> Trial:
    """Repackage and start it, whatever its verdict is, on what it was built for by default."""
    repackaged = directory / "package.zip"
    repackage(package(case), repackaged, handler=case.handler, strategy=strategy)
    return try_package(
        repackaged,
        handler=case.handler if strategy is Strategy.SHIM else BOOTSTRAP,
        architecture=architecture or built_for(case),
        emulator=aws,
        limits=AT_ONCE if case.starts else NEVER,
    )


def built_for(case: Case) -> str:
    return case.build.architecture if isinstance(case.build, Build) else "x86_64"


@pytest.mark.parametrize("name", MATRIX)
def test_verdict_is_what_is_true_of_the_build(name: str) -> None:
    case = MATRIX[name]
    said = assessed(case)
    assert said.verdict is case.verdict, said.reasons
    assert (said.strategy is not None) == case.verdict.is_ready


@pytest.mark.parametrize("name", MATRIX)
def test_a_start_agrees_with_the_verdict(name: str, aws: Emulator, tmp_path: Path) -> None:
    case = MATRIX[name]
    said = assessed(case)
    trial = tried(case, said.strategy or Strategy.RENAME, aws, tmp_path)
    assert (trial.outcome is TrialOutcome.STARTS) == case.starts, trial
    if said.verdict is Verdict.REBUILD:
        assert trial.outcome is TrialOutcome.INCONCLUSIVE, trial
        assert "without asking for an invocation" in trial.reason
    if said.verdict.is_ready:
        assert trial.outcome is not TrialOutcome.CANNOT_START, trial


@pytest.mark.parametrize("name", [name for name, case in MATRIX.items() if case.verdict.is_ready])
def test_a_shim_starts_whatever_starts_when_it_is_renamed(
    name: str, aws: Emulator, tmp_path: Path
) -> None:
    case = MATRIX[name]
    trial = tried(case, Strategy.SHIM, aws, tmp_path)
    assert (trial.outcome is TrialOutcome.STARTS) == case.starts, trial


@pytest.mark.parametrize("name", ["asks where it stands, in a directory", "reads _HANDLER"])
def test_what_needs_a_shim_does_not_start_when_it_is_renamed(
    name: str, aws: Emulator, tmp_path: Path
) -> None:
    trial = tried(MATRIX[name], Strategy.RENAME, aws, tmp_path)
    assert trial.outcome is TrialOutcome.INCONCLUSIVE, trial
    assert "it ended before asking" in trial.reason


def test_a_package_made_without_execute_bits_starts_once_it_is_repackaged(
    aws: Emulator, tmp_path: Path
) -> None:
    plain, repackaged = tmp_path / "plain.zip", tmp_path / "package.zip"
    plain.write_bytes(zipped({"main": (build(MATRIX["1.19.1"].build).read_bytes(), READABLE)}))
    for strategy, handler in ((Strategy.RENAME, BOOTSTRAP), (Strategy.SHIM, "main")):
        repackage(plain, repackaged, handler="main", strategy=strategy)
        trial = try_package(repackaged, handler=handler, architecture="x86_64", emulator=aws)
        assert trial.outcome is TrialOutcome.STARTS, trial


def test_an_arm64_build_cannot_start_on_x86_64(aws: Emulator, tmp_path: Path) -> None:
    trial = tried(MATRIX["arm64"], Strategy.RENAME, aws, tmp_path, architecture="x86_64")
    assert trial.outcome is TrialOutcome.CANNOT_START, trial


def test_what_a_new_glibc_was_linked_in_may_move_to_the_new_system_only() -> None:
    said = assessed(MATRIX["cgo"], Target.AL2)
    assert said.verdict is Verdict.NEEDS_DECISION
    assert [reason.code for reason in said.reasons] == ["glibc-too-new"]
    assert assessed(MATRIX["go 1.16"], Target.AL2).verdict is Verdict.READY


def test_among_what_is_ready_are_handlers_that_fail_without_their_surroundings() -> None:
    waiting = {name for name, case in MATRIX.items() if case.verdict.is_ready and not case.starts}
    assert waiting == {"ends without its environment", "waits for its network"}
    assert not any(case.starts for case in MATRIX.values() if case.verdict is Verdict.REBUILD)
