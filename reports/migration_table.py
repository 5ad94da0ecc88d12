"""What would be done to functions, and what became of them, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fleet.migration.facts import Finding
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.words import opens_gap, words
from fleet.model import OwnerKind
from fleet.results import Result
from reports.brief import plain
from reports.migration import has_gap, place, shown_steps
from reports.words import count, listing, number

DETAILED = 50
"""Functions that are shown step by step; more of them are shown on a line each."""
_CODE_WIDTH = 22
_COLORS = {
    Result.READY: "green",
    Result.MIGRATED: "green",
    Result.ALREADY_THERE: "green",
    Result.FAILED: "red",
}


def plan_tables(plans: Sequence[FunctionPlan]) -> RenderableType:
    """Show function by function what would be done and what keeps it from that; totals last."""
    ordered = sorted(plans, key=lambda plan: place(plan.ref))
    parts: list[RenderableType] = []
    if len(ordered) <= DETAILED:
        parts += [_plan(plan) for plan in ordered]
    else:
        parts += [_lines(ordered), Text("\n--format json has every step."), Text()]
    return Group(*parts, *_totals(ordered))


def outcome_table(outcomes: Sequence[Outcome]) -> RenderableType:
    """Show how it ended for each function, and where that is not what was asked for, why."""
    ordered = sorted(outcomes, key=lambda outcome: place(outcome.ref))
    parts = [_outcome(outcome, brief=len(ordered) > DETAILED) for outcome in ordered]
    counted = Counter(outcome.result for outcome in ordered)
    summed = listing([f"{number(counted[each])} {each}" for each in Result if counted[each]])
    return Group(*parts, Text(f"{count(len(ordered), 'function')}: {summed or 'none'}.", "bold"))


def _plan(plan: FunctionPlan) -> RenderableType:
    head = [plain(plan.ref.arn), Text(": "), _result(plan.result)]
    # A route that a blocked one would take is no promise.
    if plan.steps:
        gap = ", with a gap" if has_gap(plan) else ", no gap"
        head.append(Text(f" by {plan.route}{gap}"))
    parts: list[RenderableType] = [Text.assemble(*head)]
    if plan.assessment is not None:
        parts.append(Text(f"  package: {plan.assessment.verdict}"))
    parts += [_texts("! ", plan.reasons), _steps(plan), _texts("- ", plan.notes)]
    return Group(*parts, *_promises(plan), Text())


def _result(result: Result, *, as_asked: bool = True) -> Text:
    return Text(result, f"bold {_COLORS.get(result, 'yellow') if as_asked else 'yellow'}")


def _steps(plan: FunctionPlan) -> RenderableType:
    table = _grid()
    for index, (step, way) in enumerate(shown_steps(plan), 1):
        text = plain(words(step, way))
        if opens_gap(step, way):
            text.stylize("yellow")
        table.add_row(f"{index}.", text)
    return table if table.row_count else Group()


def _texts(sign: str, findings: Iterable[Finding]) -> RenderableType:
    table = _grid()
    for finding in findings:
        table.add_row(sign.strip(), Text.assemble(plain(finding.code), ": ", plain(finding.text)))
    return table if table.row_count else Group()


def _promises(plan: FunctionPlan) -> Iterator[RenderableType]:
    if not plan.promises:
        return
    yield Text("  callers:")
    table = _grid()
    for promise in plan.promises:
        called = ", ".join(f"{each.kind} {each.source}" for each in promise.callers)
        table.add_row(
            "-",
            Text.assemble(
                plain(promise.qualifier),
                plain(f" ({called})" if called else ""),
                ": ",
                plain(promise.text),
            ),
        )
    yield table


def _grid() -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, justify="right", min_width=4)
    table.add_column(overflow="fold")
    return table


def _lines(plans: Iterable[FunctionPlan]) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for name in ("account", "region"):
        table.add_column(name, no_wrap=True)
    table.add_column("function", overflow="fold")
    table.add_column("result", overflow="fold")
    for plan in plans:
        table.add_row(
            plain(plan.ref.account),
            plain(plan.ref.region),
            plain(plan.ref.name),
            Text.assemble(_result(plan.result), plain(_in_short(plan))),
        )
    return table


def _in_short(plan: FunctionPlan) -> str:
    if plan.reasons:
        return f": {', '.join(finding.code for finding in plan.reasons)}"
    return f" by {plan.route}{', with a gap' if has_gap(plan) else ''}" if plan.steps else ""


def _totals(plans: Sequence[FunctionPlan]) -> Iterator[RenderableType]:
    counted = Counter(plan.result for plan in plans)
    summed = listing([f"{number(counted[each])} {each}" for each in Result if counted[each]])
    yield Text(f"{count(len(plans), 'function')}: {summed or 'none'}.", "bold")
    if len(plans) > 1:
        yield from _by_reason(plans)
    ready = [plan for plan in plans if plan.result is Result.READY]
    # Of a plan for the way back nobody asks who deploys it.
    ownerless = sum(
        plan.owner.kind is OwnerKind.UNKNOWN and plan.assessment is not None for plan in ready
    )
    if ownerless:
        verb = "has" if ownerless == 1 else "have"
        yield Text(
            f"{number(ownerless)} of those ready {verb} no known owner: "
            "a later deploy from elsewhere may undo the move."
        )
    gaps = sum(has_gap(plan) for plan in ready)
    if gaps:
        verb = "goes" if gaps == 1 else "go"
        yield Text(
            f"{number(gaps)} of those ready {verb} by a route with a gap: "
            "for seconds, invocations of $LATEST fail.",
            "yellow",
        )


def _by_reason(plans: Iterable[FunctionPlan]) -> Iterator[RenderableType]:
    texts: dict[str, list[str]] = {}
    for plan in plans:
        # A function that is kept by one reason twice (two of its layers) counts once.
        for code, text in {each.code: each.text for each in plan.reasons}.items():
            texts.setdefault(code, []).append(text)
    if not texts:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("functions", justify="right")
    table.add_column("kept by", min_width=_CODE_WIDTH, no_wrap=True)
    table.add_column("for one of them", overflow="fold")
    for code, found in sorted(texts.items(), key=lambda each: (-len(each[1]), each[0])):
        table.add_row(number(len(found)), plain(code), plain(found[0]))
    yield Group(Text(), table, Text())


def _outcome(outcome: Outcome, *, brief: bool) -> RenderableType:
    head = Text.assemble(
        plain(outcome.ref.arn), ": ", _result(outcome.result, as_asked=not outcome.reason)
    )
    parts: list[RenderableType] = [head]
    if outcome.reason:
        parts.append(Padding.indent(plain(outcome.reason), 4))
    if outcome.done and (outcome.reason or not brief):
        parts.append(Padding.indent(plain(f"done: {'; '.join(outcome.done)}"), 4))
    parts += [Padding.indent(Text.assemble("- ", plain(note)), 4) for note in outcome.notes]
    return Group(*parts)
