"""What Lambda answers when a function could not, in its words: pure.

https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
The shape of the payloads is believed: AWS shows them in examples only.
"""

from __future__ import annotations

import orjson

NO_BOOTSTRAP = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"
EXIT_ERROR = "Runtime.ExitError"
PATH_ERROR = "PathError"
"""Of go1.x: Go's own error, without a request id."""


def failure(kind: str, sentence: str, request_id: str) -> bytes:
    """Give the payload of an error that is not the handler's own."""
    if kind == PATH_ERROR:
        return orjson.dumps({"errorMessage": sentence, "errorType": kind})
    said = f"RequestId: {request_id} Error: {sentence}"
    return orjson.dumps({"errorType": kind, "errorMessage": said})


def timed_out(seconds: int, request_id: str) -> bytes:
    """Give the payload of an invocation that took longer than the function's timeout."""
    return failure("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds", request_id)
