"""What a program was built from, as its build info and its owners tell. Pure.

What comes out of a binary becomes an argument of git and of go: nothing is handed on that could
be taken for an option or a path elsewhere.
"""

from __future__ import annotations

import re

from fleet.inspection import BuildInfo
from fleet.sources import Accepted, KnownBuild, is_import_path
from fleet.toolchain.rebuild.refusals import (
    BAD_COMMIT,
    BAD_PACKAGE,
    BAD_VERSION,
    MODIFIED,
    NO_COMMIT,
    NO_PACKAGE,
    NOT_GIT,
    OTHER_COMMIT,
    Refusal,
)

STAMPS = (1, 18)
"""The first Go that writes settings and the commit, and knows -buildvcs."""
BY_FILES = "command-line-arguments"
"""What Go calls a package that was given to it as file names."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
_VERSION = re.compile(r"v\d+\.\d+\.\d+[\w.+-]*", re.ASCII)


def is_published(build: BuildInfo) -> bool:
    """Whether it was built from a module's version, as `go install module@version` does."""
    main = build.main
    return bool(main and main.sum and main.version) and "vcs.revision" not in build.settings


def package_of(build: BuildInfo, known: KnownBuild) -> str | Refusal:
    """Give the import path of the main package, safe as an argument."""
    package = build.path
    if package in {"", BY_FILES}:
        if known.package is None:
            return NO_PACKAGE.said()
        package = known.package
    inside = build.main is None or f"{package}/".startswith(f"{build.main.path}/")
    return package if inside and is_import_path(package) else BAD_PACKAGE.said(package=package)


def commit_of(build: BuildInfo, known: KnownBuild) -> str | Refusal:
    """Give the commit to check out, maybe shortened where people gave it; '' if published."""
    if is_published(build):
        version = build.main.version if build.main else ""
        return "" if _VERSION.fullmatch(version) else BAD_VERSION.said(version=version)
    system = build.settings.get("vcs", "git")
    if system != "git":
        return NOT_GIT.said(vcs=system)
    told = build.settings.get("vcs.revision", "")
    modified = build.settings.get("vcs.modified", "not told" if told else "false")
    if modified != "false" and Accepted.MODIFIED not in known.accept:
        return MODIFIED.said(modified=modified)
    return _named(told, known) if told else known.commit or NO_COMMIT.said()


def _named(told: str, known: KnownBuild) -> str | Refusal:
    if not _COMMIT.fullmatch(told):
        return BAD_COMMIT.said(commit=told)
    if known.commit and not told.startswith(known.commit):
        return OTHER_COMMIT.said(commit=told, given=known.commit)
    return told
