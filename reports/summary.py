"""The headline and the totals: what a reader takes away before scrolling."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.deployment import LANGUAGE
from fleet.inspection import InspectionDepth
from fleet.model import GO1X, Language, ScanHeader, ScanState, Use
from reports.coverage import Seen, filters
from reports.verdicts import verdict_sentence
from reports.words import count, listing


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over one scan's function versions."""

    versions: int
    """Function versions that have to move."""
    functions: int
    """Functions those versions belong to."""
    by_use: dict[str, int]
    """Every use by its word, zero where there is none; the ones that are no finding too."""
    by_verdict: dict[str, int]
    """Versions that have to move, every verdict by its word; empty where no package was to be
    read. What is missing from their sum has no verdict."""
    unread: int
    """Versions that have to move whose packages were to be read and have not been."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What the report says first."""

    sentence: str
    verdicts: str
    """How many can move, and what the others need; '' where no package was to be read."""
    warnings: tuple[str, ...]
    """What makes the sentence less than the whole truth, worst first."""
    notes: tuple[str, ...]
    """What was left out on purpose or cannot hold anything."""


def headline(header: ScanHeader, seen: Seen, found: Totals) -> Headline:
    """Say what was found, and before that whatever keeps it from being the whole truth."""
    return Headline(
        sentence=_sentence(header, seen, found),
        verdicts=verdict_sentence(found.versions, found.by_verdict, found.unread)
        if header.options.inspect is not None
        else "",
        warnings=tuple(_warnings(header, seen, found)),
        notes=tuple(_notes(header, seen, found)),
    )


def _sentence(header: ScanHeader, seen: Seen, found: Totals) -> str:
    runtimes = listing(header.options.runtimes, "or")
    part = "$LATEST" if header.options.latest_only else "any version seen"
    if found.versions:
        least = "" if seen.complete else "At least "
        verb = "is" if found.functions == 1 else "are"
        from_where = "it" if header.options.runtimes == (GO1X,) else GO1X
        halfway = f" or halfway off {from_where}" if found.by_use[Use.HALFWAY] else ""
        return (
            f"{least}{count(found.functions, 'function')} {verb} on {runtimes}{halfway}, "
            f"with {count(found.versions, 'function version')} to move."
        )
    if not seen.seen + seen.listed:
        return f"Nothing was seen, so nothing is known about {runtimes}."
    if not seen.complete:
        return f"None on {runtimes} in the part that was seen, which is no all-clear."
    if filters(header.options) or not header.options.organization:
        return f"None on {runtimes} among what this scan was limited to, by {part}."
    return f"None is on {runtimes} in any account and region that can be called."


def _warnings(header: ScanHeader, seen: Seen, found: Totals) -> list[str]:
    said = []
    state = header.state
    if state is ScanState.RUNNING:
        said.append("Partial: this scan is still running, or was killed while it ran.")
    if state is ScanState.INTERRUPTED:
        said.append("Partial: this scan was interrupted; `fleet scan --resume` finishes it.")
    if seen.unseen:
        said.append(f"Not seen: {seen.unseen}. Functions there are not in any number below.")
    elif not seen.seen + seen.listed:
        said.append("No account and region answered: the selection may match none.")
    if seen.listed:
        said.append(
            f"Not everything could be read about the functions of "
            f"{count(seen.listed, 'account-region')}; they are counted all the same."
        )
    if header.options.latest_only:
        said.append(
            "Published versions were not looked at (--latest-only): "
            "versions that aliases serve may still be on the runtime."
        )
    unknown = found.by_use[Use.UNKNOWN]
    if unknown:
        said.append(
            f"{count(unknown, 'published version')} could not be told served from kept: what "
            "points at them was not readable. Each counts as one that has to move."
        )
    halfway = found.by_use[Use.HALFWAY]
    if halfway:
        verb = "stands" if halfway == 1 else "stand"
        said.append(
            f"{count(halfway, 'function')} {verb} halfway: on a custom runtime, with the bridge "
            "layer of a move or rollback that has not ended. Where none is under way, run the same "
            "`fleet migrate` or `fleet waves run` again, or `fleet rollback`."
        )
    return [*said, *_unread(header, found)]


def _unread(header: ScanHeader, found: Totals) -> list[str]:
    said = []
    if found.unread:
        whose = "this one" if found.unread == 1 else "these"
        said.append(
            f"Not read: the packages of {count(found.unread, 'function version')}. Whether "
            f"{whose} can move is not known; the reasons tell why, and "
            f"`fleet scan --resume --scan {header.id}` asks again."
        )
    if header.options.inspect is InspectionDepth.INDEX and found.versions:
        said.append(
            "Only the index of each package was read, and no binary (--inspect=index), unless an "
            "earlier scan had read the whole: `fleet scan --inspect` reads what is missing."
        )
    return said


def _notes(header: ScanHeader, seen: Seen, found: Totals) -> list[str]:
    said = []
    limits = filters(header.options)
    if not header.options.organization:
        said.append("Single accounts were looked at, not an organization (--org).")
    if limits:
        said.append(f"Limited by: {'; '.join(limits)}.")
    if seen.inactive:
        names = [f"{a.name} {a.id}".strip() for a in seen.inactive]
        said.append(f"Not looked at because the account is not active: {listing(names)}.")
    if seen.not_enabled:
        said.append(
            f"{count(seen.not_enabled, 'account-region')} not enabled: nothing there can be called."
        )
    rollback = found.by_use[Use.ROLLBACK]
    if rollback:
        said.append(
            f"{count(rollback, 'version')} held by the alias go1x-rollback alone, not counted: "
            "that is what a rollback needs."
        )
    custom = found.by_use[Use.CUSTOM]
    if custom:
        said.append(
            f"{count(custom, 'version')} on custom runtimes listed, not counted: Go by the tag "
            f"{LANGUAGE}={Language.GO}, or with tags that could not be read."
        )
    elif header.options.language is not None:
        said.append(
            f"No version seen on a custom runtime has the tag {LANGUAGE}={Language.GO}; what left "
            "go1.x by other means than fleet does not have it."
        )
    images = found.by_use[Use.IMAGE]
    if images:
        said.append(
            f"{count(images, 'container image')} listed, not counted: "
            "the runtime is inside the image, which Lambda does not tell."
        )
    return said
