"""One typed confirmation for everything a command will change."""

from __future__ import annotations

import sys

import typer

from fleet.errors import BadSelection, FleetError


class NotConfirmed(FleetError):
    """The user did not type what was asked for."""

    def __str__(self) -> str:
        return "not confirmed, so nothing was changed"


def check_terminal(*, yes: bool) -> None:
    """Raise BadSelection where nobody could be asked; before hours of work."""
    if not yes and not sys.stdin.isatty():
        advice = "there is no terminal to confirm on; with --yes it is not asked"
        raise BadSelection("--apply", None, advice)


def confirmed(word: str, about: str, *, yes: bool) -> None:
    """Ask for `word` to be typed, unless `yes`.

    Raises NotConfirmed, and BadSelection where there is no terminal.
    """
    if yes:
        return
    check_terminal(yes=yes)
    typer.echo(f"{about}\nType `{word}` to go on: ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        # Ctrl-D: the terminal has shown no end of the line.
        typer.echo(err=True)
    if answer.strip() != word:
        raise NotConfirmed
