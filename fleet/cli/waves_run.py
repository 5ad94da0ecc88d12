"""`fleet waves run`, `watch` and `rollback`: plan, confirm, do, show."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import typer

from fleet.cli.confirm import check_terminal, confirmed
from fleet.cli.options import Shown
from fleet.cli.status import Status
from fleet.cli.terminal import console
from fleet.cli.waves_orders import order_of
from fleet.cli.waves_status import show_record
from fleet.cli.waving import Manner, Running, running, status_of_results
from fleet.deployment import Route
from fleet.errors import BadSelection
from fleet.leasing import Taken
from fleet.migration.facts import Finding
from fleet.migration.plan import FunctionPlan
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store
from fleet.wave import MemberState, OrderKind
from fleet.waves.due import Agenda, Doing, agenda, is_over
from fleet.waves.orders import check_wave
from fleet.waves.plan import REBUILD, Wave
from fleet.waves.planfile import PlanFile

LOOK_AGAIN = timedelta(minutes=1)
"""How long watching sleeps at most: orders may come from other machines."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    file: Path | None
    name: str | None
    wave: str | None
    apply: bool
    yes: bool
    rollback_on_stop: bool
    trial: bool
    cluster: str | None
    quiet: bool
    shown: Shown
    color: bool


def run_waves(settings: Settings, asked: Asked) -> Status:
    """Run one wave or whatever is due, or show it; raises what `running` and `tick` raise."""
    if asked.apply:
        check_terminal(yes=asked.yes)
    with Store.open(settings.state) as store:
        read = plan_of(store, asked)
        check_wave(read.plan, asked.wave)
        with running(settings, store, read, _manner(asked)) as work:
            found = agenda(read.plan, work.record(), work.leases.clock(), only=asked.wave)
            if not asked.apply:
                return _shown(work, found, asked)
            _confirm(work, found, asked)
            due = {each.wave.name for each in found.due if each.doing is Doing.MOVE}
            # No more than somebody has agreed to: what falls due meanwhile is the next call's.
            begin = None if asked.yes else due
            with _shown_afterwards(work, asked) as outcome:
                try:
                    found = work.tick(
                        only=asked.wave, begin=begin, rollback_on_stop=asked.rollback_on_stop
                    )
                except Taken as taken:
                    typer.echo(f"fleet: nothing was begun: {taken}", err=True)
                outcome.status = status_of_results(work.results)
                if outcome.status is Status.DONE and any(each.spent for each in found.holdups):
                    # Called by a clock, only this tells that nothing goes on any more.
                    outcome.status = Status.FINDINGS
                held = [each for each in found.holdups if each.wave == asked.wave]
                if outcome.status is Status.DONE and held and not work.results:
                    typer.echo(f"fleet: nothing was begun: {held[0].why}", err=True)
                    outcome.status = Status.FINDINGS
            return outcome.status


def watch_waves(settings: Settings, asked: Asked) -> Status:
    """Do what is due as it comes, until the plan's end or Ctrl-C; raises as run_waves does."""
    check_terminal(yes=asked.yes)
    results: list[MemberState] = []
    with Store.open(settings.state) as store:
        read = plan_of(store, asked)
        functions = sum(1 for _ in read.plan.members())
        about = f"functions that will be changed as their waves come: {functions:,}"
        confirmed(f"watch {functions}", about, yes=asked.yes)
        seen: str | None = None
        while True:
            # Anew each time: what is known of accounts and regions grows old.
            with running(settings, store, read, _manner(asked)) as work:
                with _shown_afterwards(work, asked, only_if_interrupted=True) as outcome:
                    seen = _check_edition(store, read, seen)
                    found = agenda(read.plan, work.record(), work.leases.clock())
                    try:
                        found = work.tick(rollback_on_stop=asked.rollback_on_stop)
                    except Taken as taken:
                        typer.echo(f"fleet: {taken}", err=True)
                    results += work.results
                    if not is_over(read.plan, work.record()):
                        _sleep(work, found)
                        continue
                if outcome.status is Status.INTERRUPTED:
                    return Status.INTERRUPTED
                show_record(store, read.plan.name, asked.shown, color=asked.color)
                return status_of_results(results)


def roll_back_wave(settings: Settings, asked: Asked) -> Status:
    """Bring a wave back, or show what would be; raises what `running` and `bring_back` raise."""
    if asked.apply:
        check_terminal(yes=asked.yes)
    with Store.open(settings.state) as store:
        read = plan_of(store, asked)
        wave = asked.wave or ""
        check_wave(read.plan, wave)
        with running(settings, store, read, _manner(asked)) as work:
            if not asked.apply or not asked.yes:
                plans = [one.plan for one in work.foreseen_back(wave)]
                _show_plans(plans, asked, err=asked.apply)
            if not asked.apply:
                typer.echo("fleet: nothing was changed; --apply brings them back", err=True)
                return Status.DONE
            if not asked.yes:
                ready = sum(plan.result is Result.READY for plan in plans)
                about = f"functions of wave {wave} that will be brought back: {ready:,}"
                confirmed(f"rollback {ready}", about, yes=asked.yes)
            _hold_back(store, read.plan.name, wave)
            with _shown_afterwards(work, asked) as outcome:
                work.bring_back(wave, "its wave was brought back by hand")
                outcome.status = status_of_results(work.results, wanted={Result.ROLLED_BACK})
                if outcome.status is Status.DONE and work.left:
                    outcome.status = Status.FINDINGS
            return outcome.status


