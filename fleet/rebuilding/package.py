"""One package: its programs taken out, built anew, and put back where they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semver import Version

from fleet.inspection import (
    BOOTSTRAP,
    LAMBDA_LIBRARY,
    BinaryFacts,
    Deployed,
    PackageFacts,
    Remark,
)
from fleet.model import GO1X
from fleet.package.archive.reader import Archive
from fleet.package.binary.recorded import read_recorded
from fleet.package.inspect import inspect_package
from fleet.package.rewriting.programs import programs_to_replace
from fleet.package.rewriting.repackage import repackage
from fleet.package.rewriting.replacing import Replaced, replace_programs
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.library import version_of
from fleet.package.verdict.started import started
from fleet.rebuilding.program import Made, Task, make
from fleet.rebuilding.rebuilt import NotRebuilt, Program, Wanted
from fleet.rebuilding.tools import Tools
from fleet.sources import KnownBuild

X86_64 = "x86_64"
_SPEAKS_THE_RUNTIME_API = Version(1, 18)


@dataclass(frozen=True, slots=True)
class Before:
    """What was said of a package when it was built here, if it was."""

    raised: Mapping[str, str]
    """Entry → version that its aws-lambda-go was raised to."""


NEVER = Before({})


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that was built anew, and what of it."""

    replaced: Replaced
    programs: Mapping[str, Made]
    """By entry."""
    left: tuple[str, ...]
    """Entries that stay as they are: for this architecture already, or for none of Lambda's."""


def pack(
    tools: Tools, wanted: Wanted, known: KnownBuild, before: Before, target: Path, room: Path
) -> Packed:
    """Build every program of a package anew, and write the new package to `target`.

    `room` is an empty directory. Raises NotRebuilt, what `make` raises, and what reading and
    writing packages raise; then there is no new `target`.
    """
    if wanted.raise_library is not None and wanted.runtime == GO1X:
        return _rescued(tools, wanted, known, target, room)
    source, facts = _as_on_custom_runtime(wanted, room)
    sorted_out = programs_to_replace(facts, wanted.architecture)
    if sorted_out.against:
        raise _against(sorted_out.against)
    programs = sorted_out.rebuild
    if wanted.architecture == X86_64:
        # Nothing has to be: they are built to see that they can be.
        programs = tuple(each for each in facts.programs if each.build is not None)
    if not programs:
        said = f"it holds no program that would have to be built for {wanted.architecture}"
        raise NotRebuilt("nothing-to-build", said)
    made = {}
    for number, binary in enumerate(programs):
        place = _room(room, str(number))
        version = before.raised.get(binary.entry)
        if version is None and _is_too_old(binary):
            version = wanted.raise_library
        task = Task(
            entry=binary.entry,
            program=_taken_out(source, binary.entry, place / "old"),
            architecture=wanted.architecture,
            known=_with_flags_beside(wanted, known, binary, before, source, place),
            raise_to=version,
            raised_before=binary.entry in before.raised,
        )
        made[binary.entry] = make(tools, task, place)
    files = {entry: each.built.program for entry, each in made.items()}
    replaced = replace_programs(source, target, files)
    return Packed(replaced, made, sorted_out.left)


def _rescued(tools: Tools, wanted: Wanted, known: KnownBuild, target: Path, room: Path) -> Packed:
    """The program that Handler names with its library raised, as bootstrap beside the old one."""
    if wanted.architecture != X86_64:
        said = "go1.x is x86_64 alone: raise its library for that, and build for arm64 afterwards"
        raise NotRebuilt("runtime-first", said)
    # For x86_64 nothing else is against it than what is against a change of any package.
    if against := programs_to_replace(wanted.facts, X86_64).against:
        raise _against(against)
    deployed = Deployed(handler=wanted.handler, runtime=GO1X)
    program = started(deployed, wanted.facts).program
    if program is None:
        said = f"its Handler {wanted.handler} names no program of its package"
        raise NotRebuilt("no-program", said)
    place = _room(room, "0")
    task = Task(
        entry=program.entry,
        program=_taken_out(wanted.package, program.entry, place / "old"),
        architecture=wanted.architecture,
        known=known,
        raise_to=wanted.raise_library,
    )
    made = make(tools, task, place)
    replaced = replace_programs(wanted.package, target, {}, bootstrap=made.built.program)
    return Packed(replaced, {BOOTSTRAP: made}, ())


def _with_flags_beside(
    wanted: Wanted, known: KnownBuild, binary: BinaryFacts, before: Before, source: Path, room: Path
) -> KnownBuild:
    """The same with the -ldflags that the program tells which this one was built in the place of.

    Our own build of it has hidden them; the old program still lies beside it.
    """
    is_ours = binary.entry in before.raised and binary.entry != wanted.handler
    if not is_ours or known.ldflags is not None or wanted.facts.binary(wanted.handler) is None:
        return known
    flags = read_recorded(_taken_out(source, wanted.handler, room / "beside")).linker_flags
    return known if flags is None else known.model_copy(update={"ldflags": flags})


def _is_too_old(binary: BinaryFacts) -> bool:
    """Whether its aws-lambda-go came before custom runtimes; https://github.com/aws/aws-lambda-go."""
    version = version_of(binary)
    return version is not None and version < _SPEAKS_THE_RUNTIME_API


def _against(reasons: Sequence[Remark]) -> NotRebuilt:
    return NotRebuilt(reasons[0].code, "; ".join(each.text for each in reasons))


def _as_on_custom_runtime(wanted: Wanted, room: Path) -> tuple[Path, PackageFacts]:
    """What a custom runtime starts: what runs there, or what is repackaged for going there."""
    if wanted.runtime != GO1X:
        return wanted.package, wanted.facts
    judged = assess(Deployed(handler=wanted.handler, runtime=GO1X), wanted.facts)
    if not judged.verdict.is_ready:
        raise _against(judged.reasons)
    if judged.strategy is None:
        return wanted.package, wanted.facts
    target = room / "repackaged.zip"
    repackage(wanted.package, target, handler=wanted.handler, strategy=judged.strategy)
    return target, inspect_package(target)


def shown(packed: Packed) -> Iterator[Program]:
    """Tell of each program what people want to know."""
    for entry, made in packed.programs.items():
        build, main = made.new.build, made.old.build.main if made.old.build else None
        library = build.dependency(LAMBDA_LIBRARY) if build else None
        yield Program(
            entry=entry,
            module=main.path if main else made.checkout.module,
            origin=made.checkout.origin,
            commit=made.checkout.commit,
            recorded_go=made.old.build.go_version if made.old.build else "",
            used_go=made.built.go_version,
            library=(library.replacement or library).version if library else "",
            differences=tuple(
                f"{each.line}: {each.old or '(none)'} became {each.new or '(none)'}"
                for each in made.attestation.differences
                if each.old or each.new
            ),
            identical=made.identical,
        )


def _room(room: Path, name: str) -> Path:
    place = room / name
    place.mkdir()
    return place


def _taken_out(package: Path, entry: str, target: Path) -> Path:
    with Archive.open(package) as archive, target.open("xb") as file:
        wanted = next(each for each in archive.entries if each.name == entry)
        file.writelines(archive.chunks(wanted))
    return target
