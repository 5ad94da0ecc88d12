"""The emulator: moto behind a real HTTP port, corrected, acting as one AWS organization."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.core.models import BackendDict
from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.organizations.models import organizations_backends
from werkzeug.serving import BaseWSGIServer, make_server

from fleet.errors import FleetError

from .corrections.credentials import keys_of
from .corrections.gate import Gate
from .corrections.line import Hook
from .corrections.request import Call, Moment
from .corrections.rules import Rules
from .corrections.throttling import EVERY
from .corrections.world import World
from .invoking.pool import ENVIRONMENTS
from .switches import Switches

__all__ = ["EVERY", "Call", "CannotStart", "Emulator", "Moment", "Rules"]

HOST = "127.0.0.1"
HIGHEST_PORT = 65_535

# moto keeps every backend in module globals: two emulators in one process would share them.
_running = threading.Lock()


@dataclass(eq=False)
class CannotStart(FleetError):
    """The emulator cannot listen, or what it answered would be wrong."""

    reason: str
    advice: str

    def __str__(self) -> str:
        """One sentence for a person."""
        return f"the emulator cannot start: {self.reason}; {self.advice}"


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc]  # moto ships no types
    """moto's handler without a line on stderr for every request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Emulator(Switches):
    """An AWS organization on 127.0.0.1, for any client that honours AWS_ENDPOINT_URL.

    One runs per process at a time; starting and stopping it empties moto. Services moto has are
    answered by moto, as corrected by `corrections/`.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Prepare the emulator: port 0 takes a free one, clock gives seconds since the epoch."""
        super().__init__(World(rules, clock, sleep=sleep))
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, as http://127.0.0.1:PORT; '' until it is started."""
        return self._world.url

    @property
    def rules(self) -> Rules:
        """What is refused."""
        return self._world.rules

    @property
    def downloaded(self) -> int:
        """Bytes of packages given out by the URLs of GetFunction and GetLayerVersion."""
        return self._world.downloaded

    @property
    def calls(self) -> list[Call]:
        """Every request received, in order, answered or not; clear() it at will."""
        return self._world.calls

    @property
    def on_call(self) -> Hook | None:
        """Called twice for every request that goes into `calls`, in the thread that answers it.

        BEFORE anything is done for it, and AFTER it was done, or refused, with the answer not yet
        sent; that thread alone waits until it returns. A ConnectionError that it raises cuts the
        line: BEFORE, as if the request had never reached AWS, AFTER, so that the answer is lost.
        Without one a request is served though its client is gone, as AWS does. Whatever else it
        raises answers the request with EmulatorFailure.
        """
        return self._world.on_call

    @on_call.setter
    def on_call(self, hook: Hook | None) -> None:
        self._world.on_call = hook

    @property
    def environment(self) -> dict[str, str]:
        """The environment that acts as an administrator of the management account."""
        return self.credentials_of(self.rules.management_account)

    def credentials_of(self, account: str) -> dict[str, str]:
        """The environment that acts as an administrator of this account.

        boto3 reads the region from AWS_DEFAULT_REGION, other clients from AWS_REGION: both are
        there. The keys are the same in every run. Raises ValueError for what is no account id.
        """
        keys = keys_of(account)
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Empty moto and listen; raises CannotStart, and then nothing runs that did not before."""
        if "MOTO_ACCOUNT_ID" in os.environ:
            raise CannotStart("MOTO_ACCOUNT_ID makes every account the same one", "unset it")
        if not _running.acquire(blocking=False):
            raise CannotStart("one runs in this process already", "stop it first")
        try:
            self._server = self._listen()
        except BaseException:
            _running.release()
            raise
        _empty_moto()
        # moto looks for docker as soon as a function is created otherwise.
        default_user_config["lambda"] = {"use_docker": False}
        self._world.url = f"http://{HOST}:{self._server.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def _listen(self) -> BaseWSGIServer:
        advice = "choose another port, or 0 for a free one"
        if not 0 <= self._port <= HIGHEST_PORT:
            raise CannotStart(f"there is no port {self._port}", advice)
        # Left to itself, werkzeug ends the whole process where a port is in use.
        try:
            listening = socket.create_server((HOST, self._port), backlog=128)
        except OSError as error:
            reason = f"{HOST}:{self._port} can't be listened on ({error.strerror})"
            raise CannotStart(reason, advice) from error
        with listening:
            return make_server(
                HOST,
                listening.getsockname()[1],
                Gate(self._world),
                threaded=True,
                request_handler=_QuietHandler,
                fd=listening.fileno(),
            )

    def stop(self) -> None:
        """Stop listening and empty moto; harmless where it does not run."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None
        ENVIRONMENTS.end()
        self._world.url = ""
        _empty_moto()
        _running.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @contextmanager
    def seeding(self) -> Iterator[None]:
        """A time in which nothing is refused for lack of permission and no call is recorded.

        It holds for every client: fill the organization in it before others come.
        """
        self._world.seeding = True
        try:
            yield
        finally:
            self._world.seeding = False


def _empty_moto() -> None:
    BackendDict.reset()
    reset_model_data()
    # moto's own reset leaves out which account belongs to which organization.
    organizations_backends.master_accounts.clear()
