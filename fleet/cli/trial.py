"""`fleet trial`: what trying a package needs on this machine."""

from pathlib import Path
from typing import Annotated

import typer

trial_app = typer.Typer(
    name="trial",
    help="Get ready to start packages under AWS's Runtime Interface Emulator.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@trial_app.callback()
def _group() -> None:
    pass


@trial_app.command()
def setup(
    *,
    wheel: Annotated[
        Path | None,
        typer.Option(
            "--wheel",
            metavar="FILE",
            help="Take the emulator out of this wheel of aws-sam-cli, or of the one in this "
            "directory, instead of letting pip download it.",
        ),
    ] = None,
) -> None:
    """Fetch the emulator into your cache, and check that packages can be run behind walls."""
    from fleet.toolchain.sandbox.room import check_sandbox
    from fleet.toolchain.trial.emulator import emulator
    from fleet.toolchain.trial.wheel import by_pip, given

    ready = emulator(fetch=by_pip if wheel is None else given(wheel), progress=_say)
    typer.echo(f"emulator  {ready.path}")
    check_sandbox()
    typer.echo("sandbox   ready")


def _say(line: str) -> None:
    typer.echo(f"fleet trial: {line}", err=True)
