"""`fleet scan`: look at every account and region, save what is there, write the reports."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.options import Format
from fleet.cli.status import Status
from fleet.errors import BadSelection

if TYPE_CHECKING:
    from fleet.aws.session import Aws
    from fleet.model import ScanHeader, ScanOptions
    from fleet.settings import Settings
    from fleet.store import Store

Many = list[str] | None

RESUME_LAST = "last"


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
    latest_only: Annotated[
        bool, typer.Option("--latest-only", help="A quick look: no published versions.")
    ] = False,
    callers: Annotated[
        bool, typer.Option("--callers", help="Also what calls each function.")
    ] = False,
    traffic: Annotated[
        bool, typer.Option("--traffic", help="Also invocations over the last 30 days.")
    ] = False,
    role_name: Annotated[
        str | None,
        typer.Option(
            "--role-name",
            metavar="NAME",
            help="Role to assume in each account (default OrganizationAccountAccessRole).",
        ),
    ] = None,
    external_id: Annotated[
        str | None, typer.Option("--external-id", metavar="ID", help="External id of that role.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="AWS profile to start from.")
    ] = None,
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
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="SCAN",
            help="Finish a saved scan: its id, or `last`. It asks what that scan asked.",
        ),
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
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Find every function on go1.x; write the deadline reports.

    Reads only. Without --org or --account it looks at the caller's own account.
    """
    from fleet.cli.result import Reporting
    from fleet.model import ScanOptions
    from fleet.scan.selection import split_values
    from fleet.settings import Settings

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
    )
    asked = ScanOptions(
        runtimes=settings.runtimes,
        latest_only=latest_only,
        callers=callers,
        traffic=traffic,
        organization=org,
        accounts=split_values(account),
        excluded_accounts=settings.exclude_accounts,
        ous=split_values(ou),
        tags=split_values(tag),
        regions=settings.regions,
        excluded_regions=settings.exclude_regions,
        role_name=settings.role_name,
    )
    if resume is not None:
        _refuse_selection(org, account, exclude_account, ou, tag, region, exclude_region, runtime)
    elif asked.ous is not None and not org:
        raise BadSelection("--ou", ",".join(asked.ous), "organizational units need --org")
    reporting = Reporting.prepared(
        settings, as_of=as_of, output=None if no_report else output, no_color=no_color
    )
    from fleet.store import Store

    with Store.open(settings.state) as store:
        header = _scan(settings, store, asked, resume, quiet=quiet)
        status = reporting.of_scan(store, header, output_format, fail_on_findings=fail_on_findings)
    sys.exit(status)


def _refuse_selection(*given: object) -> None:
    if any(given):
        raise BadSelection(
            "--resume", "", "a resumed scan asks what it asked before; leave the selection out"
        )


def _scan(
    settings: "Settings", store: "Store", asked: "ScanOptions", resume: str | None, *, quiet: bool
) -> "ScanHeader":
    import threading
    from concurrent.futures import ThreadPoolExecutor
    from datetime import UTC, datetime

    from fleet.aws.clients import Clients
    from fleet.aws.session import Aws
    from fleet.cli.progress import showing
    from fleet.ownership import owner_of
    from fleet.permissions import SCAN
    from fleet.scan import Look, begin, run
    from fleet.scan import resume as resumed

    def now() -> datetime:
        return datetime.now(UTC)

    stop = threading.Event()
    earlier = store.scan(None if resume == RESUME_LAST else resume) if resume else None
    options = earlier.options if earlier else asked
    clients = Clients(os.environ, profile=settings.profile, parallelism=settings.parallelism)
    with showing(quiet=quiet) as progress:
        aws = Aws(
            clients,
            SCAN,
            role_name=options.role_name,
            external_id=settings.external_id,
            calls_per_second=settings.calls_per_second,
            stop=stop,
        )
        if earlier:
            header = resumed(aws, store, earlier.id)
        else:
            _check_regions(aws, clients.regions(), asked)
            header = begin(aws, store, asked, now())
        look = Look(header.options, lambda tags: owner_of(tags, settings.owners), header.started)
        with ThreadPoolExecutor(settings.parallelism, thread_name_prefix="fleet") as executor:
            run(
                aws,
                store,
                header,
                look,
                executor=executor,
                parallelism=settings.parallelism,
                stop=stop,
                progress=progress,
                clock=now,
            )
    return store.scan(header.id)


def _check_regions(aws: "Aws", shipped: tuple[str, ...], asked: "ScanOptions") -> None:
    """Refuse regions that nobody knows: neither botocore's list nor the caller's account."""
    if not (asked.regions or asked.excluded_regions):
        return
    from fleet.aws.failures import CallFailed
    from fleet.aws.organization import enabled_regions
    from fleet.scan.selection import check_regions

    try:
        own = enabled_regions(aws, aws.caller.account)
    except CallFailed:
        own = ()
    check_regions(asked, {*shipped, *own})
