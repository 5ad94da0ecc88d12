"""Provisioned concurrency of versions and aliases; moto has none.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .function_changes import state_of, timestamp
from .function_lists import lambda_page
from .function_state import Provisioned
from .functions import (
    LATEST,
    aliases_of,
    constraint,
    invalid,
    latest_of,
    qualifier_of,
    user_error,
    version_of,
)
from .request import ApiRequest
from .untyped import MotoFunction
from .world import World


def put_provisioned_concurrency_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """PutProvisionedConcurrencyConfig: IN_PROGRESS for a while.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
    Raises Refusal for $LATEST, for an alias with weights (its words are believed), and 409 where
    the version has some under another name.
    """
    with world.lock:
        latest, asked = latest_of(request), request.params["ProvisionedConcurrentExecutions"]
        if asked < 1:
            rule = "Member must have value greater than or equal to 1"
            raise constraint(asked, "provisionedConcurrentExecutions", rule)
        qualifier = _qualifier(latest, request)
        configs = state_of(latest, world).provisioned
        _check_alone(latest, qualifier, configs)
        if latest.reserved_concurrency is not None:
            others = sum(one.executions for name, one in configs.items() if name != qualifier)
            if others + asked > int(latest.reserved_concurrency):
                raise invalid(
                    "Requested Provisioned Concurrency should not be greater than the "
                    "reservedConcurrentExecution for function"
                )
        before = configs[qualifier].executions if qualifier in configs else 0
        configs[qualifier] = Provisioned(asked, world.settled_at(), timestamp(world), before)
        return _row(configs[qualifier], world)


def get_provisioned_concurrency_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetProvisionedConcurrencyConfig; 404 for a version or alias without.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html
    """
    latest = latest_of(request)
    found = state_of(latest, world).provisioned.get(_qualifier(latest, request))
    if found is None:
        raise user_error(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
            404,
        )
    return _row(found, world)


def delete_provisioned_concurrency_config(
    request: ApiRequest, world: World
) -> Mapping[str, object]:
    """DeleteProvisionedConcurrencyConfig, which succeeds where there is none (believed).

    https://docs.aws.amazon.com/lambda/latest/api/API_DeleteProvisionedConcurrencyConfig.html
    """
    with world.lock:
        latest = latest_of(request)
        state_of(latest, world).provisioned.pop(_qualifier(latest, request), None)
        return dict[str, Any]()


def list_provisioned_concurrency_configs(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListProvisionedConcurrencyConfigs, 50 a page.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
    """
    latest = latest_of(request)
    found = sorted(state_of(latest, world).provisioned.items())
    configs, marker = lambda_page(request, found, lambda item: (item[0],))
    rows = [
        {"FunctionArn": f"{latest.function_arn}:{qualifier}", **_row(config, world)}
        for qualifier, config in configs
    ]
    return {"ProvisionedConcurrencyConfigs": rows, "NextMarker": marker}


def _qualifier(latest: MotoFunction, request: ApiRequest) -> str:
    """The version or alias named; raises Refusal for $LATEST, and 404 for what isn't there."""
    qualifier = qualifier_of(request)
    alias = aliases_of(latest).get(qualifier or "")
    if qualifier is None or LATEST in {qualifier, alias and alias.function_version}:
        raise invalid(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        )
    if alias is None:
        version_of(latest, qualifier)
    return qualifier


def _check_alone(latest: MotoFunction, qualifier: str, configs: Mapping[str, object]) -> None:
    aliases = aliases_of(latest)
    if qualifier in aliases:
        alias = aliases[qualifier]
        if alias.routing_config:
            raise invalid(
                "Provisioned Concurrency Configs cannot be applied to an alias with a routing "
                "configuration."
            )
        if alias.function_version in configs:
            raise user_error(
                "ResourceConflictException",
                "Alias can't be used for Provisioned Concurrency configuration on an already "
                "Provisioned version",
                409,
            )
    elif any(aliases[name].function_version == qualifier for name in configs if name in aliases):
        raise user_error(
            "ResourceConflictException",
            "Version is pointed by a Provisioned Concurrency alias",
            409,
        )


def _row(config: Provisioned, world: World) -> dict[str, object]:
    ready = config.ready_at is None or world.clock() >= config.ready_at
    # That what there was stays available meanwhile is believed.
    given = config.executions if ready else config.before
    return {
        "RequestedProvisionedConcurrentExecutions": config.executions,
        "AllocatedProvisionedConcurrentExecutions": given,
        "AvailableProvisionedConcurrentExecutions": given,
        "Status": "READY" if ready else "IN_PROGRESS",
        "LastModified": config.modified,
    }
