"""`fleet rebuild`: packages built anew from the source that their own binaries name."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.optional_value import optional_value
from fleet.cli.options import Shown
from fleet.cli.packages import Architecture, check_raised
from fleet.errors import BadSelection
from fleet.inspection import Verdict
from fleet.toolchain.rebuild.order import RAISED_TO

if TYPE_CHECKING:
    from fleet.cli.chosen import Filters
    from fleet.model import FunctionRef
    from fleet.store import Store

rebuild_app = typer.Typer(add_completion=False, rich_markup_mode=None)


@rebuild_app.command(cls=optional_value(from_scan="latest", raise_lambda_go=RAISED_TO))
def rebuild(
    *,
    arns: shared.Arns = None,
    from_scan: Annotated[
        str | None,
        typer.Option(
            "--from-scan",
            metavar="[=ID]",
            help="Every function that the last scan (or this one) found on go1.x or off it.",
        ),
    ] = None,
    account: shared.OfAccounts = None,
    exclude_account: shared.NotAccounts = None,
    region: shared.OfRegions = None,
    exclude_region: shared.NotRegions = None,
    function: shared.OfFunctions = None,
    tag: shared.OfTags = None,
    verdict: Annotated[
        list[Verdict] | None,
        typer.Option("--verdict", help="Of the scan, only with this verdict, as `rebuild`."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="The functions of a plan; with --wave of one."),
    ] = None,
    wave: Annotated[
        list[str] | None, typer.Option("--wave", metavar="NAME", help="Of the plan, this wave.")
    ] = None,
    arch: Annotated[
        Architecture, typer.Option("--arch", help="The architecture to build for.")
    ] = Architecture.ARM64,
    raise_lambda_go: shared.RaiseLambdaGo = None,
    output_dir: Annotated[
        Path,
        typer.Option(
            "--output-dir",
            metavar="DIR",
            help="Where packages go: DIR/ACCOUNT/REGION/NAME.zip, each with its provenance, as "
            "`fleet migrate --artifact DIR` takes them.",
        ),
    ] = Path("fleet-rebuilt"),
    no_trial: Annotated[
        bool, typer.Option("--no-trial", help="Don't start the new packages here.")
    ] = False,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    parallelism: shared.Parallelism = None,
    quiet: shared.Quiet = False,
    output_format: shared.ShownAs = Shown.TABLE,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Build packages anew from the source that their binaries name; changes nothing in AWS."""
    from fleet.cli.changing import filters_of
    from fleet.cli.rebuilding import Rebuilding, rebuild_all
    from fleet.settings import Settings
    from fleet.store import Store

    check_raised(raise_lambda_go)
    settings = Settings.load(config, os.environ).overridden(
        state=state,
        role_name=role_name,
        external_id=external_id,
        profile=profile,
        parallelism=parallelism,
    )
    filters = filters_of(account, exclude_account, region, exclude_region, function, tag)
    with Store.open(settings.state) as store:
        refs = _chosen(store, arns, from_scan, filters, verdict, plan, wave)
        status = rebuild_all(
            settings,
            store,
            refs,
            Rebuilding(
                architecture=arch.value,
                raise_library=raise_lambda_go,
                directory=output_dir,
                trial=not no_trial,
                shown=output_format,
                color=not no_color,
                quiet=quiet,
            ),
        )
    sys.exit(status)


def _chosen(
    store: "Store",
    arns: list[str] | None,
    from_scan: str | None,
    filters: "Filters",
    verdicts: list[Verdict] | None,
    plan: Path | None,
    waves: list[str] | None,
) -> "list[FunctionRef]":
    """The functions, by one of the three ways of naming them; raises BadSelection."""
    from dataclasses import replace

    from fleet.cli.changing import chosen
    from fleet.cli.chosen import Standing
    from fleet.waves.planfile import PlanFile

    if verdicts is not None:
        filters = replace(filters, verdicts=tuple(each.value for each in verdicts))
    if plan is None:
        if waves:
            raise BadSelection("--wave", waves[0], "is one of a plan; name its file with --plan")
        return chosen(store, arns, from_scan, filters, Standing.EITHER)
    if arns or from_scan is not None or filters.any:
        advice = "names its functions itself: leave out ARNs, --from-scan and its filters"
        raise BadSelection("--plan", str(plan), advice)
    known = {each.name: each for each in PlanFile.read(plan).plan.waves}
    for name in waves or ():
        if name not in known:
            raise BadSelection("--wave", name, f"is none of the plan's: {', '.join(known)}")
    return [
        member.ref
        for name, each in known.items()
        if waves is None or name in waves
        for member in each.functions
    ]
