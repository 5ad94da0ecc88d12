"""Plans, outcomes and histories of migrations as JSON; migration.schema.json describes them.

Of a deployment goes in what an update can change. The hash of its other settings stays out: it
would tell two environments apart to whoever reads the document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TextIO

from fleet.deployment import (
    Deployment,
    Prove,
    Publish,
    PutAlias,
    PutTags,
    RemoveTags,
    Step,
    UpdateCode,
    UpdateConfiguration,
    Way,
    Write,
)
from fleet.inspection import Assessment
from fleet.ledger import Action, Entry
from fleet.migration.facts import Finding
from fleet.migration.plan import FunctionPlan, Outcome, Promise
from fleet.migration.words import action, is_foreseen, opens_gap, words
from fleet.model import NOTHING, Alias, FunctionRef

FORMAT = 1
"""Rises when a field goes away or changes its meaning."""

_Object = dict[str, object]


def write_plan_json(plans: Iterable[FunctionPlan], file: TextIO) -> None:
    """Write what would be done, in the order of account, region and name."""
    functions = [_plan(plan) for plan in sorted(plans, key=lambda plan: place(plan.ref))]
    _write("plan", {"functions": functions}, file)


def write_outcomes_json(outcomes: Iterable[Outcome], file: TextIO) -> None:
    """Write what became of each function, in the order of account, region and name."""
    ordered = sorted(outcomes, key=lambda outcome: place(outcome.ref))
    functions = [
        {
            **_function(each.ref),
            "result": each.result,
            "reason": each.reason,
            "done": each.done,
            "notes": each.notes,
        }
        for each in ordered
    ]
    _write("outcomes", {"functions": functions}, file)


def write_history_json(
    entries: Iterable[Entry], file: TextIO, statements: Mapping[str, str] = NOTHING
) -> None:
    """Write every step of the ledger, in the order in which they began.

    `statements` tell, by CodeSha256, where packages that were built anew came from.
    """
    ordered = sorted(entries, key=lambda each: each.number or 0)
    steps = [{**_entry(each), "provenance": _provenance(each, statements)} for each in ordered]
    _write("history", {"steps": steps}, file)


def place(ref: FunctionRef) -> tuple[str, str, str, str]:
    """Sort functions by account, region and name."""
    return (ref.account, ref.region, ref.name, ref.qualifier)


def shown_steps(plan: FunctionPlan) -> list[tuple[Write | Prove, Way]]:
    """Give the steps that do something, each with its way; ValueError where that is missing."""
    steps = [step for step in plan.steps if isinstance(step, Write | Prove)]
    if steps and plan.way is None:
        # A dry run that leaves out a step would be agreed to unread.
        msg = f"the plan of {plan.ref.arn} has steps and no way"
        raise ValueError(msg)
    return [] if plan.way is None else [(step, plan.way) for step in steps]


def has_gap(plan: FunctionPlan) -> bool:
    """Whether invocations of $LATEST fail for a moment; not where one update is all it takes."""
    if plan.way is None:
        return plan.route is not None and plan.route.has_gap
    return plan.way.has_gap


def _write(kind: str, content: _Object, file: TextIO) -> None:
    # Not by orjson: names from outside need not be Unicode.
    json.dump({"format": FORMAT, "kind": kind, **content}, file)
    file.write("\n")


def _function(ref: FunctionRef) -> _Object:
    return {"arn": ref.arn, "account": ref.account, "region": ref.region, "name": ref.name}


def _plan(plan: FunctionPlan) -> _Object:
    return {
        **_function(plan.ref),
        "result": plan.result,
        "route": plan.route,
        "gap": has_gap(plan),
        "owner": {"kind": plan.owner.kind, "name": plan.owner.name},
        "assessment": None if plan.assessment is None else _assessment(plan.assessment),
        "reasons": _findings(plan.reasons),
        "notes": _findings(plan.notes),
        "steps": [_step(step, way) for step, way in shown_steps(plan)],
        "promises": [_promise(promise) for promise in plan.promises],
    }


def _assessment(assessment: Assessment) -> _Object:
    return {
        "verdict": assessment.verdict,
        "strategy": assessment.strategy,
        "reasons": [{"code": each.code, "text": each.text} for each in assessment.reasons],
        "warnings": [{"code": each.code, "text": each.text} for each in assessment.warnings],
    }


def _findings(findings: Iterable[Finding]) -> list[_Object]:
    return [{"code": each.code, "text": each.text} for each in findings]


def _promise(promise: Promise) -> _Object:
    return {
        "qualifier": promise.qualifier,
        "callers": [{"kind": each.kind, "source": each.source} for each in promise.callers],
        "text": promise.text,
    }


def _step(step: Write | Prove, way: Way) -> _Object:
    before, after = _change(step)
    return {
        "action": "prove" if isinstance(step, Prove) else action(step),
        "text": words(step, way),
        "opens_gap": opens_gap(step, way),
        "before": before,
        "after": after,
    }


def _change(step: Step) -> tuple[_Object | None, _Object | None]:
    match step:
        case Publish():
            return None, {"alias": step.alias, "code_sha256": step.code_sha256}
        case PutAlias():
            after = Alias(step.name, step.version, step.weights)
            before = step.before
            return (
                None
                if before is None
                else _alias(Alias(before.name, before.version, before.weights)),
                _alias(after),
            )
        case UpdateConfiguration() | UpdateCode():
            names = [
                name
                for name in _CHANGEABLE
                if getattr(step.before, name) != getattr(step.after, name)
            ]
            return _deployment(step.before, names), _deployment(step.after, names)
        case PutTags():
            return None, {"tags": dict(step.tags)}
        case RemoveTags():
            return {"tag_keys": step.keys}, None
    return None, None


_CHANGEABLE = ("runtime", "handler", "layers", "code_sha256", "architecture")


def _deployment(deployment: Deployment, names: Iterable[str] = _CHANGEABLE) -> _Object:
    return {name: getattr(deployment, name) for name in names}


def _alias(alias: Alias) -> _Object:
    return {
        "alias": alias.name,
        "version": None if is_foreseen(alias.version) else alias.version,
        "weights": dict(alias.weights),
    }


def statement_on(entry: Entry, statements: Mapping[str, str]) -> str:
    """Give the statement on the package that a step uploaded, or ''."""
    if entry.action is not Action.UPDATE_CODE or entry.deployment_after is None:
        return ""
    return statements.get(entry.deployment_after.code_sha256, "")


def _provenance(entry: Entry, statements: Mapping[str, str]) -> object:
    text = statement_on(entry, statements)
    return json.loads(text) if text else None


def _entry(entry: Entry) -> Mapping[str, object]:
    return {
        "number": entry.number,
        "run": entry.run,
        "verb": entry.verb,
        **_function(entry.ref),
        "action": entry.action,
        "text": entry.what,
        "caller": entry.caller,
        "began": entry.began.isoformat(),
        "ended": None if entry.ended is None else entry.ended.isoformat(),
        "state": entry.state,
        "request_id": entry.request_id,
        "result": entry.result,
        "problem": entry.problem,
        "before": _image(entry.alias_before, entry.deployment_before),
        "after": _image(entry.alias_after, entry.deployment_after),
    }


def _image(alias: Alias | None, deployment: Deployment | None) -> _Object | None:
    if alias is not None:
        return _alias(alias)
    return None if deployment is None else _deployment(deployment)
