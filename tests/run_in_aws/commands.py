"""Command lines that documents name, parsed by the parsers that will read them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import typer

from fleet.cli.app import app
from tests.run_in_aws.template import AWS


@cache
def entrypoint() -> ModuleType:
    """docs/aws/entrypoint.py."""
    spec = spec_from_file_location("docs_aws_entrypoint", AWS / "entrypoint.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # dataclasses look there for the module they are in.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def parsed(arguments: Sequence[str]) -> dict[str, Any]:
    """The parameters of a fleet command, by name; raises what its parser raises."""
    command: Any = typer.main.get_command(app)
    context: Any = None
    name, rest = "fleet", list(arguments)
    while hasattr(command, "resolve_command"):
        context = command.make_context(name, rest, parent=context)
        name, command, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
    parameters: dict[str, Any] = command.make_context(name, rest, parent=context).params
    return parameters
