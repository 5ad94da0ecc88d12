"""Whether a program that was built again is the same one, line by line of both build infos. Pure.

What they do not tell, the names of source files may.

Every difference is named, and one of those that were asked for; any other refuses the program.
"""

from __future__ import annotations

from collections.abc import Iterator

from fleet.recorded import Recorded
from fleet.toolchain.rebuild.attested_files import file_differences
from fleet.toolchain.rebuild.attested_modules import module_differences
from fleet.toolchain.rebuild.attested_settings import setting_differences
from fleet.toolchain.rebuild.carrying import parted
from fleet.toolchain.rebuild.commit import BY_FILES
from fleet.toolchain.rebuild.differences import Allowed, Attestation, Change, Difference, Pair


def attest(old: Recorded, new: Recorded, allowed: Allowed) -> Attestation:
    """Compare what both programs tell of their builds."""
    if old.build is None or new.build is None:
        old_told, new_told = ("told" if each.build else "" for each in (old, new))
        return Attestation((), (Difference("build info", old_told, new_told, None),))
    pair = Pair(old, new, old.build, new.build, allowed)
    found = [
        *_heads(pair),
        *module_differences(pair),
        *setting_differences(pair),
        *file_differences(pair),
    ]
    return Attestation(
        tuple(each for each in found if each.change is not None),
        tuple(each for each in found if each.change is None),
    )


def _heads(pair: Pair) -> Iterator[Difference]:
    yield from _go(pair)
    yield from _path(pair)
    yield from _file(pair)


def _go(pair: Pair) -> Iterator[Difference]:
    was, now = pair.before.go_version, pair.after.go_version
    if was != now:
        same_experiments = parted(was)[1] == parted(now)[1]
        named = pair.by_another_go and same_experiments
        yield Difference("go", was, now, Change.TOOLCHAIN if named else None)


def _path(pair: Pair) -> Iterator[Difference]:
    was, now = pair.before.path, pair.after.path
    asked = now == pair.allowed.order.package
    if was != now or not asked:
        untold = was in {"", BY_FILES} and asked and now == pair.allowed.known.package
        yield Difference("path", was, now, Change.NOT_TOLD if untold else None)


def _file(pair: Pair) -> Iterator[Difference]:
    """What the files themselves tell, whatever is written in them."""
    was, now = pair.old.architecture, pair.new.architecture
    if was != now or now != pair.allowed.order.architecture:
        asked = now == pair.allowed.order.architecture
        yield Difference("machine", was, now, Change.ARCHITECTURE if asked else None)
    if pair.old.position_independent != pair.new.position_independent:
        old, new = ("pie" if each.position_independent else "exe" for each in (pair.old, pair.new))
        yield Difference("kind", old, new, None)
    if pair.new.cgo and not pair.old.cgo:
        yield Difference("C", "", "holds C", None)
