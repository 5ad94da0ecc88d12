"""Lists of functions, versions and aliases, in pages.

moto gives everything at once and ignores MaxItems and Marker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .aliases import alias_row
from .answers import Refusal
from .function_changes import configuration
from .functions import LATEST, backend_of, latest_of, stored
from .paging import BadToken, Key, page
from .request import ApiRequest
from .untyped import MotoFunction
from .world import World

PAGE = 50
"""The most that one page of functions, versions, aliases or function URLs holds."""

# What a list is of, which a Marker belongs to.
_LISTED = ("FunctionName", "LayerName", "CodeSigningConfigArn")

# Fields of a function that only GetFunction and GetFunctionConfiguration give:
# https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
_OMITTED = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
)


def lambda_page(
    request: ApiRequest,
    items: Sequence[Any],
    key: Callable[[Any], Key],
    most: int = PAGE,
    bound: int = 10_000,
) -> tuple[Sequence[Any], str | None]:
    """The page that Marker and MaxItems ask for, and its NextMarker.

    Raises Refusal: InvalidParameterValueException for a Marker nobody was given (the message is
    believed), ValidationException for MaxItems outside 1 to `bound`.
    """
    size = request.params.get("MaxItems")
    if size is not None and not 1 <= size <= bound:
        raise Refusal(
            "ValidationException",
            f"1 validation error detected: Value '{size}' at 'maxItems' failed to satisfy "
            f"constraint: Member must have value between 1 and {bound}",
        )
    named = (request.params.get(name, "") for name in _LISTED)
    scope = " ".join((request.operation, *named))
    try:
        return page(items, key, min(size or most, most), scope, request.params.get("Marker"))
    except BadToken:
        raise Refusal(
            "InvalidParameterValueException", "Invalid pagination marker", 400, {"Type": "User"}
        ) from None


def _version_key(function: MotoFunction) -> Key:
    number = 0 if function.version == LATEST else int(function.version)
    return function.function_name, number


def _qualified(function: MotoFunction, world: World) -> dict[str, Any]:
    row = configuration(function, world)
    if function.version == LATEST:
        row["FunctionArn"] += f":{LATEST}"
    return row


def list_functions(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListFunctions: at most 50 a page, $LATEST or with FunctionVersion=ALL every version.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
    The order, by name and version, is believed: AWS promises none.
    """
    asked = request.params.get("FunctionVersion")
    if asked not in {None, "ALL"}:
        raise Refusal(
            "ValidationException",
            f"1 validation error detected: Value '{asked}' at 'functionVersion' failed to satisfy "
            "constraint: Member must satisfy enum value set: [ALL]",
        )
    found = [
        function
        for entry in stored(request).values()
        for function in (entry["latest"], *(entry["versions"] if asked else ()))
        if function is not None
    ]
    functions, marker = lambda_page(request, found, _version_key)
    rows = [_qualified(one, world) if asked else configuration(one, world) for one in functions]
    for row in rows:
        for field in _OMITTED:
            row.pop(field, None)
    return {"Functions": rows, "NextMarker": marker}


def list_versions_by_function(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListVersionsByFunction: $LATEST and every version, 50 a page, 404 for unknown functions.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
    """
    latest = latest_of(request)
    versions = stored(request)[latest.function_name]["versions"]
    functions, marker = lambda_page(request, [latest, *versions], _version_key)
    return {"Versions": [_qualified(one, world) for one in functions], "NextMarker": marker}


def list_aliases(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListAliases, of one FunctionVersion if asked; 404 for unknown functions.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html
    That a page holds 50 is believed. An alias belongs to the list of the version it points at;
    whether AWS also lists it under the version it sends a share to nobody says.
    """
    latest = latest_of(request)
    version = request.params.get("FunctionVersion")
    found = [
        alias
        for alias in backend_of(request).list_aliases(latest.function_name)
        if version in {None, alias.function_version}
    ]
    aliases, marker = lambda_page(request, found, lambda alias: (alias.name,))
    return {"Aliases": [alias_row(alias, world) for alias in aliases], "NextMarker": marker}
