"""The commands by name, each imported only when it is called.

Building the options of every command to print a list of their names would cost `fleet --help`
half of its time again, and more with each command that comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a command is written: a function, or a Typer application of several."""

    module: str
    attribute: str
    help: str
    """As `fleet --help` lists it: the first line of its own help."""


VERBS = {
    "scan": Verb(
        "fleet.cli.scan", "scan_app", "Find every function on go1.x; write the deadline reports."
    ),
    "report": Verb(
        "fleet.cli.report", "report", "Write HTML, CSV and JSON of a saved scan; asks AWS nothing."
    ),
    "inspect": Verb(
        "fleet.cli.inspect",
        "inspect",
        "Tell what is in a deployment package, and whether its function can leave go1.x.",
    ),
    "repackage": Verb(
        "fleet.cli.repackage",
        "repackage",
        "Write a package that custom runtimes start; refused unless it is ready for that.",
    ),
    "migrate": Verb(
        "fleet.cli.migrate",
        "migrate_app",
        "Take functions off go1.x; without --apply, show the steps and change nothing.",
    ),
    "rollback": Verb(
        "fleet.cli.rollback",
        "rollback",
        "Bring functions back to what they were; without --apply, show how and change nothing.",
    ),
    "rebuild": Verb(
        "fleet.cli.rebuild",
        "rebuild_app",
        "Build packages anew from the source that their binaries name; changes nothing in AWS.",
    ),
    "plan": Verb(
        "fleet.cli.plan",
        "plan_app",
        "Group the functions that can move into waves: a file to read, edit and review.",
    ),
    "history": Verb(
        "fleet.cli.history",
        "history",
        "Show every step made on a function: when, who, before, after, AWS's request id.",
    ),
    "cleanup": Verb(
        "fleet.cli.cleanup",
        "cleanup",
        "Delete bridge layers that no function uses; without --apply, show which.",
    ),
    "trial": Verb(
        "fleet.cli.trial",
        "trial_app",
        "Get ready to start packages under AWS's Runtime Interface Emulator.",
    ),
    "waves": Verb(
        "fleet.cli.waves",
        "waves_app",
        "Run a plan wave by wave; see how far it is, stop it, go on, or go back.",
    ),
    "diff": Verb(
        "fleet.cli.diff", "diff", "Compare two saved scans: gone, new, still there, not seen."
    ),
    "scans": Verb("fleet.cli.scans", "scans", "List the saved scans, oldest first."),
    "demo": Verb(
        "fleet.cli.demo",
        "demo",
        "Scan an organization that runs on this machine, and move some of its functions.",
    ),
    "policy": Verb(
        "fleet.cli.policy", "policy_app", "Print the least permissions that a command needs."
    ),
}


class Verbs(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(**attributes)
        self.commands = _Imported()  # type: ignore[assignment]  # typer only reads it

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002 - typer hands its private class
        """Give every name, in the order of VERBS."""
        return list(self.commands)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ANN401, ARG002 - same
        """List names and help without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


class _Imported(Mapping[str, Any]):
    """Name → command, imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - typer's command class is private
        verb = VERBS[name]
        written = getattr(import_module(verb.module), verb.attribute)
        if not isinstance(written, typer.Typer):
            alone = typer.Typer(
                add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
            )
            alone.command(name)(written)
            written = alone
        return typer.main.get_command(written)

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)
