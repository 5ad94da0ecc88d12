"""Whoever calls a function while it moves: threads that invoke it over HTTP without pause."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from fleet.deployment import Deployment
from moto_fixtures.corrections import serving
from moto_fixtures.corrections.function_changes import state_of
from moto_fixtures.invoking import invoke as invoking
from moto_fixtures.server import Call, Moment
from tests.moto_fixtures.small_organization import HOME, MEMBER, Organization

_PATIENCE_SECONDS = 60
"""Of real time, for one round of invocations on a busy machine."""
_PAUSE_SECONDS = 0.01
_READS = ("Get", "List", "Invoke", "AssumeRole")


@dataclass(frozen=True)
class Heard:
    """What one invocation came to; times are the emulator's."""

    qualifier: str
    began: float
    ended: float
    problem: str
    """'' where it answered as it should."""


@dataclass(frozen=True)
class Served:
    """What the emulator ran for one invocation."""

    version: str
    runtime: str | None
    handler: str | None
    code_sha256: str
    layers: int
    updating: bool
    """Whether an update of $LATEST was under way."""

    def is_of(self, deployment: Deployment) -> bool:
        return (self.runtime, self.handler, self.code_sha256, self.layers) == (
            deployment.runtime,
            deployment.handler,
            deployment.code_sha256,
            len(deployment.layers),
        )


@dataclass
class Callers:
    """One thread a qualifier; what they hear, and what they were served."""

    organization: Organization
    name: str
    event: object
    expected: object
    heard: list[Heard] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    _begun: dict[str, int] = field(default_factory=dict)
    _ended: dict[str, int] = field(default_factory=dict)
    _heard_one: threading.Condition = field(default_factory=threading.Condition)
    _over: threading.Event = field(default_factory=threading.Event)

    def failed(self) -> list[Heard]:
        return [each for each in self.heard if each.problem]

    def let_through(self) -> None:
        """Wait until every caller has begun and ended an invocation since now."""
        with self._heard_one:
            enough = {qualifier: count + 1 for qualifier, count in self._begun.items()}
            done = self._heard_one.wait_for(
                lambda: all(self._ended[each] >= count for each, count in enough.items()),
                _PATIENCE_SECONDS,
            )
        assert done, "the callers don't come through"

    def before_writes(self, call: Call, moment: Moment) -> None:
        """Let them through before each write, too: a hook for the emulator's calls."""
        if moment is Moment.BEFORE and not call.operation.startswith(_READS):
            self.let_through()

    def call(self, qualifier: str) -> None:
        """Invoke it until it is over."""
        address = urlsplit(self.organization.emulator.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        key = self.organization.emulator.credentials_of(MEMBER)["AWS_ACCESS_KEY_ID"]
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20261121/{HOME}/lambda"
            "/aws4_request, SignedHeaders=host, Signature=0",
            "Content-Type": "application/json",
        }
        path = f"/2015-03-31/functions/{self.name}/invocations?Qualifier={quote(qualifier)}"
        clock = self.organization.clock
        while not self._over.wait(_PAUSE_SECONDS):
            with self._heard_one:
                began = clock()
                self._begun[qualifier] += 1
            connection.request("POST", path, json.dumps(self.event), headers)
            answer = connection.getresponse()
            payload = answer.read()
            error = answer.getheader("X-Amz-Function-Error")
            good = answer.status == http.HTTPStatus.OK and error is None
            good = good and json.loads(payload) == self.expected
            problem = "" if good else f"{answer.status} {error} {payload.decode()}"
            with self._heard_one:
                self.heard.append(Heard(qualifier, began, clock(), problem))
                self._ended[qualifier] += 1
                self._heard_one.notify_all()
        connection.close()

    @contextmanager
    def calling(self, qualifiers: Sequence[str]) -> Iterator[None]:
        """Call while this lasts."""
        for counts in (self._begun, self._ended):
            counts.update(dict.fromkeys(qualifiers, 0))
        threads = [threading.Thread(target=self.call, args=(each,)) for each in qualifiers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()


@contextmanager
def calling(
    organization: Organization,
    name: str,
    qualifiers: Sequence[str],
    *,
    event: object,
    expected: object,
) -> Iterator[Callers]:
    """Call a function by these names until the end; everything it is changed by waits for them."""
    callers = Callers(organization, name, event, expected)

    def noted(serves: Callable[..., serving.Serving]) -> Callable[..., serving.Serving]:
        def serve(latest: Any, version: str, world: Any) -> serving.Serving:  # noqa: ANN401  # moto's own
            with world.lock:
                found = serves(latest, version, world)
                updating = state_of(latest, world).update is not None
            callers.served.append(
                Served(
                    found.version,
                    found.runtime,
                    found.handler,
                    found.code_sha256,
                    len(found.layers),
                    updating,
                )
            )
            return found

        return serve

    with pytest.MonkeyPatch.context() as patch:
        # Whatever serves by now: a test may have put something in its place.
        patch.setattr(invoking, "serving", noted(vars(invoking)["serving"]))
        organization.emulator.on_call = callers.before_writes
        with callers.calling(qualifiers):
            callers.let_through()
            yield callers
            callers.let_through()
        organization.emulator.on_call = None
