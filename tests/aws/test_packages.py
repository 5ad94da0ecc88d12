"""Downloads over a real connection, from a server that gives whatever a test puts into it."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from fleet.aws.clients import Clients
from fleet.aws.failures import CallFailed, Interrupted, Situation
from fleet.aws.pace import Pace
from fleet.aws.packages import BLOCK, Downloads, Location, RangedPackage
from fleet.aws.session import Lane
from tests.aws.canned import Answer, Canned, Request, Script

PACKAGE = "PK" + "x" * 300_000
QUERY = "X-Amz-Signature=do-not-leak"


def lane() -> Lane:
    return Lane("000000000001", "eu-west-1", Pace(1000), Pace(1000))


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def downloads(clients: Clients, stop: threading.Event) -> Iterator[Downloads]:
    with closing(Downloads(clients, at_once=2, stop=stop, first_wait=0.001)) as made:
        yield made


def locating(server: Canned, package: str = PACKAGE) -> Callable[[], Location]:
    asked: list[int] = []

    def locate() -> Location:
        asked.append(1)
        url = f"{server.url}/package-{len(asked)}?{QUERY}"
        return Location("lambda:GetFunction", url, sha256(package), len(package))

    return locate


def test_a_package_is_what_aws_describes(server: Canned, downloads: Downloads) -> None:
    server.answer = Script(Answer(PACKAGE))
    file = io.BytesIO()
    downloads.download(lane(), locating(server), file)
    assert file.getvalue() == PACKAGE.encode()


def test_an_url_that_has_ended_is_asked_for_anew(server: Canned, downloads: Downloads) -> None:
    server.answer = Script(Answer("Request has expired", status=403), Answer(PACKAGE))
    file = io.BytesIO()
    downloads.download(lane(), locating(server), file)
    assert file.getvalue() == PACKAGE.encode()
    assert [each.path.split("?")[0] for each in server.requests] == ["/package-1", "/package-2"]


@pytest.mark.parametrize(
    "first",
    [
        Answer("", status=503),
        Answer(PACKAGE[:1000], length=len(PACKAGE)),
        Answer(PACKAGE[:1000]),
        Answer(PACKAGE + "and more"),
        Answer(PACKAGE[:-1] + "y"),
    ],
    ids=["server error", "broken off", "too short", "too long", "other bytes"],
)
def test_what_is_not_the_package_is_asked_for_again(
    server: Canned, downloads: Downloads, first: Answer
) -> None:
    server.answer = Script(first, Answer(PACKAGE))
    file = io.BytesIO()
    downloads.download(lane(), locating(server), file)
    assert file.getvalue() == PACKAGE.encode()


@pytest.mark.parametrize(
    "answer",
    [Answer("no", status=403), Answer("no", status=404), Answer("", length=5), Answer("other")],
)
def test_no_error_names_the_url(server: Canned, downloads: Downloads, answer: Answer) -> None:
    server.answer = Script(answer)
    locate = locating(server)
    with pytest.raises(CallFailed) as caught:
        downloads.download(lane(), locate, io.BytesIO())
    told = f"{caught.value} {caught.value!r} {caught.value.why} {caught.value.__cause__!r}"
    assert "do-not-leak" not in told
    assert "do-not-leak" not in repr(locate())
    assert caught.value.action == "lambda:GetFunction"


def test_a_server_that_cannot_be_reached_is_told_without_the_url(downloads: Downloads) -> None:
    where = Location("lambda:GetFunction", f"http://127.0.0.1:1/p?{QUERY}", "x", 1)
    with pytest.raises(CallFailed) as caught:
        downloads.download(lane(), lambda: where, io.BytesIO())
    assert caught.value.situation is Situation.TRANSIENT
    assert caught.value.__cause__ is None
    assert "do-not-leak" not in str(caught.value)


def test_a_download_ends_at_once_when_told_to_stop(
    server: Canned, downloads: Downloads, stop: threading.Event
) -> None:
    def stopping(_: Request) -> Answer:
        stop.set()
        return Answer(PACKAGE)

    server.answer = stopping
    with pytest.raises(Interrupted):
        downloads.download(lane(), locating(server), io.BytesIO())


def test_no_more_is_kept_of_an_answer_than_the_package_should_have(
    server: Canned, downloads: Downloads
) -> None:
    server.answer = Script(Answer("x" * 5_000_000))
    file = io.BytesIO()
    with pytest.raises(CallFailed):
        downloads.download(lane(), locating(server, "small"), file)
    assert len(file.getvalue()) <= len("small")


class Ranges:
    """Answers ranges of PACKAGE, as S3 does."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Answer:
        span = request.headers["range"].removeprefix("bytes=")
        self.asked.append(span)
        first, last = (int(each) for each in span.split("-"))
        return Answer(PACKAGE[first : last + 1], status=206)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 10), (BLOCK - 5, 10), (len(PACKAGE) - 22, 22), (len(PACKAGE) - 5, 50), (10**9, 5)],
)
def test_any_part_of_a_package_can_be_read_where_it_lies(
    server: Canned, downloads: Downloads, offset: int, length: int
) -> None:
    server.answer = Ranges()
    package = RangedPackage(downloads, lane(), locating(server))
    assert package.size == len(PACKAGE)
    assert package.read_at(offset, length) == PACKAGE.encode()[offset : offset + length]


def test_a_part_that_was_read_is_not_asked_for_again(server: Canned, downloads: Downloads) -> None:
    ranges = server.answer = Ranges()
    package = RangedPackage(downloads, lane(), locating(server))
    package.read_at(len(PACKAGE) - 22, 22)
    package.read_at(len(PACKAGE) - 500, 400)
    assert len(ranges.asked) == 1


def test_a_server_that_ignores_ranges_is_not_taken_for_one_that_heeds_them(
    server: Canned, downloads: Downloads
) -> None:
    server.answer = Script(Answer(PACKAGE))
    package = RangedPackage(downloads, lane(), locating(server))
    with pytest.raises(CallFailed, match="HTTP 200"):
        package.read_at(BLOCK, 10)


def test_parts_are_read_by_one_url_until_it_ends(server: Canned, downloads: Downloads) -> None:
    server.answer = Ranges()
    package = RangedPackage(downloads, lane(), locating(server))
    package.read_at(0, 10)
    package.read_at(len(PACKAGE) - 10, 10)
    server.answer = Script(Answer("Request has expired", status=403), Answer("x" * BLOCK, 206))
    package.read_at(BLOCK, 10)
    asked = [each.path.split("?")[0] for each in server.requests]
    assert asked == ["/package-1"] * 3 + ["/package-2"]
