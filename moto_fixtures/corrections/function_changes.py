"""How a function looks to those who ask, and when it may be changed."""

from __future__ import annotations

import copy
from typing import Any

from .answers import Refusal
from .function_state import FunctionState, Update, new_revision
from .functions import user_error
from .untyped import MotoFunction
from .world import World

_CREATING = ("The function is being created.", "Creating")
_IDLE = ("The function is inactive.", "Idle")  # the words are believed


def state_of(function: MotoFunction, world: World) -> FunctionState:
    """What moto does not keep of $LATEST or a version, as of now."""
    with world.lock:
        state = world.functions.setdefault(function, FunctionState())
        state.settle(world.clock())
        return state


def configuration(function: MotoFunction, world: World) -> dict[str, Any]:
    """The FunctionConfiguration of $LATEST or a version.

    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    A version that is Pending has no LastUpdateStatus (believed).
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


def begin_update(latest: MotoFunction, world: World) -> FunctionState:
    """Begin an update of $LATEST: what it is now serves until the update is Successful.

    Call it after every check and before the first change.
    """
    state, until = state_of(latest, world), world.settled_at()
    if until is not None:
        state.update = Update(copy.copy(latest), until)
    state.revision = new_revision()
    latest.last_modified = timestamp(world)
    return state


def timestamp(world: World) -> str:
    """The emulator's time as Lambda writes LastModified."""
    return f"{world.now():%Y-%m-%dT%H:%M:%S}.000+0000"
