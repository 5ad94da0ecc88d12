"""Whose credentials sign a call: chosen per call, so that one client a region serves everybody.

The choice lives in a context variable set inside the task; botocore asks for frozen credentials
at each signature and gets the ones of the account at hand. tests/aws/test_botocore_contract.py
holds the two places of botocore this leans on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.credentials import Credentials, ReadOnlyCredentials

RENEW_BEFORE = timedelta(minutes=5)
"""A session this close to its end is renewed before the next call."""

_current: ContextVar[ReadOnlyCredentials] = ContextVar("credentials of the account at hand")


class CredentialsAtHand(Credentials):  # type: ignore[misc]  # botocore has no types
    """What every client is given: it resolves to whatever `signing_as` says at that moment."""

    def __init__(self) -> None:
        super().__init__("set", "per call")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The credentials of the account at hand; LookupError outside of `signing_as`."""
        return _current.get()


@contextmanager
def signing_as(credentials: ReadOnlyCredentials) -> Iterator[None]:
    """Sign every call made in this context with these credentials."""
    token = _current.set(credentials)
    try:
        yield
    finally:
        _current.reset(token)


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials of an assumed role and the moment they end (UTC)."""

    credentials: ReadOnlyCredentials = field(repr=False)
    expires: datetime


def session_from(answer: dict[str, Any]) -> Session:
    """The session in AssumeRole's answer.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    given = answer["Credentials"]
    return Session(
        ReadOnlyCredentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], None
        ),
        given["Expiration"],
    )


class AssumedRole:
    """One account's session, assumed when first needed and again before it ends."""

    def __init__(self, assume: Callable[[], Session], clock: Callable[[], datetime]) -> None:
        self._assume = assume
        self._clock = clock
        self._lock = threading.Lock()
        self._session: Session | None = None

    def credentials(self) -> ReadOnlyCredentials:
        """Credentials good for some minutes; whatever `assume` raises."""
        session = self._session
        if session is None or session.expires - self._clock() < RENEW_BEFORE:
            # One thread renews; the others, which would each ask STS, wait for its session.
            with self._lock:
                session = self._session
                if session is None or session.expires - self._clock() < RENEW_BEFORE:
                    session = self._session = self._assume()
        return session.credentials

    def forget(self, refused: ReadOnlyCredentials) -> None:
        """AWS called these expired: assume anew next time, unless another thread did already."""
        with self._lock:
            if self._session is not None and self._session.credentials is refused:
                self._session = None
