"""Whether two programs were built from the same commit. Pure.

Go writes the vcs settings by itself, from the work tree it builds in; from Go 1.18 on.
"""

from __future__ import annotations

from collections.abc import Iterator

from fleet.sources import Accepted
from fleet.toolchain.rebuild.commit import STAMPS
from fleet.toolchain.rebuild.differences import Change, Difference, Pair

_SETTINGS = ("vcs", "vcs.modified", "vcs.revision", "vcs.time")


def commit_differences(pair: Pair) -> Iterator[Difference]:
    """Give what differs in the vcs settings, and a commit that is not the one asked for."""
    before, after = pair.before.settings, pair.after.settings
    for name in _SETTINGS:
        was, now = before.get(name), after.get(name)
        change = _change(name, was, now, pair)
        if was != now or _is_wrong(name, now, pair) or change is Change.MODIFIED:
            yield Difference(f"build {name}", was or "", now or "", change)
    for name in sorted((before.keys() | after.keys()) - set(_SETTINGS)):
        if name.startswith("vcs.") and before.get(name) != after.get(name):
            yield Difference(f"build {name}", before.get(name, ""), after.get(name, ""), None)


def _is_wrong(name: str, now: str | None, pair: Pair) -> bool:
    """Whether the new program can't have been built from what was checked out."""
    commit = pair.allowed.commit
    if now is None:
        return bool(commit) and name == "vcs.revision" and pair.line_after >= STAMPS
    if name == "vcs.revision":
        return now != commit
    if name == "vcs.modified":
        return not commit or (now != "false" and not (now == "true" and pair.allowed.raised))
    return not commit


def _change(name: str, was: str | None, now: str | None, pair: Pair) -> Change | None:
    if now is None or _is_wrong(name, now, pair):
        return None
    if name == "vcs.modified" and was != "false":
        if was is None:
            return _untold(pair)
        return Change.MODIFIED if Accepted.MODIFIED in pair.allowed.known.accept else None
    if name == "vcs.modified":
        return Change.LIBRARY if now == "true" else None
    return _untold(pair) if was is None else None


def _untold(pair: Pair) -> Change | None:
    told = "vcs.revision" in pair.before.settings
    return Change.NOT_TOLD if pair.allowed.named and not told else None
