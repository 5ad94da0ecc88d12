from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.errors import FileProblem
from fleet.store import Store, leases
from fleet.wave import Holder, Lease
from tests import strategies
from tests.store.examples import START

TERM = 60.0
KEY = "function/arn:aws:lambda:eu-west-1:000000000001:function:orders"
HOLDER = Holder(run="20261121T100000Z-0002", host="bastion", process=4242)

shared_store = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def take(
    store: Store, owner: str, seconds: float = 0, *, key: str = KEY, gone: Lease | None = None
) -> Lease | None:
    """Ask so many seconds after the start."""
    return store.take_lease(key, owner, HOLDER, after(seconds), TERM, instead_of=gone)


def taken(store: Store, owner: str, seconds: float = 0, *, key: str = KEY) -> Lease:
    lease = take(store, owner, seconds, key=key)
    assert lease
    return lease


def test_a_free_lease_is_taken_and_read_back(store: Store) -> None:
    lease = taken(store, "one")
    assert lease == Lease(key=KEY, owner="one", fence=1, until=after(TERM), holder=HOLDER)
    assert store.lease(KEY) == lease
    assert store.lease("function/other") is None


@shared_store
@given(
    run=strategies.texts,
    host=strategies.texts,
    machine=strategies.texts,
    started=strategies.texts,
    process=st.integers(0, 2**31),
    moment=strategies.moments,
)
def test_a_lease_reads_back_as_it_was_taken(
    store: Store, run: str, host: str, machine: str, started: str, process: int, moment: datetime
) -> None:
    key = f"plan/{uuid4()}"
    holder = Holder(run=run, host=host, process=process, machine=machine, started=started)
    lease = store.take_lease(key, "one", holder, moment, TERM)
    assert lease
    assert store.lease(key) == lease


def test_texts_of_a_holder_lose_what_a_database_cannot_hold(store: Store) -> None:
    hostile = replace(HOLDER, run="a\0b", host="c\ud800")
    store.take_lease("plan/\0", "one", hostile, START, TERM)
    found = store.lease("plan/\0")
    assert found
    assert (found.key, found.holder.run, found.holder.host) == (
        "plan/\ufffd",
        "a\ufffdb",
        "c\ufffd",
    )


def test_a_held_lease_is_nobody_elses_until_the_moment_it_is_over(store: Store) -> None:
    lease = taken(store, "one")
    assert take(store, "two", TERM - 0.000001) is None
    assert store.lease(KEY) == lease
    other = taken(store, "two", TERM)
    assert (other.owner, other.fence) == ("two", lease.fence + 1)


def test_the_same_owner_takes_it_again_under_the_same_fence(store: Store) -> None:
    lease = taken(store, "one")
    again = taken(store, "one", 30)
    assert (again.fence, again.until) == (lease.fence, after(30 + TERM))
    assert take(store, "two", TERM) is None


def test_the_fence_rises_even_where_a_lease_was_given_back_in_between(store: Store) -> None:
    fences = []
    for owner in ("one", "two", "two", "one"):
        lease = taken(store, owner)
        fences.append(lease.fence)
        assert store.release_lease(lease)
        assert store.lease(KEY) is None
    assert fences == [1, 2, 3, 4]


def test_a_lease_that_was_lost_is_neither_given_back_nor_renewed(store: Store) -> None:
    lost = taken(store, "one")
    held = taken(store, "two", TERM)
    assert not store.release_lease(lost)
    assert store.renew_leases([lost], after(TERM), TERM) == ()
    assert store.lease(KEY) == held
    # Nor under an older fence of the same owner.
    store.release_lease(held)
    again = taken(store, "one", TERM)
    assert not store.release_lease(lost)
    assert store.lease(KEY) == again


def test_a_lease_that_was_given_back_is_not_renewed(store: Store) -> None:
    lease = taken(store, "one")
    assert store.release_lease(lease)
    assert not store.release_lease(lease)
    assert store.renew_leases([lease], START, TERM) == ()
    assert store.lease(KEY) is None


def test_a_lease_that_is_over_is_renewed_where_nobody_has_taken_it(store: Store) -> None:
    lease = taken(store, "one")
    [renewed] = store.renew_leases([lease], after(2 * TERM), TERM)
    assert renewed == replace(lease, until=after(3 * TERM))
    assert store.lease(KEY) == renewed


def test_many_leases_are_renewed_at_once_and_those_that_are_lost_left_out(store: Store) -> None:
    held = [taken(store, f"owner-{number}", key=f"function/{number:04}") for number in range(20)]
    taken(store, "thief", TERM, key=held[7].key)
    store.release_lease(held[11])
    more = [replace(held[0], key=f"function/none-{number}") for number in range(2500)]
    renewed = store.renew_leases([*held, *more], after(TERM), TERM)
    assert renewed == tuple(
        replace(each, until=after(2 * TERM)) for each in held if each not in (held[7], held[11])
    )
    assert store.renew_leases([], START, TERM) == ()


