"""What a function's configuration may say: its runtime, handler, environment, architecture.

The rules are those of https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html; moto has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .functions import constraint, invalid
from .runtimes import check_known
from .untyped import MotoFunction

X86_64 = "x86_64"
ARCHITECTURES = (X86_64, "arm64")
_LONGEST_HANDLER = 128
_LARGEST_ENVIRONMENT = 4096
_BOUNDS = (("MemorySize", "memorySize", 128, 32_768), ("Timeout", "timeout", 1, 5_400))
_KEY = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""

# Parameter → moto's attribute, where nothing has to be translated.
_PLAIN = {
    "Description": "description",
    "Handler": "handler",
    "KMSKeyArn": "kms_key_arn",
    "MemorySize": "memory_size",
    "Role": "role",
    "Runtime": "run_time",
    "Timeout": "timeout",
    "TracingConfig": "tracing_config",
    "VpcConfig": "_vpc_config",
}


def check_settings(params: Mapping[str, Any]) -> None:
    """Raise Refusal for a setting that Lambda would not take."""
    if params.get("Runtime") is not None:
        check_known(params["Runtime"])
    _check_handler(params.get("Handler"))
    for name, place, least, most in _BOUNDS:
        value = params.get(name)
        if value is not None and not least <= value <= most:
            bound, word = (least, "greater") if value < least else (most, "less")
            rule = f"Member must have value {word} than or equal to {bound}"
            raise constraint(value, place, rule)
    check_environment((params.get("Environment") or {}).get("Variables") or {})


def _check_handler(handler: str | None) -> None:
    if handler is None:
        return
    if len(handler) > _LONGEST_HANDLER:
        rule = f"Member must have length less than or equal to {_LONGEST_HANDLER}"
        raise constraint(handler, "handler", rule)
    if not re.fullmatch(r"[^\s]+", handler):
        rule = r"Member must satisfy regular expression pattern: [^\s]+"
        raise constraint(handler, "handler", rule)


def check_environment(variables: Mapping[str, str]) -> None:
    """Raise Refusal for a key that is malformed or reserved, and for more than 4 KB.

    That ValidationException is the code for a malformed key is believed.
    """
    # The value is left out of the message, since it is a sensitive field of the model.
    if not all(_KEY.fullmatch(key) for key in variables):
        rule = (
            "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
            "[a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]"
        )
        raise constraint("***", "environment.variables", rule)
    reserved = sorted(_RESERVED & variables.keys())
    unable = (
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided "
    )
    if reserved:
        raise invalid(
            f"{unable}contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    text = json.dumps(dict(variables), separators=(",", ":"))
    if len(text.encode()) > _LARGEST_ENVIRONMENT:
        raise invalid(f"{unable}exceeded the 4KB limit. String measured: {text}")


def architectures_of(params: Mapping[str, Any]) -> list[str]:
    """The architecture asked for, x86_64 where none is.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    """
    asked: Sequence[str] = params.get("Architectures") or (X86_64,)
    if len(asked) != 1 or asked[0] not in ARCHITECTURES:
        raise constraint(
            f"[{', '.join(asked)}]",
            "architectures",
            "Member must satisfy constraint: [Member must satisfy enum value set: "
            f"[{', '.join(ARCHITECTURES)}], Member must not be null]",
        )
    return list(asked)


def apply_settings(function: MotoFunction, params: Mapping[str, Any]) -> None:
    """Give the function the settings that are named; what is not named stays."""
    for name, attribute in _PLAIN.items():
        if params.get(name) is not None:
            setattr(function, attribute, params[name])
    if params.get("Environment") is not None:
        function.environment_vars = dict(params["Environment"].get("Variables") or {})
    if params.get("EphemeralStorage") is not None:
        function.ephemeral_storage = params["EphemeralStorage"]["Size"]