def _hold_back(store: Store, plan: str, wave: str) -> None:
    """Neither this wave begins again, nor one after it, before somebody says so."""
    why = f"wave {wave} is brought back"
    store.give_order(order_of(store, plan, wave, OrderKind.CANCEL, why))
    store.give_order(order_of(store, plan, "", OrderKind.PAUSE, why))
    said = f"wave {wave} is cancelled, and the plan paused until `fleet waves resume {plan}`"
    typer.echo(f"fleet: {said}", err=True)


@dataclass(slots=True)
class _Outcome:
    status: Status = Status.DONE


@contextmanager
def _shown_afterwards(
    work: Running, asked: Asked, *, only_if_interrupted: bool = False
) -> Iterator[_Outcome]:
    """Show where the plan stands once it is over, or Ctrl-C has ended it."""
    outcome = _Outcome()
    try:
        yield outcome
    except KeyboardInterrupt:
        outcome.status = Status.INTERRUPTED
    for ref, why in work.left.items():
        typer.echo(f"fleet: {ref.arn} is left as it is: {why}", err=True)
    if outcome.status is Status.INTERRUPTED or not only_if_interrupted:
        show_record(work.store, work.read.plan.name, asked.shown, color=asked.color)


def _check_edition(store: Store, read: PlanFile, seen: str | None) -> str:
    """Raise BadSelection where somebody runs another edition of the plan by now."""
    saved = {each.name: each.digest for each in store.plans()}.get(read.plan.name)
    if seen is not None and saved not in {None, read.digest}:
        advice = "was run from an edited file since: watch that one"
        raise BadSelection("plan", read.plan.name, advice)
    return read.digest


def plan_of(store: Store, asked: Asked) -> PlanFile:
    """The plan of a file, or one that was run before; raises BadSelection and SettingsProblem."""
    if asked.file is not None and asked.name is not None:
        advice = "name a file, or a plan that was run before, not both"
        raise BadSelection("--plan", asked.name, advice)
    if asked.file is not None:
        return PlanFile.read(asked.file)
    saved = store.plan(asked.name)
    return PlanFile.of(f"plan {saved.name}", saved.text)


def _manner(asked: Asked) -> Manner:
    return Manner(asked.apply, asked.cluster, asked.trial, asked.quiet)


def _shown(work: Running, found: Agenda, asked: Asked) -> Status:
    """Show what would be begun now, computed from what the functions are, and what waits."""
    moves = [each for each in found.due if each.doing is Doing.MOVE]
    waves = {each.state.ref: each.wave for each in moves}
    plans = [one.plan for one in work.foreseen(moves)]
    _show_plans([_with_what_follows(plan, waves[plan.ref]) for plan in plans], asked)
    if asked.shown is not Shown.JSON:
        others = len(found.due) - len(moves)
        if others:
            typer.echo(f"{others:,} functions that are watched would be judged")
        for holdup in found.holdups:
            typer.echo(f"wave {holdup.wave}: {holdup.why}")
        if not found.due and not found.holdups:
            typer.echo("nothing is left to do")
    if found.due:
        typer.echo("fleet: nothing was changed; --apply does it", err=True)
    return Status.DONE


def _with_what_follows(plan: FunctionPlan, wave: Wave) -> FunctionPlan:
    """The same with how it will be watched and what comes next; its steps are those to its end."""
    if plan.result is not Result.READY:
        return plan
    return replace(plan, notes=(*plan.notes, *_canary(wave), *_afterwards(plan, wave)))


def _canary(wave: Wave) -> Iterator[Finding]:
    canary = wave.canary
    if canary is not None:
        said = (
            f"aliases that move get {canary.step_weight:g} % of their calls on the new version, "
            f"more each {canary.interval} up to {canary.max_weight:g} %, then all; each step is "
            f"judged, and a later call goes on; then it bakes for {canary.bake}, and its tags come "
            "last"
        )
        yield Finding("canary", said)


def _afterwards(plan: FunctionPlan, wave: Wave) -> Iterator[Finding]:
    if wave.arm64 is None or plan.route is Route.ARCHITECTURE:
        return
    package = (
        "a package that is built here from the source that its binary names"
        if wave.arm64 == REBUILD
        else f"the package in {wave.arm64.artifact}"
    )
    yield Finding("arm64-follows", f"a later call takes it to arm64, with {package}")


def _show_plans(plans: Sequence[FunctionPlan], asked: Asked, *, err: bool = False) -> None:
    if asked.shown is Shown.JSON and not err:
        from reports.migration import write_plan_json

        write_plan_json(plans, sys.stdout)
    elif plans:
        from reports.migration_table import plan_tables

        console(color=asked.color, err=err).print(plan_tables(plans))


def _confirm(work: Running, found: Agenda, asked: Asked) -> None:
    """Ask once for all that is begun now; raises NotConfirmed and BadSelection."""
    moves = [each for each in found.due if each.doing is Doing.MOVE]
    if not moves and not asked.rollback_on_stop:
        return
    waves = ", ".join(dict.fromkeys(each.wave.name for each in moves)) or "none"
    accounts = len({each.state.ref.account for each in moves})
    about = (
        f"plan {work.read.plan.name}, waves: {waves}; functions that will be changed: "
        f"{len(moves):,}, accounts: {accounts:,}"
    )
    if asked.rollback_on_stop:
        about += "; where a budget is spent, what its wave has moved is brought back"
    confirmed(f"run {len(moves)}", about, yes=asked.yes)


def _sleep(work: Running, found: Agenda) -> None:
    """Wait for the next thing to do; raises KeyboardInterrupt."""
    now = work.leases.clock()
    wake = now + LOOK_AGAIN if found.wake is None else min(found.wake, now + LOOK_AGAIN)
    if found.wake is not None:
        typer.echo(f"fleet: next at {found.wake:%Y-%m-%d %H:%M:%S} UTC", err=True)
    work.pause(max((wake - now).total_seconds(), 1.0))
