"""Whether two programs were built by the same settings, but for what was asked for. Pure.

Which Go writes what: see carrying.py. The new program is always built with -trimpath.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from fleet.linker_flags import without_values
from fleet.sources import Accepted
from fleet.toolchain.rebuild import tags
from fleet.toolchain.rebuild.attested_commit import commit_differences
from fleet.toolchain.rebuild.carrying import C_FLAGS, DEFAULT_PROFILE, LEVELS
from fleet.toolchain.rebuild.commit import STAMPS
from fleet.toolchain.rebuild.differences import Change, Difference, Pair
from fleet.toolchain.rebuild.linking import Known, are_hidden
from fleet.toolchain.rebuild.ordered import GOARCH

_LINKER_FLAGS = "-ldflags"
_ELSEWHERE = {_LINKER_FLAGS, "vcs"}
_DEFAULT_LEVELS = {"GOAMD64": "v1", "GOARM64": "v8.0"}
"""https://pkg.go.dev/cmd/go#hdr-Environment_variables"""
_UNTRIMMED = (1, 18)
"""The last Go that does not say whether there was -trimpath."""


def setting_differences(pair: Pair) -> Iterator[Difference]:
    """Give what differs in the settings, the commit and the linker flags."""
    before, after = pair.before.settings, pair.after.settings
    names = before.keys() | after.keys()
    if pair.line_after >= STAMPS:
        names |= _RIGHT.keys()
    for name in sorted(each for each in names if each.partition(".")[0] not in _ELSEWHERE):
        was, now = before.get(name), after.get(name)
        right = _RIGHT.get(name)
        if was == now and (right is None or right(now, pair)):
            continue
        yield Difference(f"build {name}", was or "", now or "", _change(name, was, now, pair))
    yield from _linker_flags(pair)
    yield from commit_differences(pair)


def _change(name: str, was: str | None, now: str | None, pair: Pair) -> Change | None:
    explain = _EXPLAINED.get(name)
    right = _RIGHT.get(name)
    if explain is None or (right is not None and not right(now, pair)):
        return None
    if change := explain(name, was, now, pair):
        return change
    untold = was is None and pair.is_silent and right is not None
    return Change.NOT_TOLD if untold and pair.is_source_known else None


# What a setting of the new program has to be, whatever the old one tells.


def _is_architecture(now: str | None, pair: Pair) -> bool:
    return now == GOARCH.get(pair.allowed.order.architecture)


def _is_trimmed(now: str | None, pair: Pair) -> bool:
    return now == "true" or (now is None and pair.line_after <= _UNTRIMMED)


def _are_tags(now: str | None, pair: Pair) -> bool:
    had = tags.read(pair.before.settings.get("-tags", ""))
    have = tags.read(now or "")
    if had is None or have is None:
        return False
    return set(have) == set(tags.with_norpc(had))


def _is_cgo(now: str | None, pair: Pair) -> bool:
    return now == pair.allowed.order.environment.get("CGO_ENABLED")


def _is_mode(now: str | None, pair: Pair) -> bool:
    return now in {None, "pie" if pair.old.position_independent else "exe"}


def _is_ordered(name: str) -> Callable[[str | None, Pair], bool]:
    def right(now: str | None, pair: Pair) -> bool:
        return now == pair.allowed.order.environment.get(name)

    return right


def _is_level(name: str) -> Callable[[str | None, Pair], bool]:
    def right(now: str | None, pair: Pair) -> bool:
        order = pair.allowed.order
        if order.architecture != LEVELS[name]:
            return now is None
        return now in {None, order.environment.get(name, _DEFAULT_LEVELS[name])}

    return right


_RIGHT: Mapping[str, Callable[[str | None, Pair], bool]] = {
    "GOARCH": _is_architecture,
    "GOOS": lambda now, _: now == "linux",
    "-trimpath": _is_trimmed,
    "-tags": _are_tags,
    "-compiler": lambda now, _: now == "gc",
    "-buildmode": _is_mode,
    "CGO_ENABLED": _is_cgo,
    "GOEXPERIMENT": _is_ordered("GOEXPERIMENT"),
    "GOFIPS140": _is_ordered("GOFIPS140"),
    **{name: _is_level(name) for name in LEVELS},
}