def test_a_dead_holders_lease_is_had_at_once_but_only_that_very_one(store: Store) -> None:
    dead = taken(store, "one")
    for other in (replace(dead, owner="else"), replace(dead, fence=dead.fence + 1)):
        assert take(store, "two", gone=other) is None
    heir = take(store, "two", gone=dead)
    assert heir
    assert heir.fence == dead.fence + 1
    # Who saw the same one die comes too late.
    assert take(store, "three", gone=dead) is None


def test_leases_are_found_by_how_their_keys_begin(store: Store) -> None:
    keys = ["function/a", "function/b", "Function/a", "lane/a", "functio_/a", "%"]
    for number, key in enumerate(keys):
        taken(store, f"owner-{number}", key=key)
    given_back = taken(store, "other", key="function/c")
    store.release_lease(given_back)
    assert [each.key for each in store.leases("function/")] == ["function/a", "function/b"]
    assert [each.key for each in store.leases("functio_/")] == ["functio_/a"]
    assert [each.key for each in store.leases("%")] == ["%"]
    assert [each.key for each in store.leases("")] == sorted(keys)


@pytest.mark.parametrize("before", ["free", "given back", "over", "dead"])
def test_of_those_who_race_for_a_lease_exactly_one_gets_it(state: str, before: str) -> None:
    rounds, racers = 15, 4
    together = Barrier(racers, timeout=60)
    with Store.open(state) as store:
        there = {}
        for number in range(rounds):
            if before != "free":
                there[number] = taken(store, "before", key=f"plan/{number}")
            if before == "given back":
                store.release_lease(there[number])

    def race(racer: int) -> list[Lease | None]:
        got = []
        with Store.open(state) as own:
            for number in range(rounds):
                together.wait()
                dead = there[number] if before == "dead" else None
                seconds = TERM if before == "over" else 0
                key = f"plan/{number}"
                got.append(take(own, f"racer-{racer}", seconds, key=key, gone=dead))
        return got

    with ThreadPoolExecutor(racers) as pool:
        results = list(pool.map(race, range(racers)))
    for number in range(rounds):
        [winner] = [got[number] for got in results if got[number]]
        assert winner
        assert winner.fence == (1 if before == "free" else 2)


moves = st.lists(
    st.tuples(
        st.sampled_from(["take", "renew", "release", "bury"]),
        st.integers(0, 2),
        st.integers(0, 40),
    ),
    max_size=15,
)


@shared_store
@given(moves=moves)
def test_whatever_happens_one_at_most_holds_it_and_fences_only_rise(
    store: Store, moves: list[tuple[str, int, int]]
) -> None:
    """Against the plainest model: who holds it, and until when."""
    key = f"plan/{uuid4()}"
    holder: str | None = None
    until = now = 0.0
    fence = 0
    mine: dict[str, Lease] = {}
    for move, number, passed in moves:
        now += passed
        owner = f"owner-{number}"
        if move in {"take", "bury"}:
            gone = store.lease(key) if move == "bury" else None
            free = holder in (None, owner) or until <= now or gone is not None
            lease = take(store, owner, now, key=key, gone=gone)
            assert (lease is not None) == free
            if lease:
                fence += holder != owner
                holder, until, mine[owner] = owner, now + TERM, lease
                assert (lease.fence, lease.until) == (fence, after(until))
        elif owner in mine:
            ours = holder == owner
            if move == "renew":
                assert bool(store.renew_leases([mine[owner]], after(now), TERM)) == ours
                until = now + TERM if ours else until
            else:
                assert store.release_lease(mine.pop(owner)) == ours
                holder = None if ours else holder
        found = store.lease(key)
        assert (found.owner if found else None) == holder
        assert found is None or (found.fence, found.until) == (fence, after(until))


def test_the_agreed_time_is_in_utc_and_about_now(store: Store) -> None:
    now = store.now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.postgresql
def test_the_agreed_time_of_postgresql_is_its_own_and_that_of_each_question(
    postgresql_state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(f"{postgresql_state}&options=-ctimezone%3DAsia/Kolkata") as store:
        monkeypatch.setattr(leases, "datetime", None)
        first, second = store.now(), store.now()
    assert first < second
    assert first.tzinfo is UTC


HELD: dict[str, list[object]] = {
    "until": ["once", "2026-11-21T10:00:00"],
    "fence": ["first"],
    "owner": [b"one"],
    "process": ["many"],
    "run": [b"run"],
}


@pytest.mark.parametrize(
    ("column", "value"), [(name, each) for name, values in HELD.items() for each in values]
)
def test_a_lease_that_no_fleet_wrote_is_said(tmp_path: Path, column: str, value: object) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        taken(store, "one")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(f"UPDATE fleet_lease SET {column} = ?", [value])  # noqa: S608  # a name above
        reading: list[Callable[[], object]] = [
            lambda: store.lease(KEY),
            lambda: store.leases("function/"),
        ]
        for read in reading:
            with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
                read()


def test_a_time_without_a_zone_is_no_time_to_take_a_lease(store: Store) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        store.take_lease(KEY, "one", HOLDER, START.replace(tzinfo=None), TERM)
    assert store.lease(KEY) is None
