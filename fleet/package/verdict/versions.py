"""Versions of Go modules, compared as Go compares them.

https://go.dev/ref/mod#versions: semantic versions behind a `v`; a pre-release or pseudo-version
goes before the release it is named after, and build metadata (`+incompatible`) counts nothing.
"""

from __future__ import annotations

from semver import Version

LONGEST = 256
"""Characters of a version that is looked at; what is longer was written by nobody."""


def parse(version: str) -> Version | None:
    """Give the version, or None for what Go does not call one, as `(devel)` or ''."""
    if not version.startswith("v") or len(version) > LONGEST:
        return None
    try:
        return Version.parse(version[1:])
    except ValueError:
        return None


def is_release(version: Version) -> bool:
    """Whether it names what was released under that number, not a state before it."""
    return version.prerelease is None
