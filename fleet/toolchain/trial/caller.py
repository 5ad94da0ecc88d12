"""Calls the emulator from within the sandbox's network: a program of its own, stdlib only.

usage: python caller.py hold|send SECONDS EMULATOR_PORT RUNTIME_API_PORT    (event on stdin)

The emulator starts a function when it is first invoked. `send` invokes it with the event and
prints the answer. `hold` invokes it too, but registers an extension first, which never asks for
its next event: init ends when the runtime and every extension have asked, so that the function
can ask for an invocation and is given none.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time

HOLD = "hold"
SEND = "send"
MAX_ANSWER = 1 << 20
_PAUSE = 0.005
_OK = 200


def main(how: str, seconds: str, emulator: str, runtime_api: str) -> int:
    """Call, and give an exit status; 1 with a sentence on stderr if no call could be made."""
    deadline = time.monotonic() + float(seconds)
    event = sys.stdin.buffer.read()
    for port in (runtime_api, emulator):
        if not _listens(int(port), deadline):
            sys.stderr.write("the emulator did not come up\n")
            return 1
    if how == HOLD:
        status, _ = _post(
            int(runtime_api),
            "/2020-01-01/extension/register",
            b'{"events":[]}',
            deadline,
            {"Lambda-Extension-Name": "fleet-hold"},
        )
        if status != _OK:
            sys.stderr.write("the emulator refused to hold the event back\n")
            return 1
    _, answer = _post(
        int(emulator), "/2015-03-31/functions/function/invocations", event, deadline, {}
    )
    sys.stdout.buffer.write(answer)
    return 0


def _listens(port: int, deadline: float) -> bool:
    parent = os.getppid()
    # Another parent: fleet was killed, and the emulator with it.
    while time.monotonic() < deadline and os.getppid() == parent:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def _post(
    port: int, path: str, body: bytes, deadline: float, headers: dict[str, str]
) -> tuple[int, bytes]:
    left = max(_PAUSE, deadline - time.monotonic())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=left)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read(MAX_ANSWER)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (OSError, http.client.HTTPException) as error:
        # The emulator is ended as soon as enough is known: that is the usual end of a call.
        sys.stderr.write(f"{type(error).__name__}\n")
        sys.exit(1)
