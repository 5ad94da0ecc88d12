"""The command line: parse, call one verb, hand its result to one renderer.

Nothing heavy is imported before the command that needs it: `fleet --help` costs what typer costs.
"""

from fleet.cli.app import main

__all__ = ["main"]