# What explains that it is not the same.


def _never(_name: str, _was: str | None, _now: str | None, _pair: Pair) -> Change | None:
    return None


def _by_architecture(_name: str, was: str | None, _now: str | None, pair: Pair) -> Change | None:
    changed = pair.old.architecture != pair.new.architecture and was is not None
    return Change.ARCHITECTURE if changed else None


def _by_level(name: str, was: str | None, now: str | None, pair: Pair) -> Change | None:
    if pair.old.architecture == pair.new.architecture:
        return _by_toolchain_alone(name, was, now, pair)
    gone = LEVELS[name] == pair.old.architecture and now is None
    come = LEVELS[name] == pair.new.architecture and was is None
    return Change.ARCHITECTURE if gone or come else None


def _by_tags(_name: str, was: str | None, _now: str | None, pair: Pair) -> Change | None:
    # Before Go 1.18 the others are not told.
    return None if was is None and pair.is_silent else Change.TAGS


def _by_trimpath(_name: str, was: str | None, now: str | None, pair: Pair) -> Change | None:
    if was is None:
        return None if pair.is_silent else Change.TRIMPATH
    return Change.TOOLCHAIN if now is None and pair.by_another_go else None


def _by_profile(_name: str, was: str | None, now: str | None, _pair: Pair) -> Change | None:
    same = was and PurePosixPath(was).name == DEFAULT_PROFILE == now
    return Change.TRIMPATH if same else None


def _by_toolchain(_name: str, _was: str | None, _now: str | None, pair: Pair) -> Change | None:
    return Change.TOOLCHAIN if pair.by_another_go else None


def _by_toolchain_alone(_name: str, was: str | None, now: str | None, pair: Pair) -> Change | None:
    return Change.TOOLCHAIN if pair.by_another_go and None in {was, now} else None


def _by_cgo(_name: str, was: str | None, now: str | None, pair: Pair) -> Change | None:
    taken_on = Accepted.WITHOUT_C in pair.allowed.known.accept
    left_out = not pair.old.cgo or taken_on
    return Change.CGO if (was, now) == ("1", "0") and left_out else None


def _by_c_flags(name: str, was: str | None, now: str | None, pair: Pair) -> Change | None:
    order = pair.allowed.order.environment
    if now is not None:
        return None
    if order.get("CGO_ENABLED") == "0":
        return Change.CGO
    return Change.TRIMPATH if order.get(name, "") == was else None


_EXPLAINED: Mapping[str, Callable[[str, str | None, str | None, Pair], Change | None]] = {
    "GOARCH": _by_architecture,
    **dict.fromkeys(LEVELS, _by_level),
    "-tags": _by_tags,
    "-trimpath": _by_trimpath,
    "-pgo": _by_profile,
    "DefaultGODEBUG": _by_toolchain,
    "-buildmode": _by_toolchain_alone,
    "CGO_ENABLED": _by_cgo,
    **dict.fromkeys(C_FLAGS, _by_c_flags),
    **dict.fromkeys(("GOOS", "-compiler", "GOEXPERIMENT", "GOFIPS140"), _never),
}


def _linker_flags(pair: Pair) -> Iterator[Difference]:
    """What was handed to the linker, in words: the flags themselves may hold secrets."""
    allowed = pair.allowed
    text = allowed.order.linker_flags.text if allowed.order.linker_flags else ""
    was, now = pair.before.settings.get(_LINKER_FLAGS), pair.after.settings.get(_LINKER_FLAGS)
    line = f"build {_LINKER_FLAGS}"
    if now is not None and now != without_values(text):
        yield Difference(line, was or "", now, None)
    elif are_hidden(pair.old):
        named = allowed.flags is not Known.RECORDED
        yield Difference(line, "not told", allowed.flags, Change.LINKER_FLAGS if named else None)
    elif allowed.flags is not Known.RECORDED or text != (pair.old.linker_flags or ""):
        yield Difference(line, was or "", "others", None)
    elif was != now:
        yield Difference(line, was or "", "the same, not shown", Change.LINKER_FLAGS)
