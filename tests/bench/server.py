"""A bare HTTP/1.1 server of canned answers on the loopback, on a core and in a process of its own.

It reads just enough of a request to choose the bytes, and keeps every connection open; a latency
delays each answer by itself, as distance does.
"""

from __future__ import annotations

import asyncio
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

import orjson

from tests.bench.canned import Answer, Answers, Organization, Request
from tests.bench.cores import SERVER_CORE, stay_on

COUNTS = "/counts"
_END = b"\r\n\r\n"
_STARTED_WITHIN = 30
_ENDED_WITHIN = 5


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    endpoint: str
    organization: Organization

    def calls(self) -> Counter[str]:
        """How often each operation was asked for so far."""
        with urllib.request.urlopen(self.endpoint + COUNTS) as answer:  # noqa: S310  # loopback
            return Counter(orjson.loads(answer.read()))


@contextmanager
def serving(organization: Organization, *, latency: float = 0.0) -> Iterator[Server]:
    """Serve until the block ends; `latency` in seconds, added to each answer."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(theirs, organization, latency), daemon=True)
    process.start()
    # Ours alone: a server that dies while it starts then shows as the end of the pipe.
    theirs.close()
    try:
        if not ours.poll(_STARTED_WITHIN):
            raise TimeoutError("the canned server did not start")
        yield Server(f"http://127.0.0.1:{ours.recv()}", organization)
    finally:
        process.terminate()
        process.join(_ENDED_WITHIN)


def _run(pipe: Connection, organization: Organization, latency: float) -> None:
    stay_on(SERVER_CORE)
    asyncio.run(_serve(pipe, Answers(organization), latency))


async def _serve(pipe: Connection, answers: Answers, latency: float) -> None:
    counts: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Conversation(answers, counts, latency), "127.0.0.1", 0, backlog=512
    )
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Conversation(asyncio.Protocol):
    """One connection: requests one after the other, as HTTP/1.1 clients send them."""

    def __init__(self, answers: Answers, counts: Counter[str], latency: float) -> None:
        self._answers = answers
        self._counts = counts
        self._latency = latency
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next()) is not None:
            if request.target == COUNTS:
                self._send(Answer("", orjson.dumps(self._counts)))
                continue
            answer = self._answers.answer(request)
            self._counts[answer.operation] += 1
            if self._latency:
                self._loop.call_later(self._latency, self._send, answer)
            else:
                self._send(answer)

    def _next(self) -> Request | None:
        head, end, rest = self._received.partition(_END)
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self._received = rest[length:]
        method, target, _ = first.split(" ")
        return Request(
            method,
            target,
            headers.get("authorization", ""),
            headers.get("x-amz-target", ""),
            rest[:length],
        )

    def _send(self, answer: Answer) -> None:
        head = (
            f"HTTP/1.1 {answer.status} Canned\r\nContent-Type: {answer.content_type}\r\n"
            f"Content-Length: {len(answer.body)}\r\nx-amzn-RequestId: canned\r\n\r\n"
        )
        self._transport.write(head.encode() + answer.body)
