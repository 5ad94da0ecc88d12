"""Where a package for arm64 comes from: the user brings it, or it is built from its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fleet.deployment import Deployment
from fleet.migration.artifacts import artifact_for
from fleet.migration.facts import Finding
from fleet.migration.looking import Look
from fleet.package.problems import BadPackage
from fleet.rebuilding.rebuilt import NotRebuilt, Rebuilt, Wanted


@dataclass(frozen=True, slots=True)
class Brought:
    """A package for arm64, or why there is none."""

    file: Path | None
    """It need not be there; None where nothing could be made."""
    name: str
    """As it is shown."""
    attested: bool = False
    """Whether it was built here, and its build held against what runs."""
    notes: tuple[Finding, ...] = ()
    refusal: Finding | None = None


Bring = Callable[[Look, Deployment], Brought]
"""A function, and what it is on x86_64 → its package for arm64.

Raises Halted, BadSelection, CallFailed, Interrupted, NoCredentials, FileProblem, and OSError where
there is no room here.
"""


def by_address(given: str, room: Path) -> Bring:
    """Bring what the user names: see artifact_for; `room` is a directory for downloads."""

    def bring(look: Look, _: Deployment) -> Brought:
        file = artifact_for(look.ref, given, room, look.ground.aws)
        return Brought(file, str(file))

    return bring


def from_here(file: Path) -> Bring:
    """Bring this file."""
    return lambda _, __: Brought(file, str(file))


def by_rebuilding(architecture: str) -> Bring:
    """Build it anew for this architecture, from the source that what runs names."""

    def bring(look: Look, start: Deployment) -> Brought:
        name = f"the build of {look.ref.name} for {architecture}"
        try:
            rebuilt = rebuilt_from(look, start, architecture)
        except NotRebuilt as error:
            refusal = Finding(error.code, error.problem)
            return Brought(None, name, notes=words_of(error), refusal=refusal)
        return Brought(rebuilt.package, name, attested=True, notes=told(rebuilt))

    return bring


def rebuilt_from(
    look: Look, start: Deployment, architecture: str, raise_library: str | None = None
) -> Rebuilt:
    """Build a deployment's package anew, and remember where it came from.

    Raises NotRebuilt and what a Bring raises.
    """
    ground = look.ground
    try:
        facts = look.facts(start)
    except BadPackage as bad:
        said = f"its package cannot be read: {bad.problem}; deploy a sound one"
        raise NotRebuilt("package-unreadable", said) from bad
    assert ground.rebuild is not None  # noqa: S101 - whoever asks for it has equipped the ground
    statements = ground.store.statements([start.code_sha256])
    rebuilt = ground.rebuild(
        Wanted(
            ref=look.ref,
            package=look.original(start),
            facts=facts,
            handler=start.handler or "",
            runtime=start.runtime or "",
            architecture=architecture,
            raise_library=raise_library,
            earlier=statements.get(start.code_sha256, ""),
        ),
        ground.patience.leave_off,
    )
    ground.store.save_statement(rebuilt.code_sha256, rebuilt.statement)
    return rebuilt


def words_of(error: NotRebuilt) -> tuple[Finding, ...]:
    """What the compiler, go or git said, line by line."""
    return tuple(Finding("said", line) for line in error.words.splitlines() if line.strip())


def told(rebuilt: Rebuilt) -> tuple[Finding, ...]:
    """What to know of a package that was built anew."""
    built = tuple(
        Finding(
            "built-anew",
            f"{each.entry} was built from {each.origin}"
            + (f" at {each.commit}" if each.commit else "")
            + f" with {each.used_go}; it differs from what runs in: {'; '.join(each.differences)}",
        )
        for each in rebuilt.programs
    )
    return (*built, *(Finding("rebuild-note", note) for note in rebuilt.notes))
