"""`fleet scans`: what is saved."""

import os
from typing import TYPE_CHECKING

import typer

from fleet.cli import options as shared

if TYPE_CHECKING:
    from fleet.model import ScanOptions


def scans(*, state: shared.State = None, config: shared.Config = None) -> None:
    """List the saved scans, oldest first."""
    from rich.console import Console
    from rich.table import Table

    from fleet.settings import Settings
    from fleet.store import Store
    from reports.brief import plain
    from reports.coverage import filters

    settings = Settings.load(config, os.environ).overridden(state=state)
    with Store.open(settings.state, create=False) as store:
        history = store.history()
    if not history:
        typer.echo("No scan is saved here.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("scan", "started (UTC)", "state", "coverage"):
        table.add_column(name, no_wrap=True)
    table.add_column("findings", justify="right", no_wrap=True)
    table.add_column("asked for")
    for each in history:
        table.add_row(
            each.id,
            f"{each.started:%Y-%m-%d %H:%M}",
            each.state.value,
            "complete" if each.complete else "incomplete",
            f"{each.findings:,}",
            plain("; ".join((_scope(each.options), *filters(each.options)))),
        )
    Console().print(table)


def _scope(options: "ScanOptions") -> str:
    return "organization" if options.organization else "single accounts"
