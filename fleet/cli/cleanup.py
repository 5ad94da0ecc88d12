"""`fleet cleanup`: delete bridge layers that no function uses any more."""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.status import Status
from fleet.errors import BadSelection

if TYPE_CHECKING:
    from fleet.migration.cleaning import Leftover


def cleanup(
    *,
    account: Annotated[
        shared.Many,
        typer.Option("--account", metavar="ID", help="In these (default: where it has moved)."),
    ] = None,
    region: Annotated[
        shared.Many,
        typer.Option("--region", metavar="NAME", help="In these, of those accounts."),
    ] = None,
    apply: shared.Apply = False,
    yes: shared.Yes = False,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    state: shared.State = None,
    config: shared.Config = None,
) -> None:
    """Delete bridge layers that no function uses; without --apply, show which.

    Looks where this state has moved functions, or at every --account in every --region.
    """
    from fleet.aws.clients import Clients
    from fleet.aws.session import Aws
    from fleet.cli.confirm import confirmed
    from fleet.cli.packages import say
    from fleet.migration.acting import Journal
    from fleet.migration.cleaning import delete_leftovers, look_for_leftovers
    from fleet.migration.equipping import now, run_id
    from fleet.permissions import CLEANUP, DELETE
    from fleet.scan.selection import check_account_ids, split_values
    from fleet.settings import Settings
    from fleet.store import Store

    accounts, regions = split_values(account), split_values(region)
    check_account_ids("--account", accounts or ())
    if (accounts is None) != (regions is None) or () in {accounts, regions}:
        raise BadSelection("--account", None, "name accounts together with their regions, or none")
    settings = Settings.load(config, os.environ).overridden(
        state=state, role_name=role_name, external_id=external_id, profile=profile
    )
    with Store.open(settings.state, create=accounts is not None) as store:
        aws = Aws(
            Clients(os.environ, profile=settings.profile, parallelism=1),
            (*CLEANUP, *(DELETE if apply else ())),
            role_name=settings.role_name,
            external_id=settings.external_id,
            calls_per_second=settings.calls_per_second,
        )
        lanes = (
            store.moved_lanes()
            if accounts is None or regions is None
            else [(aws.caller.partition, one, other) for one in accounts for other in regions]
        )
        blocked = {*settings.blocklist, *settings.exclude_accounts}
        left_alone = sorted({lane[1] for lane in lanes} & blocked)
        for kept in left_alone:
            say(f"fleet: {kept} is on the blocklist or excluded: nothing was asked there", err=True)
        seen = [look_for_leftovers(aws, *lane) for lane in lanes if lane[1] not in blocked]
        unused = [arn for each in seen for arn in each.unused]
        _show(seen)
        if apply and unused:
            confirmed(f"cleanup {len(unused)}", f"{len(unused)} will be deleted.", yes=yes)
            journal = Journal(store, run_id(), aws.caller.arn, now)
            seen = [delete_leftovers(aws, journal, each) for each in seen]
            for arn in [arn for each in seen for arn in each.unused]:
                say(f"deleted  {arn}")
    if unused and not apply:
        say("fleet: nothing was changed; --apply does it", err=True)
    problems = [each for each in seen if each.problem]
    for each in problems:
        say(f"fleet: {each.account} {each.region}: {each.problem}", err=True)
    if not (unused or problems or left_alone):
        say("Nothing is left to clean up here.")
    sys.exit(Status.INCOMPLETE if problems else Status.DONE)


def _show(seen: Iterable["Leftover"]) -> None:
    from fleet.cli.packages import say

    for each in seen:
        for arn in each.used:
            say(f"in use   {arn}")
        for arn in each.unused:
            say(f"unused   {arn}")
