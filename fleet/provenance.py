"""Where the source of a Go binary is, as far as its build info tells."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleet.inspection import BuildInfo

_REPOSITORY_SEGMENTS = {"github.com": 3, "bitbucket.org": 3}
"""Hosts whose repositories are always so many segments of a path; the rest of it is inside."""
_MAJOR_VERSION = re.compile(r"/v\d+$")


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of a binary; '' where the build does not tell."""

    module: str = ""
    repository: str = ""
    """Host and path; the module's path where only asking its host would tell more."""
    commit: str = ""
    modified: bool = False
    """Whether it was built with changes that were in no commit."""


def origin_of(build: BuildInfo | None) -> Origin:
    """Tell the module, its repository and the commit from a build's own words.

    Module paths begin with the repository's: https://go.dev/ref/mod#module-path. Commits are the
    vcs settings that Go writes from 1.18 on.
    """
    if build is None:
        return Origin()
    module = build.main.path if build.main else ""
    return Origin(
        module=module,
        repository=_repository(module),
        commit=build.settings.get("vcs.revision", ""),
        modified=build.settings.get("vcs.modified") == "true",
    )


def _repository(module: str) -> str:
    host, *path = module.split("/")
    if "." not in host or not path:
        # Go asks for a dot in the first element of everything that can be fetched.
        return ""
    known = _REPOSITORY_SEGMENTS.get(host)
    return "/".join([host, *path][:known]) if known else _MAJOR_VERSION.sub("", module)
