"""What an invocation runs: during an update still the code and configuration from before it.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
That an update takes effect as a whole, and for every invocation, when it becomes Successful is
believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .answers import Refusal
from .function_changes import conflict, state_of
from .function_layers import layer_bytes
from .functions import user_error, version_of
from .untyped import MotoFunction
from .world import World


@dataclass(frozen=True, slots=True)
class Serving:
    """The function as one invocation sees it."""

    name: str
    arn: str
    """With the version's number, except for $LATEST."""
    version: str
    """$LATEST or a number: what ExecutedVersion says."""
    runtime: str | None
    """None for an image."""
    handler: str | None
    code: bytes
    """The deployment package, a zip; empty for an image."""
    code_sha256: str
    layers: tuple[bytes, ...]
    """Zips, in the order in which they are unpacked into /opt."""
    environment: Mapping[str, str]
    architecture: str
    memory: int
    """MB."""
    timeout: int
    """Seconds."""


def serving(latest: MotoFunction, version: str, world: World) -> Serving:
    """What an invocation of this version, $LATEST or a number, runs now.

    Raises Refusal: 404 for a version that isn't there; 409 while it is Pending;
    ResourceNotReadyException (502) for an Inactive one, which is Pending from then on; 429 where
    its reserved concurrency is 0.
    """
    with world.lock:
        chosen = version_of(latest, version)
        if latest.reserved_concurrency == 0:
            raise Refusal(
                "TooManyRequestsException",
                "Rate Exceeded.",
                429,
                {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User"},
            )
        state = state_of(chosen, world)
        if state.idle:
            state.idle, state.pending_until = False, world.settled_at()
            raise user_error(
                "ResourceNotReadyException",
                "The function is inactive and its VPC connection is no longer available. Wait for "
                "the VPC connection to reestablish and try again.",
                502,
            )
        if state.pending_until is not None:
            raise conflict("The function is currently in the following state: Pending")
        return _serving(chosen if state.update is None else state.update.before, world)


def _serving(function: MotoFunction, world: World) -> Serving:
    return Serving(
        name=function.function_name,
        arn=function.function_arn,
        version=str(function.version),
        runtime=function.run_time,
        handler=function.handler,
        code=getattr(function, "code_bytes", b""),
        code_sha256=function.code_sha_256,
        layers=layer_bytes(function, world),
        environment=dict(function.environment_vars),
        architecture=function.architectures[0],
        memory=function.memory_size,
        timeout=int(function.timeout),
    )
