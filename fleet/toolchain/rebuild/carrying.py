"""What each recorded setting of a build asks of the next one. Pure.

The settings are those that Go writes, from 1.18 to 1.27: https://pkg.go.dev/runtime/debug#BuildSetting
and (*load.Package).setBuildInfo of cmd/go. What stands in no table here is refused by its name:
a setting that is dropped unseen makes another program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fleet.recorded import Recorded
from fleet.toolchain.rebuild import tags
from fleet.toolchain.rebuild.ordered import GOARCH
from fleet.toolchain.rebuild.refusals import (
    ARCHITECTURE,
    BAD_SETTING,
    BUILD_MODE,
    CGO,
    COMPILER,
    INSTRUMENTED,
    PROFILE,
    UNKNOWN_SETTING,
    Refusal,
    Rule,
)

C_FLAGS = ("CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS")
LEVELS: Mapping[str, str] = {"GOAMD64": "x86_64", "GOARM64": "arm64"}
"""Setting → the architecture whose instructions it chooses among."""
DEFAULT_PROFILE = "default.pgo"

_EXPERIMENTAL = re.compile(r"[ -]X:")
"""`go1.25.0 X:jsonv2`, and with a dash from Go 1.26 on: https://go.dev/issue/75953."""
_MODES = {"exe", "pie"}
_FOR_PACKAGES = re.compile(r"(?:all|\./\.\.\.|[\w./~-]+)=", re.ASCII)
"""Of -gcflags and -asmflags: which packages they are for."""
_HARMLESS = re.compile(
    r"(?:\s*(?:--?(?:[NlBCeSm]|(?:trimpath|spectre|dwarf|c|m|l)=[\w./,;=>@~:-]*"
    r"|D[\s=]\w+(?:=\w*)?)(?=\s|$)))*\s*",
    re.ASCII,
)
"""https://pkg.go.dev/cmd/compile, https://pkg.go.dev/cmd/asm"""
_OPTIMIZING = re.compile(r"-g|-O[0-3s]", re.ASCII)
_EXPERIMENTS = re.compile(r"[a-z0-9]+(,[a-z0-9]+)*", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._,-]*", re.ASCII)


def parted(go_version: str) -> tuple[str, str]:
    """Give the version alone, and the experiments that stand behind it, '' where none do."""
    found = _EXPERIMENTAL.search(go_version)
    if found is None:
        return go_version, ""
    return go_version[: found.start()], go_version[found.end() :]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a setting is read for."""

    recorded: Recorded
    architecture: str
    """x86_64 or arm64."""
    repeats: bool = False
    """Whether the very same program shall come out; else one for custom runtimes alone."""
    without_c: bool = False
    """Whether somebody has taken on that what C there is will be missing."""

    @property
    def cgo(self) -> bool:
        """Whether it is built with cgo, as Go is told by CGO_ENABLED.

        A program in which no C is would be the same without; only to repeat it, that counts.
        """
        if self.without_c:
            return False
        if self.recorded.build is None:
            return self.recorded.cgo
        setting = self.recorded.build.settings.get("CGO_ENABLED")
        if setting is None or (setting == "1" and not self.repeats):
            return self.recorded.cgo
        return setting == "1"


@dataclass(frozen=True, slots=True)
class Carried:
    """What becomes of one setting: arguments and environment of the next build, or why not."""

    flags: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()


NOTHING = Carried()


def carried(setting: str, value: str, aim: Aim) -> Carried:
    """Tell what a setting asks for, or why it can't be had."""
    if value and not value.isprintable():
        return _refused(BAD_SETTING, setting=setting, value=value)
    carry = _BY_SETTING.get(setting)
    return carry(setting, value, aim) if carry else _refused(UNKNOWN_SETTING, setting=setting)


def _refused(rule: Rule, **fields: str) -> Carried:
    return Carried(refusals=(rule.said(**fields),))


def _elsewhere(_setting: str, _value: str, _aim: Aim) -> Carried:
    """What follows from something else: from the source, or from what the whole build tells."""
    return NOTHING


def _tool_flags(setting: str, value: str, _aim: Aim) -> Carried:
    pattern = _FOR_PACKAGES.match(value)
    # Others write files where they are told, in the cache that all builds share.
    if not _HARMLESS.fullmatch(value, pattern.end() if pattern else 0):
        return _refused(BAD_SETTING, setting=setting, value=value)
    return Carried(flags=(f"{setting}={value}",))


