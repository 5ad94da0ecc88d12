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
from fleet.cli.packages import TargetRuntime, check_raised
from fleet.errors import BadSelection
from fleet.inspection import Target
from fleet.toolchain.rebuild.order import RAISED_TO

if TYPE_CHECKING:
    from fleet.migration.ground import Ground
    from fleet.migration.prepared import Prepared
    from fleet.model import FunctionRef


class Arch(StrEnum):
    """The architecture of the second pass."""

    ARM64 = "arm64"


migrate_app = typer.Typer(add_completion=False, rich_markup_mode=None)


@migrate_app.command(cls=optional_value(from_scan="latest", raise_lambda_go=RAISED_TO))
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
            help="With --arch: the build for it; a directory holds ACCOUNT/REGION/NAME.zip or "
            "NAME.zip for each function, and {account}, {region} and {function} in an S3 key are "
            "filled in.",
        ),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="With --arch: build each for it from the source that what runs names "
            "(`sources:` in fleet.yaml).",
        ),
    ] = False,
    raise_lambda_go: shared.RaiseLambdaGo = None,
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
    from fleet.cli.chosen import Standing
    from fleet.cli.events import tell_strays, test_events
    from fleet.cli.migrating import today, updates_blocked
    from fleet.migration.artifact import ARM64
    from fleet.migration.bringing import by_address, by_rebuilding
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

    _check_pass(
        arch,
        artifact,
        route,
        raise_lambda_go,
        rebuild=rebuild,
        allow_different_source=allow_different_source,
    )
    check_raised(raise_lambda_go)
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
        raise_library=raise_lambda_go,
    )
    order = Order(
        asked,
        bucket=bucket,
        events=tests,
        trial=not no_trial,
        rebuild=rebuild or raise_lambda_go is not None,
    )
    invoking = INVOKE if tests.any else ()
    storing = (*BUCKET, *BUCKET_UNRECORDED) if bucket is not None else ()
    filters = filters_of(account, exclude_account, region, exclude_region, function, tag)
    fetching = ARTIFACT if artifact is not None and artifact.startswith("s3://") else ()
    with Store.open(settings.state) as store, TemporaryDirectory(prefix="fleet-") as room:
        standing = Standing.TO_MOVE if arch is None else Standing.MIGRATED
        refs = chosen(store, arns, from_scan, filters, standing)
        if allow_different_source and len(refs) > 1 and Path(artifact or "").is_file():
            advice = "would make one program of all these functions; name one of them"
            raise BadSelection("--allow-different-source", None, advice)

        tell_strays(tests, refs)

        def second_pass(ground: "Ground", ref: "FunctionRef") -> "Prepared":
            bring = by_rebuilding(ARM64) if rebuild else by_address(artifact or "", Path(room))
            return prepare_architecture(
                ground, ref, bring, allow_different_source=allow_different_source
            )

        change = Change(
            word="migrate",
            prepare=prepare if arch is None else second_pass,
            act=move,
            order=order,
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
    raise_lambda_go: str | None,
    *,
    rebuild: bool,
    allow_different_source: bool,
) -> None:
    """Refuse what belongs to the other pass; raises BadSelection."""
    if arch is None:
        if artifact is not None:
            raise BadSelection("--artifact", artifact, "is a build for an --arch; name that too")
        if rebuild:
            advice = "is for an --arch; to leave go1.x with a rebuilt program: --raise-lambda-go"
            raise BadSelection("--rebuild", None, advice)
        if allow_different_source:
            advice = "is about an --artifact; name that and --arch"
            raise BadSelection("--allow-different-source", None, advice)
    elif artifact is None and not rebuild:
        raise BadSelection("--arch", arch, "needs the build for it: --rebuild or --artifact")
    elif artifact is not None and rebuild:
        raise BadSelection("--artifact", artifact, "and --rebuild: use one of them")
    elif raise_lambda_go is not None:
        advice = "is for leaving go1.x; what has left it is rebuilt with what it has"
        raise BadSelection("--raise-lambda-go", raise_lambda_go, advice)
    elif rebuild and allow_different_source:
        advice = "is about an --artifact; a rebuild is held against what runs line by line"
        raise BadSelection("--allow-different-source", None, advice)
    elif route is not None:
        advice = "leads to another runtime; the architecture changes in one call"
        raise BadSelection("--route", route, advice)
