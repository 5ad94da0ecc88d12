"""Options that several commands share, said once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
OutputFormat = Annotated[Format, typer.Option("--format", help="What stdout gets.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours (NO_COLOR does the same).")]
