"""Aliases: which versions they may name, and their RevisionId.

https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
moto stores any weights, aliases of missing versions, and never changes the RevisionId.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .answers import Refusal
from .function_changes import check_revision, state_of
from .function_state import Provisioned, new_revision
from .functions import (
    LATEST,
    aliases_of,
    backend_of,
    constraint,
    invalid,
    unqualified,
    user_error,
    version_of,
)
from .request import ApiRequest
from .untyped import MotoAlias, MotoFunction
from .world import World

_NAME = r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
_WEIGHTS = "routingConfig.additionalVersionWeights"


def create_alias(request: ApiRequest, world: World) -> Mapping[str, object]:
    """CreateAlias.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
    Raises Refusal: 409 for a name in use, 404 for an unknown function or version, 400 for weights
    that an alias can't have.
    """
    with world.lock:
        latest, params = unqualified(request), request.params
        name, version = params.get("Name", ""), params.get("FunctionVersion", "")
        if not re.fullmatch(_NAME, name):
            rule = f"Member must satisfy regular expression pattern: {_NAME}"
            raise constraint(name, "name", rule)
        backend = backend_of(request)
        if name in aliases_of(latest):
            arn = f"{latest.function_arn}:{name}"
            raise user_error("ResourceConflictException", f"Alias already exists: {arn}", 409)
        weights = (params.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        _check_versions(latest, version, weights, world)
        alias = backend.create_alias(
            name,
            latest.function_name,
            version,
            params.get("Description") or "",
            {"AdditionalVersionWeights": weights} if weights else None,
        )
        return alias_row(alias, world)


def update_alias(request: ApiRequest, world: World) -> Mapping[str, object]:
    """UpdateAlias: what is not named stays, the weights too; an empty RoutingConfig ends them.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
    Raises Refusal: 412 for another RevisionId, else as CreateAlias.
    """
    with world.lock:
        latest, params = unqualified(request), request.params
        alias = _find(latest, request)
        check_revision(params.get("RevisionId"), alias.revision_id)
        version = params.get("FunctionVersion") or alias.function_version
        routing = params.get("RoutingConfig")
        if routing is None:
            routing = alias.routing_config or {}
        weights = routing.get("AdditionalVersionWeights") or {}
        _check_versions(latest, version, weights, world)
        provisioned = state_of(latest, world).provisioned
        if alias.name in provisioned:
            _check_movable(version, weights)
            _move(alias, version, provisioned, world)
        if params.get("Description") is not None:
            alias.description = params["Description"]
        alias.function_version = version
        alias.routing_config = {"AdditionalVersionWeights": weights} if weights else None
        alias.revision_id = new_revision()
        return alias_row(alias, world)


def get_alias(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetAlias; 404 for one that is not there.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html
    """
    return alias_row(_find(unqualified(request), request), world)


def delete_alias(request: ApiRequest, world: World) -> Mapping[str, object]:
    """DeleteAlias, which succeeds where there is none (believed).

    https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html
    """
    with world.lock:
        latest, name = unqualified(request), request.params["Name"]
        backend_of(request).delete_alias(name, latest.function_name)
        state_of(latest, world).provisioned.pop(name, None)
        return dict[str, Any]()


def alias_row(alias: MotoAlias, world: World) -> dict[str, Any]:
    """The AliasConfiguration.

    While an alias with provisioned concurrency moves, AWS sends part of its calls to the version
    it leaves; that the share stays at half is believed.
    """
    row = {field: value for field, value in alias.to_json().items() if value is not None}
    left, until = world.moving_aliases.get(alias, ("", 0.0))
    if world.clock() < until:
        row["RoutingConfig"] = {"AdditionalVersionWeights": {left: 0.5}}
    return row


def _find(latest: MotoFunction, request: ApiRequest) -> MotoAlias:
    found = aliases_of(latest).get(request.params["Name"])
    if found is None:
        arn = f"{latest.function_arn}:{request.params['Name']}"
        raise user_error("ResourceNotFoundException", f"Cannot find alias arn: {arn}", 404)
    return found


def _check_versions(
    latest: MotoFunction,
    version: str,
    weights: Mapping[str, float],
    world: World,
) -> None:
    """Raise Refusal for a version that isn't there, or weights that an alias can't have."""
    first = version_of(latest, version)
    if not weights:
        return
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    other, weight = next(iter(weights.items()))
    if not re.fullmatch(r"[0-9]+", other):
        raise _bad_weight(other, weight, "keys", "satisfy regular expression pattern: [0-9]+")
    if not 0 <= weight <= 1:
        bound = "less than or equal to 1.0" if weight > 1 else "greater than or equal to 0.0"
        raise _bad_weight(other, weight, "value", f"have value {bound}")
    if version == LATEST:
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if other == version:
        raise invalid(
            f"Invalid function version {other}. Function version {other} is already included in "
            "routing configuration."
        )
    second = version_of(latest, other)
    # The rule is AWS's, these words are believed.
    for what, one, two in (
        ("execution role", first.role, second.role),
        (
            "dead-letter queue",
            state_of(first, world).dead_letter,
            state_of(second, world).dead_letter,
        ),
    ):
        if one != two:
            raise invalid(f"Versions {version} and {other} must have the same {what}.")


def _bad_weight(version: str, weight: float, part: str, rule: str) -> Refusal:
    words = f"Map {part} must satisfy constraint: [Member must {rule}, Member must not be null]"
    return constraint(f"{{{version}={weight}}}", _WEIGHTS, words)


def _check_movable(version: str, weights: Mapping[str, float]) -> None:
    if weights or version == LATEST:
        raise invalid("An alias with provisioned concurrency must point at one published version.")


def _move(
    alias: MotoAlias, version: str, provisioned: dict[str, Provisioned], world: World
) -> None:
    """Provision another version: in progress, and both are called, until it is done."""
    until = world.settled_at()
    if until is not None and version != alias.function_version:
        world.moving_aliases[alias] = (alias.function_version, until)
        now = provisioned[alias.name]
        provisioned[alias.name] = replace(now, ready_at=until, before=now.executions)
