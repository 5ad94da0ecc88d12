"""`fleet plan check` against AWS: the outside of it, and its exit status."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import typer

from fleet.aws.clients import Clients
from fleet.aws.failures import CallFailed
from fleet.aws.session import Aws
from fleet.cli.options import Shown
from fleet.cli.progress import showing_move
from fleet.cli.status import Status
from fleet.cli.stopping import stopped_politely
from fleet.cli.terminal import console
from fleet.errors import SettingsProblem
from fleet.fan_out import Crew, Inbox
from fleet.permissions import PLAN, SCAN, Permission
from fleet.settings import Settings
from fleet.waves.checking import Checked, Standing, check_members, organization_of, reader
from fleet.waves.planfile import PlanFile
from reports.plan_table import MemberLine, check_table, write_check_json

_READS = frozenset({"GetCallerIdentity", "AssumeRole", "GetFunction", "DescribeOrganization"})
_GOOD = frozenset({Standing.AS_PLANNED, Standing.MOVED})


def permissions() -> tuple[Permission, ...]:
    """What a check calls: GetFunction in each account, and the organization's name."""
    return tuple(dict.fromkeys(each for each in (*PLAN, *SCAN) if each.operation in _READS))


def check_live(
    read: PlanFile, settings: Settings, shown: Shown, *, color: bool, quiet: bool
) -> Status:
    """Compare every member with what it is now, show it, and give the status it deserves.

    Raises SettingsProblem for a plan of another organization, KeyboardInterrupt, NoCredentials.
    """
    _warn_without_sources(read, settings)
    stop = threading.Event()
    clients = Clients(os.environ, profile=settings.profile, parallelism=settings.parallelism)
    aws = Aws(
        clients,
        permissions(),
        role_name=settings.role_name,
        external_id=settings.external_id,
        calls_per_second=settings.calls_per_second,
        stop=stop,
    )
    try:
        check_organization(read, aws)
    except CallFailed as failure:
        said = f"it is not known whether these credentials are of {read.plan.organization}"
        typer.echo(f"fleet: {said}: {failure}", err=True)
    inbox: Inbox = SimpleQueue()
    with ThreadPoolExecutor(settings.parallelism, thread_name_prefix="fleet") as executor:
        crew = Crew(executor, settings.parallelism, stop, inbox)
        with showing_move(quiet=quiet) as progress, stopped_politely(inbox, "stopping"):
            checked = check_members(read.plan, reader(aws), crew, progress)
    _show(checked, shown, color=color)
    return _status(checked)


def check_organization(read: PlanFile, aws: Aws) -> None:
    """Raise SettingsProblem where these credentials are not of the plan's organization.

    Raises CallFailed where that can't be asked.
    """
    planned = read.plan.organization
    caller = aws.caller
    for _, member in read.plan.members():
        if member.ref.partition != caller.partition:
            problem = (
                f"its functions are in the partition {member.ref.partition}, these credentials "
                f"in {caller.partition}: take credentials of that partition"
            )
            raise SettingsProblem(read.source, read.place(("waves",)), problem)
        break
    now = organization_of(aws)
    if planned not in {now, caller.account}:
        problem = f"the plan is for {planned}, and these credentials belong to {now}"
        raise SettingsProblem(read.source, read.place(("organization",)), problem)


def _warn_without_sources(read: PlanFile, settings: Settings) -> None:
    """Tell what is found out otherwise only once the first function has left go1.x."""
    waves = read.plan.rebuilding()
    if waves and not settings.sources:
        typer.echo(
            f"fleet: arm64: rebuild of {', '.join(waves)}: fleet.yaml has no sources:, so what was "
            "built in a repository will stay on x86_64; say there where repositories are",
            err=True,
        )


def _show(checked: list[Checked], shown: Shown, *, color: bool) -> None:
    lines = [
        MemberLine(
            wave=each.wave,
            function=each.member.function,
            standing=each.standing.value,
            reason=each.reason,
        )
        for each in checked
    ]
    if shown is Shown.JSON:
        write_check_json(lines, sys.stdout)
    else:
        good = frozenset(each.value for each in _GOOD)
        console(color=color).print(check_table(lines, good=good))


def _status(checked: list[Checked]) -> Status:
    counted = Counter(each.standing for each in checked)
    if counted[Standing.UNREAD]:
        return Status.INCOMPLETE
    return Status.FINDINGS if counted.keys() - _GOOD else Status.DONE
