"""`fleet waves status`: where every wave stands, by the state alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from fleet.cli.options import Shown
from fleet.cli.terminal import console
from fleet.store import Store
from fleet.waves.recorded import recorded
from reports.waves_json import write_status_json
from reports.waves_table import waves_table

EVERY_SECONDS = 5.0


def show_status(url: str, plan: str | None, shown: Shown, *, color: bool) -> None:
    """Show it once; raises BadSelection and FileProblem."""
    with Store.open(url, create=False) as store:
        show_record(store, plan, shown, color=color)


def show_record(store: Store, plan: str | None, shown: Shown, *, color: bool) -> None:
    """Show where a plan stands; None is the one that was run last."""
    record = recorded(store, store.plan(plan), store.now())
    if shown is Shown.JSON:
        write_status_json(record, sys.stdout)
    else:
        console(color=color).print(waves_table(record))


def watch_status(
    url: str,
    plan: str | None,
    *,
    color: bool,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Show it again and again, until Ctrl-C or the plan's end."""
    from rich.live import Live

    with Store.open(url, create=False) as store:
        name = store.plan(plan).name
        out = console(color=color)
        with Live(console=out, auto_refresh=False) as live:
            while True:
                record = recorded(store, store.plan(name), store.now())
                live.update(waves_table(record), refresh=True)
                if all(wave.is_over for wave in record.status.waves):
                    return
                sleep(EVERY_SECONDS)
