"""Layers and functions, their versions and aliases, straight into moto's backends.

What is stored looks as if CreateFunction, PublishVersion, the updates and CreateAlias had been
called in order; a test holds it against a function that really was created over the API.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from moto.awslambda.utils import get_backend
from moto.iam.models import iam_backends

from moto_fixtures.definition import Account
from moto_fixtures.function import Function, State, layer_of
from moto_fixtures.packages import Package

PARTITION = "aws"
ROLE = "functions"
"""The execution role of every function."""

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def role_arn(account: str) -> str:
    """Give the ARN of the functions' execution role in an account."""
    return f"arn:{PARTITION}:iam::{account}:role/{ROLE}"


def create_role(account: str) -> None:
    """Create the functions' execution role, which moto wants to see."""
    iam_backends[account][PARTITION].create_role(
        role_name=ROLE,
        assume_role_policy_document=json.dumps(_TRUST),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )


def add_layers(account: Account, packages: Mapping[str, Package]) -> None:
    """Publish the account's layers, each version in its order."""
    for layer in account.layers:
        for region in layer.regions:
            for name in layer.packages:
                backend = get_backend(account.id, region)
                spec = {"LayerName": layer.name, "Content": {"ZipFile": ""}}
                store_package(backend.publish_layer_version(spec), packages[name])


def add_functions(account: Account, packages: Mapping[str, Package]) -> None:
    """Create the account's functions with their versions, aliases and tags."""
    create_role(account.id)
    for function in account.functions:
        _add(account.id, function, packages)


def stamp(day: date) -> str:
    """Give a day as AWS writes LastModified."""
    return f"{day.isoformat()}T09:30:00.000+0000"


def _add(account: str, function: Function, packages: Mapping[str, Package]) -> None:
    backend = get_backend(account, function.region)
    states = (*function.published, function.latest)
    stored = backend.create_function(_request(account, function, states[0]))
    _apply(stored, account, function.region, states[0], packages)
    for state, following in zip(function.published, states[1:], strict=True):
        backend.publish_version(function.name).last_modified = stamp(state.modified)
        if following != state:
            _apply(stored, account, function.region, following, packages)
            # moto mints a new version on publish exactly where it sees this.
            stored.code_or_config_updated = True
    for name, alias in function.aliases.items():
        routing = {str(version): share for version, share in alias.weights.items()}
        backend.create_alias(
            name=name,
            function_name=function.name,
            function_version=str(alias.version),
            description="",
            routing_config={"AdditionalVersionWeights": routing} if routing else None,
        )


def _request(account: str, function: Function, state: State) -> dict[str, Any]:
    request: dict[str, Any] = {
        "FunctionName": function.name,
        "Role": role_arn(account),
        "Description": function.description,
        "Architectures": [state.architecture],
        "Tags": dict(function.tags),
    }
    if state.image is not None:
        uri = f"{account}.dkr.ecr.{function.region}.amazonaws.com/{state.image}"
        return request | {"PackageType": "Image", "Code": {"ImageUri": uri}}
    return request | {"PackageType": "Zip", "Code": {"ZipFile": ""}}


def _apply(
    stored: Any,  # noqa: ANN401 - moto's function has no types
    account: str,
    region: str,
    state: State,
    packages: Mapping[str, Package],
) -> None:
    stored.run_time = state.runtime
    stored.handler = state.handler
    stored.memory_size = state.memory
    stored.timeout = state.timeout
    stored.environment_vars = dict(state.environment)
    stored.layers = [_layer(account, region, layer) for layer in state.layers]
    stored.last_modified = stamp(state.modified)
    if state.package is not None:
        store_package(stored, packages[state.package])
        # A new mapping, because published versions share the old one.
        identity = str(uuid.uuid4())
        stored.code = {"UUID": identity, "S3Key": f"{stored.function_name}-{identity}"}


def store_package(stored: Any, package: Package) -> None:  # noqa: ANN401 - moto's values have no types
    """Give a function or layer version of moto's this package as its code.

    The bytes are shared by all that hold the package, instead of decoded anew for each.
    """
    stored.code_bytes = package.content
    stored.code_size = package.size
    stored.code_sha_256 = package.sha256


def _layer(account: str, region: str, layer: str) -> dict[str, Any]:
    owner, name, version = layer_of(layer, account)
    found = get_backend(owner, region).get_layer_version(name, version)
    return {"Arn": found.arn, "CodeSize": found.code_size}
