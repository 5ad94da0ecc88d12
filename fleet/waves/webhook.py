"""A webhook as a destination of notices: JSON by POST, over TLS that is checked.

Whoever knows the URL of a chat's webhook can write there. So it is in no error, repr or log, and
urllib3's errors, some of which repeat it, are never passed on, not even as a cause.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import orjson
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)
from tenacity.nap import sleep_using_event
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout
from urllib3.exceptions import HTTPError, SSLError

from fleet import __version__
from fleet.errors import FleetError
from fleet.notify import is_loopback
from fleet.waves.telling import Notice

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
ATTEMPTS = 4
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0

_SECONDS = re.compile(r"[0-9]{1,9}").fullmatch


@dataclass(eq=False)
class NotTaken(FleetError):
    """A webhook did not take a notice."""

    host: str
    problem: str
    passing: bool = False
    """Whether it may take it a moment later."""
    after: float = 0.0
    """Seconds that it wants to be left alone for."""

    def __str__(self) -> str:
        return f"{self.host} {self.problem}"


class Webhook:
    """Any endpoint that takes JSON; chats show its `text`. One thread at a time uses it."""

    def __init__(
        self,
        url: str,
        *,
        first_wait: float = FIRST_WAIT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """`url` is as fleet.notify has checked it; `first_wait`, in seconds, starts the backoff.

        HTTPS_PROXY and NO_PROXY count, as for packages; a proxy sees the host and nothing more.
        """
        self._url = url
        self._host = urlsplit(url).netloc
        self.name = f"the webhook at {self._host}"
        self._pool = _pool(url, Timeout(connect=CONNECT_SECONDS, read=read_seconds))
        backoff = wait_exponential_jitter(
            multiplier=first_wait, max=LONGEST_WAIT_SECONDS, jitter=first_wait
        )
        self._retrying = Retrying(
            retry=retry_if_exception(lambda error: getattr(error, "passing", False)),
            wait=lambda state: max(backoff(state), _asked_for(state)),
            stop=stop_after_attempt(ATTEMPTS),
            sleep=sleep_using_event(threading.Event()),
            reraise=True,
        )

    def send(self, notice: Notice, *, patient: bool) -> None:
        """Post it; raises NotTaken. A redirect is not followed: it could lead anywhere."""
        body = orjson.dumps(notice.document, option=orjson.OPT_UTC_Z)
        if patient:
            self._retrying(self._post, body)
        else:
            self._post(body)

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": f"fleet/{__version__}"}
        try:
            # What it answers besides the status is not read: there may be no end to it.
            answer = self._pool.request(
                "POST", self._url, body=body, headers=headers, redirect=False, preload_content=False
            )
            answer.close()
        except SSLError:
            raise NotTaken(self._host, "shows no certificate that is trusted here") from None
        except (HTTPError, OSError, ValueError) as error:
            raise NotTaken(
                self._host, f"did not answer ({type(error).__name__})", passing=True
            ) from None
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _refused(self._host, answer)


def _pool(url: str, timeout: Timeout) -> PoolManager:
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if not proxy or is_loopback(parts.hostname or "") or proxy_bypass(parts.netloc):
        return PoolManager(timeout=timeout, retries=False)
    return ProxyManager(proxy, timeout=timeout, retries=False)


def _refused(host: str, answer: BaseHTTPResponse) -> NotTaken:
    status = answer.status
    if status < HTTPStatus.BAD_REQUEST:
        return NotTaken(host, f"sends elsewhere (HTTP {status}), which is not followed")
    passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
    after = _SECONDS(answer.headers.get("Retry-After", ""))
    wait = min(float(after[0]), LONGEST_WAIT_SECONDS) if after else 0.0
    return NotTaken(host, f"answered HTTP {status}", passing, wait)


def _asked_for(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, NotTaken) else 0.0
