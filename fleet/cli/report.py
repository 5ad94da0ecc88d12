"""`fleet report`: the reports of a saved scan, without asking AWS anything."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.options import Format


def report(
    *,
    scan: Annotated[
        str | None,
        typer.Argument(help="Id of a saved scan, or its beginning (default: the last)."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="Directory for the reports.")
    ] = Path("fleet-report"),
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Write no files; stdout only.")
    ] = False,
    fail_on_findings: Annotated[
        bool, typer.Option("--fail-on-findings", help="End with status 3 if anything was found.")
    ] = False,
    output_format: shared.OutputFormat = Format.TABLE,
    as_of: shared.AsOf = None,
    lifecycle: shared.Lifecycle = None,
    prices: shared.Prices = None,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Write HTML, CSV and JSON of a saved scan; asks AWS nothing."""
    from fleet.cli.result import Reporting
    from fleet.settings import Settings
    from fleet.store import Store

    settings = Settings.load(config, os.environ).overridden(
        state=state, lifecycle=lifecycle, prices=prices
    )
    reporting = Reporting.prepared(
        settings, as_of=as_of, output=None if no_report else output, no_color=no_color
    )
    with Store.open(settings.state, create=False) as store:
        header = store.scan(scan)
        status = reporting.of_scan(store, header, output_format, fail_on_findings=fail_on_findings)
    sys.exit(status)
