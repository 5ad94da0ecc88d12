"""Code signing: which packages a function takes.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html
The signatures themselves are not checked: a package counts as rightly signed when the emulator
was told so. That AWS Signer's mark is a file META-INF/aws_signer_signature* is believed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from .function_changes import timestamp
from .function_lists import lambda_page
from .function_packages import names_in, sha256_of
from .functions import constraint, stored, unqualified, user_error
from .request import ApiRequest
from .untyped import MotoFunction
from .world import World

_SIGNATURE = re.compile(r"META[-_]INF/aws_signer_signature_.*", re.IGNORECASE)
_POLICIES = ("Enforce", "Warn")


def check_signature(package: bytes, config: str | None, world: World) -> None:
    """Raise Refusal for a package that a function with this code signing config does not take.

    InvalidCodeSignatureException for a signature that does not hold, whatever the policy;
    CodeVerificationFailedException for none under Enforce.
    """
    if config is None or sha256_of(package) in world.trusted_packages:
        return
    if any(_SIGNATURE.fullmatch(name) for name in names_in(package)):
        raise user_error(
            "InvalidCodeSignatureException",
            "The code signature failed the integrity check. If the integrity check fails, then "
            "Lambda blocks deployment, even if the code signing policy is set to WARN.",
        )
    policies: Any = world.signing_configs[config]["CodeSigningPolicies"]
    if policies["UntrustedArtifactOnDeployment"] == "Enforce":
        raise user_error(
            "CodeVerificationFailedException",
            "The code signature failed one or more of the validation checks for signature "
            "mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the "
            "deployment.",
        )


def check_signing_config(arn: str, world: World) -> None:
    """Raise Refusal, CodeSigningConfigNotFoundException (404), for a config that is not there."""
    if arn not in world.signing_configs:
        raise user_error(
            "CodeSigningConfigNotFoundException",
            "The code signing configuration cannot be found. Check that the provided "
            f"configuration is not deleted: {arn}.",
            404,
        )


def create_code_signing_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """CreateCodeSigningConfig; the policy is Warn where none is given.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateCodeSigningConfig.html
    """
    params = request.params
    asked = (params.get("CodeSigningPolicies") or {}).get("UntrustedArtifactOnDeployment", "Warn")
    if asked not in _POLICIES:
        rule = f"Member must satisfy enum value set: [{', '.join(_POLICIES)}]"
        raise constraint(asked, "codeSigningPolicies.untrustedArtifactOnDeployment", rule)
    identity = f"csc-{uuid4().hex[:17]}"
    partition = request.identity.arn.split(":")[1]
    stem = f"arn:{partition}:lambda:{request.region}:{request.account}"
    arn = f"{stem}:code-signing-config:{identity}"
    world.signing_configs[arn] = {
        "CodeSigningConfigId": identity,
        "CodeSigningConfigArn": arn,
        "Description": params.get("Description", ""),
        "AllowedPublishers": params.get("AllowedPublishers"),
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": asked},
        "LastModified": timestamp(world),
    }
    return {"CodeSigningConfig": world.signing_configs[arn]}


def get_code_signing_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetCodeSigningConfig; 404 for one that is not there.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetCodeSigningConfig.html
    """
    return {"CodeSigningConfig": _found(request, world)}


def _found(request: ApiRequest, world: World) -> Mapping[str, object]:
    arn = request.params["CodeSigningConfigArn"]
    if arn not in world.signing_configs:
        raise user_error(
            "ResourceNotFoundException",
            f"The Lambda code signing configuration {arn} can not be found.",
            404,
        )
    return world.signing_configs[arn]


def list_code_signing_configs(request: ApiRequest, world: World) -> Mapping[str, object]:
    """ListCodeSigningConfigs of the account and region, 50 a page; the order is believed.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListCodeSigningConfigs.html
    """
    place = [request.region, request.account]
    found = [arn for arn in world.signing_configs if arn.split(":")[3:5] == place]
    arns, marker = lambda_page(request, found, lambda arn: (arn,))
    configs = [world.signing_configs[arn] for arn in arns]
    return {"CodeSigningConfigs": configs, "NextMarker": marker}


def list_functions_by_code_signing_config(
    request: ApiRequest, world: World
) -> Mapping[str, object]:
    """ListFunctionsByCodeSigningConfig, 50 a page; 404 for a config that is not there.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionsByCodeSigningConfig.html
    """
    arn = _found(request, world)["CodeSigningConfigArn"]
    latest = (entry["latest"] for entry in stored(request).values())
    found = [
        function.function_arn
        for function in latest
        if function is not None and function.code_signing_config_arn == arn
    ]
    arns, marker = lambda_page(request, found, lambda one: (one,))
    return {"FunctionArns": arns, "NextMarker": marker}


def put_function_code_signing_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """PutFunctionCodeSigningConfig: it holds from the next deployment on.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionCodeSigningConfig.html
    """
    latest, arn = unqualified(request), request.params["CodeSigningConfigArn"]
    check_signing_config(arn, world)
    latest.code_signing_config_arn = arn
    return _row(latest)


def get_function_code_signing_config(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """GetFunctionCodeSigningConfig: the function's name alone where it has none.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html
    """
    return _row(unqualified(request))


def delete_function_code_signing_config(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """DeleteFunctionCodeSigningConfig.

    https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionCodeSigningConfig.html
    """
    unqualified(request).code_signing_config_arn = None
    return {}


def _row(latest: MotoFunction) -> dict[str, object]:
    row = {"FunctionName": latest.function_name}
    if latest.code_signing_config_arn:
        row["CodeSigningConfigArn"] = latest.code_signing_config_arn
    return row
