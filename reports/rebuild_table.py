"""What became of packages that were to be built anew, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from fleet.rebuilding.rebuilt import Outcome, Program, Rebuilt
from reports.brief import plain
from reports.migration import place
from reports.words import count, listing, number


def rebuild_table(outcomes: Sequence[Outcome]) -> RenderableType:
    """Show function by function what was built, from what, in what it differs, or why not."""
    ordered = sorted(outcomes, key=lambda outcome: place(outcome.ref))
    built = sum(each.rebuilt is not None for each in ordered)
    failed = sum(each.failed for each in ordered)
    counted = (("built", built), ("refused", len(ordered) - built - failed), ("failed", failed))
    summed = listing([f"{number(many)} {word}" for word, many in counted if many])
    total = Text(f"{count(len(ordered), 'function')}: {summed or 'none'}.", "bold")
    return Group(*(_outcome(each) for each in ordered), total)


def _outcome(outcome: Outcome) -> RenderableType:
    word, color = "built", "green"
    if outcome.rebuilt is None:
        word, color = ("failed", "red") if outcome.failed else ("refused", "yellow")
    head = Text.assemble(
        plain(outcome.ref.arn), ": ", (word, color), f" for {outcome.architecture}"
    )
    told = _problem(outcome) if outcome.rebuilt is None else _built(outcome, outcome.rebuilt)
    return Group(head, Padding(Group(*told), (0, 0, 1, 2)))


def _problem(outcome: Outcome) -> Iterator[RenderableType]:
    yield plain(f"{outcome.code}: {outcome.problem}")
    if len(outcome.words.splitlines()) == 1:
        # The sentence has it.
        return
    # What programs said keeps its lines; everything else in it is made visible.
    for line in outcome.words.splitlines():
        yield Text.assemble(("  ", ""), plain(line.expandtabs(4)))


def _built(outcome: Outcome, rebuilt: Rebuilt) -> Iterator[RenderableType]:
    yield plain(f"{outcome.file} (CodeSha256 {rebuilt.code_sha256})")
    for program in rebuilt.programs:
        yield from _program(program)
    for note in rebuilt.notes:
        yield Text.assemble(("! ", "bold yellow"), plain(note))
    if outcome.trial is not None:
        yield plain(f"trial: {outcome.trial[0]}: {outcome.trial[1]}")


def _program(program: Program) -> Iterator[RenderableType]:
    at = f" at {program.commit}" if program.commit else ""
    yield plain(f"{program.entry}: {program.module} from {program.origin}{at}, {program.used_go}")
    if program.identical:
        yield plain("  its build for the old architecture came out as what runs, byte for byte")
    for difference in program.differences:
        yield plain(f"  differs: {difference}")
