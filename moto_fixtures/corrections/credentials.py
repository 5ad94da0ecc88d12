"""Whose credentials sign a request: an account's own keys, or a session of an assumed role."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from moto.utilities.utils import get_partition

from .session_policy import SessionPolicy

_KEY_LENGTH = 20
_ACCOUNT_BYTES = 5
"""Twelve decimal digits fit into five bytes, which base32 writes in eight letters."""
_ACCOUNT_LETTERS = 8


@dataclass(frozen=True, slots=True)
class Keys:
    """What a client signs with; `token` belongs to sessions only."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request."""

    account: str
    arn: str
    user_id: str
    expires: float | None = None
    """Seconds since the epoch, or None for keys that never expire."""
    session_policy: SessionPolicy | None = None

    @property
    def is_session(self) -> bool:
        """Whether these are temporary credentials of an assumed role."""
        return self.expires is not None


def _letters(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()


def keys_of(account: str) -> Keys:
    """The long-term keys of an administrator of this account: the same in every process.

    Raises ValueError for what is no account id.
    """
    if len(account) != 12 or not account.isdecimal():  # noqa: PLR2004 - ids have twelve digits
        msg = f"{account!r} is no account id: it has to be twelve digits"
        raise ValueError(msg)
    encoded = base64.b32encode(int(account).to_bytes(_ACCOUNT_BYTES, "big")).decode()
    check = _letters(f"access {account}")[: 16 - _ACCOUNT_LETTERS]
    return Keys(f"AKIA{encoded}{check}", _letters(f"secret {account}")[:40])


def account_of(access_key: str) -> str | None:
    """The account that long-term keys belong to, or None for keys that nobody was given."""
    if len(access_key) != _KEY_LENGTH or not access_key.startswith("AKIA"):
        return None
    try:
        number = int.from_bytes(base64.b32decode(access_key[4 : 4 + _ACCOUNT_LETTERS]), "big")
    except ValueError:
        return None
    account = f"{number:012d}"
    known = len(account) == 12 and keys_of(account).access_key == access_key  # noqa: PLR2004
    return account if known else None


class Sessions:
    """The sessions issued so far; kept after they expire, so that expiry can be told."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: dict[str, tuple[Keys, Identity]] = {}

    def issue(
        self, role_arn: str, session_name: str, seconds: int, policy: SessionPolicy | None
    ) -> tuple[Keys, Identity]:
        """A new session of a role, which ends so many seconds from now."""
        _, partition, _, _, account, resource = role_arn.split(":", 5)
        role = resource.rsplit("/", 1)[-1]
        keys = Keys(
            f"ASIA{base64.b32encode(secrets.token_bytes(10)).decode()}",
            secrets.token_urlsafe(30),
            base64.b64encode(secrets.token_bytes(180)).decode(),
        )
        identity = Identity(
            account=account,
            arn=f"arn:{partition}:sts::{account}:assumed-role/{role}/{session_name}",
            user_id=f"AROA{_letters(role_arn)[:17]}:{session_name}",
            expires=self._clock() + seconds,
            session_policy=policy,
        )
        self._sessions[keys.access_key] = keys, identity
        return keys, identity

    def identify(self, access_key: str, token: str | None, region: str) -> Identity | None:
        """Who signs with this key, or None where key and session token were never given out."""
        known = self._sessions.get(access_key)
        if known:
            keys, identity = known
            return identity if token == keys.token else None
        account = account_of(access_key)
        if account is None or token is not None:
            return None
        arn = f"arn:{get_partition(region)}:iam::{account}:user/administrator"
        return Identity(account, arn, f"AIDA{_letters(arn)[:17]}")

    def has_expired(self, identity: Identity) -> bool:
        """Whether the session's time is over."""
        return identity.expires is not None and self._clock() >= identity.expires
