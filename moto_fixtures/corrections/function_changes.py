"""How a function looks to those who ask, and when it may be changed."""

from __future__ import annotations

import copy
from typing import Any

from .answers import Refusal
from .function_state import FunctionState, Update, new_revision
from .functions import user_error
from .untyped import MotoFunction
from .world import Place, World

_CREATING = ("The function is being created.", "Creating")
_IDLE = ("The function is inactive.", "Idle")  # the words are believed
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html names no words.
_HIDDEN = {
    "ErrorCode": "AccessDeniedException",
    "Message": (
        "Lambda was unable to decrypt your environment variables because the KMS access was "
        "denied. Please check your KMS permissions."
    ),
}
# moto's attributes that an update may change: an update that fails leaves all of it as it was.
_UPDATED = frozenset(
    {
        "_architectures",
        "_vpc_config",
        "code",
        "code_bytes",
        "code_digest",
        "code_sha_256",
        "code_size",
        "description",
        "environment_vars",
        "ephemeral_storage",
        "handler",
        "kms_key_arn",
        "layers",
        "memory_size",
        "role",
        "run_time",
        "timeout",
        "tracing_config",
    }
)


def state_of(function: MotoFunction, world: World) -> FunctionState:
    """What moto does not keep of $LATEST or a version, as of now."""
    with world.lock:
        state = world.functions.setdefault(function, FunctionState())
        failed = state.settle(world.clock())
        if failed is not None:
            before = vars(failed.before)
            for name in _UPDATED & before.keys():
                setattr(function, name, before[name])
        return state


def configuration(function: MotoFunction, world: World) -> dict[str, Any]:
    """The FunctionConfiguration of $LATEST or a version.

    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    A version that is Pending has no LastUpdateStatus (believed), and an environment that its
    caller can't decrypt is hidden wherever it would stand.
    """
    with world.lock:
        state = state_of(function, world)
        row: dict[str, Any] = function.get_configuration()
        row["RevisionId"] = state.revision
        row["State"], row["LastUpdateStatus"] = "Active", "Successful"
        if state.dead_letter:
            row["DeadLetterConfig"] = {"TargetArn": state.dead_letter}
        if state.pending_until is not None:
            row["State"] = "Pending"
            row["StateReason"], row["StateReasonCode"] = _CREATING
            del row["LastUpdateStatus"]
        elif state.idle:
            row["State"] = "Inactive"
            row["StateReason"], row["StateReasonCode"] = _IDLE
        if state.update is not None:
            row["LastUpdateStatus"] = "InProgress"
            row["LastUpdateStatusReason"], row["LastUpdateStatusReasonCode"] = _CREATING
        elif state.failure is not None:
            row["LastUpdateStatus"] = "Failed"
            row["LastUpdateStatusReason"] = state.failure.reason
            row["LastUpdateStatusReasonCode"] = state.failure.code
        if "Environment" in row and _place(function) in world.hidden:
            row["Environment"] = {"Error": _HIDDEN}
        return {field: value for field, value in row.items() if value is not None}


def check_revision(expected: str | None, actual: str) -> None:
    """Raise Refusal, PreconditionFailedException (412), for a RevisionId that is not the latest."""
    if expected is not None and expected != actual:
        raise user_error(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id",
            412,
        )


def check_settled(latest: MotoFunction, world: World) -> None:
    """Raise Refusal, ResourceConflictException (409), while a creation or update goes on.

    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    That an Inactive function can be updated is believed.
    """
    state = state_of(latest, world)
    if state.pending_until is not None:
        raise conflict("The function is currently in the following state: Pending")
    if state.update is not None:
        raise conflict(f"An update is in progress for resource: {latest.function_arn}")


def conflict(reason: str) -> Refusal:
    """The 409 for an operation that cannot be performed at this time."""
    said = f"The operation cannot be performed at this time. {reason}"
    return user_error("ResourceConflictException", said, 409)


def begin_update(latest: MotoFunction, world: World) -> None:
    """Begin an update of $LATEST: what it is now serves until the update is Successful.

    One that shall fail is given up then: what was before serves on, and is what is shown (the
    latter is believed). https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    Call it after every check and before the first change.
    """
    state, until = state_of(latest, world), world.settled_at()
    failure = None if world.seeding else world.failing.get(_place(latest))
    if failure is not None and until is None:
        until = world.clock()
    if until is not None:
        state.update = Update(copy.copy(latest), until, copy.copy(state), failure)
    state.failure = None
    state.revision = new_revision()
    latest.last_modified = timestamp(world)


def _place(function: MotoFunction) -> Place:
    return function.account_id, function.region, function.function_name


def timestamp(world: World) -> str:
    """The emulator's time as Lambda writes LastModified."""
    return f"{world.now():%Y-%m-%dT%H:%M:%S}.000+0000"
