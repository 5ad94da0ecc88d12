"""Layers of a function: checked when they are set, kept when they are deleted.

moto looks for every layer in the function's own account, takes any number of them, and forgets
those that are deleted.
https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
https://docs.aws.amazon.com/lambda/latest/dg/deleting-layers.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .answers import Refusal
from .functions import backend_of, constraint, invalid
from .layers import find_layer, is_shared, not_shared
from .permissions import denial
from .request import ApiRequest
from .untyped import MotoCode, MotoFunction
from .world import World

MOST = 5
"""Layers of one function."""

_ARN = re.compile(
    r"(?P<layer>arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:"
    r"(?P<name>[A-Za-z0-9_-]{1,140})):(?P<number>\d+)"
)


def checked_layers(arns: Sequence[str], request: ApiRequest, world: World) -> list[MotoCode]:
    """The layer versions with these ARNs, all of which the caller may put on a function.

    Raises Refusal for more than five, two versions of one layer, a layer of another region, one
    that is gone, and one that the caller may not get; setting a list means every layer on it,
    though the function may have had it before.
    """
    if len(arns) > MOST:
        raise invalid(f"Cannot reference more than {MOST} layers.")
    found, seen = [], dict[str, str]()
    for arn in arns:
        match = _ARN.fullmatch(arn)
        if match is None:
            rule = (
                "Member must satisfy constraint: [Member must satisfy regular expression pattern "
                "of layer version ARNs, Member must not be null]"
            )
            raise constraint(f"[{arn}]", "layers", rule)
        found.append(_permitted(match, request, world))
        if match["layer"] in seen:
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the "
                f"same function. {seen[match['layer']]} and {arn} are versions of the same layer."
            )
        seen[match["layer"]] = arn
    return found


def _permitted(match: re.Match[str], request: ApiRequest, world: World) -> MotoCode:
    own = match["account"] == request.account
    if own and match["region"] != request.region:
        raise invalid(
            "Layers are not in the same region as the function. Layers are expected to be in "
            f"region {request.region}."
        )
    asked = replace(request, operation="GetLayerVersion", params={"LayerName": match["layer"]})
    refused = None if world.seeding else denial(asked, world.rules)
    if refused:
        raise Refusal("AccessDeniedException", refused, 403)
    found = find_layer(match["account"], match["region"], match["name"], int(match["number"]))
    visible = own or (match["region"] == request.region and is_shared(found, request.account))
    if not visible:
        raise not_shared(match[0], asked)
    if found is None:
        raise invalid(f"Layer version {match[0]} does not exist.")
    return found


def put_layers(function: MotoFunction, layers: Sequence[MotoCode]) -> None:
    """Make these the function's layers, in this order."""
    function.layers = [{"Arn": layer.arn, "CodeSize": layer.code_size} for layer in layers]


def layer_bytes(function: MotoFunction, world: World) -> tuple[bytes, ...]:
    """The zips of the function's layers in their order, those deleted since as well."""
    return tuple(_bytes(layer["Arn"], world) for layer in function.layers)


def _bytes(arn: str, world: World) -> bytes:
    if arn in world.deleted_layers:
        return world.deleted_layers[arn]
    *_, region, account, _, name, number = arn.split(":")
    found: MotoCode = find_layer(account, region, name, int(number))
    content: bytes = found.code_bytes
    return content


def delete_layer_version(request: ApiRequest, world: World) -> Mapping[str, object]:
    """DeleteLayerVersion: nobody can put it on a function again; those that have it run on.

    https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html
    Deleting what is not there succeeds (believed).
    """
    name, number = request.params["LayerName"].rpartition(":")[2], request.params["VersionNumber"]
    with world.lock:
        found = find_layer(request.account, request.region, name, int(number))
        if found is not None:
            world.deleted_layers[found.arn] = found.code_bytes
            backend_of(request).delete_layer_version(name, str(number))
    return dict[str, Any]()
