"""One program: from what it tells of itself to a new build that was held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from fleet.inspection import BuildInfo
from fleet.package.binary.recorded import read_recorded
from fleet.rebuilding.rebuilt import NotRebuilt
from fleet.rebuilding.tools import Tools
from fleet.recorded import Recorded
from fleet.sources import Accepted, KnownBuild
from fleet.toolchain.rebuild.attestation import attest
from fleet.toolchain.rebuild.building import build
from fleet.toolchain.rebuild.checkout import Wanted, address_of, checkout, go_files
from fleet.toolchain.rebuild.commit import is_published
from fleet.toolchain.rebuild.differences import Allowed, Attestation
from fleet.toolchain.rebuild.embedding import check_embedded
from fleet.toolchain.rebuild.golang import ChosenGo, choose_go
from fleet.toolchain.rebuild.linking import Known
from fleet.toolchain.rebuild.order import BuildOrder, Built, Checkout
from fleet.toolchain.rebuild.problems import WrongMapping
from fleet.toolchain.rebuild.published import published
from fleet.toolchain.rebuild.raising import Raised, raise_library
from fleet.toolchain.rebuild.settings import Orders, Refused, none_matched, orders, wrong_flags


@dataclass(frozen=True, slots=True)
class Task:
    """One program to be built anew."""

    entry: str
    """Its name in the package, for people."""
    program: Path
    """What runs."""
    architecture: str
    """x86_64 or arm64: the one to build for."""
    known: KnownBuild
    raise_to: str | None = None
    """Version of aws-lambda-go that it is raised to; None: as it is."""
    raised_before: bool = False
    """Whether what runs was built here, with the library raised to that very version: the
    changes that are in no commit are those."""


@dataclass(frozen=True, slots=True)
class Made:
    """A program that was built anew, and may stand in for what runs."""

    built: Built
    checkout: Checkout
    allowed: Allowed
    """What was asked for, the order it was built by among it."""
    go: ChosenGo
    old: Recorded
    new: Recorded
    attestation: Attestation
    identical: bool | None
    """Whether a build for the old architecture came out byte for byte; None: none was needed."""
    raised: Raised | None
    remarks: tuple[str, ...]
    """What to know of the source, a sentence each."""


def make(tools: Tools, task: Task, room: Path) -> Made:
    """Build it in `room`, an empty directory; nothing of it is started.

    Raises NotRebuilt where what came out is not what runs, and what checking out, fetching and
    building raise.
    """
    return _Making(tools, task, room).made()


class _Making:
    def __init__(self, tools: Tools, task: Task, room: Path) -> None:
        self._tools = tools
        self._task = task
        self._room = room
        self._remarks: list[str] = []

    def made(self) -> Made:
        old = read_recorded(self._task.program)
        if old.build is None:
            raise _refused(orders(old, self._task.architecture, self._task.known, ""))
        go = choose_go(self._tools.go, old.build.go_version, stop=self._tools.stop)
        planned = self._planned(old, old.build, go)
        source = self._source(old.build, planned)
        check_embedded(
            self._tools.go,
            self._tools.git,
            source,
            planned.build,
            is_sure=planned.flags is Known.PROVEN or Accepted.EMBEDDED in self._task.known.accept,
            stop=self._tools.stop,
        )
        raised = self._raised(source, planned.build)
        if raised is not None:
            source = raised.checkout
        order, identical = planned.build, None
        if planned.control:
            order, identical = self._controlled(source, planned, old), True
        built = self._build(source, order, "new")
        new = read_recorded(built.program)
        allowed = Allowed(
            order=order,
            commit=source.commit,
            flags=planned.flags,
            known=self._task.known,
            raised=_changed(raised),
            files=go_files(source),
        )
        attestation = attest(old, new, allowed)
        if not attestation.passed:
            raise _other_program(self._task.entry, attestation)
        return Made(
            built=built,
            checkout=source,
            allowed=allowed,
            go=go,
            old=old,
            new=new,
            attestation=attestation,
            identical=identical,
            raised=raised,
            remarks=tuple(self._remarks),
        )

    def _planned(self, old: Recorded, told: BuildInfo, go: ChosenGo) -> Orders:
        if self._task.raised_before:
            # The changes are ours, and made again.
            settings = {**told.settings, "vcs.modified": "false"}
            old = replace(old, build=replace(told, settings=settings))
        planned = orders(old, self._task.architecture, self._task.known, go.version)
        if isinstance(planned, Refused):
            raise _refused(planned)
        return planned

    def _source(self, told: BuildInfo, planned: Orders) -> Checkout:
        main, known = told.main, self._task.known
        package = planned.build.package
        if is_published(told) and main is not None:
            return published(main.path, main.version, main.sum, self._download)
        wanted = Wanted(
            module=main.path if main else package,
            package=package,
            commit=planned.commit,
            version=main.version if main else "",
            directory=known.directory,
        )
        if main is not None:
            return self._checked_out(wanted)
        # Built by file names: the module is one that its package lies in, the nearest first.
        for above in PurePosixPath(package).parents:
            try:
                return self._checked_out(wanted)
            except WrongMapping:
                if above == PurePosixPath():
                    raise
                wanted = replace(wanted, module=str(above))
        return self._checked_out(wanted)

    def _checked_out(self, wanted: Wanted) -> Checkout:
        return checkout(
            self._tools.git,
            address_of(wanted.module, self._tools.rules),
            wanted,
            self._room / "source",
            clones=self._tools.clones,
            note=self._remarks.append,
        )

    def _download(self, module: str) -> str:
        asked = ["mod", "download", "-json", module]
        return self._tools.go.run(asked, self._room, stop=self._tools.stop).output

    def _raised(self, source: Checkout, order: BuildOrder) -> Raised | None:
        if self._task.raise_to is None:
            return None
        return raise_library(
            self._tools.go,
            source,
            order,
            self._room / "raised",
            stop=self._tools.stop,
            version=self._task.raise_to,
            say=self._tools.say,
        )

    def _controlled(self, source: Checkout, planned: Orders, old: Recorded) -> BuildOrder:
        """The order with the linker flags with which what runs came out again; or NotRebuilt."""
        for number, control in enumerate(planned.control):
            self._tools.say(f"building {self._task.entry} as it runs, to see that nothing is lost")
            if self._build(source, control, f"control-{number}").sha256 == old.sha256:
                return planned.following(control)
        reason = wrong_flags() if planned.flags is Known.GIVEN else none_matched()
        raise NotRebuilt(reason.code, f"{self._task.entry}: {reason.text}")

    def _build(self, source: Checkout, order: BuildOrder, name: str) -> Built:
        tools = self._tools
        target = self._room / name
        return build(
            tools.go, source, order, target, stop=tools.stop, limits=tools.limits, say=tools.say
        )


def _changed(raised: Raised | None) -> Mapping[str, str]:
    return {} if raised is None else {each.path: each.after for each in raised.modules}


def _refused(planned: Orders | Refused) -> NotRebuilt:
    assert isinstance(planned, Refused)  # noqa: S101 - nothing can be ordered without build info
    said = "; ".join(each.text for each in planned.reasons)
    return NotRebuilt(planned.reasons[0].code, said)


def _other_program(entry: str, attestation: Attestation) -> NotRebuilt:
    lines = [
        f"{each.line}: {each.old or '(none)'} became {each.new or '(none)'}"
        for each in attestation.refusals
    ]
    said = (
        f"{entry}: what came out is not what runs ({lines[0]}"
        + (f", and {len(lines) - 1} more" if len(lines) > 1 else "")
        + "): see that `sources:` names the repository it was built from, or build it yourself"
    )
    return NotRebuilt("other-program", said, words="\n".join(lines))
