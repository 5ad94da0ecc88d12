"""The outside of `fleet rebuild`: who works, what is written where, and the exit status."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, RoleRefused
from fleet.cli.migrating import Session, at_work
from fleet.cli.options import Shown
from fleet.cli.status import Status
from fleet.cli.terminal import console
from fleet.deployment import SERVING_ALIAS, X86_64_ALIAS
from fleet.errors import FileProblem, FleetError
from fleet.fan_out import fan_out
from fleet.migration.artifacts import own_place
from fleet.migration.bringing import rebuilt_from
from fleet.migration.equipping import Order
from fleet.migration.facts import Asked
from fleet.migration.gate_rules import IMAGE
from fleet.migration.ground import Ground
from fleet.migration.looking import Look
from fleet.migration.many import AT_ONCE
from fleet.migration.problems import Halted, halted_by
from fleet.model import FunctionRef, PackageType
from fleet.package.rewriting.placing import placed_whole
from fleet.permissions import REBUILD
from fleet.rebuilding.rebuilt import NotRebuilt, Outcome, Rebuilt
from fleet.rebuilding.tools import Toolbox
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store
from fleet.toolchain.trial.verdict import TrialOutcome
from reports.rebuild_json import write_rebuild_json
from reports.rebuild_table import rebuild_table


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What is to be built, and how that is shown."""

    architecture: str
    raise_library: str | None
    directory: Path
    trial: bool
    shown: Shown
    color: bool
    quiet: bool


def rebuild_all(
    settings: Settings, store: Store, refs: Sequence[FunctionRef], asked: Rebuilding
) -> Status:
    """Build every function's package anew, write what came of it, and give the exit status.

    One that can't be built costs no other. Raises GitMissing, NoGo and NoSandbox before anything
    is asked, KeyboardInterrupt, NoCredentials, FileProblem.
    """
    Toolbox(settings.sources, settings.rebuild, lambda _: None).check()
    order = Order(Asked(), trial=asked.trial, rebuild=True)
    outcomes: list[Outcome] = []
    ended: BaseException | None = None
    with at_work(settings, store, REBUILD, order, quiet=asked.quiet) as session:
        try:
            _build(session, refs, asked, outcomes)
        except (KeyboardInterrupt, NoCredentials) as error:
            ended = error
    if asked.shown is Shown.JSON:
        write_rebuild_json(outcomes, sys.stdout)
    else:
        console(color=asked.color).print(rebuild_table(outcomes))
    if ended is not None:
        said = f"{len(refs) - len(outcomes)} were not built; the same command goes on from here"
        typer.echo(f"fleet: {said}", err=True)
        raise ended
    return _status(outcomes)


def _build(
    session: Session, refs: Sequence[FunctionRef], asked: Rebuilding, outcomes: list[Outcome]
) -> None:
    with session.progress() as progress:
        progress.planned(len(refs), "dealt with")

        def settle(ref: FunctionRef, future: Future[Outcome]) -> None:
            error = future.exception()
            if isinstance(error, Interrupted):
                return
            outcome = future.result() if error is None else _gone_wrong(ref, asked, error)
            outcomes.append(outcome)
            result = Result.FAILED if outcome.failed else Result.BLOCKED
            progress.function_done(ref, Result.READY if outcome.rebuilt else result)

        at_once = min(AT_ONCE, session.crew.parallelism)
        do = partial(_built, session.ground, asked=asked)
        fan_out(session.crew, deque(refs), do, settle, at_once=at_once)


def _gone_wrong(ref: FunctionRef, asked: Rebuilding, error: BaseException) -> Outcome:
    """What becomes of one function; whatever would meet every other is raised."""
    not_built = partial(Outcome, ref, asked.architecture, None)
    match error:
        case NotRebuilt():
            return not_built(
                code=error.code, problem=str(error), words=error.words, failed=error.failed
            )
        case Halted() | CallFailed() | RoleRefused():
            halted = error if isinstance(error, Halted) else halted_by(error)
            failed = halted.result is Result.FAILED
            return not_built(code="out-of-reach", problem=halted.reason, failed=failed)
        case NoCredentials() | FileProblem():
            raise error
        case FleetError():
            return not_built(code="failed", problem=str(error), failed=True)
        case OSError():
            said = f"no temporary file can be written ({error.strerror}): set TMPDIR"
            return not_built(code="no-room", problem=said, failed=True)
    raise error


def _built(ground: Ground, ref: FunctionRef, *, asked: Rebuilding) -> Outcome:
    with TemporaryDirectory(prefix="fleet-") as room:
        look = Look(ground, ref, Path(room), keep=X86_64_ALIAS, serve=SERVING_ALIAS)
        now = look.observer.now
        if now.config.package_type is PackageType.IMAGE:
            raise NotRebuilt(IMAGE.code, IMAGE.said().text)
        rebuilt = rebuilt_from(look, now.deployment, asked.architecture, asked.raise_library)
    trial = None
    if ground.attempt is not None:
        handler = now.deployment.handler or ""
        trial = ground.attempt(rebuilt.package, handler, asked.architecture)
    if trial is not None and trial[0] == TrialOutcome.CANNOT_START:
        raise NotRebuilt("cannot-start", f"what was built does not start: {trial[1]}", failed=True)
    file = _written(rebuilt, ref, asked.directory)
    return Outcome(ref, asked.architecture, file, rebuilt, trial)


def _written(rebuilt: Rebuilt, ref: FunctionRef, directory: Path) -> Path:
    """Put package, statement and patch where `fleet migrate --artifact` looks for them."""
    target = own_place(directory, ref)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"can't be a directory ({error.strerror})"
        raise FileProblem(str(target.parent), problem, "name another --output-dir") from error
    beside = {
        "provenance.json": rebuilt.statement,
        **({"patch": rebuilt.patch} if rebuilt.patch else {}),
    }
    for ending, text in beside.items():
        with placed_whole(target.with_name(f"{ref.name}.{ending}")) as (file, _):
            file.write(text.encode())
    # The package last: where it is, all is.
    with placed_whole(target) as (file, _), rebuilt.package.open("rb") as made:
        shutil.copyfileobj(made, file)
    return target


def _status(outcomes: Sequence[Outcome]) -> Status:
    if any(each.failed for each in outcomes):
        return Status.ERROR
    if any(each.rebuilt is None for each in outcomes):
        return Status.FINDINGS
    return Status.DONE
