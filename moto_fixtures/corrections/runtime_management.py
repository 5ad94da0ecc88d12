"""When a function gets the next version of its runtime.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
"""

from __future__ import annotations

from collections.abc import Mapping

from .function_changes import check_settled, state_of
from .functions import LATEST, aliases_of, constraint, invalid, latest_of, qualifier_of, version_of
from .request import ApiRequest
from .untyped import MotoFunction
from .world import World

_MODES = ("Auto", "FunctionUpdate", "Manual")


def put_runtime_management_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """PutRuntimeManagementConfig, of $LATEST or a version; Manual names the runtime's version.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html
    Raises Refusal for another mode, for a RuntimeVersionArn that is missing or too much (its
    words are believed), 409 while an update goes on.
    """
    with world.lock:
        function, params = _asked(request), request.params
        mode, arn = params.get("UpdateRuntimeOn"), params.get("RuntimeVersionArn")
        if mode not in _MODES:
            rule = f"Member must satisfy enum value set: [{', '.join(_MODES)}]"
            raise constraint(mode, "updateRuntimeOn", rule)
        if (mode == "Manual") != (arn is not None):
            raise invalid("RuntimeVersionArn is required for Manual, and for no other mode.")
        check_settled(function, world)
        state = state_of(function, world)
        state.runtime_update, state.runtime_version = mode, arn
        return _row(function, world)


def get_runtime_management_config(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetRuntimeManagementConfig.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetRuntimeManagementConfig.html
    """
    return _row(_asked(request), world)


def _asked(request: ApiRequest) -> MotoFunction:
    latest, qualifier = latest_of(request), qualifier_of(request)
    alias = aliases_of(latest).get(qualifier or "")
    return version_of(latest, alias.function_version if alias else qualifier or LATEST)


def _row(function: MotoFunction, world: World) -> dict[str, object]:
    state = state_of(function, world)
    qualifier = f":{LATEST}" if function.version == LATEST else ""
    row: dict[str, object] = {
        "UpdateRuntimeOn": state.runtime_update,
        "FunctionArn": f"{function.function_arn}{qualifier}",
    }
    if state.runtime_version is not None:
        row["RuntimeVersionArn"] = state.runtime_version
    return row
