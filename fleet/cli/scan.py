"""`fleet scan`: look at every account and region, save what is there, write the reports."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.optional_value import optional_value
from fleet.cli.options import Format, Many
from fleet.cli.status import Status
from fleet.errors import BadSelection
from fleet.inspection import InspectionDepth
from fleet.model import GO1X, Language

scan_app = typer.Typer(add_completion=False, rich_markup_mode=None)


@scan_app.command(cls=optional_value(inspect=InspectionDepth.WHOLE))
def scan(
    *,
    org: Annotated[bool, typer.Option("--org", help="Every account of the organization.")] = False,
    account: Annotated[
        Many, typer.Option("--account", metavar="ID", help="Only these accounts.")
    ] = None,
    exclude_account: Annotated[
        Many, typer.Option("--exclude-account", metavar="ID", help="Not these accounts.")
    ] = None,
    ou: Annotated[
        Many,
        typer.Option("--ou", metavar="ID|PATH", help="Only these organizational units and below."),
    ] = None,
    tag: Annotated[
        Many,
        typer.Option("--tag", metavar="KEY[=VALUE]", help="Only functions with one of these tags."),
    ] = None,
    region: Annotated[
        Many, typer.Option("--region", metavar="NAME", help="Only these regions (wildcards).")
    ] = None,
    exclude_region: Annotated[
        Many, typer.Option("--exclude-region", metavar="NAME", help="Not these (wildcards).")
    ] = None,
    runtime: Annotated[
        Many, typer.Option("--runtime", metavar="NAME", help="Runtimes to find (default go1.x).")
    ] = None,
    language: Annotated[
        Language | None,
        typer.Option(
            "--language",
            metavar="go",
            help="go1.x, and Go functions on custom runtimes by their tag fleet:language=go.",
        ),
    ] = None,
    latest_only: Annotated[
        bool, typer.Option("--latest-only", help="A quick look: no published versions.")
    ] = False,
    callers: Annotated[
        bool, typer.Option("--callers", help="Also what calls each function.")
    ] = False,
    traffic: Annotated[
        bool,
        typer.Option("--traffic", help="Also calls of the last 30 days, and how long they took."),
    ] = False,
    cold_starts: Annotated[
        bool,
        typer.Option(
            "--cold-starts",
            help="--traffic, and how many cold starts there were and how long they took. Asks "
            "CloudWatch Logs Insights, for which AWS bills each GB of log of these 30 days. Needs "
            "`fleet policy scan --cold-starts`.",
        ),
    ] = False,
    inspect: Annotated[
        InspectionDepth | None,
        typer.Option(
            "--inspect",
            metavar="[=whole|index]",
            help="Also read each package: can it move, where does it come from? =index reads "
            "names and sizes only, by ranged requests.",
        ),
    ] = None,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    parallelism: Annotated[
        int | None,
        typer.Option("--parallelism", min=1, max=256, help="Calls under way at once (default 32)."),
    ] = None,
    calls_per_second: Annotated[
        float | None,
        typer.Option(
            "--calls-per-second",
            min=0.1,
            max=15,
            help="Lambda calls per account and region, of AWS's 15 (default 10).",
        ),
    ] = None,
    cluster: shared.Cluster = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Finish the last saved scan: ask again for all it has not seen."
        ),
    ] = False,
    scan_id: Annotated[
        str | None,
        typer.Option("--scan", metavar="ID", help="With --resume: finish this scan instead."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="Directory for the reports.")
    ] = Path("fleet-report"),
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Save the scan only; `fleet report` writes later.")
    ] = False,
    fail_on_findings: Annotated[
        bool, typer.Option("--fail-on-findings", help="End with status 3 if anything was found.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
    output_format: shared.OutputFormat = Format.TABLE,
    as_of: shared.AsOf = None,
    lifecycle: shared.Lifecycle = None,
    prices: shared.Prices = None,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Find every function on go1.x; write the deadline reports.

    Reads only. Without --org or --account it looks at the caller's own account.
    """
    from fleet.cli.result import Reporting
    from fleet.model import ScanOptions
    from fleet.scan.selection import check_account_ids, check_asked, split_values
    from fleet.settings import Settings

    check_account_ids("--exclude-account", split_values(exclude_account) or ())
    if language is not None and runtime is not None:
        advice = "finds go1.x and what has left it; leave --runtime out"
        raise BadSelection("--language", language, advice)
    settings = Settings.load(config, os.environ).overridden(
        state=state,
        role_name=role_name,
        external_id=external_id,
        profile=profile,
        runtimes=split_values(runtime),
        regions=split_values(region),
        exclude_regions=split_values(exclude_region),
        exclude_accounts=split_values(exclude_account),
        parallelism=parallelism,
        calls_per_second=calls_per_second,
        lifecycle=lifecycle,
        prices=prices,
    )
    asked = ScanOptions(
        # What fleet.yaml names besides go1.x is another question.
        runtimes=settings.runtimes if language is None else (GO1X,),
        language=language,
        latest_only=latest_only,
        callers=callers,
        traffic=traffic or cold_starts,
        cold_starts=cold_starts,
        inspect=inspect,
        organization=org,
        accounts=split_values(account),
        excluded_accounts=settings.exclude_accounts,
        ous=split_values(ou),
        tags=split_values(tag),
        regions=settings.regions,
        excluded_regions=settings.exclude_regions,
        role_name=settings.role_name,
    )
    check_asked(asked)
    if scan_id is not None and not resume:
        raise BadSelection("--scan", scan_id, "names the scan to finish; say --resume as well")
    if cluster is not None and parallelism is not None:
        advice = "a cluster does as much at once as its workers have threads; leave it out"
        raise BadSelection("--parallelism", str(parallelism), advice)
    if resume:
        _refuse_selection(
            org, account, exclude_account, ou, tag, region, exclude_region, runtime, language,
            latest_only, callers, traffic, cold_starts, inspect,
        )  # fmt: skip
    elif asked.ous is not None and not org:
        raise BadSelection("--ou", ",".join(asked.ous), "organizational units need --org")
    reporting = Reporting.prepared(
        settings, as_of=as_of, output=None if no_report else output, no_color=no_color
    )
    reporting.check(asked.runtimes)
    from fleet.aws.clients import Clients
    from fleet.cli.scanning import scan_now, scan_to_finish, tell_departed
    from fleet.model import ScanState
    from fleet.store import Store

    clients = Clients(os.environ, profile=settings.profile, parallelism=settings.parallelism)
    with Store.open(settings.state, create=not resume) as store:
        earlier = scan_to_finish(store, scan_id) if resume else None
        if earlier is not None:
            asked = replace(earlier.options, role_name=role_name or earlier.options.role_name)
            reporting.check(asked.runtimes)
        header = scan_now(
            settings,
            clients,
            store,
            asked,
            earlier,
            cluster=cluster,
            quiet=quiet,
            # Settings outlive accounts; on the command line it is a typing error.
            departed=tell_departed if exclude_account is None else None,
        )
        status = reporting.of_scan(store, header, output_format, fail_on_findings=fail_on_findings)
    sys.exit(Status.INTERRUPTED if header.state is ScanState.INTERRUPTED else status)


def _refuse_selection(*given: object) -> None:
    if any(given):
        raise BadSelection(
            "--resume",
            None,
            "a resumed scan asks what it asked before; leave the selection out",
        )
