"""`fleet rollback`: bring functions back; without --apply, show how."""

import os
import sys
from typing import Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.options import Shown
from fleet.deployment import Back


def rollback(
    *,
    arns: shared.Arns = None,
    apply: shared.Apply = False,
    yes: shared.Yes = False,
    to: Annotated[
        Back,
        typer.Option("--to", help="go1.x: all the way. x86_64: from arm64 only."),
    ] = Back.GO1X,
    route: shared.ByRoute = None,
    bucket: shared.ThroughBucket = None,
    max_failures: shared.MaxFailures = None,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    parallelism: shared.Parallelism = None,
    quiet: shared.Quiet = False,
    output_format: shared.ShownAs = Shown.TABLE,
    lifecycle: shared.Lifecycle = None,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Bring functions back to what they were; without --apply, show how and change nothing.

    Aliases go back first, then $LATEST, as long as AWS takes updates of go1.x.
    """
    from fleet.cli.changing import Change, Manner, carry_out, chosen
    from fleet.cli.chosen import Filters
    from fleet.cli.migrating import today, updates_blocked
    from fleet.migration.equipping import Order
    from fleet.migration.facts import Asked
    from fleet.migration.returning import bring_back, prepare_back
    from fleet.permissions import BUCKET, BUCKET_UNRECORDED, MOVE, PLAN, UNRECORDED
    from fleet.results import Result
    from fleet.settings import Settings
    from fleet.store import Store

    settings = Settings.load(config, os.environ).overridden(
        state=state,
        role_name=role_name,
        external_id=external_id,
        profile=profile,
        parallelism=parallelism,
        lifecycle=lifecycle,
    )
    asked = Asked(
        route=route.asked if route else None,
        bucket=bucket is not None,
        updates_blocked=updates_blocked(settings, today()),
    )
    change = Change(
        word="rollback",
        prepare=lambda ground, ref: prepare_back(ground, ref, to),
        act=bring_back,
        order=Order(asked, bucket=bucket),
        reading=(*PLAN, *UNRECORDED),
        writing=(*MOVE, *((*BUCKET, *BUCKET_UNRECORDED) if bucket is not None else ())),
        wanted=Result.ROLLED_BACK,
    )
    manner = Manner(apply, yes, output_format, not no_color, quiet, max_failures)
    with Store.open(settings.state) as store:
        refs = chosen(store, arns, None, Filters())
        status = carry_out(settings, store, refs, change, manner)
    sys.exit(status)
