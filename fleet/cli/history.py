"""`fleet history`: every step that was made on a function."""

import os
import sys
from typing import Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.options import Shown
from fleet.errors import BadSelection


def history(
    *,
    arn: Annotated[str, typer.Argument(metavar="ARN", help="The function.")],
    patch: Annotated[
        bool,
        typer.Option(
            "--patch",
            help="Only the patch of go.mod and go.sum that it was last rebuilt with, for its team.",
        ),
    ] = False,
    output_format: shared.ShownAs = Shown.TABLE,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Show every step made on a function: when, who, before, after, AWS's request id."""
    from fleet.cli.chosen import of_arns
    from fleet.cli.packages import say
    from fleet.settings import Settings
    from fleet.store import Store

    [ref] = of_arns([arn])
    settings = Settings.load(config, os.environ).overridden(state=state)
    with Store.open(settings.state, create=False) as store:
        steps, shown = store.steps(ref), store.shown
        made = [each.deployment_after.code_sha256 for each in steps if each.deployment_after]
        statements = store.statements(made)
    if patch:
        from fleet.rebuilding.provenance import patch_in

        patches = [found for each in made if (found := patch_in(statements.get(each, "")))]
        if not patches:
            raise BadSelection("--patch", None, f"{shown} knows of no raised library of it")
        sys.stdout.write(patches[-1])
        return
    if output_format is Shown.JSON:
        from reports.migration import write_history_json

        write_history_json(steps, sys.stdout, statements)
        return
    if not steps:
        say(f"{shown} knows of no step on it.")
        return
    from fleet.cli.terminal import console
    from reports.history_table import history_table

    console(color=not no_color).print(history_table(steps, statements))
