from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.waves.teller import Teller
from fleet.waves.telling import notice_of
from fleet.waves.webhook import ATTEMPTS, NotTaken, Webhook
from tests.waves.events import BEGAN, FAILED, STOPPED
from tests.waves.hooks import Hook, hook, self_made_certificate

NOTICE = notice_of(FAILED, "f" * 32)


@pytest.fixture(autouse=True)
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
            environment.delenv(name, raising=False)
            environment.delenv(name.lower(), raising=False)
        yield


def webhook(found: Hook, **changes: Any) -> Webhook:  # noqa: ANN401 - whatever Webhook takes
    return Webhook(found.url, **({"first_wait": 0.001} | changes))


def test_it_gets_the_document_as_json() -> None:
    with hook(204) as found:
        webhook(found).send(NOTICE, patient=True)
    (request,) = found.requests
    assert request.pop("path") == "/services/T0/SECRET"
    assert request == NOTICE.document | {"at": "2026-11-23T09:30:00Z"}
    assert found.headers[0]["content-type"] == "application/json"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_passes_is_tried_again(status: int) -> None:
    with hook(status, status, 200) as found:
        webhook(found).send(NOTICE, patient=True)
    assert [request["id"] for request in found.requests] == [NOTICE.id] * 3


def test_it_gives_up_after_some_attempts_and_at_once_when_told_to() -> None:
    with hook(500) as found:
        with pytest.raises(NotTaken, match="HTTP 500"):
            webhook(found).send(NOTICE, patient=True)
        assert len(found.requests) == ATTEMPTS
        with pytest.raises(NotTaken, match="HTTP 500"):
            webhook(found).send(NOTICE, patient=False)
        assert len(found.requests) == ATTEMPTS + 1


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    waits: list[float] = []
    with hook((429, {"Retry-After": "7"}), (429, {"Retry-After": "9" * 9}), 200) as found:
        patiently = webhook(found)
        patiently._retrying.sleep = waits.append
        patiently.send(NOTICE, patient=True)
    assert waits == [7, 30]


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_is_refused_for_good_is_not_tried_again(status: int) -> None:
    with hook(status) as found, pytest.raises(NotTaken, match=f"HTTP {status}"):
        webhook(found).send(NOTICE, patient=True)
    assert len(found.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with hook(200) as elsewhere:
        moved = (status, {"Location": elsewhere.url})
        with hook(moved) as found, pytest.raises(NotTaken, match="not followed"):
            webhook(found).send(NOTICE, patient=True)
        assert len(found.requests) == 1
        assert elsewhere.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_made_certificate(tmp_path / "self-made.pem")
    with hook(200, certificate=certificate) as found:
        with pytest.raises(NotTaken, match="no certificate that is trusted"):
            webhook(found).send(NOTICE, patient=True)
        assert found.requests == []
        # The same server, once the machine trusts it: it was the certificate and nothing else.
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        webhook(found).send(NOTICE, patient=True)
        assert len(found.requests) == 1


def test_a_server_that_does_not_answer_is_left_after_a_time() -> None:
    with hook(200, hanging=True) as found, pytest.raises(NotTaken, match="did not answer"):
        webhook(found, read_seconds=0.05).send(NOTICE, patient=False)


@pytest.mark.parametrize("status", [400, 500, 302])
def test_no_error_and_no_trace_of_one_names_the_url(status: int) -> None:
    with hook(status) as found:
        told = [_trace(lambda: webhook(found).send(NOTICE, patient=False))]
    told.append(_trace(lambda: webhook(found).send(NOTICE, patient=False)))
    assert "did not answer" in told[1]
    assert "SECRET" not in "".join(told)
    assert "SECRET" not in webhook(found).name
    assert "127.0.0.1" in webhook(found).name


def _trace(do: Callable[[], None]) -> str:
    try:
        do()
    except NotTaken as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError


def test_a_proxy_is_used_as_for_packages_but_never_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "hooks.internal")
    proxied = {
        url: Webhook(url)._pool.proxy is not None
        for url in (
            "https://hooks.example.com/x",
            "https://hooks.internal/x",
            "https://127.0.0.1:8443/x",
            "http://localhost:8080/x",
        )
    }
    assert list(proxied.values()) == [True, False, False, False]


def test_while_a_server_hangs_events_are_told_without_waiting_for_it() -> None:
    log = io.StringIO()
    with hook(200, hanging=True) as found:
        teller = Teller(log, [webhook(found)])
        teller.tell(BEGAN)
        assert found.asked.wait(10)
        teller.tell(STOPPED)
        teller.close(0.1)
        told = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["event"] for line in told] == [
        "wave-began",
        "wave-stopped",
        "notices-not-delivered",
    ]
    assert told[2]["count"] == 2
    assert "SECRET" not in log.getvalue()


def test_five_hundred_twice_and_the_notice_still_arrives() -> None:
    log = io.StringIO()
    with hook(500, 500, 200) as found:
        with Teller(log, [webhook(found)]) as teller:
            teller.tell(BEGAN)
        assert len(found.requests) == 3
    assert len(log.getvalue().splitlines()) == 1
