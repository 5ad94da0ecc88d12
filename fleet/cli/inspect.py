"""`fleet inspect`: what is in a deployment package, and whether its function can move."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.packages import Architecture, OnArchitecture, TargetRuntime
from fleet.cli.status import Status
from fleet.errors import BadSelection
from fleet.inspection import Deployed, Target


def inspect(
    *,
    package: Annotated[
        str,
        typer.Argument(
            metavar="PACKAGE|ARN",
            help="A deployment package, a zip; or a function in AWS, by its ARN.",
        ),
    ],
    handler: Annotated[
        str | None,
        typer.Option(
            help="Of a zip: the function's Handler (default: the package's only program).",
            show_default=False,
        ),
    ] = None,
    target: TargetRuntime = Target.AL2023,
    architecture: OnArchitecture = Architecture.X86_64,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that was read, as one JSON document.")
    ] = False,
    fail_on_findings: Annotated[
        bool, typer.Option("--fail-on-findings", help="End with status 3 if it is not ready.")
    ] = False,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Tell what is in a deployment package, and whether its function can leave go1.x.

    Reads only. A function of another account is entered through its role, as by `fleet scan`.
    """
    if package.startswith("arn:"):
        from fleet.cli.deployed import inspect_function
        from fleet.settings import Settings

        if handler is not None:
            raise BadSelection(
                "--handler", handler, "AWS tells the Handler of a function; leave it out"
            )
        settings = Settings.load(config, os.environ).overridden(
            role_name=role_name, external_id=external_id, profile=profile
        )
        report = inspect_function(package, settings, target=target)
    else:
        from fleet.cli.packages import inspect_path

        deployed = Deployed(handler=handler, architecture=architecture, target=target)
        report = inspect_path(Path(package), deployed)
    if as_json:
        from reports.package import write_package_json

        write_package_json(report, sys.stdout)
    else:
        from fleet.cli.terminal import console
        from reports.package_table import package_table

        console(color=not no_color).print(package_table(report))
    if fail_on_findings and not report.assessment.verdict.is_ready:
        sys.exit(Status.FINDINGS)
