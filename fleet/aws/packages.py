"""Where the packages of functions and layers are, and how their bytes come here.

AWS gives a presigned URL that is good for ten minutes. Whoever has it has the code, so it is in
no repr, no error and no log; botocore's own errors name the URL and are never passed on.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from fleet.aws.clients import CONNECT_SECONDS, READ_SECONDS, Clients
from fleet.aws.failures import CallFailed, Interrupted, Situation, readable, situation
from fleet.aws.functions import config_of
from fleet.aws.listed import ListedFunction, read_listed
from fleet.aws.retry import FIRST_WAIT_SECONDS, retrying
from fleet.aws.session import Aws, Lane
from fleet.model import LATEST, FunctionConfig, FunctionRef

BLOCK = 64 << 10
"""Bytes of one ranged request at least: most central directories lie in the last of them."""
AT_ONCE = 256 << 10
"""Bytes that are in memory of one download."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a package can be had for the next minutes, and what AWS says of it."""

    action: str
    """The call that gave it, as IAM writes it."""
    url: str = field(repr=False)
    code_sha256: str
    size: int
    """Bytes, zipped."""


def read_function(aws: Aws, lane: Lane, ref: FunctionRef) -> FunctionConfig:
    """Ask for one function version, or what an alias points at.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html; raises CallFailed.
    """
    return config_of(aws.caller.partition, lane, _asked_for(aws, lane, ref)[0])


def function_package(aws: Aws, lane: Lane, ref: FunctionRef) -> Location:
    """Ask where a function version's package is.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html; raises CallFailed.
    """
    listed, code = _asked_for(aws, lane, ref)
    with readable("lambda:GetFunction", lane.account, lane.region):
        url = code["Location"]
        return located("lambda:GetFunction", url, listed.CodeSha256, listed.CodeSize)


def _asked_for(aws: Aws, lane: Lane, ref: FunctionRef) -> tuple[ListedFunction, Mapping[str, Any]]:
    scope = {} if ref.qualifier == LATEST else {"Qualifier": ref.qualifier}
    answer = aws.call(lane, "lambda", "GetFunction", holds="Code", FunctionName=ref.name, **scope)
    with readable("lambda:GetFunction", lane.account, lane.region):
        # The answer holds the function's environment, which goes no further than this line.
        return read_listed(answer["Configuration"]), answer["Code"]


def layer_package(aws: Aws, lane: Lane, arn: str) -> Location:
    """Ask where a layer version's package is, by the ARN that functions name it with.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html; raises CallFailed.
    """
    with readable("lambda:GetLayerVersion", lane.account, lane.region):
        layer, _, version = arn.rpartition(":")
        number = int(version)
    answer = aws.call(
        lane,
        "lambda",
        "GetLayerVersion",
        holds="Content",
        LayerName=layer,
        VersionNumber=number,
    )
    with readable("lambda:GetLayerVersion", lane.account, lane.region):
        content = answer["Content"]
        return located(
            "lambda:GetLayerVersion",
            content["Location"],
            content["CodeSha256"],
            content["CodeSize"],
        )


def located(action: str, url: object, code_sha256: object, size: object) -> Location:
    """What an answer says of a package's place; raises TypeError for anything else."""
    if not (isinstance(url, str) and isinstance(code_sha256, str) and isinstance(size, int)):
        raise TypeError("the package's place is not as described")
    return Location(action, url, code_sha256, size)


