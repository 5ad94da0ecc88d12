"""The deployment package that a command names: read, and judged for one function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.errors import BadSelection, UsageError
from fleet.inspection import BOOTSTRAP, Target

if TYPE_CHECKING:
    from fleet.inspection import Deployed, PackageFacts
    from reports.package import PackageReport

OFFERED = 10


class Architecture(StrEnum):
    """Of a function, as Lambda spells it."""

    X86_64 = "x86_64"
    ARM64 = "arm64"


TargetRuntime = Annotated[
    Target, typer.Option("--target", help="The runtime that the function is to have.")
]
OnArchitecture = Annotated[
    Architecture, typer.Option("--architecture", help="The function's architecture.")
]


@dataclass(eq=False)
class HandlerNotNamed(UsageError):
    """The package holds several programs, and each may be another function's handler."""

    path: str
    programs: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.programs) - OFFERED
        offered = ", ".join(self.programs[:OFFERED]) + (f" and {more} more" if more > 0 else "")
        return f"{self.path} holds several programs: name the function's with --handler ({offered})"


def check_raised(version: str | None) -> None:
    """Refuse what is no release of aws-lambda-go that speaks to custom runtimes; BadSelection."""
    from semver import Version

    from fleet.package.verdict.versions import is_release, parse

    found = None if version is None else parse(version)
    if version is not None and (
        found is None or not is_release(found) or not Version(1, 18) <= found < Version(2)
    ):
        advice = "is no release of aws-lambda-go from v1.18.0 on: name one as v1.47.0"
        raise BadSelection("--raise-lambda-go", version, advice)


def say(line: str, *, err: bool = False) -> None:
    """Write a line in which names of files and entries can move no cursor."""
    typer.echo(
        "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line),
        err=err,
    )


def inspect_path(path: Path, deployed: Deployed, *, name: str | None = None) -> PackageReport:
    """Read a package that is a file here, and judge the function that runs it.

    A handler of None is taken from the package. Raises BadPackage or FileProblem for what is no
    package, and HandlerNotNamed where the handler could be one of several programs.
    """
    from fleet.package.inspect import inspect_package
    from fleet.package.verdict.assessment import assess
    from reports.package import PackageReport

    facts = inspect_package(path)
    if deployed.handler is None:
        deployed = replace(deployed, handler=_only_program(path, facts))
    return PackageReport(name or str(path), deployed, facts, assess(deployed, facts))


def _only_program(path: Path, facts: PackageFacts) -> str | None:
    """Give the one entry that can be the handler; None where there is no program at all."""
    programs = tuple(program.entry for program in facts.programs)
    if BOOTSTRAP in programs:
        return BOOTSTRAP
    if len(programs) > 1:
        raise HandlerNotNamed(str(path), programs)
    return programs[0] if programs else None
