"""What calls a function: event source mappings, function URLs, resource policies, per qualifier.

moto keeps one URL and one policy a function and forgets the alias that a mapping was made for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import FunctionUrlConfig
from moto.awslambda.policy import Policy
from moto.core.exceptions import JsonRESTError

from .answers import Refusal
from .function_lists import lambda_page
from .functions import backend_of, latest_of, not_found, qualifier_of, split_name
from .request import ApiRequest
from .untyped import MotoFunction, MotoPolicy, MotoUrl
from .world import World

MAPPINGS_PAGE = 100
"""Event source mappings on a page."""


def _qualified_arn(request: ApiRequest) -> str:
    """The ARN of the function as it was named; raises Refusal where its qualifier isn't there."""
    latest, qualifier = latest_of(request), qualifier_of(request)
    arn: str = latest.function_arn
    if qualifier is None:
        return arn
    _check_qualifier(request, latest, qualifier)
    return f"{arn}:{qualifier}"


def _check_qualifier(request: ApiRequest, latest: MotoFunction, qualifier: str) -> None:
    try:
        backend_of(request).get_function(latest.function_name, qualifier)
    except JsonRESTError:
        raise not_found(request, latest.function_name, qualifier) from None


def create_event_source_mapping(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """CreateEventSourceMapping: its FunctionArn keeps the version or alias it was made for.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    Raises Refusal for an unknown function, qualifier or event source.
    """
    arn = _qualified_arn(request)
    try:
        mapping = backend_of(request).create_event_source_mapping(dict(request.params))
    except JsonRESTError as error:
        raise Refusal(error.error_type, error.message, error.code, {"Type": "User"}) from None
    mapping.function_arn = arn
    found: dict[str, object] = mapping.get_configuration()
    return found


def list_event_source_mappings(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """ListEventSourceMappings: 100 a page, by EventSourceArn and FunctionName.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
    A FunctionName finds the mappings made for exactly that qualifier: one without finds those of
    the unqualified function only (believed).
    """
    source, name = request.params.get("EventSourceArn"), request.params.get("FunctionName")
    wanted = split_name(name) if name is not None else None
    found = [
        mapping
        for mapping in list(backend_of(request)._event_source_mappings.values())  # noqa: SLF001 - moto's listing compares names as they were typed
        if source in {None, mapping.event_source_arn}
        and wanted in {None, split_name(mapping.function_arn)}
    ]
    mappings, marker = lambda_page(
        request, found, lambda mapping: (mapping.uuid,), most=MAPPINGS_PAGE
    )
    rows = [mapping.get_configuration() for mapping in mappings]
    return {"EventSourceMappings": rows, "NextMarker": marker}


def create_function_url_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """CreateFunctionUrlConfig, of the function or with Qualifier of an alias.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
    Raises Refusal: 404 for an unknown function or alias, 409 where there is a URL already.
    """
    arn, latest = _qualified_arn(request), latest_of(request)
    alias = qualifier_of(request) or ""
    configs = _urls(latest, world)
    if alias in configs:
        raise Refusal(
            "ResourceConflictException",
            f"Failed to create function url config for [functionArn = {arn}]. Error message: "
            "FunctionUrlConfig exists for this Lambda function",
            409,
            {"Type": "User"},
        )
    config = FunctionUrlConfig(latest, dict(request.params))
    if alias:
        world.urls.setdefault(latest, {})[alias] = config
    else:
        latest.url_config = config
    return _url_row(config, arn)


def list_function_url_configs(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListFunctionUrlConfigs: the function's own URL and those of its aliases, 50 a page.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html
    """
    latest = latest_of(request)
    found = sorted(_urls(latest, world).items())
    configs, marker = lambda_page(request, found, lambda item: (item[0],))
    arn = latest.function_arn
    rows = [_url_row(config, f"{arn}:{alias}" if alias else arn) for alias, config in configs]
    return {"FunctionUrlConfigs": rows, "NextMarker": marker}


def _urls(latest: MotoFunction, world: World) -> dict[str, MotoUrl]:
    """Alias → function URL; the function's own under ''."""
    own = {"": latest.url_config} if latest.url_config else {}
    return {**own, **world.urls.get(latest, {})}


def _url_row(config: MotoUrl, arn: str) -> dict[str, Any]:
    row = config.to_dict()
    return {**row, "FunctionArn": arn, "FunctionUrl": row["FunctionUrl"].rstrip("/") + "/"}


def add_permission(request: ApiRequest, world: World) -> Mapping[str, object]:
    """AddPermission: the statement joins the policy of the one qualifier it names.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    Raises Refusal: 404 for an unknown function or qualifier, 409 for a StatementId in use.
    """
    _qualified_arn(request)
    policy, qualifier = _policy(request, world), qualifier_of(request)
    sid = request.params.get("StatementId", "")
    if any(statement.get("Sid") == sid for statement in policy.statements):
        raise Refusal(
            "ResourceConflictException",
            f"The statement id ({sid}) provided already exists. Please provide a new statement "
            "id, or remove the existing statement.",
            409,
            {"Type": "User"},
        )
    fields = {key: value for key, value in request.params.items() if value is not None}
    raw = json.dumps({key: fields[key] for key in fields.keys() - {"FunctionName", "Qualifier"}})
    statement, _ = policy.add_statement(raw, qualifier)
    return {"Statement": json.dumps(statement)}


def get_policy(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetPolicy of one qualifier; 404 where it has none.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
    """
    _qualified_arn(request)
    policy = _policy(request, world)
    if not policy.statements:
        raise Refusal(
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
            404,
            {"Type": "User"},
        )
    found = policy.get_policy()
    return {"Policy": json.dumps(found["Policy"]), "RevisionId": found["RevisionId"]}


def _policy(request: ApiRequest, world: World) -> MotoPolicy:
    latest, qualifier = latest_of(request), qualifier_of(request)
    if qualifier is None:
        return latest.policy
    return world.policies.setdefault(latest, {}).setdefault(qualifier, Policy(latest))
