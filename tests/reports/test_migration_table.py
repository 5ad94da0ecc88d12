from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from fleet.deployment import Route
from fleet.ledger import Action, EntryState, Verb
from fleet.migration.facts import Finding
from fleet.migration.plan import FunctionPlan
from fleet.model import UNKNOWN_OWNER
from fleet.results import Result
from reports.history_table import history_table
from reports.migration_table import DETAILED, outcome_table, plan_tables
from tests.reports.migrations import (
    MANAGED,
    SECRET,
    alias_entry,
    blocked,
    entry,
    hostile,
    many,
    outcome,
    ready,
    ref,
)

MIGRATED_BY = (
    "migrate by arn:aws:sts::111111111111:assumed-role/Admin/somebody (run 20261121T162000Z-a1b2)"
)
EVIL = "[bold]x[/bold]\x1b[31m\x9b2J\u202eabc"


def printed(table: RenderableType, width: int = 200) -> str:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=False, no_color=True).print(table)
    text = file.getvalue()
    assert SECRET not in text
    return text


def lines(table: RenderableType, width: int = 200) -> list[str]:
    return [line.strip() for line in printed(table, width).splitlines() if line.strip()]


def test_a_function_is_shown_with_its_route_and_every_step_in_order() -> None:
    shown = lines(plan_tables([ready()]))
    assert shown[0] == (
        "arn:aws:lambda:eu-west-1:111111111111:function:orders: ready by bridge, no gap"
    )
    assert shown[1] == "package: ready"
    assert shown[2].startswith("1. runtime go1.x -> provided.al2023, layers + fleet-go1x-bridge:3")
    assert shown[9] == "8. tags fleet:language=go"
    assert shown[10] == "- extensions: an extension begins to run"
    assert shown[11:13] == [
        "callers:",
        "- live (function url AWS_IAM): it moves, and goes back at any time",
    ]


def test_what_blocks_a_function_is_shown_and_no_route_is_promised_to_it() -> None:
    shown = lines(plan_tables([replace(blocked(), route=Route.BRIDGE)]))
    assert shown[0].endswith(":refunds: blocked")
    assert shown[1] == (
        "! managed-cloudformation: stack payments-prod deploys it: change the template"
    )


def test_a_gap_is_told_at_the_function_at_the_step_and_in_the_totals() -> None:
    shown = lines(plan_tables([ready(route=Route.DIRECT), ready("other")]))
    assert shown[0].endswith("ready by direct, with a gap")
    assert shown[2].endswith("[GAP: invocations fail from here until the next update is through]")
    assert shown[-1] == (
        "1 of those ready goes by a route with a gap: for seconds, invocations of $LATEST fail."
    )


def test_the_totals_count_the_ready_and_the_blocked_by_reason() -> None:
    signed = Finding("code-signing", "its code is signed")
    plans = [ready(), blocked("a"), blocked("b", MANAGED, signed), blocked("c", MANAGED, MANAGED)]
    shown = lines(plan_tables(plans))
    totals = shown[shown.index("4 functions: 1 ready and 3 blocked.") :]
    assert [line.split()[:2] for line in totals[2:]] == [
        ["3", "managed-cloudformation"],
        ["1", "code-signing"],
    ]


def test_those_without_a_known_owner_are_counted_among_the_ready_alone() -> None:
    plans = [ready(owner=UNKNOWN_OWNER), ready("b", owner=UNKNOWN_OWNER), ready("c")]
    shown = lines(plan_tables([*plans, replace(blocked(), owner=UNKNOWN_OWNER)]))
    assert shown[-1] == (
        "2 of those ready have no known owner: a later deploy from elsewhere may undo the move."
    )
    assert "no known owner" not in printed(plan_tables([plans[2]]))


def test_many_functions_are_a_line_each_with_the_reasons_grouped() -> None:
    plans = [*many(DETAILED), blocked()]
    shown = lines(plan_tables(plans))
    assert shown[0].split() == ["account", "region", "function", "result"]
    first = "111111111111 eu-west-1 fn-0000 ready by bridge"
    assert shown[1].split() == first.split()
    assert shown[DETAILED + 1].endswith("refunds   blocked: managed-cloudformation")
    assert shown[DETAILED + 2] == "--format json has every step."
    assert shown[-1].split()[:2] == ["1", "managed-cloudformation"]
    assert "1. " in printed(plan_tables(plans[1:]))


def test_no_functions_are_no_error() -> None:
    assert lines(plan_tables([])) == ["0 functions: none."]
    assert lines(outcome_table([])) == ["0 functions: none."]
    assert lines(history_table([])) == ["Nothing is noted about it."]


