"""Versions of layers: published after checks, listed newest first.

moto checks nothing, and gives every layer at once.
https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.awslambda.models import LayerVersion

from .account_settings import check_code_storage
from .function_changes import timestamp
from .function_lists import lambda_page
from .function_packages import check_request_size, check_unzipped, put_package, read_package
from .function_settings import ARCHITECTURES
from .functions import backend_of, constraint
from .layers import content_row, named, not_shared, version_row
from .request import ApiRequest
from .runtimes import known
from .untyped import MotoCode
from .world import World

PAGE = 50
"""The most that a page of layers or of their versions holds, and the most to ask for."""
_MOST_RUNTIMES, _MOST_ARCHITECTURES = 15, 2
_LONGEST = (("Description", "description", 256), ("LicenseInfo", "licenseInfo", 512))


def publish_layer_version(request: ApiRequest, world: World) -> Mapping[str, object]:
    """PublishLayerVersion: a new version whatever its content; its number was never used.

    https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
    Raises Refusal: 413 for a package over 50 MB in the request; InvalidParameterValueException or
    ValidationException for what Lambda does not take; CodeStorageExceededException.
    """
    with world.lock:
        check_request_size(request)
        name, params = _own(request), request.params
        for field, place, most in _LONGEST:
            if len(params.get(field) or "") > most:
                rule = f"Member must have length less than or equal to {most}"
                raise constraint(params[field], place, rule)
        _check_listed(params, "CompatibleRuntimes", _MOST_RUNTIMES, known())
        _check_listed(params, "CompatibleArchitectures", _MOST_ARCHITECTURES, ARCHITECTURES)
        package = read_package(params.get("Content") or {}, request, world)
        check_unzipped(package, ())
        check_code_storage(len(package), request, world)
        described = {field: params[field] for field in _DESCRIBING if params.get(field)}
        spec = {**described, "LayerName": name, "Content": {"ZipFile": ""}}
        layer = LayerVersion(spec, request.account, request.region)
        put_package(layer, package)
        layer.created_date = timestamp(world)
        # A layer keeps its count when versions of it are deleted.
        backend_of(request)._layers.put_layer_version(layer)  # noqa: SLF001 - moto publishes what it has unpacked itself
        return content_row(layer, request, world)


_DESCRIBING = ("Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures")


def list_layers(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """ListLayers of the account and region, each with its newest version, 50 a page.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html
    A layer whose versions are all deleted is gone. That the newest is the newest of those that
    are compatible, and that the order is by name, is believed.
    """
    _check_filters(request)
    names = list(backend_of(request)._layers._layers)  # noqa: SLF001 - moto's listing makes a row of each
    found = [(name, versions[0]) for name in names if (versions := _versions(name, request))]
    layers, marker = lambda_page(request, found, lambda pair: (pair[0],), PAGE, bound=PAGE)
    rows = [
        {
            "LayerName": name,
            "LayerArn": layer.arn.rpartition(":")[0],
            "LatestMatchingVersion": version_row(layer),
        }
        for name, layer in layers
    ]
    return {"Layers": rows, "NextMarker": marker}


def list_layer_versions(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """ListLayerVersions, newest first, 50 a page; none for a layer that is not there (believed).

    https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html
    Another account's can't be listed: its owner can share lambda:GetLayerVersion alone
    (https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html).
    """
    name = _own(request)
    _check_filters(request)
    found = _versions(name, request)
    layers, marker = lambda_page(request, found, lambda one: (-one.version,), PAGE, bound=PAGE)
    return {"LayerVersions": [version_row(layer) for layer in layers], "NextMarker": marker}


def _own(request: ApiRequest) -> str:
    """The name of the caller's own layer that was named; raises Refusal for another's."""
    text = request.params["LayerName"]
    owner, region, name = named(text, request)
    if (owner, region) != (request.account, request.region):
        raise not_shared(text, request)
    return name


def _versions(name: str, request: ApiRequest) -> list[MotoCode]:
    """The layer's versions that are compatible with what was asked for, newest first."""
    runtime = request.params.get("CompatibleRuntime")
    architecture = request.params.get("CompatibleArchitecture")
    found = [
        layer
        for layer in backend_of(request).list_layer_versions(name)
        if (runtime is None or runtime in layer.compatible_runtimes)
        and (architecture is None or architecture in layer.compatible_architectures)
    ]
    return sorted(found, key=lambda layer: -int(layer.version))


def _check_filters(request: ApiRequest) -> None:
    for field, place, allowed in (
        ("CompatibleRuntime", "compatibleRuntime", known()),
        ("CompatibleArchitecture", "compatibleArchitecture", ARCHITECTURES),
    ):
        value = request.params.get(field)
        if value is not None and value not in allowed:
            rule = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
            raise constraint(value, place, rule)


def _check_listed(params: Mapping[str, Any], field: str, most: int, allowed: Sequence[str]) -> None:
    asked = params.get(field) or []
    place, said = field[0].lower() + field[1:], f"[{', '.join(asked)}]"
    if len(asked) > most:
        rule = f"Member must have length less than or equal to {most}"
        raise constraint(said, place, rule)
    if not set(asked) <= set(allowed):
        enum = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        raise constraint(said, place, f"Member must satisfy constraint: [{enum}]")
