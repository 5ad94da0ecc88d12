from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from fleet.aws.credentials import (
    AssumedRole,
    CredentialsAtHand,
    Session,
    session_from,
    signing_as,
)

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Sts:
    """Gives sessions of one hour, and counts them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.given = 0

    def __call__(self) -> Session:
        self.given += 1
        keys = ReadOnlyCredentials(f"ASIA{self.given}", "secret", "token", None)
        return Session(keys, self.clock() + HOUR)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sts(clock: Clock) -> Sts:
    return Sts(clock)


@pytest.fixture
def role(sts: Sts, clock: Clock) -> AssumedRole:
    return AssumedRole(sts, clock)


def test_a_session_is_assumed_when_first_needed_and_then_kept(role: AssumedRole, sts: Sts) -> None:
    assert sts.given == 0
    assert role.credentials() is role.credentials()
    assert sts.given == 1


def test_a_session_is_renewed_from_five_minutes_before_its_end(
    role: AssumedRole, sts: Sts, clock: Clock
) -> None:
    first = role.credentials()
    clock.now = START + timedelta(minutes=55)
    assert role.credentials() is first
    clock.now += timedelta(seconds=1)
    assert role.credentials() is not first
    assert sts.given == 2


@given(st.lists(st.timedeltas(timedelta(0), timedelta(minutes=90)), max_size=30))
def test_credentials_handed_out_always_have_five_minutes_left(steps: list[timedelta]) -> None:
    clock = Clock()
    ends: dict[str, datetime] = {}
    sts = Sts(clock)

    def assume() -> Session:
        session = sts()
        ends[session.credentials.access_key] = session.expires
        return session

    role = AssumedRole(assume, clock)
    for step in steps:
        clock.now += step
        assert ends[role.credentials().access_key] - clock.now >= timedelta(minutes=5)


def test_one_thread_renews_and_the_others_take_its_session(clock: Clock) -> None:
    sts = Sts(clock)
    threads = 8
    inside = threading.Event()
    everybody = threading.Barrier(threads)

    def assume() -> Session:
        # Long enough inside for the others to arrive at the lock.
        inside.wait(0.05)
        return sts()

    role = AssumedRole(assume, clock)

    def ask(_: int) -> str:
        everybody.wait(10)
        key: str = role.credentials().access_key
        return key

    with ThreadPoolExecutor(threads) as pool:
        assert set(pool.map(ask, range(threads))) == {"ASIA1"}
    assert sts.given == 1


def test_refused_credentials_are_not_given_again(role: AssumedRole) -> None:
    refused = role.credentials()
    role.forget(refused)
    assert role.credentials() is not refused


def test_a_late_refusal_does_not_throw_away_what_another_thread_renewed(
    role: AssumedRole, sts: Sts
) -> None:
    refused = role.credentials()
    role.forget(refused)
    renewed = role.credentials()
    role.forget(refused)
    assert role.credentials() is renewed
    assert sts.given == 2


def test_a_refused_role_is_asked_for_again_the_next_time(clock: Clock) -> None:
    answers: list[Session | Exception] = [LookupError("no such role"), Sts(clock)()]

    def assume() -> Session:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    role = AssumedRole(assume, clock)
    with pytest.raises(LookupError):
        role.credentials()
    assert role.credentials().access_key == "ASIA1"


def test_the_session_of_an_answer_has_its_three_keys_and_its_end() -> None:
    answer = {
        "Credentials": {
            "AccessKeyId": "ASIA",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": START,
        }
    }
    session = session_from(answer)
    assert session.credentials[:3] == ("ASIA", "secret", "token")
    assert session.expires == START


def test_signing_as_ends_with_its_block_and_nests() -> None:
    at_hand = CredentialsAtHand()
    outer = ReadOnlyCredentials("outer", "s", None, None)
    inner = ReadOnlyCredentials("inner", "s", None, None)
    with signing_as(outer):
        with suppress(ZeroDivisionError), signing_as(inner):
            assert at_hand.get_frozen_credentials() is inner
            raise ZeroDivisionError
        assert at_hand.get_frozen_credentials() is outer
    with pytest.raises(LookupError):
        at_hand.get_frozen_credentials()


def test_secrets_do_not_show_in_the_repr_of_a_session() -> None:
    keys = ReadOnlyCredentials("ASIA", "hidden-secret", "hidden-token", None)
    shown = repr(Session(keys, START))
    assert "hidden" not in shown
