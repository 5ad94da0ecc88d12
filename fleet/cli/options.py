"""Options that several commands share, said once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet.deployment import Route
from fleet.migration.facts import AskedRoute
from fleet.toolchain.rebuild.order import RAISED_TO


class Format(StrEnum):
    """How a result is written to stdout."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


State = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="URL",
        help="Where scans are kept: a file, or a sqlite:// or postgresql:// URL "
        "(FLEET_STATE; default sqlite:///fleet.db).",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Settings file (FLEET_CONFIG; default fleet.yaml).", show_default=False
    ),
]
RoleName = Annotated[
    str | None,
    typer.Option(
        "--role-name",
        metavar="NAME",
        help="Role to assume in each account (default OrganizationAccountAccessRole).",
    ),
]
ExternalId = Annotated[
    str | None, typer.Option("--external-id", metavar="ID", help="External id of that role.")
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="AWS profile to start from.")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Count days as of this date (YYYY-MM-DD)."),
]
Lifecycle = Annotated[
    Path | None,
    typer.Option("--lifecycle", metavar="FILE", help="Dates of your own, over the shipped ones."),
]
Prices = Annotated[
    Path | None,
    typer.Option("--prices", metavar="FILE", help="Prices of your own, over the shipped ones."),
]
OutputFormat = Annotated[Format, typer.Option("--format", help="What stdout gets.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours (NO_COLOR does the same).")]

Many = list[str] | None
OfAccounts = Annotated[
    Many, typer.Option("--account", metavar="ID", help="Of the scan, only these accounts.")
]
NotAccounts = Annotated[
    Many, typer.Option("--exclude-account", metavar="ID", help="Of the scan, not these accounts.")
]
OfRegions = Annotated[
    Many,
    typer.Option("--region", metavar="NAME", help="Of the scan, only these regions (wildcards)."),
]
NotRegions = Annotated[
    Many,
    typer.Option("--exclude-region", metavar="NAME", help="Of the scan, not these (wildcards)."),
]
OfFunctions = Annotated[
    Many,
    typer.Option("--function", metavar="NAME", help="Of the scan, only these names (wildcards)."),
]
OfTags = Annotated[
    Many,
    typer.Option("--tag", metavar="KEY[=VALUE]", help="Of the scan, only with one of these tags."),
]
Arns = Annotated[Many, typer.Argument(metavar="[ARN]...", help="Functions.", show_default=False)]
FromScan = Annotated[
    str | None,
    typer.Option(
        "--from-scan",
        metavar="[=ID]",
        help="Every function that the last scan (or this one) found on go1.x, or halfway off it.",
    ),
]
Apply = Annotated[
    bool,
    typer.Option("--apply", help="Do it. Without this nothing is changed: the steps are shown."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask before it is done, as in CI.")]
MaxFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures", min=1, metavar="N", help="Begin no further one after N have failed."
    ),
]
Parallelism = Annotated[
    int | None,
    typer.Option("--parallelism", min=1, max=256, help="Functions at once (at most 8)."),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="tcp://HOST:PORT",
        help="Work on a Dask cluster: its scheduler's address (tcp:// or tls://).",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]


class Shown(StrEnum):
    """How a plan, an outcome or a history is written to stdout."""

    TABLE = "table"
    JSON = "json"


class RuntimeRoute(StrEnum):
    """The routes that change the runtime."""

    BRIDGE = "bridge"
    DUAL = "dual"
    DIRECT = "direct"

    @property
    def asked(self) -> AskedRoute:
        """As the gates know it."""
        routes: dict[RuntimeRoute, AskedRoute] = {
            RuntimeRoute.BRIDGE: Route.BRIDGE,
            RuntimeRoute.DUAL: Route.DUAL,
            RuntimeRoute.DIRECT: Route.DIRECT,
        }
        return routes[self]


ByRoute = Annotated[
    RuntimeRoute | None,
    typer.Option(
        "--route",
        help="bridge: through a layer, no gap. dual: through a package that runs on both "
        "runtimes, no gap. direct: invocations fail for seconds. Default: bridge, or dual where "
        "the bridge can't be.",
        show_default=False,
    ),
]
RaiseLambdaGo = Annotated[
    str | None,
    typer.Option(
        "--raise-lambda-go",
        metavar="[=VERSION]",
        help="Build functions whose aws-lambda-go can't speak to custom runtimes anew, from the "
        f"source that what runs names, with this version of it ({RAISED_TO} if none is given).",
        show_default=False,
    ),
]
ThroughBucket = Annotated[
    str | None,
    typer.Option(
        "--bucket",
        metavar="NAME",
        help="Bucket of each account and region for packages over 50 MB; {account} and {region} "
        "in it are filled in.",
    ),
]
ShownAs = Annotated[Shown, typer.Option("--format", help="What stdout gets.")]
