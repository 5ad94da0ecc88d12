"""Finding a Lambda function by any of the names AWS accepts, in moto's backend."""

from __future__ import annotations

import re
from typing import Any

from moto.awslambda.utils import get_backend

from .answers import Refusal
from .request import ApiRequest
from .untyped import MotoBackend, MotoFunction

# Name, partial ARN or ARN, each with an optional version or alias, as the FunctionName parameter of
# https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html describes.
_NAME = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:)?(?:[a-z-]+-\d:)?(?:\d{12}:)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_.-]{1,140})(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?"
)


def backend_of(request: ApiRequest) -> MotoBackend:
    """moto's Lambda backend of the caller's account in the request's region."""
    return get_backend(request.account, request.region)


def split_name(text: str) -> tuple[str, str | None]:
    """Function name and qualifier; raises Refusal, ValidationException, for what is neither."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise Refusal(
            "ValidationException",
            f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern of function names",
        )
    return match["name"], match["qualifier"]


def latest_of(request: ApiRequest) -> MotoFunction:
    """The function's $LATEST, by the FunctionName parameter without its qualifier.

    Raises Refusal, ResourceNotFoundException, for a function that does not exist.
    """
    name, _ = split_name(request.params.get("FunctionName", ""))
    found = stored(request).get(name)
    if found is None or found["latest"] is None:
        raise not_found(request, name)
    return found["latest"]


def stored(request: ApiRequest) -> dict[str, Any]:
    """Function name → moto's `latest` and `versions`, of the account and region.

    moto's own listing deep-copies every function, code and all, for each call.
    """
    functions: dict[str, Any] = dict(backend_of(request)._lambdas._functions)  # noqa: SLF001 - see above
    return functions


def qualifier_of(request: ApiRequest) -> str | None:
    """The version or alias asked for, in the name or beside it."""
    _, in_name = split_name(request.params.get("FunctionName", ""))
    return in_name or request.params.get("Qualifier")


def not_found(request: ApiRequest, name: str, qualifier: str | None = None) -> Refusal:
    """The 404 for a function, version or alias that does not exist."""
    partition = request.identity.arn.split(":")[1]
    stem = f"arn:{partition}:lambda:{request.region}:{request.account}:function:{name}"
    arn = f"{stem}:{qualifier}" if qualifier else stem
    return Refusal("ResourceNotFoundException", f"Function not found: {arn}", 404, {"Type": "User"})
