"""A step in words: the exact change, on one line, for whoever has to agree to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fleet.deployment import (
    Baking,
    Deployment,
    Done,
    Prove,
    Publish,
    PutAlias,
    PutTags,
    RemoveTags,
    Route,
    Stale,
    Step,
    Stuck,
    UpdateCode,
    UpdateConfiguration,
    Wait,
    Way,
    Write,
)
from fleet.ledger import Action

_FORESEEN = re.compile(r"\(new: (.+)\)")
"""How foresight.py names a version that does not exist yet, by the alias it is made for."""
_DIGEST = 8
"""Characters of a CodeSha256 that tell two packages apart at a glance."""
_ACTIONS: Mapping[type[Write], Action] = {
    Publish: Action.PUBLISH,
    PutAlias: Action.PUT_ALIAS,
    UpdateConfiguration: Action.UPDATE_CONFIGURATION,
    UpdateCode: Action.UPDATE_CODE,
    PutTags: Action.PUT_TAGS,
    RemoveTags: Action.REMOVE_TAGS,
}


def action(step: Write) -> Action:
    """Give the ledger's word for a step."""
    return _ACTIONS[type(step)]


def words(step: Step, way: Way) -> str:  # noqa: C901, PLR0911 - one a step
    """Say exactly what a step of this way changes. Names in it come from outside as they are."""
    match step:
        case Wait():
            return f"wait: {step.why}"
        case Publish():
            return "publish $LATEST as a version"
        case PutAlias():
            return _alias(step)
        case UpdateConfiguration() | UpdateCode():
            return f"{_update(step, way)}{_gap(step, way)}"
        case PutTags():
            return f"tags {', '.join(f'{key}={step.tags[key]}' for key in sorted(step.tags))}"
        case RemoveTags():
            return f"tags off: {', '.join(step.keys)}"
        case Prove():
            return "prove: $LATEST works as it is now (it is invoked only with a test event)"
        case Baking():
            return f"wait with {way.share or 1:.4g} of the calls on what was proven"
        case Done():
            return "nothing is left to do"
        case Stale() | Stuck():
            return f"stop here: {step.reason}"


def is_foreseen(version: str) -> bool:
    """Whether this stands for a version that a publish has yet to number."""
    return _FORESEEN.fullmatch(version) is not None


def opens_gap(step: Step, way: Way) -> bool:
    """Whether invocations of $LATEST fail from this step on, until the next update is through."""
    if not isinstance(step, (UpdateConfiguration, UpdateCode)):
        return False
    return way.route.has_gap and step.after in way.path[1:-1]


def _alias(step: PutAlias) -> str:
    after = _target(step.version, step.weights, step.name)
    if step.before is None:
        return f"alias {step.name} -> {after}"
    before = _target(step.before.version, step.before.weights, step.name)
    shifts = ", its provisioned concurrency follows" if step.before.provisioned else ""
    return f"alias {step.name}: {before} -> {after}{shifts}"


def _target(version: str, weights: Mapping[str, float], alias: str) -> str:
    shares = [
        f"{share:.4g} to {_version(other, alias)}" for other, share in sorted(weights.items())
    ]
    return " and ".join([_version(version, alias), *shares])


def _version(version: str, alias: str) -> str:
    foreseen = _FORESEEN.fullmatch(version)
    if foreseen is None:
        return version
    return "that version" if foreseen[1] == alias else f"the version of alias {foreseen[1]}"


def _update(step: UpdateConfiguration | UpdateCode, way: Way) -> str:
    changes = list(_changes(step.before, step.after))
    text = ", ".join(changes)
    if isinstance(step, UpdateCode):
        text = f"{_package(step, way)}: {text}"
    return f"{text} (one call)" if len(changes) > 1 else text


def _package(step: UpdateCode, way: Way) -> str:
    if step.after.code_sha256 == way.start.code_sha256:
        return "upload the code it had before"
    if way.route is Route.ARCHITECTURE:
        return f"upload the code built for {step.after.architecture}"
    return "upload code with bootstrap"


def _changes(before: Deployment, after: Deployment) -> Iterator[str]:
    if before.code_sha256 != after.code_sha256:
        yield f"CodeSha256 {_digest(before.code_sha256)} -> {_digest(after.code_sha256)}"
    if before.architecture != after.architecture:
        yield f"architecture {before.architecture} -> {after.architecture}"
    if before.runtime != after.runtime:
        yield f"runtime {before.runtime or '(none)'} -> {after.runtime or '(none)'}"
    if before.handler != after.handler:
        yield f"Handler {before.handler or '(none)'} -> {after.handler or '(none)'}"
    if before.layers != after.layers:
        yield f"layers {_layers(before.layers, after.layers)}"


def _digest(sha256: str) -> str:
    return f"{sha256[:_DIGEST]}…" if len(sha256) > _DIGEST else sha256


def _layers(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    arns = dict.fromkeys((*before, *after))
    names = [_layer(arn) for arn in arns]
    # Two accounts may have layers of one name: then only the whole ARN tells which.
    shown = dict(zip(arns, names if len(set(names)) == len(names) else arns, strict=True))
    gone = [f"- {shown[arn]}" for arn in before if arn not in after]
    come = [arn for arn in after if arn not in before]
    # Layers are merged in their order: where that changes besides, the whole lists tell it.
    if (*(arn for arn in before if arn in after), *come) != after:
        was, becomes = (", ".join(shown[arn] for arn in arns) for arns in (before, after))
        return f"[{was}] -> [{becomes}]"
    return ", ".join([*gone, *(f"+ {shown[arn]}" for arn in come)])


def _layer(arn: str) -> str:
    """Name and version of a layer; https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html."""
    parts = arn.split(":")
    return ":".join(parts[6:]) if parts[5:6] == ["layer"] else arn


def _gap(step: UpdateConfiguration | UpdateCode, way: Way) -> str:
    if opens_gap(step, way):
        return " [GAP: invocations fail from here until the next update is through]"
    return " [ends the gap]" if way.route.has_gap and step.before in way.path[1:-1] else ""