def test_an_outcome_that_was_not_asked_for_says_why_and_how_far_it_came() -> None:
    why = "lambda:UpdateAlias is denied: allow it and run the same command again"
    shown = lines(outcome_table([outcome(), outcome(Result.BLOCKED, why, "refunds")]))
    assert shown[2:5] == [
        "arn:aws:lambda:eu-west-1:111111111111:function:refunds: blocked",
        why,
        "done: publish $LATEST as a version; alias go1x-rollback -> 7",
    ]
    assert shown[-1] == "2 functions: 1 migrated and 1 blocked."


def test_of_many_outcomes_only_the_troubled_ones_tell_what_was_done() -> None:
    outcomes = [outcome(name=f"fn-{n}") for n in range(DETAILED)]
    shown = lines(outcome_table([*outcomes, outcome(Result.FAILED, "why", "refunds")]))
    assert len(shown) == DETAILED + 3 + 1
    assert shown[-2].startswith("done: ")


def test_what_has_to_be_known_of_an_outcome_is_always_shown() -> None:
    told = replace(outcome(), notes=("alias canary stayed: it is weighted",))
    others = [outcome(name=f"fn-{n}") for n in range(DETAILED)]
    assert "- alias canary stayed: it is weighted" in lines(outcome_table([told, *others]))


def test_a_history_says_when_who_what_and_under_which_request() -> None:
    shown = lines(history_table([alias_entry(), entry()]))
    assert shown[:4] == [
        MIGRATED_BY,
        "1  2026-11-21 16:20:02  update configuration: done",
        "runtime go1.x -> provided.al2023",
        "request: 8f7e0f0e-1111-4222-8333-444455556666",
    ]
    assert shown[4] == "2  2026-11-21 16:20:03  put alias: done"


def test_a_step_without_an_answer_is_not_called_done() -> None:
    intended = entry(state=EntryState.INTENDED, ended=None, request_id="")
    assert lines(history_table([intended]))[1].endswith(": may or may not have happened")
    failed = entry(state=EntryState.FAILED, problem="AWS said no", result="8")
    shown = lines(history_table([failed]))
    assert shown[1].endswith("update configuration: failed")
    assert shown[3:5] == ["answer: 8", "because: AWS said no"]


def test_each_run_stands_under_its_command_and_its_caller() -> None:
    back = {"run": "another", "verb": Verb.ROLLBACK, "caller": "arn:aws:iam::1:user/x"}
    shown = lines(history_table([entry(), entry(2, **back), entry(3, **back)]))
    assert [line for line in shown if "(run " in line] == [
        MIGRATED_BY,
        "rollback by arn:aws:iam::1:user/x (run another)",
    ]


def test_steps_of_several_functions_are_told_apart() -> None:
    layer = entry(2, action=Action.DELETE_LAYER, ref=ref(""))
    shown = lines(history_table([entry(), layer]))
    assert "arn:aws:lambda:eu-west-1:111111111111:function:orders" in shown
    assert "111111111111 eu-west-1" in shown
    assert not any("function:orders" in line for line in lines(history_table([entry()])))


@pytest.mark.parametrize("width", [80, 200])
def test_escape_sequences_from_outside_are_shown_not_obeyed(width: int) -> None:
    evil = replace(outcome(name=EVIL), reason=EVIL, done=(EVIL,), notes=(EVIL,))
    wrong = entry(what=EVIL, caller=EVIL, run=EVIL, problem=EVIL, result=EVIL, request_id=EVIL)
    for table, times in (
        (plan_tables([hostile(EVIL)]), 7),
        (plan_tables(many(DETAILED + 1, hostile_named)), DETAILED + 1),
        (outcome_table([evil]), 4),
        (history_table([wrong, replace(wrong, number=2, ref=ref(EVIL))]), 11),
    ):
        text = printed(table, width)
        assert "\x1b" not in text
        assert "\x9b" not in text
        assert "\u202e" not in text
        # In a narrow table a long name is folded, and cannot be counted.
        assert width == 80 or text.count("[bold]x[/bold]\ufffd[31m\ufffd2J\ufffdabc") >= times


def hostile_named(name: str) -> FunctionPlan:
    return replace(hostile(EVIL), ref=ref(f"{name}{EVIL}"))


def test_nothing_is_cut_off_at_80_columns() -> None:
    why = "a reason that takes " + "many words and " * 12 + "an end"
    plans = [blocked("x" * 64, Finding("a-code-of-some-length", why)), ready()]
    for table in (plan_tables(plans), plan_tables([*plans, *many(DETAILED)])):
        text = printed(table, 80)
        assert all(len(line) <= 80 for line in text.splitlines())
        whole = "".join(text.split())
        assert "anend" in whole
        assert "…" not in whole.replace("q83vEjRW…", "").replace("3q2+796t…", "")
