"""A server on 127.0.0.1 that gives the answers a test puts into it: for what no AWS would say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = "application/json"
XML = "text/xml"

IDENTITY = """<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>arn:aws:iam::000000000001:user/administrator</Arn><UserId>A</UserId>
<Account>000000000001</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    body: str
    headers: dict[str, str]

    @property
    def access_key(self) -> str:
        """The key that signed it."""
        return self.headers["authorization"].partition("Credential=")[2].partition("/")[0]


@dataclass(frozen=True)
class Answer:
    """What it gets. `length` claims another Content-Length than the body's."""

    body: str = "{}"
    status: int = 200
    kind: str = JSON
    length: int | None = None


WHO_CALLS = Answer(IDENTITY, kind=XML)


class Script:
    """Gives these answers in turn, the last of them for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def __call__(self, _: Request) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class Canned:
    """The server; what it answers may be replaced while it runs."""

    url: str
    answer: Callable[[Request], Answer]
    identity: Answer = WHO_CALLS
    """What GetCallerIdentity gets."""
    requests: list[Request] = field(default_factory=list)

    def reset(self) -> None:
        """Answer {} and forget."""
        self.answer, self.identity = Script(Answer()), WHO_CALLS
        self.requests.clear()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up on what they refuse."""


@contextmanager
def canned(answer: Callable[[Request], Answer]) -> Iterator[Canned]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, body, headers)
            server.requests.append(request)
            asks_who = "Action=GetCallerIdentity" in body
            given = server.identity if asks_who else server.answer(request)
            content = given.body.encode()
            self.send_response(given.status)
            self.send_header("Content-Type", given.kind)
            self.send_header("Content-Length", str(given.length or len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = given.length is not None

        do_GET = do_POST = _serve  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = _Server(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Canned(f"http://127.0.0.1:{http.server_port}", answer)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
