"""Plan, confirm, apply: the same for every command that changes functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer

from fleet.aws.failures import NoCredentials
from fleet.cli.chosen import Filters, Standing, of_arns, of_scan
from fleet.cli.confirm import check_terminal, confirmed
from fleet.cli.migrating import at_work, counted_owners
from fleet.cli.options import Many, Shown
from fleet.cli.status import Status
from fleet.cli.terminal import console
from fleet.errors import BadSelection
from fleet.migration.equipping import Order
from fleet.migration.ground import Ground
from fleet.migration.plan import Outcome
from fleet.migration.prepared import Prepared
from fleet.model import FunctionRef
from fleet.permissions import Permission
from fleet.results import Result
from fleet.scan.selection import split_values
from fleet.settings import Settings
from fleet.store import Store

_ONE_WAY = "name functions or take them from a scan, not both (a scan's id goes after =)"
_NONE_THERE = {
    Standing.TO_MOVE: "holds no function on go1.x like these",
    Standing.MIGRATED: "holds no migrated function like these; scan with --language go",
    Standing.EITHER: "holds no function like these, neither on go1.x nor migrated",
}
_BAD = frozenset({Result.FAILED, Result.PARTLY_BACK})
_LEFT = frozenset({Result.BLOCKED, Result.STALE})


@dataclass(frozen=True, slots=True)
class Change:
    """What a command does to functions."""

    word: str
    """`migrate` or `rollback`: what has to be typed, before the number of functions."""
    prepare: Callable[[Ground, FunctionRef], Prepared]
    act: Callable[[Ground, Prepared], Outcome]
    order: Order
    reading: tuple[Permission, ...]
    writing: tuple[Permission, ...]
    wanted: Result
    """How it should end for each."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command is to be carried out and shown."""

    apply: bool
    yes: bool
    shown: Shown
    color: bool
    quiet: bool
    max_failures: int | None


def chosen(
    store: Store,
    arns: Many,
    from_scan: str | None,
    filters: Filters,
    standing: Standing = Standing.TO_MOVE,
) -> list[FunctionRef]:
    """The functions that were named, or those of a scan that stand there.

    Raises BadSelection where none are, or in two ways.
    """
    if arns and from_scan is not None:
        raise BadSelection("--from-scan", from_scan, _ONE_WAY)
    if from_scan is not None:
        refs = of_scan(store, from_scan, filters, standing)
        if not refs:
            raise BadSelection("--from-scan", from_scan, _NONE_THERE[standing])
        return refs
    if filters.any:
        advice = "chooses among the functions of a scan; say --from-scan as well"
        raise BadSelection("--account, --region, --function or --tag", None, advice)
    if not arns:
        raise BadSelection("ARN", None, "name functions by their ARNs, or say --from-scan")
    return of_arns(arns)


def filters_of(
    account: Many,
    exclude_account: Many,
    region: Many,
    exclude_region: Many,
    function: Many,
    tag: Many,
) -> Filters:
    """The filters as they were given."""
    return Filters(
        accounts=split_values(account),
        excluded_accounts=split_values(exclude_account) or (),
        regions=split_values(region),
        excluded_regions=split_values(exclude_region) or (),
        functions=split_values(function),
        tags=split_values(tag),
    )


def carry_out(
    settings: Settings, store: Store, refs: Sequence[FunctionRef], change: Change, manner: Manner
) -> Status:
    """Show what would be done or, with --apply and once it is confirmed, do it and show that.

    Raises BadSelection for functions that these credentials can't be meant for, NotConfirmed,
    KeyboardInterrupt and NoCredentials.
    """
    if manner.apply:
        check_terminal(yes=manner.yes)
    permissions = (*change.reading, *(change.writing if manner.apply else ()))
    with at_work(settings, store, permissions, change.order, quiet=manner.quiet) as session:
        prepared = session.look(refs, change.prepare)
        ready = [one for one in prepared if one.plan.result is Result.READY]
        if not manner.apply:
            _show_plans(prepared, manner)
            if ready:
                typer.echo("fleet: nothing was changed; --apply does it", err=True)
            return _status([one.plan.result for one in prepared], change.wanted)
        if ready and not manner.yes:
            _show_plans(prepared, manner, err=True)
            about = counted_owners([one.plan for one in ready])
            confirmed(f"{change.word} {len(ready)}", about, yes=manner.yes)
        outcomes, ended = session.act(ready, change.act, change.wanted, manner.max_failures)
    others = [_untouched(one) for one in prepared if one.plan.result is not Result.READY]
    return _shown([*outcomes, *others], manner, change.wanted, ended)


def _untouched(one: Prepared) -> Outcome:
    reason = "; ".join(each.text for each in one.plan.reasons)
    return Outcome(one.plan.ref, one.plan.result, reason)


def _show_plans(prepared: Sequence[Prepared], manner: Manner, *, err: bool = False) -> None:
    plans = [one.plan for one in prepared]
    if manner.shown is Shown.JSON and not err:
        from reports.migration import write_plan_json

        write_plan_json(plans, sys.stdout)
        return
    from reports.migration_table import plan_tables

    console(color=manner.color, err=err).print(plan_tables(plans))


def _shown(
    outcomes: Sequence[Outcome], manner: Manner, wanted: Result, ended: BaseException | None
) -> Status:
    if manner.shown is Shown.JSON:
        from reports.migration import write_outcomes_json

        write_outcomes_json(outcomes, sys.stdout)
    else:
        from reports.migration_table import outcome_table

        console(color=manner.color).print(outcome_table(outcomes))
    if isinstance(ended, NoCredentials):
        raise ended
    if ended is not None:
        return Status.INTERRUPTED
    return _status([each.result for each in outcomes], wanted)


def _status(results: Sequence[Result], wanted: Result) -> Status:
    bad = _BAD if wanted is Result.ROLLED_BACK else _BAD | {Result.ROLLED_BACK}
    if any(each in bad or each is Result.INTERRUPTED for each in results):
        return Status.ERROR
    if any(each in _LEFT for each in results):
        return Status.FINDINGS
    return Status.DONE