def _tags(setting: str, value: str, aim: Aim) -> Carried:
    found = tags.read(value)
    if found is None:
        return _refused(BAD_SETTING, setting=setting, value=value)
    wanted = found if aim.repeats else tags.with_norpc(found)
    return Carried(flags=(f"-tags={','.join(wanted)}",)) if wanted else NOTHING


def _mode(_setting: str, value: str, _aim: Aim) -> Carried:
    # Go before 1.20 does not record it, so the program itself tells which of the two it is.
    return NOTHING if value in _MODES else _refused(BUILD_MODE, mode=value)


def _compiler(_setting: str, value: str, _aim: Aim) -> Carried:
    return NOTHING if value == "gc" else _refused(COMPILER, compiler=value)


def _instrumented(setting: str, value: str, _aim: Aim) -> Carried:
    return NOTHING if value == "false" else _refused(INSTRUMENTED, setting=setting)


def _profile(_setting: str, value: str, _aim: Aim) -> Carried:
    if PurePosixPath(value).name != DEFAULT_PROFILE:
        return _refused(PROFILE, profile=value)
    return Carried(flags=("-pgo=auto",))


def _cgo(setting: str, value: str, _aim: Aim) -> Carried:
    if value not in {"0", "1"}:
        return _refused(BAD_SETTING, setting=setting, value=value)
    return NOTHING


def _c_flags(setting: str, value: str, aim: Aim) -> Carried:
    if not (aim.cgo and value):
        return NOTHING
    # Others name files, or plugins that the C compiler would run.
    if not all(_OPTIMIZING.fullmatch(each) for each in value.split()):
        return _refused(BAD_SETTING, setting=setting, value=value)
    return Carried(environment={setting: value})


def _goos(_setting: str, value: str, _aim: Aim) -> Carried:
    return NOTHING if value == "linux" else _refused(ARCHITECTURE, given=value)


def _goarch(_setting: str, value: str, aim: Aim) -> Carried:
    if value != GOARCH.get(aim.recorded.architecture):
        return _refused(ARCHITECTURE, given=f"{value} on {aim.recorded.architecture}")
    return NOTHING


def _level(setting: str, value: str, aim: Aim) -> Carried:
    if not _NAME.fullmatch(value):
        return _refused(BAD_SETTING, setting=setting, value=value)
    fits = aim.architecture == LEVELS[setting]
    return Carried(environment={setting: value}) if fits else NOTHING


def _experiments(setting: str, value: str, _aim: Aim) -> Carried:
    if not _EXPERIMENTS.fullmatch(value):
        return _refused(BAD_SETTING, setting=setting, value=value)
    return Carried(environment={setting: value})


def _fips(setting: str, value: str, _aim: Aim) -> Carried:
    if not _NAME.fullmatch(value) or ".." in value:
        return _refused(BAD_SETTING, setting=setting, value=value)
    return Carried(environment={setting: value})


_BY_SETTING: Mapping[str, Callable[[str, str, Aim], Carried]] = {
    "-asmflags": _tool_flags,
    "-gcflags": _tool_flags,
    "-tags": _tags,
    "-buildmode": _mode,
    "-compiler": _compiler,
    "-pgo": _profile,
    "CGO_ENABLED": _cgo,
    "GOOS": _goos,
    "GOARCH": _goarch,
    "GOEXPERIMENT": _experiments,
    "GOFIPS140": _fips,
    **dict.fromkeys(("-asan", "-cover", "-msan", "-race"), _instrumented),
    **dict.fromkeys(C_FLAGS, _c_flags),
    **dict.fromkeys(LEVELS, _level),
    # Of linking.py, of what every build is given, of go.mod, and of the commit.
    **dict.fromkeys(("-ldflags", "-trimpath", "DefaultGODEBUG"), _elsewhere),
    **dict.fromkeys(("vcs", "vcs.revision", "vcs.time", "vcs.modified"), _elsewhere),
}


def cannot_hold_c(aim: Aim) -> tuple[Refusal, ...]:
    """Tell where C would have to be compiled for a machine that this is not."""
    if aim.cgo and aim.architecture != aim.recorded.architecture:
        return (CGO.said(architecture=aim.architecture),)
    return ()
