"""What a program tells of its build → the build that is to be made, and its control. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from fleet.inspection import BuildInfo
from fleet.recorded import Recorded
from fleet.sources import Accepted, KnownBuild
from fleet.toolchain.rebuild import linking
from fleet.toolchain.rebuild.carrying import Aim, Carried, cannot_hold_c, carried, parted
from fleet.toolchain.rebuild.commit import STAMPS, commit_of, is_published, package_of
from fleet.toolchain.rebuild.linking import Known
from fleet.toolchain.rebuild.order import BuildOrder, LinkerFlags
from fleet.toolchain.rebuild.ordered import GOARCH
from fleet.toolchain.rebuild.refusals import (
    ARCHITECTURE,
    GO_VERSION,
    LINKER_FLAGS_LOST,
    LINKER_FLAGS_WRONG,
    NO_BUILD_INFO,
    NO_MODULES,
    Refusal,
)
from fleet.toolchain.rebuild.tags import with_norpc
from fleet.toolchain.rebuild.versions import parse, read_recorded

_PROFILES = (1, 21)
"""The first Go that takes default.pgo unasked; https://go.dev/doc/go1.21#pgo."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A program is not built again."""

    reasons: tuple[Refusal, ...]
    """All there are, never none."""


@dataclass(frozen=True, slots=True)
class Orders:
    """A program that can be built again."""

    commit: str
    """To check out, maybe shortened where people gave it; '' for a published module."""
    build: BuildOrder
    """The new program; where `flags` is PROVEN, see following()."""
    flags: Known
    """How its linker flags are known."""
    control: tuple[BuildOrder, ...] = ()
    """The old program again, with one guess after the other at its linker flags or, where they
    are GIVEN, with those. One of them has to come out with the old one's sha256."""

    def following(self, control: BuildOrder) -> BuildOrder:
        """Give the order of the new program with the flags of the control build that matched."""
        return replace(self.build, linker_flags=control.linker_flags)


def wrong_flags() -> Refusal:
    """Give the reason against a program that does not come out again with the flags given."""
    return LINKER_FLAGS_WRONG.said()


def none_matched() -> Refusal:
    """Give the reason against a program of which no control build came out the same."""
    return LINKER_FLAGS_LOST.said(why="no build without values came out the same")


def orders(
    recorded: Recorded, architecture: str, known: KnownBuild, go_version: str
) -> Orders | Refused:
    """Tell what is to be built, or everything that is against it.

    `architecture` is x86_64 or arm64, `go_version` the Go at hand, as `go1.22.5`: the recorded
    one or the nearest.
    """
    build = recorded.build
    if build is None:
        return Refused((NO_BUILD_INFO.said(),))
    package, commit = package_of(build, known), commit_of(build, known)
    reasons = [each for each in (package, commit) if isinstance(each, Refusal)]
    reasons += _unfit(recorded, build, architecture)
    made = _Made(recorded, build, go_version)
    aim = Aim(recorded, architecture, without_c=Accepted.WITHOUT_C in known.accept)
    reasons += [*made.refusals(aim), *cannot_hold_c(aim)]
    flags = _flags(recorded, known, go_version)
    if isinstance(flags, Refusal):
        return Refused((*reasons, flags))
    how, likely = flags
    for each in filter(None, likely):
        reasons += linking.refused(each, by_c=aim.cgo)
    if reasons:
        return Refused(tuple(dict.fromkeys(reasons)))
    proven = how is Known.PROVEN
    # What people say is held against what runs, where anything can be.
    checked = how is Known.GIVEN and Accepted.LOST_LINKER_FLAGS not in known.accept
    checked = checked and not recorded.cgo and not _unrepeatable(recorded, go_version)
    same = Aim(recorded, recorded.architecture, repeats=True)
    return Orders(
        commit=str(commit),
        build=made.order(str(package), aim, None if proven else likely[0]),
        flags=how,
        control=tuple(made.order(str(package), same, each) for each in likely if proven or checked),
    )


