"""Calls of the store and of AWS that go wrong: a run that dies, a state that is gone, a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fleet.aws.failures import CallFailed, Situation
from fleet.aws.session import Aws
from fleet.errors import FileProblem
from fleet.store import Store
from tests.moto_fixtures.small_organization import HOME, MEMBER


class Killed(BaseException):
    """kill -9, as far as AWS and the store can tell."""


@dataclass
class Disturbed:
    """Writes to the store and to AWS, one of which, or all from which on, goes wrong."""

    seen: int = 0

    def count(self, at: int, ever: bool) -> bool:  # a rule of tests only
        self.seen += 1
        return self.seen == at or (ever and 0 < at < self.seen)


@contextmanager
def disturbed(
    at: int, act: Callable[[], object], *names: str, after: bool = False, ever: bool = False
) -> Iterator[Disturbed]:
    """Act before or after the call of this number, or before all from there on."""
    calls = Disturbed()

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:  # noqa: ANN401  # as it is
            hit = calls.count(at, ever)
            if hit and not after:
                act()
            answer = real(*args, **given)
            if hit and after:
                act()
            return answer

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            owner: Any = Aws if name == "write" else Store
            patch.setattr(owner, name, wrapped(getattr(owner, name)))
        yield calls


def die() -> None:
    raise Killed


def lose() -> None:
    raise FileProblem("fleet.db", "can't be reached", "try again")


def refuse() -> None:
    raise CallFailed("lambda:Update", MEMBER, HOME, Situation.TRANSIENT, "503", "unavailable")
