"""The line to a client: who listens to its calls, and what happens when it breaks."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from .request import Call, Environ, Moment

Hook = Callable[[Call, Moment], object]


class LineCut(ConnectionError):
    """Nothing is sent on this connection any more; the server takes it as a client that left."""


def tell(hook: Hook | None, call: Call, moment: Moment, environ: Environ) -> None:
    """Tell the hook, if there is one; raises LineCut where it raises a ConnectionError."""
    if hook is None:
        return
    try:
        hook(call, moment)
    except ConnectionError as error:
        # A client that is still there would wait for an answer that never comes.
        with suppress(OSError):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise LineCut from error
