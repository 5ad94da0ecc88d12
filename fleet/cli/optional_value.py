"""Options whose value may be left out, which is nothing that typer knows."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


def optional_value(**options: str) -> type[TyperCommand]:
    """Give a command class in which `--name` alone means `--name=VALUE`.

    `options` are the names, with _ for -, and the value of each.
    """
    whole = {f"--{name.replace('_', '-')}": value for name, value in options.items()}

    class Command(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
            given = [f"{each}={whole[each]}" if each in whole else each for each in args]
            return super().parse_args(ctx, given)

    return Command
