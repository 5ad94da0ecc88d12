"""GetLayerVersion: a Content.Location that can be downloaded, and only by those let in.

moto answers with `s3://`, looks for every layer in the caller's own account, and lets anybody in.
https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.awslambda.exceptions import UnknownLayerException
from moto.awslambda.utils import get_backend

from .answers import Refusal
from .function_code import located
from .request import ApiRequest
from .untyped import MotoCode
from .world import World

_NAME = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})"
)


def get_layer_version(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetLayerVersion by name or ARN.

    Raises Refusal: ResourceNotFoundException for a version of the caller's own that is not
    there, AccessDeniedException for another account's that is not shared or, which looks the
    same from outside, not there.
    """
    text, number = request.params["LayerName"], int(request.params["VersionNumber"])
    match = _NAME.fullmatch(text)
    if match is None:
        raise Refusal("InvalidParameterValueException", f"Layer name {text} is not valid.", 400)
    owner, region = match["account"] or request.account, match["region"] or request.region
    found = find_layer(owner, region, match["name"], number)
    if owner != request.account and not is_shared(found, request.account):
        arn = f"{text}:{number}"
        raise Refusal(
            "AccessDeniedException",
            f"User: {request.identity.arn} is not authorized to perform: lambda:GetLayerVersion "
            f"on resource: {arn} because no resource-based policy allows the "
            "lambda:GetLayerVersion action",
            403,
        )
    if found is None:
        said = "The resource you requested does not exist."
        raise Refusal("ResourceNotFoundException", said, 404, {"Type": "User"})
    answer: dict[str, Any] = found.get_layer_version()
    place = f"layers/snapshots/{owner}/{match['name']}-{number}"
    answer["Content"] = answer["Content"] | {"Location": located(request, place, found, world)}
    return answer


def find_layer(account: str, region: str, name: str, number: int) -> MotoCode | None:
    """A version of a layer, None where it is not there."""
    try:
        return get_backend(account, region).get_layer_version(name, str(number))
    except UnknownLayerException:
        return None


def is_shared(layer: MotoCode | None, account: str) -> bool:
    """Whether the owner of a layer version lets another account have it."""
    statements = [] if layer is None else layer.policy.statements
    return any(
        allowed in {"*", account} or f":{account}:" in allowed
        for statement in statements
        for allowed in _principals(statement)
    )


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", "")
    named = principal.get("AWS", "") if isinstance(principal, dict) else principal
    return [str(each) for each in (named if isinstance(named, list) else [named])]
