"""The linker flags of a build: those recorded or given, and guesses where none are. Pure.

-trimpath keeps -ldflags out of the build info from Go 1.18.1 on (https://go.dev/issue/52372),
and before 1.18 there was no place for them. Go 1.18 does not even say whether it was -trimpath.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from fleet.linker_flags import arguments
from fleet.recorded import Recorded
from fleet.toolchain.rebuild.carrying import parted
from fleet.toolchain.rebuild.order import LinkerFlags
from fleet.toolchain.rebuild.refusals import LINKER_FLAG, Refusal
from fleet.toolchain.rebuild.versions import read_recorded

_SILENT = (1, 18)
_SWITCHES = {"s", "w", "compressdwarf", "checklinkname"}
_VALUED = {"X", "buildid", "linkmode", "extldflags", "B"}
_OTHERS = {
    *("a", "asan", "benchmark", "c", "cpuprofile", "d", "debugtextsize", "dumpdep", "extar"),
    *("extld", "f", "g", "H", "I", "importcfg", "installsuffix", "k", "L", "libgcc", "memprofile"),
    *("msan", "n", "o", "pluginpath", "R", "r", "race", "T", "tmpdir", "u", "v"),
}
"""More of what Go's linker knows; https://pkg.go.dev/cmd/link. Words besides may be values."""
_LINK_MODES = {"internal", "auto"}
_ON_OR_OFF = {"", "true", "false", "1", "0"}
_VARIABLE = re.compile(r"[^\s=\x00-\x1f\x7f-][^\s=\x00-\x1f\x7f]*=[^\x00]*", re.DOTALL)
_WORD = re.compile(r"[A-Za-z0-9_/.+=-]*")
_EXTERNAL = re.compile(r"-static(-pie)?|-l[a-z0-9_]+|-s|-w", re.ASCII)
"""What a C linker may be asked for; others name programs to run, or files."""


class Known(StrEnum):
    """How the linker flags of a build are known."""

    RECORDED = "recorded"
    """The binary tells them, or tells that there were none."""
    GIVEN = "given"
    """Somebody knows them."""
    PROVEN = "proven"
    """With them, and nothing else, the old program came out byte-identical."""
    ACCEPTED = "accepted"
    """They are not: somebody takes on that values set with -X may be lost."""


def are_hidden(recorded: Recorded) -> bool:
    """Whether there may have been linker flags that the binary does not tell."""
    build = recorded.build
    if recorded.linker_flags is not None:
        return False
    if build is None or not build.settings or "-trimpath" in build.settings:
        return True
    go = read_recorded(parted(build.go_version)[0])
    # Go 1.18 hides CGO_CFLAGS and -ldflags together, and writes the one wherever there is cgo.
    return go is None or (go.version.line <= _SILENT and "CGO_CFLAGS" not in build.settings)


def guesses(recorded: Recorded) -> tuple[LinkerFlags | None, ...]:
    """Give flags that would have left the tables there are, and no -X; likeliest first.

    How they are written counts: they go into the build id, unless that is left out.
    """
    if recorded.symbols:
        written: tuple[str, ...] = ("",) if recorded.dwarf else ("-w",)
    else:
        written = ("-s -w", "-s", "-w -s")
    if not recorded.build_id:
        written = (f"{written[0]} -buildid=".strip(),)
    return tuple(LinkerFlags(each) if each else None for each in written)


def refused(flags: LinkerFlags, *, by_c: bool) -> tuple[Refusal, ...]:
    """Tell which of the flags are not handed on; `by_c` where a C linker may come to work.

    Some of them name programs that the linker would start, or files it would write.
    """
    found = arguments(flags.text)
    if found is None:
        return (LINKER_FLAG.said(flag="a quote that does not close"),)
    problems = dict.fromkeys(_refused(iter(found), by_c=by_c))
    return (LINKER_FLAG.said(flag=", ".join(problems)),) if problems else ()


def _refused(words: Iterator[str], *, by_c: bool) -> Iterator[str]:
    for word in words:
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        shown = f"-{name}"
        if not word.startswith("-") or name not in _SWITCHES | _VALUED:
            yield shown if word.startswith("-") and name in _OTHERS else "something else"
        elif name in _SWITCHES:
            if value not in _ON_OR_OFF:
                yield shown
        elif not _fits(name, value if equals else next(words, None), by_c=by_c):
            yield shown


def _fits(name: str, value: str | None, *, by_c: bool) -> bool:
    if value is None:
        return False
    if name == "X":
        return bool(_VARIABLE.fullmatch(value))
    if name == "linkmode":
        return value in _LINK_MODES or (by_c and value == "external")
    if name == "extldflags":
        # Go's own linker does not look at them.
        return not by_c or all(_EXTERNAL.fullmatch(each) for each in value.split())
    return bool(_WORD.fullmatch(value))
