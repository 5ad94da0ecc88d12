"""CreateFunction: checked, and Pending before it is Active.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
moto takes any runtime, any bytes, any number of layers, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError

from .account_settings import check_code_storage
from .answers import Refusal
from .function_changes import configuration, state_of, timestamp
from .function_layers import checked_layers, put_layers
from .function_packages import check_request_size, check_unzipped, put_package, read_package
from .function_settings import architectures_of, check_settings
from .function_state import FunctionState
from .functions import backend_of, invalid, split_name, stored, user_error
from .request import ApiRequest
from .runtimes import no_longer_supported
from .signing import check_signature, check_signing_config
from .tags import check_tags
from .untyped import MotoFunction
from .versions import mint
from .world import World


def create_function(request: ApiRequest, world: World) -> Mapping[str, object]:
    """CreateFunction: Pending for a while, and with Publish version 1 as well.

    Raises Refusal: 409 for a name in use; 413 for a package over 50 MB in the request;
    InvalidParameterValueException or ValidationException for what Lambda does not take, a runtime
    whose creation is blocked among it.
    """
    with world.lock:
        check_request_size(request)
        params = request.params
        name, _ = split_name(params.get("FunctionName", ""))
        if name in stored(request):
            raise user_error("ResourceConflictException", f"Function already exist: {name}", 409)
        check_settings(params)
        architectures_of(params)
        check_tags(params.get("Tags") or {}, {}, world)
        if params.get("CodeSigningConfigArn"):
            check_signing_config(params["CodeSigningConfigArn"], world)
        if params.get("PackageType") == "Image":
            latest = _create(name, {**params, "Layers": []}, request)
        else:
            latest = _create_zip(name, request, world)
        state = state_of(latest, world)
        state.pending_until = world.settled_at()
        state.dead_letter = (params.get("DeadLetterConfig") or {}).get("TargetArn", "")
        latest.last_modified = timestamp(world)
        answered = mint(latest, None, request, world) if params.get("Publish") else latest
        return configuration(answered, world)


def _create_zip(name: str, request: ApiRequest, world: World) -> MotoFunction:
    params, runtime = request.params, request.params.get("Runtime")
    if not runtime or not params.get("Handler"):
        raise invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    if not world.seeding and runtime in world.blocked.creating:
        raise no_longer_supported(runtime)
    layers = checked_layers(params.get("Layers") or (), request, world)
    code = params.get("Code") or {}
    package = read_package(code, request, world)
    check_unzipped(package, [layer.code_bytes for layer in layers])
    check_signature(package, params.get("CodeSigningConfigArn"), world)
    check_code_storage(len(package), request, world)
    latest = _create(name, {**params, "Layers": [], "Code": {"ZipFile": ""}}, request)
    put_package(latest, package)
    put_layers(latest, layers)
    keep_source(state_of(latest, world), code)
    return latest


def keep_source(state: FunctionState, code: Mapping[str, Any]) -> None:
    """Note where the code came from: SourceKMSKeyArn and REFERENCE hold only if sent again.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    """
    state.source_key = code.get("SourceKMSKeyArn")
    referenced = code.get("S3ObjectStorageMode") == "REFERENCE"
    wanted = ("S3Bucket", "S3Key", "S3ObjectVersion")
    state.referenced = {key: code[key] for key in wanted if code.get(key)} if referenced else None


def _create(name: str, params: Mapping[str, Any], request: ApiRequest) -> MotoFunction:
    spec = {key: value for key, value in params.items() if value is not None and key != "Publish"}
    try:
        return backend_of(request).create_function({**spec, "FunctionName": name})
    except JsonRESTError as error:
        raise Refusal(error.error_type, error.message, error.code, {"Type": "User"}) from None
