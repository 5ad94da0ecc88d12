"""One invocation in an execution environment, and what came of it."""

from __future__ import annotations

import http.client
import re
import select
import time
import uuid
from dataclasses import dataclass, replace

from . import failures
from .environment import Environment
from .runtime import is_custom

_PATH = "/2015-03-31/functions/function/invocations"
_OK = 200
_LOOK_SECONDS = 0.05
_ANSWER_SECONDS = 10
"""How long an answer that has begun may take, and the log that goes with it."""
_LOG_SECONDS = 2.0
_NO_REASON = "Runtime exited without providing a reason"
_EMULATOR_TIMED_OUT = re.compile(rb"Task timed out after \d+\.\d\d seconds")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Lambda would answer."""

    payload: bytes
    failed: bool
    """Whether payload is an error; FunctionError is then `Unhandled`."""
    log: bytes
    """The last 4 KB."""
    spent: bool
    """Whether the environment must not be used again."""
    milliseconds: float = 0.0
    """How long it took, without init and, as near as it shows here, without anything around it."""


def invoke(environment: Environment, event: bytes) -> Answer:
    """Put one event to the function, and wait no longer than its timeout.

    Init, before the first event, has ten seconds of its own.
    """
    began = time.monotonic()
    answer = _answered(environment, event)
    ended, started = time.monotonic(), environment.said.started
    since = began if started is None else max(began, started)
    return replace(answer, milliseconds=(ended - since) * 1000)


def _answered(environment: Environment, event: bytes) -> Answer:
    said, request_id = environment.said, str(uuid.uuid4())
    if refused := environment.cannot_start:
        payload = failures.failure(refused.kind, refused.sentence, request_id)
        return Answer(payload, failed=True, log=b"", spent=True)
    said.begin()
    try:
        connection = environment.connect()
        try:
            return _exchange(environment, connection, event, request_id)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        # The walls are down: what was behind them has taken the emulator, or the door, with it.
        return _last(environment, failures.failure(failures.EXIT_ERROR, _NO_REASON, request_id))


def _exchange(
    environment: Environment, connection: http.client.HTTPConnection, event: bytes, request_id: str
) -> Answer:
    said, serving = environment.said, environment.serving
    began = time.monotonic()
    headers = {
        "Content-Type": "application/json",
        "Fleet-Request-Id": request_id,
        "Fleet-Deadline-Ms": str(int((time.time() + serving.timeout) * 1000)),
        "Fleet-Function-Arn": serving.arn,
    }
    connection.request("POST", _PATH, event, headers)
    if not _begins(environment, connection, began):
        name = said.request_id() or request_id
        return _last(environment, failures.timed_out(serving.timeout, name))
    connection.sock.settimeout(_ANSWER_SECONDS)
    response = connection.getresponse()
    payload = response.read()
    if is_custom(serving.runtime):
        said.wait_for_end_of_invocation(_LOG_SECONDS)
        return _of_the_emulator(environment, response.status, payload, request_id)
    if response.getheader("Fleet-Spent") is not None:
        return _last(environment, payload)
    failed = response.getheader("X-Amz-Function-Error") is not None
    return Answer(payload, failed=failed, log=said.tail(_LOG_SECONDS), spent=False)


def _begins(environment: Environment, connection: http.client.HTTPConnection, began: float) -> bool:
    """Wait until an answer begins; False if it has not in time.

    Believed: Lambda's clock for the first invocation starts when init is over.
    """
    timeout = environment.serving.timeout
    while True:
        started = environment.said.started
        since = began + environment.init_seconds if started is None else max(began, started)
        left = since + timeout - time.monotonic()
        if left <= 0:
            return False
        # Init may end, and the time that is left with it become less.
        wait = left if started is not None else min(left, _LOOK_SECONDS)
        if select.select([connection.sock], [], [], wait)[0]:
            return True


def _of_the_emulator(
    environment: Environment, status: int, payload: bytes, request_id: str
) -> Answer:
    """Tell from its log what the emulator's own answer leaves out."""
    said = environment.said
    if said.answered:
        failed = said.answered == "error"
        return Answer(payload, failed=failed, log=said.tail(_LOG_SECONDS), spent=False)
    name = said.request_id() or request_id
    if status == _OK and _EMULATOR_TIMED_OUT.fullmatch(payload):
        return _last(environment, failures.timed_out(environment.serving.timeout, name))
    error = said.error or said.start.error or _NO_REASON
    return _last(environment, failures.failure(said.fatal or failures.EXIT_ERROR, error, name))


def _last(environment: Environment, payload: bytes) -> Answer:
    """End the environment, as Lambda does after such an error, so that all it said is there."""
    environment.end()
    return Answer(payload, failed=True, log=environment.said.tail(0), spent=True)
