"""`fleet repackage`: a go1.x package becomes one that a custom runtime starts."""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.packages import Architecture, OnArchitecture, TargetRuntime, say
from fleet.cli.status import Status
from fleet.errors import FileProblem, FleetError
from fleet.inspection import BOOTSTRAP, Deployed, Strategy, Target, Verdict

if TYPE_CHECKING:
    from fleet.inspection import Assessment
    from fleet.package.rewriting.repackage import Repackaged
    from fleet.toolchain.trial.trial import Trial


@dataclass(eq=False)
class DoesNotStart(FleetError):
    """The repackaged zip was tried, and there is nothing in it that Lambda could run."""

    path: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path} was not written, for the result does not start: {self.reason}; see "
            "`fleet inspect` for what is in the package"
        )


def repackage(
    *,
    package: Annotated[Path, typer.Argument(metavar="IN", help="The deployment package, a zip.")],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to write; never IN itself.")
    ],
    handler: Annotated[str, typer.Option(help="The function's Handler.", show_default=False)],
    strategy: Annotated[
        Strategy | None,
        typer.Option(
            help="Do it this way, whatever the verdict (default: as the verdict says).",
            show_default=False,
        ),
    ] = None,
    attempt: Annotated[
        bool,
        typer.Option("--try", help="Start the result under AWS's emulator before it is kept."),
    ] = False,
    target: TargetRuntime = Target.AL2023,
    architecture: OnArchitecture = Architecture.X86_64,
) -> None:
    """Write a package that custom runtimes start; refused unless it is ready for that."""
    from fleet.cli.packages import inspect_path
    from fleet.package.rewriting.repackage import repackage as repackaged

    deployed = Deployed(handler=handler, architecture=architecture, target=target)
    judged = inspect_path(package, deployed).assessment
    chosen = strategy or judged.strategy
    if chosen is None:
        _refuse(package, output, judged)
        sys.exit(Status.FINDINGS)
    if chosen is not judged.strategy:
        _say_what_is_overridden(chosen, judged)
    if attempt:
        done, trial = _tried(package, output, deployed, chosen)
    else:
        done = repackaged(package, output, handler=handler, strategy=chosen)
        trial = None
    for warning in judged.warnings:
        say(f"! {warning.text}", err=True)
    _show(output, handler, done, trial)


def _refuse(package: Path, output: Path, judged: "Assessment") -> None:
    reasons = "; ".join(reason.text for reason in judged.reasons)
    if judged.verdict is Verdict.ALREADY_CUSTOM:
        advice = "upload the package as it is"
    else:
        advice = "--strategy overrides this verdict"
    say(
        f"{package}: {judged.verdict}: {reasons}; {output} was not written: {advice}",
        err=True,
    )


def _say_what_is_overridden(chosen: Strategy, judged: "Assessment") -> None:
    wanted = f", by {judged.strategy}" if judged.strategy else ""
    reasons = "; ".join(reason.text for reason in judged.reasons)
    say(f"! --strategy {chosen} overrides: {judged.verdict}{wanted}: {reasons}", err=True)


def _tried(
    package: Path, output: Path, deployed: Deployed, strategy: Strategy
) -> "tuple[Repackaged, Trial]":
    """Start what would be written, then write those very bytes.

    Raises DoesNotStart, and PackageUnusable for what cannot be laid out here.
    """
    from fleet.package.rewriting.placing import placed_whole
    from fleet.package.rewriting.repackage import repackage as repackaged
    from fleet.toolchain.trial.emulator import emulator
    from fleet.toolchain.trial.problems import PackageUnusable
    from fleet.toolchain.trial.trial import try_package
    from fleet.toolchain.trial.verdict import TrialOutcome

    if _is_same(package, output):
        raise FileProblem(str(output), "is the package itself", "name another file for the result")
    named = BOOTSTRAP if strategy is Strategy.RENAME else deployed.handler or ""
    found = emulator(progress=lambda line: say(line, err=True))
    with tempfile.TemporaryDirectory(prefix="fleet-try-") as room:
        scratch = Path(room) / "package.zip"
        done = repackaged(package, scratch, handler=deployed.handler or "", strategy=strategy)
        try:
            trial = try_package(
                scratch, handler=named, architecture=deployed.architecture, emulator=found
            )
        except PackageUnusable as error:
            # The scratch file goes away, and what is wrong came from the package.
            raise PackageUnusable(str(package), error.problem) from None
        if trial.outcome is TrialOutcome.CANNOT_START:
            raise DoesNotStart(str(output), trial.reason)
        # Not repackaged again: the package may be another one by now.
        with placed_whole(output) as (file, _), scratch.open("rb") as tried:
            shutil.copyfileobj(tried, file)
    return done, trial


def _is_same(package: Path, output: Path) -> bool:
    try:
        return output.samefile(package)
    except (OSError, ValueError):
        return False  # what is wrong with either is said when it is used


def _show(output: Path, handler: str, done: "Repackaged", trial: "Trial | None") -> None:
    renamed = done.strategy is Strategy.RENAME
    rows = [
        ("written", f"{output}, {done.size:,} bytes, {done.unzipped_size:,} unzipped"),
        ("CodeSha256", done.code_sha256),
        ("strategy", str(done.strategy)),
        *(("changed", what) for what in done.changed),
        *(("note", note) for note in done.notes),
        ("Handler", f"{BOOTSTRAP}, instead of {handler}" if renamed else f"{handler}, as it is"),
    ]
    if trial is not None:
        rows.append(("trial", f"{trial.outcome}: {trial.reason}"))
    for name, value in rows:
        say(f"{name:<12}{value}")
