"""Pages of a list that may change between two calls: a token names the last item given."""

from __future__ import annotations

import base64
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
Key = tuple[str | int, ...]


class BadToken(ValueError):
    """A token that no answer ever gave."""


def token_of(scope: str, key: Key) -> str:
    """The token that continues the list named by scope after the item with this key."""
    return base64.urlsafe_b64encode(json.dumps([scope, *key]).encode()).decode()


def page(
    items: Sequence[T], key: Callable[[T], Key], size: int, scope: str, token: str | None
) -> tuple[Sequence[T], str | None]:
    """The next `size` items, ordered by key, and the token for those after, None at the end.

    Raises BadToken for a token that is none of this list's.
    """
    ordered = sorted(items, key=key)
    start = 0
    if token is not None:
        try:
            named, *last = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
            start = bisect_right(ordered, tuple(last), key=key)
        except (ValueError, TypeError):
            raise BadToken(token) from None
        if named != scope:
            raise BadToken(token)
    chosen = ordered[start : start + size]
    more = start + size < len(ordered)
    return chosen, token_of(scope, key(chosen[-1])) if more else None
