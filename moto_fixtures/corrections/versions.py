"""Versions: they keep code and configuration, and are minted only for what is new.

https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
moto goes by a flag that any update sets, checks neither CodeSha256 nor RevisionId, and uses
numbers again.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .account_settings import check_code_storage
from .function_changes import (
    check_revision,
    check_settled,
    configuration,
    state_of,
    timestamp,
)
from .function_state import new_revision
from .functions import (
    LATEST,
    aliases_of,
    backend_of,
    invalid,
    latest_of,
    qualifier_of,
    stored,
    unqualified,
    user_error,
    version_of,
)
from .request import ApiRequest
from .runtimes import no_longer_supported
from .untyped import MotoAlias, MotoFunction
from .world import World

# What makes a function another one to those who invoke it; the description is compared apart.
_ESSENCE = (
    "architectures",
    "code_sha_256",
    "environment_vars",
    "ephemeral_storage",
    "handler",
    "kms_key_arn",
    "layers",
    "memory_size",
    "role",
    "run_time",
    "timeout",
    "tracing_config",
    "vpc_config",
)


def publish_version(request: ApiRequest, world: World) -> Mapping[str, object]:
    """PublishVersion: the last version again where nothing changed since, else a new one.

    Raises Refusal: 412 for another RevisionId, InvalidParameterValueException for another
    CodeSha256 and for a runtime whose publishing is blocked, 409 while an update goes on.
    """
    with world.lock:
        latest, params = unqualified(request), request.params
        check_revision(params.get("RevisionId"), state_of(latest, world).revision)
        digest = params.get("CodeSha256")
        if digest is not None and digest != latest.code_sha_256:
            raise invalid(
                f"CodeSHA256 ({digest}) is different from current CodeSHA256 in $LATEST "
                f"({latest.code_sha_256}). Please try again with the CodeSHA256 in $LATEST."
            )
        check_settled(latest, world)
        if not world.seeding and latest.run_time in world.blocked.publishing:
            raise no_longer_supported(latest.run_time)
        return configuration(mint(latest, params.get("Description"), request, world), world)


def mint(
    latest: MotoFunction, description: str | None, request: ApiRequest, world: World
) -> MotoFunction:
    """The version of what $LATEST is now: the last one if it is that, else a new one.

    Numbers aren't used again, not even after the function was deleted and created anew:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
    A new one is Pending at first, and $LATEST gets another RevisionId (both believed). Raises
    Refusal, CodeStorageExceededException.
    """
    entry, state = stored(request)[latest.function_name], state_of(latest, world)
    versions: list[MotoFunction] = entry["versions"]
    if versions and _same(latest, versions[-1], world):
        return versions[-1]
    check_code_storage(latest.code_size, request, world)
    last = int(versions[-1].version) if versions else 0
    number = max(last, world.highest_versions.get(latest.function_arn, 0)) + 1
    version = copy.copy(latest)
    version.set_version(number)
    version.last_modified = timestamp(world)
    version.description = description or latest.description
    world.functions[version] = state.published(latest.description, world.settled_at())
    world.highest_versions[latest.function_arn] = number
    versions.append(version)
    backend_of(request)._lambdas._arns[version.function_arn] = version  # noqa: SLF001 - moto publishes by a flag
    state.revision = new_revision()
    return version


def delete_function(request: ApiRequest, world: World) -> Mapping[str, object]:
    """DeleteFunction, whole or one version that no alias names; 404 for what isn't there.

    https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
    The words of the refusals are believed.
    """
    with world.lock:
        latest, qualifier = latest_of(request), qualifier_of(request)
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if qualifier is not None:
            version_of(latest, qualifier)
            named = sorted(
                alias.name
                for alias in aliases_of(latest).values()
                if qualifier in {alias.function_version, *_weighted(alias)}
            )
            if named:
                raise user_error(
                    "ResourceConflictException",
                    "Unable to delete version because the following aliases reference it: "
                    f"[{', '.join(named)}]",
                    409,
                )
            state_of(latest, world).provisioned.pop(qualifier, None)
        backend_of(request).delete_function(latest.function_name, qualifier)
        return dict[str, Any]()


def _weighted(alias: MotoAlias) -> Mapping[str, float]:
    weights: Mapping[str, float] = (alias.routing_config or {}).get("AdditionalVersionWeights", {})
    return weights


def _same(latest: MotoFunction, version: MotoFunction, world: World) -> bool:
    return _essence(latest, world) == _essence(version, world)


def _essence(function: MotoFunction, world: World) -> tuple[Any, ...]:
    state = state_of(function, world)
    described = function.description if state.description is None else state.description
    kept = (state.dead_letter, state.source_key, state.referenced, described)
    return (*(getattr(function, name) for name in _ESSENCE), *kept)
