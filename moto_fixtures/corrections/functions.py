"""Finding a Lambda function by any of the names AWS accepts, in moto's backend."""

from __future__ import annotations

import re
from typing import Any

from moto.awslambda.utils import get_backend

from .answers import Refusal
from .request import ApiRequest
from .untyped import MotoAlias, MotoBackend, MotoFunction

LATEST = "$LATEST"

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


def version_of(latest: MotoFunction, number: str) -> MotoFunction:
    """$LATEST or a published version; raises Refusal, ResourceNotFoundException.

    moto's own lookup also takes the names of aliases, and $LATEST in any case.
    """
    if number == LATEST:
        return latest
    entry = get_backend(latest.account_id, latest.region)._lambdas._functions  # noqa: SLF001 - see above
    versions = entry[latest.function_name]["versions"]
    found = next((one for one in versions if str(one.version) == number), None)
    if found is None:
        raise missing(f"{latest.function_arn}:{number}")
    return found


def aliases_of(latest: MotoFunction) -> dict[str, MotoAlias]:
    """Name → alias of the function."""
    backend = get_backend(latest.account_id, latest.region)
    return {alias.name: alias for alias in backend.list_aliases(latest.function_name)}


def qualifier_of(request: ApiRequest) -> str | None:
    """The version or alias asked for, in the name or beside it."""
    _, in_name = split_name(request.params.get("FunctionName", ""))
    return in_name or request.params.get("Qualifier")


def not_found(request: ApiRequest, name: str, qualifier: str | None = None) -> Refusal:
    """The 404 for a function, version or alias that does not exist."""
    partition = request.identity.arn.split(":")[1]
    stem = f"arn:{partition}:lambda:{request.region}:{request.account}:function:{name}"
    return missing(f"{stem}:{qualifier}" if qualifier else stem)


def missing(arn: str) -> Refusal:
    """The 404 for the function, version or alias that would have this ARN."""
    return user_error("ResourceNotFoundException", f"Function not found: {arn}", 404)


def user_error(code: str, message: str, status: int = 400) -> Refusal:
    """A refusal as Lambda words it: with the Type that says whose mistake it was."""
    return Refusal(code, message, status, {"Type": "User"})


def invalid(message: str) -> Refusal:
    """The 400 for parameters that Lambda does not accept."""
    return user_error("InvalidParameterValueException", message)


def constraint(value: object, place: str, rule: str) -> Refusal:
    """The 400 for a parameter that breaks the API's own model, as `place` of the request."""
    said = f"Value '{value}' at '{place}' failed to satisfy constraint: {rule}"
    return Refusal("ValidationException", f"1 validation error detected: {said}")


def unqualified(request: ApiRequest) -> MotoFunction:
    """$LATEST of the function that an operation on functions only was given.

    Raises Refusal: 404 for an unknown function, InvalidParameterValueException for a version or
    an alias (believed to hold for every operation that changes a function).
    """
    latest, qualifier = latest_of(request), qualifier_of(request)
    if qualifier not in {None, LATEST}:
        raise invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not "
            "support this operation. Please specify either a function name or an unqualified "
            "function ARN."
        )
    return latest
