"""Where the source of Go modules is, and what is known of a function's build: of fleet.yaml. Pure.

A binary tells its module and commit, and not where its repository is.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class SourceRule(BaseModel):
    """One entry under `sources:` in fleet.yaml: modules, and the repository that holds them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str = Field(min_length=1)
    """Path of the main module, with wildcards."""
    git: str | None = None
    """URL to clone; {module} stands for the module's path, {1}, {2} … for what each * matched."""
    checkout: Annotated[Path | None, Field(strict=False)] = None
    """A clone on this machine instead; only its commits are read, its work tree never."""


class Accepted(StrEnum):
    """What somebody who knows better takes on, for one function by name."""

    MODIFIED = "modified"
    """It was built with changes that are in no commit."""
    LOST_LINKER_FLAGS = "lost-ldflags"
    """-trimpath has hidden its -ldflags: values set with -X may be lost."""


class KnownBuild(BaseModel):
    """One entry under `rebuild: functions:`: what people know of a build that it does not tell."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{7,64}$")
    """What it was built from, where the binary names no commit."""
    package: str | None = Field(default=None, min_length=1)
    """Import path of its main package, where the binary names none."""
    ldflags: str | None = Field(default=None, repr=False)
    """Its -ldflags, where -trimpath has hidden them; may hold secrets."""
    accept: frozenset[Accepted] = frozenset()
