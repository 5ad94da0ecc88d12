"""Invoke: the package really runs.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from types import MappingProxyType

import orjson

from fleet.errors import FleetError
from fleet.toolchain.trial.problems import PackageUnusable
from moto_fixtures.corrections.answers import Refusal
from moto_fixtures.corrections.functions import latest_of, qualifier_of
from moto_fixtures.corrections.metric_store import Calls
from moto_fixtures.corrections.request import ApiRequest
from moto_fixtures.corrections.serving import serving
from moto_fixtures.corrections.world import World

from .choice import chosen
from .pool import ENVIRONMENTS
from .runtime import GO, is_custom

MAX_EVENT = 6_291_456
"""Bytes; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

_MAX_ASYNCHRONOUS_EVENT = 1 << 20
_ACCEPTED = 202
_NO_CONTENT = 204
_USER: Mapping[str, object] = MappingProxyType({"Type": "User"})


def invoke(request: ApiRequest, world: World) -> Mapping[str, object]:
    """Invoke, of a function name or ARN with an optional version or alias.

    An Event is run as well, once, before it is answered. What comes of a call that ran, or was
    throttled, is told to CloudWatch. Raises Refusal: what serving() raises,
    ResourceNotFoundException, RequestTooLargeException, InvalidRequestContentException,
    InvalidZipFileException, and EmulatorFailure where the package can't be run here.
    """
    latest = latest_of(request)
    kind = request.params.get("InvocationType") or "RequestResponse"
    event = _event(request, kind)
    version = chosen(request, latest, world)
    calls = Calls(qualifier=qualifier_of(request), version=version)
    tell = partial(
        world.metrics.add_calls, request.account, request.region, latest.function_name, world.now()
    )
    try:
        serves = serving(latest, version, world)
    except Refusal as refused:
        if refused.status == HTTPStatus.TOO_MANY_REQUESTS and kind != "DryRun":
            tell(replace(calls, throttles=1))
        raise
    if serves.runtime != GO and not is_custom(serves.runtime):
        what = f"the runtime is {serves.runtime}" if serves.runtime else "it is an image"
        raise _not_run(f"{serves.name} can't be run here: {what}")
    if kind == "DryRun":
        return {"StatusCode": _NO_CONTENT, "Payload": b""}
    try:
        answer = ENVIRONMENTS.invoke(serves, event)
    except PackageUnusable as error:
        raise Refusal("InvalidZipFileException", str(error), 502, _USER) from None
    except (FleetError, OSError) as error:
        raise _not_run(f"the package of {serves.name} can't be run here: {error}") from None
    failed = int(answer.failed)
    tell(replace(calls, invocations=1, errors=failed, duration_ms=answer.milliseconds))
    if kind == "Event":
        return {"StatusCode": _ACCEPTED, "Payload": b""}
    result: dict[str, object] = {
        "StatusCode": 200,
        "ExecutedVersion": serves.version,
        "Payload": answer.payload,
    }
    if answer.failed:
        result["FunctionError"] = "Unhandled"
    if request.params.get("LogType") == "Tail":
        result["LogResult"] = base64.b64encode(answer.log).decode()
    return result


def _event(request: ApiRequest, kind: str) -> bytes:
    payload = request.params.get("Payload") or b"{}"
    event = payload if isinstance(payload, bytes) else str(payload).encode()
    most = _MAX_ASYNCHRONOUS_EVENT if kind == "Event" else MAX_EVENT
    if len(event) > most:
        said = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
        raise Refusal("RequestTooLargeException", said, 413, _USER)
    try:
        orjson.loads(event)
    except orjson.JSONDecodeError as error:
        said = f"Could not parse request body into json: {error}"
        raise Refusal("InvalidRequestContentException", said, 400, _USER) from None
    return event


def _not_run(sentence: str) -> Refusal:
    # Not in AWS's words: nothing may pass for an answer that AWS would not give.
    return Refusal("EmulatorFailure", sentence)
