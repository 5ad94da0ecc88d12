"""What differs between a program and the one that was built in its place: the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.inspection import BuildInfo
from fleet.recorded import Recorded
from fleet.sources import KnownBuild
from fleet.toolchain.rebuild.carrying import parted
from fleet.toolchain.rebuild.commit import is_published
from fleet.toolchain.rebuild.linking import Known
from fleet.toolchain.rebuild.order import BuildOrder
from fleet.toolchain.rebuild.versions import read_recorded


class Change(StrEnum):
    """What a difference comes from."""

    ARCHITECTURE = "architecture"
    TAGS = "tags"
    """lambda.norpc was added."""
    TRIMPATH = "trimpath"
    """-trimpath was added, which keeps some settings from being shown."""
    LINKER_FLAGS = "ldflags"
    """They are not shown, or were not."""
    TOOLCHAIN = "toolchain"
    """The Go that built it was not to be had."""
    LIBRARY = "library"
    """aws-lambda-go was raised, with what it pulls along."""
    MAIN_VERSION = "main-version"
    """Go names the same commit by other tags."""
    MODIFIED = "modified"
    """Changes that are in no commit were left out, as somebody has taken on."""
    CGO = "cgo"
    """There was cgo, and nothing that used it; or somebody has taken on to do without."""
    NOT_TOLD = "not-told"
    """The original does not tell it; somebody has named the commit."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line that is not the same; never a value of -X."""

    line: str
    """As `go`, `mod`, `dep github.com/aws/aws-lambda-go`, `build GOARCH`."""
    old: str
    """'' where there was none."""
    new: str
    change: Change | None
    """None where nothing that was asked for explains it."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What the comparison came to."""

    differences: tuple[Difference, ...]
    """Those that were asked for."""
    refusals: tuple[Difference, ...]
    """All others."""

    @property
    def passed(self) -> bool:
        """Whether the new program may stand in for the old one."""
        return not self.refusals


@dataclass(frozen=True, slots=True)
class Allowed:
    """What was asked for, and by whom it is known."""

    order: BuildOrder
    commit: str
    """That was checked out, in full; '' for a published module."""
    flags: Known
    """How the linker flags of the order are known."""
    known: KnownBuild = field(default_factory=KnownBuild)
    raised: Mapping[str, str] = field(default_factory=dict)
    """Path → version of each module that raising aws-lambda-go changed, '' for one that is gone;
    empty where it was not raised."""
    files: frozenset[str] = field(default=frozenset(), repr=False)
    """Go files of what was checked out, seen from the main module's directory."""

    @property
    def named(self) -> bool:
        """Whether somebody has named the commit."""
        return bool(self.known.commit) and self.commit.startswith(str(self.known.commit))


@dataclass(frozen=True, slots=True)
class Pair:
    """Both programs, and what was asked for."""

    old: Recorded
    new: Recorded
    before: BuildInfo
    after: BuildInfo
    allowed: Allowed

    @property
    def is_silent(self) -> bool:
        """Whether the old program tells no settings, as before Go 1.18."""
        return not self.before.settings

    @property
    def is_source_known(self) -> bool:
        """Whether the module's version tells the source, or somebody does."""
        return self.allowed.named or is_published(self.before)

    @property
    def by_another_go(self) -> bool:
        """Whether another Go built the new one, since the recorded one was not to be had."""
        was, now = (read_recorded(parted(each.go_version)[0]) for each in (self.before, self.after))
        asked = self.allowed.order.go_version
        return now is not None and now.name == asked and (was is None or was.name != asked)

    @property
    def line_after(self) -> tuple[int, int]:
        """Give 1.22 of the Go 1.22.5 that built the new one; 0.0 where it can't be told."""
        now = read_recorded(parted(self.after.go_version)[0])
        return now.version.line if now else (0, 0)
