"""Puts an organization into a running emulator.

Functions go into moto's backends in-process: AWS has refused to create go1.x functions since
2024-02-08, so no API could bring them there. What calls them goes over HTTP, by the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from moto_fixtures.build import Progress
from moto_fixtures.corrections.log_store import Reports
from moto_fixtures.definition import Organization
from moto_fixtures.function import Function
from moto_fixtures.packages import Package, load_packages
from moto_fixtures.seed_callers import add_callers
from moto_fixtures.seed_functions import add_functions, add_layers
from moto_fixtures.seed_organization import create_organization
from moto_fixtures.server import Emulator

DAYS = 30
"""Days of traffic, one number a day."""


def seed(
    emulator: Emulator,
    organization: Organization,
    *,
    packages: Mapping[str, Package] | None = None,
    now: datetime | None = None,
    progress: Progress = lambda _: None,
) -> None:
    """Create accounts, layers, functions, what calls them, and their traffic up to `now`.

    `packages` by name, built from the cache by default; `now` is aware, by default the clock's.
    The emulator has to run already, with organization.rules(). Raises what load_packages raises.
    """
    packages = load_packages(organization, progress=progress) if packages is None else packages
    moment = now or datetime.now(UTC)
    progress(f"seeding {len(organization.accounts)} accounts")
    with emulator.seeding():
        create_organization(organization)
        for account in organization.accounts:
            add_layers(account, packages)
        for account in organization.accounts:
            add_functions(account, packages)
            add_callers(emulator, account)
            for function in account.functions:
                _add_traffic(emulator, account.id, function, moment)


def _add_traffic(emulator: Emulator, account: str, function: Function, moment: datetime) -> None:
    place = account, function.region, function.name
    if function.logged_days:
        # A log group outlasts what was in it.
        _log(emulator, account, function, moment, Reports())
    if not function.invocations:
        return
    points = spread(function.invocations, moment)
    emulator.record_invocations(*place, points)
    durations = {at: (float(function.average_ms), calls) for at, calls in points.items()}
    emulator.record_durations(*place, durations)
    colds = spread(-(-function.invocations // function.cold), moment)
    oldest = moment - timedelta(days=function.logged_days)
    for at, calls in points.items():
        if at > oldest:
            starts = round(colds[at])
            init = float(starts * function.init_ms)
            reports = Reports(calls=round(calls), starts=starts, init_ms=init)
            _log(emulator, account, function, at, reports)


def _log(
    emulator: Emulator, account: str, function: Function, at: datetime, reports: Reports
) -> None:
    group = f"/aws/lambda/{function.name}"
    emulator.record_reports(account, function.region, group, at, reports)


def spread(total: int, now: datetime) -> Mapping[datetime, float]:
    """Give `total` invocations as one number for each of the 30 days before `now`."""
    share, rest = divmod(total, DAYS)
    return {now - timedelta(days=day, hours=12): float(share + (day < rest)) for day in range(DAYS)}
