"""`fleet waves run`, `watch` and `rollback`: plan, confirm, do, show."""

from __future__ import annotations

import sys
from dataclasses import dataclass
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
from fleet.errors import BadSelection
from fleet.leasing import Taken
from fleet.results import Result
from fleet.settings import Settings
from fleet.store import Store
from fleet.wave import OrderKind, Phase
from fleet.waves.due import Agenda, Doing, agenda
from fleet.waves.orders import check_wave
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
            try:
                found = work.tick(only=asked.wave, rollback_on_stop=asked.rollback_on_stop)
            except Taken as taken:
                typer.echo(f"fleet: nothing was begun: {taken}", err=True)
            except KeyboardInterrupt:
                show_record(store, read.plan.name, asked.shown, color=asked.color)
                return Status.INTERRUPTED
            show_record(store, read.plan.name, asked.shown, color=asked.color)
            return status_of_results(work.results)


def watch_waves(settings: Settings, asked: Asked) -> Status:
    """Do what is due as it comes, until the plan's end or Ctrl-C; raises as run_waves does."""
    check_terminal(yes=asked.yes)
    with Store.open(settings.state) as store:
        read = plan_of(store, asked)
        with running(settings, store, read, _manner(asked)) as work:
            found = agenda(read.plan, work.record(), work.leases.clock())
            functions = sum(1 for _ in read.plan.members())
            about = f"functions that will be changed as their waves come: {functions:,}"
            confirmed(f"watch {functions}", about, yes=asked.yes)
            try:
                while True:
                    try:
                        found = work.tick(rollback_on_stop=asked.rollback_on_stop)
                    except Taken as taken:
                        typer.echo(f"fleet: {taken}", err=True)
                    if _is_over(work):
                        break
                    _sleep(work, found)
            except KeyboardInterrupt:
                show_record(store, read.plan.name, asked.shown, color=asked.color)
                return Status.INTERRUPTED
            show_record(store, read.plan.name, asked.shown, color=asked.color)
            return status_of_results(work.results)


def roll_back_wave(settings: Settings, asked: Asked) -> Status:
    """Bring a wave back, or show what would be; raises what `running` and `bring_back` raise."""
    if asked.apply:
        check_terminal(yes=asked.yes)
    with Store.open(settings.state) as store:
        read = plan_of(store, asked)
        wave = asked.wave or ""
        check_wave(read.plan, wave)
        begun = [
            state
            for state in store.members(read.plan.name)
            if state.wave == wave and state.began is not None
        ]
        said = f"functions of wave {wave} that were begun: {len(begun):,}"
        if not asked.apply:
            typer.echo(said)
            typer.echo("fleet: nothing was changed; --apply brings them back", err=True)
            return Status.DONE
        confirmed(f"rollback {wave}", said, yes=asked.yes)
        with running(settings, store, read, _manner(asked)) as work:
            why = "the wave is brought back"
            store.give_order(order_of(store, read.plan.name, wave, OrderKind.CANCEL, why))
            try:
                work.bring_back(wave, "its wave was brought back by hand")
            except KeyboardInterrupt:
                show_record(store, read.plan.name, asked.shown, color=asked.color)
                return Status.INTERRUPTED
            show_record(store, read.plan.name, asked.shown, color=asked.color)
            return status_of_results(work.results, wanted=Result.ROLLED_BACK)


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
    from reports.migration import write_plan_json
    from reports.migration_table import plan_tables

    moves = [each for each in found.due if each.doing is Doing.MOVE]
    plans = [one.plan for one in work.foreseen(moves)]
    if asked.shown is Shown.JSON:
        write_plan_json(plans, sys.stdout)
    else:
        out = console(color=asked.color)
        if plans:
            out.print(plan_tables(plans))
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


def _confirm(work: Running, found: Agenda, asked: Asked) -> None:
    """Ask once for all that is begun now; raises NotConfirmed and BadSelection."""
    moves = [each for each in found.due if each.doing is Doing.MOVE]
    if not moves:
        return
    waves = ", ".join(dict.fromkeys(each.wave.name for each in moves))
    accounts = len({each.state.ref.account for each in moves})
    about = (
        f"plan {work.read.plan.name}, waves: {waves}; functions that will be changed: "
        f"{len(moves):,}, accounts: {accounts:,}"
    )
    confirmed(f"run {len(moves)}", about, yes=asked.yes)


def _is_over(work: Running) -> bool:
    record = work.record()
    return all(record.state(*each).phase is Phase.ENDED for each in work.read.plan.members())


def _sleep(work: Running, found: Agenda) -> None:
    """Wait for the next thing to do; raises KeyboardInterrupt."""
    now = work.leases.clock()
    wake = now + LOOK_AGAIN if found.wake is None else min(found.wake, now + LOOK_AGAIN)
    work.pause(max((wake - now).total_seconds(), 1.0))
