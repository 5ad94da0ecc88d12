"""GetLayerVersion, by name or ARN: content that can be downloaded, by those let in.

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
from .functions import constraint
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
    owner, region, name = named(request.params["LayerName"], request)
    return _given(owner, region, name, int(request.params["VersionNumber"]), request, world)


def named(text: str, request: ApiRequest) -> tuple[str, str, str]:
    """Owner, region and name of the layer that a LayerName names; raises Refusal for no name."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise constraint(text, "layerName", "Member must satisfy the pattern of layer names")
    owner, region = match["account"] or request.account, match["region"] or request.region
    return owner, region, match["name"]


def get_layer_version_by_arn(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetLayerVersionByArn; raises Refusal as GetLayerVersion does.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html
    """
    name, _, number = request.params["Arn"].rpartition(":")
    match = _NAME.fullmatch(name)
    if match is None or match["account"] is None or not number.isdecimal():
        rule = "Member must satisfy regular expression pattern of layer version ARNs"
        raise constraint(request.params["Arn"], "arn", rule)
    return _given(match["account"], match["region"], match["name"], int(number), request, world)


def _given(
    owner: str, region: str, name: str, number: int, request: ApiRequest, world: World
) -> Mapping[str, object]:
    found = find_layer(owner, region, name, number)
    if owner != request.account and not is_shared(found, request.account):
        partition = request.identity.arn.split(":")[1]
        arn = f"arn:{partition}:lambda:{region}:{owner}:layer:{name}:{number}"
        raise not_shared(arn, request)
    if found is None:
        said = "The resource you requested does not exist."
        raise Refusal("ResourceNotFoundException", said, 404, {"Type": "User"})
    return content_row(found, request, world)


def not_shared(arn: str, request: ApiRequest) -> Refusal:
    """The 403 for another account's layer that nobody was let in to, or that is not there."""
    return Refusal(
        "AccessDeniedException",
        f"User: {request.identity.arn} is not authorized to perform: {request.action} on "
        f"resource: {arn} because no resource-based policy allows the {request.action} action",
        403,
    )


def content_row(layer: MotoCode, request: ApiRequest, world: World) -> dict[str, object]:
    """A layer version with its content, as GetLayerVersion and PublishLayerVersion answer."""
    place = f"layers/snapshots/{layer.account_id}/{layer.name}-{layer.version}"
    return {
        **version_row(layer),
        "LayerArn": layer.arn.rpartition(":")[0],
        "Content": {
            "Location": located(request, place, layer, world),
            "CodeSha256": layer.code_sha_256,
            "CodeSize": layer.code_size,
        },
    }


def version_row(layer: MotoCode) -> dict[str, object]:
    """A layer version as lists give it; an empty Description is given too (believed).

    https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionsListItem.html
    """
    row = {
        "LayerVersionArn": layer.arn,
        "Version": layer.version,
        "Description": layer.description,
        "CreatedDate": layer.created_date,
    }
    optional = {
        "CompatibleArchitectures": layer.compatible_architectures,
        "CompatibleRuntimes": layer.compatible_runtimes,
        "LicenseInfo": layer.license_info,
    }
    return row | {field: value for field, value in optional.items() if value}


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
