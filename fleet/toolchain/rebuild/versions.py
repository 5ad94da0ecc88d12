"""Which Go builds what another Go has built: the recorded one, or the nearest there is. Pure.

How releases are named, and that from 1.21 on the first of a line is `go1.21.0`:
https://go.dev/doc/toolchain#version
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_RELEASE = re.compile(r"go(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4})|(beta|rc)(\d{1,4}))?", re.ASCII)
_DEVELOPMENT = re.compile(r"devel go(\d{1,4})\.(\d{1,4})-", re.ASCII)
_BETA, _CANDIDATE, _RELEASED = range(3)
_STAGES = {"beta": _BETA, "rc": _CANDIDATE}


@dataclass(frozen=True, slots=True, order=True)
class GoVersion:
    """A release of Go, or a beta or release candidate of one; ordered as they came out."""

    major: int
    minor: int
    patch: int = 0
    stage: int = _RELEASED
    number: int = 0
    """Of the beta or candidate."""

    @property
    def line(self) -> tuple[int, int]:
        """Give 1.22 of 1.22.5."""
        return self.major, self.minor


@dataclass(frozen=True, slots=True)
class RecordedGo:
    """What a binary says of the Go that built it."""

    version: GoVersion
    name: str
    """Go's own release that is meant, as `go1.22.5`; '' for a vendor's, or one in development."""


def parse(name: str) -> GoVersion | None:
    """Give the version of a release's name, as `go1.22.5`; None for anything else."""
    found = _RELEASE.fullmatch(name)
    if found is None:
        return None
    major, minor, patch, stage, number = found.groups()
    standing = _STAGES[stage] if stage else _RELEASED
    return GoVersion(int(major), int(minor), int(patch or 0), standing, int(number or 0))


def read_recorded(text: str) -> RecordedGo | None:
    """Give what build info says of its Go, or None where it names no version.

    Experiments stand behind it (`go1.22.5 X:rangefunc`), and vendors append words of their own
    (`go1.22.5-vendor`, `go1.18.3b7`). Development is told as of the release it leads to.
    """
    if coming := _DEVELOPMENT.match(text):
        return RecordedGo(GoVersion(int(coming[1]), int(coming[2])), "")
    name, _, _ = text.partition(" ")
    found = _RELEASE.match(name)
    version = parse(found[0]) if found else None
    if found is None or version is None:
        return None
    appended = name[found.end() :]
    if appended[:1].isdigit() or appended.startswith("."):
        return None
    return RecordedGo(version, "" if appended else found[0])


def nearest(wanted: GoVersion, available: Iterable[str]) -> str | None:
    """Give the name of the available release that stands in best, or None where there is none.

    Of the same line the nearest newer patch, else the nearest older one; else the last patch of
    the nearest newer line, else that of the nearest older one. Betas and candidates come last.
    Of names that mean one version, the first in the alphabet.
    """
    known = {each: version for each in available if (version := parse(each)) is not None}
    ways = ((_distance(wanted, version), name) for name, version in known.items())
    return min(ways, default=(None, None))[1]


def _distance(wanted: GoVersion, other: GoVersion) -> tuple[int, ...]:
    if other == wanted:
        return (0,)
    lines = (other.major - wanted.major, other.minor - wanted.minor)
    newer_patch = lines == (0, 0) and other > wanted
    # Of newer patches the first. Of a whole line the last: its users are asked to be on that one.
    sign = 1 if newer_patch else -1
    return (
        1,
        int(other.stage != _RELEASED),
        int(lines < (0, 0)),
        *(abs(each) for each in lines),
        int(not newer_patch),
        *(sign * each for each in (other.patch, other.stage, other.number)),
    )
