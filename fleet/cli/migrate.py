"""`fleet migrate`: take functions off go1.x; without --apply, show how."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.optional_value import optional_value
from fleet.cli.options import RuntimeRoute, Shown
from fleet.cli.packages import TargetRuntime
from fleet.errors import BadSelection
from fleet.inspection import Target

if TYPE_CHECKING:
    from fleet.migration.ground import Ground
    from fleet.migration.prepared import Prepared
    from fleet.model import FunctionRef


class Arch(StrEnum):
    """The architecture of the second pass."""

    ARM64 = "arm64"


migrate_app = typer.Typer(add_completion=False, rich_markup_mode=None)


@migrate_app.command(cls=optional_value(from_scan="latest"))
def migrate(
    *,
    arns: shared.Arns = None,
    from_scan: shared.FromScan = None,
    account: shared.OfAccounts = None,
    exclude_account: shared.NotAccounts = None,
    region: shared.OfRegions = None,
    exclude_region: shared.NotRegions = None,
    function: shared.OfFunctions = None,
    tag: shared.OfTags = None,
    apply: shared.Apply = False,
    yes: shared.Yes = False,
    target: TargetRuntime = Target.AL2023,
    route: shared.ByRoute = None,
    arch: Annotated[
        Arch | None,
        typer.Option(
            "--arch",
            help="The second pass, once the runtime has changed: to this architecture.",
            show_default=False,
        ),
    ] = None,
    artifact: Annotated[
        str | None,
        typer.Option(
            "--artifact",
            metavar="ZIP|DIR|s3://…",
            help="With --arch: the build for it; a directory holds NAME.zip for each function, "
            "and {account}, {region} and {function} in an S3 key are filled in.",
        ),
    ] = None,
    allow_different_source: Annotated[
        bool,
        typer.Option(
            "--allow-different-source",
            help="With --arch: also a build of another module or commit than what runs.",
        ),
    ] = False,
    event: Annotated[
        Path | None,
        typer.Option("--event", metavar="FILE", help="Invoke each with this JSON as the proof."),
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option("--expect", metavar="FILE", help="The JSON that --event has to answer."),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            "--events",
            metavar="DIR",
            help="The same by function: NAME.json and, if wanted, NAME.expected.json.",
        ),
    ] = None,
    no_trial: Annotated[
        bool, typer.Option("--no-trial", help="Don't start packages here beforehand.")
    ] = False,
    allow_managed: Annotated[
        bool,
        typer.Option("--allow-managed", help="Also those that a stack or another tool deploys."),
    ] = False,
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
    """Take functions off go1.x; without --apply, show the steps and change nothing."""
    from fleet.cli.changing import Change, Manner, carry_out, chosen, filters_of
    from fleet.cli.events import tell_strays, test_events
    from fleet.cli.migrating import today, updates_blocked
    from fleet.migration.bringing import by_address
    from fleet.migration.equipping import Order
    from fleet.migration.facts import Asked
    from fleet.migration.moving import move
    from fleet.migration.preparing import prepare
    from fleet.migration.rearchitecting import prepare_architecture
    from fleet.permissions import (
        ARTIFACT,
        BUCKET,
        BUCKET_UNRECORDED,
        INVOKE,
        MOVE,
        PLAN,
        UNRECORDED,
    )
    from fleet.results import Result
    from fleet.settings import Settings
    from fleet.store import Store

    _check_pass(arch, artifact, route, allow_different_source=allow_different_source)
    tests = test_events(event, expect, events)
    settings = Settings.load(config, os.environ).overridden(
        state=state,
        role_name=role_name,
        external_id=external_id,
        profile=profile,
        parallelism=parallelism,
        lifecycle=lifecycle,
    )
    asked = Asked(
        target=target,
        route=route.asked if route else None,
        allow_managed=allow_managed,
        bucket=bucket is not None,
        updates_blocked=updates_blocked(settings, today()),
    )
    invoking = INVOKE if tests.any else ()
    storing = (*BUCKET, *BUCKET_UNRECORDED) if bucket is not None else ()
    filters = filters_of(account, exclude_account, region, exclude_region, function, tag)
    fetching = ARTIFACT if artifact is not None and artifact.startswith("s3://") else ()
    with Store.open(settings.state) as store, TemporaryDirectory(prefix="fleet-") as room:
        refs = chosen(store, arns, from_scan, filters, migrated=arch is not None)
        if allow_different_source and len(refs) > 1 and Path(artifact or "").is_file():
            advice = "would make one program of all these functions; name one of them"
            raise BadSelection("--allow-different-source", None, advice)

        tell_strays(tests, refs)

        def second_pass(ground: "Ground", ref: "FunctionRef") -> "Prepared":
            bring = by_address(artifact or "", Path(room))
            return prepare_architecture(
                ground, ref, bring, allow_different_source=allow_different_source
            )

        change = Change(
            word="migrate",
            prepare=prepare if arch is None else second_pass,
            act=move,
            order=Order(asked, bucket=bucket, events=tests, trial=not no_trial),
            reading=(*PLAN, *UNRECORDED, *fetching),
            writing=(*MOVE, *invoking, *storing),
            wanted=Result.MIGRATED,
        )
        manner = Manner(apply, yes, output_format, not no_color, quiet, max_failures)
        status = carry_out(settings, store, refs, change, manner)
    sys.exit(status)


def _check_pass(
    arch: Arch | None,
    artifact: str | None,
    route: RuntimeRoute | None,
    *,
    allow_different_source: bool,
) -> None:
    """Refuse what belongs to the other pass; raises BadSelection."""
    if arch is None:
        if artifact is not None:
            raise BadSelection("--artifact", artifact, "is a build for an --arch; name that too")
        if allow_different_source:
            advice = "is about an --artifact; name that and --arch"
            raise BadSelection("--allow-different-source", None, advice)
    elif artifact is None:
        raise BadSelection("--arch", arch, "needs the build for it: --artifact")
    elif route is not None:
        advice = "leads to another runtime; the architecture changes in one call"
        raise BadSelection("--route", route, advice)