def _unfit(recorded: Recorded, build: BuildInfo, architecture: str) -> Iterator[Refusal]:
    if not build.has_modules:
        yield NO_MODULES.said()
    if read_recorded(parted(build.go_version)[0]) is None:
        yield GO_VERSION.said(version=build.go_version)
    if recorded.architecture not in GOARCH:
        yield ARCHITECTURE.said(given=recorded.architecture)
    if architecture not in GOARCH:
        yield ARCHITECTURE.said(given=architecture)


def _flags(
    recorded: Recorded, known: KnownBuild, go_version: str
) -> tuple[Known, tuple[LinkerFlags | None, ...]] | Refusal:
    """Tell how the linker flags are known, and what they are, or may be if PROVEN."""
    if not linking.are_hidden(recorded):
        return Known.RECORDED, (_linker_flags(recorded.linker_flags),)
    likely = linking.guesses(recorded)
    if known.ldflags is not None:
        likely = (_linker_flags(known.ldflags),)
        # Go before 1.18 tells no tags either, and only a build can show that there were none.
        if recorded.build is not None and recorded.build.settings:
            return Known.GIVEN, likely
    if Accepted.LOST_LINKER_FLAGS in known.accept:
        return Known.ACCEPTED, likely[:1]
    if why := _unrepeatable(recorded, go_version):
        return LINKER_FLAGS_LOST.said(why=why)
    return Known.PROVEN, likely


def _linker_flags(text: str | None) -> LinkerFlags | None:
    return LinkerFlags(text) if text else None


def _unrepeatable(recorded: Recorded, go_version: str) -> str:
    """Tell why no build could come out byte-identical, or ''."""
    build = recorded.build
    told = read_recorded(parted(build.go_version)[0]) if build else None
    if told is None or told.name != go_version:
        return "the Go that built it is not at hand"
    if recorded.paths:
        return "it was built without -trimpath, so it differs from directory to directory"
    if build and build.settings.get("vcs.modified") == "true":
        return "the changes it was built with are not known"
    return ""


class _Made:
    """Orders of one program for one Go."""

    def __init__(self, recorded: Recorded, build: BuildInfo, go_version: str) -> None:
        self._recorded = recorded
        self._settings = _whole(build)
        modules = [each.replacement or each for each in build.dependencies]
        self._has_sums = any(each.sum for each in modules) and not is_published(build)
        self._go_version = go_version

    def refusals(self, aim: Aim) -> tuple[Refusal, ...]:
        """Tell which settings can't be carried over."""
        return tuple(each for one in self._carried(aim) for each in one.refusals)

    def order(self, package: str, aim: Aim, flags: LinkerFlags | None) -> BuildOrder:
        """Give the order of the build that is aimed at."""
        environment = {"CGO_ENABLED": "1" if aim.cgo else "0"}
        for each in self._carried(aim):
            environment |= each.environment
        return BuildOrder(
            package=package,
            architecture=aim.architecture,
            go_version=self._go_version,
            environment=MappingProxyType(environment),
            flags=tuple(self._all_flags(aim)),
            linker_flags=flags,
        )

    def _carried(self, aim: Aim) -> list[Carried]:
        return [carried(name, value, aim) for name, value in self._settings.items()]

    def _all_flags(self, aim: Aim) -> Iterator[str]:
        yield "-trimpath"
        for each in self._carried(aim):
            yield from each.flags
        if "-tags" not in self._settings and not aim.repeats:
            yield f"-tags={','.join(with_norpc(()))}"
        if self._has_sums:
            # Modules that lie in vendor/ have none: what a tree holds there was not used.
            yield "-mod=readonly"
        if self._recorded.position_independent:
            yield "-buildmode=pie"
        go = parse(self._go_version)
        if go is None:
            return
        if go.line >= _PROFILES and "-pgo" not in self._settings:
            yield "-pgo=off"
        if aim.repeats and go.line >= STAMPS and "vcs" not in self._settings:
            yield "-buildvcs=false"


def _whole(build: BuildInfo) -> Mapping[str, str]:
    """Give the settings, with the experiments that only Go's own version tells of."""
    _, experiments = parted(build.go_version)
    if not experiments or "GOEXPERIMENT" in build.settings:
        return build.settings
    return {**build.settings, "GOEXPERIMENT": experiments}
