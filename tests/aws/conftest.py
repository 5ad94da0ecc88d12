from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.session import Aws
from fleet.permissions import SCAN
from tests.aws.canned import Answer, Canned, Script, canned

NewAws = Callable[..., Aws]

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAOWN",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
}


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def keys() -> Iterator[None]:
    """Credentials of the caller, in the environment."""
    with environment(**KEYS):
        yield


@pytest.fixture(scope="module")
def _listening() -> Iterator[tuple[Canned, Clients]]:
    # Clients load botocore's models: one for all tests of a file.
    with (
        canned(Script(Answer())) as running,
        environment(**KEYS, AWS_ENDPOINT_URL=running.url, AWS_MAX_ATTEMPTS="3"),
    ):
        yield running, Clients(os.environ)


@pytest.fixture
def clients(_listening: tuple[Canned, Clients]) -> Clients:
    """Clients that call `server`, three times at most."""
    return _listening[1]


@pytest.fixture
def server(_listening: tuple[Canned, Clients]) -> Canned:
    """A server that answers {} until a test says otherwise."""
    _listening[0].reset()
    return _listening[0]


@pytest.fixture
def new_aws(server: Canned, clients: Clients) -> NewAws:
    """Make an Aws that calls `server` and hardly waits."""

    def make(**changes: Any) -> Aws:  # noqa: ANN401  # whatever Aws takes
        fast = {"role_name": "Scan", "first_wait": 0.001, "calls_per_second": 1000.0}
        made = Aws(clients, SCAN, **{**fast, **changes})
        server.requests.clear()
        return made

    return make


@pytest.fixture
def aws(new_aws: NewAws) -> Aws:
    """One with nothing special about it."""
    return new_aws()
