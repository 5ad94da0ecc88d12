"""Where the source of Go modules is, and what is known of a function's build: of fleet.yaml. Pure.

A binary tells its module and commit, and not where its repository is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleet.errors import FleetError

_PLACEHOLDER = re.compile(r"\{(module|[1-9])\}")
_ELEMENT = r"[A-Za-z0-9._~+-]*[A-Za-z0-9_~+-]"
_IMPORT_PATH = re.compile(rf"(?!-){_ELEMENT}(/{_ELEMENT})*")
_LONGEST_PATH = 1000
_SCP_LIKE = re.compile(r"[A-Za-z0-9._~][A-Za-z0-9._~-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^:\s][^\s]*")


@dataclass(eq=False)
class BadAddress(FleetError):
    """A rule under `sources:` gives an address that git cannot be asked for."""

    module: str
    problem: str

    def __str__(self) -> str:
        return (
            f"the rule under sources: in fleet.yaml for the module {self.module!r} gives no "
            f"address of a repository: {self.problem}"
        )


@dataclass(frozen=True, slots=True)
class Address:
    """Of a repository."""

    url: str = field(repr=False)
    """As git takes it; may name a user."""
    shown: str
    """The same for everybody to see."""
    is_local: bool = False
    """Whether it is a clone on this machine that a rule calls `checkout`."""


class SourceRule(BaseModel):
    """One entry under `sources:` in fleet.yaml: modules, and the repository that holds them."""

    # An address may have been given with a password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    module: str = Field(min_length=1)
    """Path of the main module or of what it begins with, with wildcards, as in GOPRIVATE.

    `*` and `?` stay within one element of the path, and whatever is below belongs to it:
    github.com/acme/* takes in github.com/acme/orders/api/v2.
    https://go.dev/ref/mod#private-modules
    """
    git: str | None = None
    """URL to clone; {module} stands for the module's path, {1}, {2} … for what each * matched."""
    checkout: Annotated[Path | None, Field(strict=False)] = None
    """A clone on this machine instead, with the same placeholders; only its commits are read, its
    work tree never."""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if (self.git is None) == (self.checkout is None):
            raise ValueError("give either git or checkout")
        wildcards = _wildcards(self.module)
        template = self.git if self.git is not None else str(self.checkout)
        for number in _PLACEHOLDER.findall(template):
            if number != "module" and int(number) > wildcards:
                raise ValueError(f"{{{number}}} stands for nothing: module has {wildcards} *")
        bare = _PLACEHOLDER.sub(lambda each: "x/x" if each[1] == "module" else "x", template)
        if "{" in bare or "}" in bare:
            raise ValueError("the placeholders are {module}, {1}, {2} … and no others")
        if self.git is not None and (problem := _problem_of(bare)):
            raise ValueError(problem)
        return self


class Accepted(StrEnum):
    """What somebody who knows better takes on, for one function by name."""

    MODIFIED = "modified"
    """It was built with changes that are in no commit."""
    LOST_LINKER_FLAGS = "lost-ldflags"
    """-trimpath has hidden its -ldflags: values set with -X may be lost."""
    WITHOUT_C = "without-c"
    """It holds C, and is built without: Go's own resolver of names and users takes its place."""
    EMBEDDED = "embedded"
    """It embeds a directory in which there may have been files that are in no commit."""


class KnownBuild(BaseModel):
    """One entry under `rebuild: functions:`: what people know of a build that it does not tell."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{7,64}$")
    """What it was built from, where the binary names no commit."""
    package: str | None = Field(default=None, min_length=1)
    """Import path of its main package, where the binary names none."""
    directory: str | None = Field(default=None, min_length=1)
    """Of its go.mod in the repository, where several there say the same module path."""
    ldflags: str | None = Field(default=None, repr=False)
    """Its -ldflags, where -trimpath has hidden them; may hold secrets."""
    accept: frozenset[Accepted] = frozenset()


def is_import_path(text: str) -> bool:
    """Whether a text out of a binary can be the path of a module or package that Go builds.

    The rule of golang.org/x/mod/module.CheckImportPath: ASCII letters, digits and -._~+ between
    single slashes, no leading dash, no element that is dots alone or ends in one.
    """
    return len(text) <= _LONGEST_PATH and _IMPORT_PATH.fullmatch(text) is not None


def rule_for(module: str, rules: Iterable[SourceRule]) -> SourceRule | None:
    """Give the first rule that takes in a module, or None."""
    return next((rule for rule in rules if _match(rule.module, module)), None)


def address(rule: SourceRule, module: str) -> Address:
    """Give the repository that a rule names for a module it takes in.

    Raises BadAddress where what the module puts in for the placeholders is no address.
    """
    found = _match(rule.module, module)
    if found is None or not is_import_path(module):
        raise BadAddress(module, "that is no module path that it takes in")
    fills = {"module": module} | {str(n): text for n, text in enumerate(found.groups(), 1)}
    template = rule.git if rule.git is not None else str(rule.checkout)
    filled = _PLACEHOLDER.sub(lambda each: fills[each[1]], template)
    if rule.git is None:
        place = str(Path(filled).expanduser().absolute())
        return Address(place, place, is_local=True)
    if problem := _problem_of(filled):
        raise BadAddress(module, problem)
    return Address(filled, without_credentials(filled))


def without_credentials(url: str) -> str:
    """Give a URL without its user and password; ssh's user stays, since it is part of the place."""
    return re.sub(r"(?<=://)[^/\s]*@", "", url) if not url.startswith("ssh://") else url


def _problem_of(url: str) -> str:
    """Say what keeps git from being asked for a URL, or ''; never shows it, for its password."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "a URL has no spaces and no control characters"
    try:
        parts = urlsplit(url)
        is_file = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
        if is_file or _SCP_LIKE.fullmatch(url):
            return ""
        return _problem_of_parts(parts)
    except ValueError:
        return "it cannot be read as a URL"


def _problem_of_parts(parts: SplitResult) -> str:
    if parts.scheme not in {"https", "ssh"} or not parts.netloc:
        return "git: takes https://, ssh://, file:/// or user@host:path; checkout: a directory"
    if parts.password is not None:
        return "leave its password to git's credential helper"
    # ssh would take such a user or host for one of its options.
    if not parts.hostname or parts.netloc.startswith("-") or parts.hostname.startswith("-"):
        return "it names no host"
    return "" if parts.path.strip("/") else "it names no repository of that host"


def _match(pattern: str, module: str) -> re.Match[str] | None:
    return re.compile(_as_expression(pattern.rstrip("/")) + r"(?:/.*)?").fullmatch(module)


def _wildcards(pattern: str) -> int:
    """Count the * of a pattern; raises ValueError where it is none."""
    return re.compile(_as_expression(pattern)).groups


def _as_expression(pattern: str) -> str:
    """Translate a pattern; raises ValueError for what would be another wildcard elsewhere."""
    if "**" in pattern:
        raise ValueError("** is not needed: what is below a pattern belongs to it")
    if any(each in pattern for each in "[]\\"):
        raise ValueError("the wildcards of module are * and ?")
    known = {"*": "([^/]*)", "?": "[^/]"}
    return "".join(known.get(each) or re.escape(each) for each in pattern)
