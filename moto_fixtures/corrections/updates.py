"""UpdateFunctionConfiguration and UpdateFunctionCode: checked, then InProgress for a while.

moto checks nothing, ignores Architectures and RevisionId, and is done at once.
That a wrong RevisionId is refused before an update under way is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .account_settings import check_code_storage
from .creating import keep_source
from .function_changes import (
    begin_update,
    check_revision,
    check_settled,
    configuration,
    state_of,
)
from .function_layers import checked_layers, layer_bytes, put_layers
from .function_packages import (
    check_request_size,
    check_unzipped,
    put_package,
    read_package,
    sha256_of,
)
from .function_settings import apply_settings, architectures_of, check_settings
from .functions import invalid, unqualified
from .request import ApiRequest
from .runtimes import no_longer_supported
from .signing import check_signature
from .untyped import MotoFunction
from .versions import mint
from .world import World


def update_function_configuration(request: ApiRequest, world: World) -> Mapping[str, object]:
    """UpdateFunctionConfiguration: what it names changes, all at once, when it is Successful.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    Raises Refusal: 412 for another RevisionId, 409 while an update goes on, 400 for what Lambda
    does not take. Settings of a function whose runtime is blocked can still be changed; naming
    that runtime is refused.
    """
    with world.lock:
        latest, params = unqualified(request), request.params
        state = state_of(latest, world)
        check_settings(params)
        if latest.package_type == "Image" and any(
            params.get(name) for name in ("Runtime", "Handler", "Layers")
        ):
            raise invalid(
                "Please don't provide Handler or Runtime or Layer when the intended function "
                "PackageType is Image."
            )
        runtime = params.get("Runtime")
        if not world.seeding and runtime in world.blocked.updating:
            raise no_longer_supported(runtime)
        if runtime not in {None, latest.run_time}:
            _check_not_manual("runtime", latest, world)
        layers = None
        if params.get("Layers") is not None:
            layers = checked_layers(params["Layers"], request, world)
            check_unzipped(latest.code_bytes, [layer.code_bytes for layer in layers])
        check_revision(params.get("RevisionId"), state.revision)
        check_settled(latest, world)
        begin_update(latest, world)
        apply_settings(latest, params)
        if layers is not None:
            put_layers(latest, layers)
        if params.get("DeadLetterConfig") is not None:
            state.dead_letter = params["DeadLetterConfig"].get("TargetArn") or ""
        return configuration(latest, world)


def update_function_code(request: ApiRequest, world: World) -> Mapping[str, object]:
    """UpdateFunctionCode: package and architecture change when it is Successful.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    Left out, Architectures is x86_64, whatever the function had. DryRun checks everything,
    changes nothing, and answers with the CodeSha256 and the architecture that would be (believed).
    Raises Refusal as UpdateFunctionConfiguration does, for a function whose runtime is blocked,
    and for a package that is too big, is no zip, is not there or not signed as it must be.
    """
    with world.lock:
        check_request_size(request)
        latest, params = unqualified(request), request.params
        state = state_of(latest, world)
        if not world.seeding and latest.run_time in world.blocked.updating:
            raise no_longer_supported(latest.run_time)
        architectures = architectures_of(params)
        if architectures != latest.architectures:
            _check_not_manual("architecture", latest, world)
        package = _package(latest, request, world)
        check_revision(params.get("RevisionId"), state.revision)
        check_settled(latest, world)
        if params.get("DryRun"):
            return configuration(latest, world) | {
                "Architectures": architectures,
                "CodeSha256": sha256_of(package) if package else latest.code_sha_256,
                "CodeSize": len(package) if package else latest.code_size,
            }
        begin_update(latest, world)
        latest.architectures = architectures
        if package is None:
            latest.code = {"ImageUri": params["ImageUri"]}
            latest._set_function_code(dict(params))  # noqa: SLF001 - moto reads images nowhere else
        else:
            put_package(latest, package)
            keep_source(state, params)
        if params.get("Publish"):
            return configuration(mint(latest, None, request, world), world)
        return configuration(latest, world)


def _package(latest: MotoFunction, request: ApiRequest, world: World) -> bytes | None:
    """The package to be deployed, checked; None for an image."""
    params: Mapping[str, Any] = request.params
    if latest.package_type == "Image":
        if not params.get("ImageUri"):
            raise invalid(
                "Please provide ImageUri when updating a function with packageType Image."
            )
        return None
    if params.get("ImageUri"):
        raise invalid(
            "Please don't provide ImageUri when updating a function with packageType Zip."
        )
    package = read_package(params, request, world)
    check_unzipped(package, layer_bytes(latest, world))
    check_signature(package, latest.code_signing_config_arn, world)
    check_code_storage(len(package) - latest.code_size, request, world)
    return package


def _check_not_manual(what: str, latest: MotoFunction, world: World) -> None:
    """Raise Refusal where the runtime management mode is Manual; its words are believed.

    https://docs.aws.amazon.com/lambda/latest/dg/runtime-management-configure-settings.html
    """
    if state_of(latest, world).runtime_update == "Manual":
        raise invalid(
            f"The function's {what} can't be changed while its runtime update mode is Manual."
        )
