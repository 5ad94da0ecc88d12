"""`fleet diff`: what changed between two saved scans."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.options import Format

if TYPE_CHECKING:
    from fleet.store import Store
    from reports.diff import Side


def diff(
    *,
    before: Annotated[
        str, typer.Argument(metavar="OLDER", help="Id of the older scan, or its beginning.")
    ],
    after: Annotated[
        str | None,
        typer.Argument(metavar="NEWER", help="Id of the newer scan (default: the last)."),
    ] = None,
    output_format: shared.OutputFormat = Format.TABLE,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Compare two saved scans: gone, new, still there, not seen."""
    from fleet.settings import Settings
    from fleet.store import Store
    from reports.diff import diff as compared

    settings = Settings.load(config, os.environ).overridden(state=state)
    with Store.open(settings.state, create=False) as store:
        older, newer = _side(store, before), _side(store, after)
    changes = compared(older, newer)
    if output_format is Format.TABLE:
        from fleet.cli.terminal import console
        from reports.table import diff_table

        console(color=not no_color).print(diff_table(changes))
    elif output_format is Format.CSV:
        from reports.csv import write_frame
        from reports.diff import COLUMNS

        write_frame(changes, COLUMNS, sys.stdout)
    else:
        from reports.json import write_diff_json

        write_diff_json(changes, older.header, newer.header, sys.stdout)


def _side(store: "Store", which: str | None) -> "Side":
    from reports.diff import Side
    from reports.frames import function_frame

    header = store.scan(which)
    accounts = store.accounts(header.id)
    return Side(
        header,
        function_frame(store.function_rows(header.id), accounts),
        tuple(store.coverage(header.id)),
    )