class Downloads:
    """Packages by HTTP; threads may share it. Use it in a `with`."""

    def __init__(
        self,
        clients: Clients,
        *,
        at_once: int,
        stop: threading.Event,
        first_wait: float = FIRST_WAIT_SECONDS,
    ) -> None:
        """`stop` ends waits, retries and what is under way; `first_wait` is in seconds."""
        self._clients = clients
        self._at_once = at_once
        self._stop = stop
        self._retrying = retrying(clients.max_attempts, stop, first_wait=first_wait)
        self._sessions: dict[str, URLLib3Session] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give up every connection."""
        for session in self._sessions.values():
            session.close()

    def download(self, lane: Lane, locate: Callable[[], Location], file: IO[bytes]) -> Location:
        """Write a package into an open file, from its beginning; what AWS says of it is returned.

        `locate` is asked anew for each attempt: URLs end after ten minutes. The bytes are those
        AWS describes, by size and SHA-256. Raises what `locate` raises, CallFailed, Interrupted,
        and OSError where the file cannot be written.
        """
        located: Location = self._retrying(self._whole, lane, locate, file)
        return located

    def read_part(
        self, lane: Lane, locate: Callable[[], Location], offset: int, length: int
    ) -> bytes:
        """Give a part of a package, fewer bytes only where it ends before; as `download` raises."""
        part: bytes = self._retrying(self._part, lane, locate, offset, length)
        return part

    def _whole(self, lane: Lane, locate: Callable[[], Location], file: IO[bytes]) -> Location:
        location = locate()
        file.seek(0)
        digest = hashlib.sha256()
        size = 0
        with self._answer(lane, location, {}, HTTPStatus.OK) as chunks:
            for chunk in chunks:
                size += len(chunk)
                if size > location.size:
                    break
                digest.update(chunk)
                file.write(chunk)
        file.flush()
        if (size, base64.b64encode(digest.digest()).decode()) != (
            location.size,
            location.code_sha256,
        ):
            raise _failed(lane, location, Situation.TRANSIENT, "it is not what AWS describes")
        return location

    def _part(self, lane: Lane, locate: Callable[[], Location], offset: int, length: int) -> bytes:
        location = locate()
        wanted = min(length, location.size - offset)
        if wanted <= 0:
            return b""
        headers = {"Range": f"bytes={offset}-{offset + wanted - 1}"}
        part = bytearray()
        with self._answer(lane, location, headers, HTTPStatus.PARTIAL_CONTENT) as chunks:
            for chunk in chunks:
                part += chunk
                if len(part) > wanted:
                    break
        if len(part) != wanted:
            raise _failed(lane, location, Situation.TRANSIENT, "a part of it is of another length")
        return bytes(part)

    @contextmanager
    def _answer(
        self, lane: Lane, location: Location, headers: Mapping[str, str], wanted: HTTPStatus
    ) -> Iterator[Iterator[bytes]]:
        if self._stop.is_set():
            raise Interrupted
        asked = AWSRequest("GET", location.url, headers=dict(headers), stream_output=True)
        try:
            answer = self._session(location.url).send(asked.prepare())
            try:
                if answer.status_code != wanted:
                    raise _refused(lane, location, answer.status_code)
                yield self._chunks(answer)
            finally:
                # A connection with bytes left in it serves nobody else.
                answer.raw.close()
        except (BotoCoreError, HTTPError, ValueError) as error:
            # Not "from error": shown with --debug, botocore's would name the URL.
            raise _failed(
                lane, location, Situation.TRANSIENT, f"it broke off ({type(error).__name__})"
            ) from None

    def _chunks(self, answer: Any) -> Iterator[bytes]:
        for chunk in answer.raw.stream(AT_ONCE, decode_content=False):
            if self._stop.is_set():
                raise Interrupted
            yield chunk

    def _session(self, url: str) -> URLLib3Session:
        # By host, since what NO_PROXY says goes by host.
        host = url.split("/", 3)[2] if "://" in url else ""
        with self._lock:
            if host not in self._sessions:
                self._sessions[host] = URLLib3Session(
                    verify=self._clients.certificates,
                    proxies=get_environ_proxies(url),
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    max_pool_connections=self._at_once,
                )
            return self._sessions[host]


class RangedPackage:
    """A package that is read at offsets where it lies, by ranged requests."""

    def __init__(self, downloads: Downloads, lane: Lane, locate: Callable[[], Location]) -> None:
        """Ask where it is; raises what `locate` raises."""
        self._downloads = downloads
        self._lane = lane
        self._locate = locate
        self._blocks: dict[int, bytes] = {}
        self.location = locate()
        self.size = self.location.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset` on, fewer only where the package ends before."""
        end = min(offset + length, self.size)
        if end <= offset:
            return b""
        first, last = offset // BLOCK, (end - 1) // BLOCK
        missing = [each for each in range(first, last + 1) if each not in self._blocks]
        if missing:
            start = missing[0] * BLOCK
            known = [self.location]
            part = self._downloads.read_part(
                self._lane,
                # Asked for anew only where the one at hand has ended: each costs a call.
                lambda: known.pop() if known else self._renewed(),
                start,
                (missing[-1] + 1) * BLOCK - start,
            )
            for block in range(missing[0], missing[-1] + 1):
                at = block * BLOCK - start
                self._blocks[block] = part[at : at + BLOCK]
        whole = b"".join(self._blocks[each] for each in range(first, last + 1))
        return whole[offset - first * BLOCK : end - first * BLOCK]

    def _renewed(self) -> Location:
        self.location = self._locate()
        return self.location


def _refused(lane: Lane, location: Location, status: int) -> CallFailed:
    # S3 says 403 both of a URL that has ended and of one that never was right; asking for a new
    # one settles which.
    found = Situation.EXPIRED if status == HTTPStatus.FORBIDDEN else situation(status, "", "")
    return _failed(lane, location, found, f"HTTP {status} for the URL that AWS gave")


def _failed(lane: Lane, location: Location, found: Situation, detail: str) -> CallFailed:
    return CallFailed(
        location.action,
        lane.account,
        lane.region,
        found,
        "DownloadFailed",
        f"the package: {detail}",
    )
