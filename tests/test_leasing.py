"""Leases as a process holds them: taken, renewed, lost, given back. No test waits for time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from fleet.errors import FileProblem
from fleet.leasing import AgreedClock, Leases, Taken, function_key
from fleet.store import Store
from fleet.wave import Holder, Lease

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-west-1:000000000001:function:orders"
KEY = function_key(ARN)
TERM, BEAT = 60.0, 20.0
ME = Holder(run="20261121T100000Z-0002", host="bastion", process=42)
OTHER = replace(ME, run="20261121T100000Z-0003", host="laptop", process=43)


@dataclass
class Clock:
    """A machine's clock, set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Desk:
    """A store, a clock and those who share them."""

    store: Store
    clock: Clock = field(default_factory=Clock)

    @contextmanager
    def leases(
        self,
        holder: Holder = ME,
        *,
        gone: Callable[[Holder], bool] = lambda _: False,
        agreed: Callable[[], datetime] | None = None,
        here: Callable[[], datetime] | None = None,
    ) -> Iterator[Leases]:
        clock = AgreedClock(agreed or self.clock, here or self.clock)
        # Its heart beats when the test says so: by leases.beat().
        with Leases(
            self.store,
            holder,
            clock,
            term=TERM,
            beat=BEAT,
            gone=gone,
            wait=lambda closed, _: closed.wait(),
        ) as leases:
            yield leases

    def stolen(self, lease: Lease) -> Lease:
        """Somebody else takes it, whatever the clock says."""
        taken = self.store.take_lease(
            lease.key, "thief", OTHER, self.clock.now, TERM, instead_of=lease
        )
        assert taken
        return taken


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(str(tmp_path / "fleet.db")) as store:
        yield Desk(store)


def test_a_lease_is_held_for_the_length_of_the_block(desk: Desk) -> None:
    with desk.leases() as leases:
        with leases.holding(KEY) as lease:
            assert desk.store.lease(KEY) == lease
            assert (lease.holder, lease.until) == (ME, START + timedelta(seconds=TERM))
            assert not leases.lost(lease)
        assert desk.store.lease(KEY) is None
        assert leases.lost(lease)


def test_it_is_given_back_whatever_ends_the_block(desk: Desk) -> None:
    with desk.leases() as leases:
        with pytest.raises(KeyboardInterrupt), leases.holding(KEY):
            raise KeyboardInterrupt
        assert desk.store.lease(KEY) is None


def test_who_comes_second_is_told_who_holds_it_and_what_to_do(desk: Desk) -> None:
    with desk.leases() as mine, desk.leases(OTHER) as theirs, mine.holding(KEY) as lease:
        with pytest.raises(Taken) as caught, theirs.holding(KEY):
            pytest.fail("it was held")
        assert caught.value.lease == lease
        assert str(caught.value) == (
            f"{ARN} is being changed by run 20261121T100000Z-0002 (process 42 on bastion), until "
            "2026-11-21 10:01:00 UTC unless that goes on; run the same command again afterwards"
        )
        # The one who failed has not given back what is not theirs.
        assert desk.store.lease(KEY) == lease


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("plan/go1x", "plan go1x is being run by run"),
        ("lane/000000000001/eu-west-1", "lane 000000000001/eu-west-1 is being worked at by run"),
    ],
)
def test_what_is_held_is_named(desk: Desk, key: str, said: str) -> None:
    with desk.leases() as mine, mine.holding(key), pytest.raises(Taken, match=said):  # noqa: SIM117
        with mine.holding(key):
            pytest.fail("it was held")


def test_the_same_process_does_not_hold_it_twice(desk: Desk) -> None:
    with desk.leases() as leases, leases.holding(KEY) as lease:
        with pytest.raises(Taken), leases.holding(KEY):
            pytest.fail("it was held")
        assert not leases.lost(lease)
        with leases.holding("plan/other"):
            assert len(desk.store.leases("")) == 2


def test_what_is_renewed_stays_held_for_as_long_as_it_takes(desk: Desk) -> None:
    with (
        desk.leases() as leases,
        desk.leases(OTHER) as others,
        leases.holding(KEY) as one,
        leases.holding("plan/other") as two,
    ):
        for _ in range(10):
            desk.clock.go_on(BEAT)
            leases.beat()
            assert not leases.lost(one)
            assert not leases.lost(two)
            with pytest.raises(Taken), others.holding(KEY):
                pytest.fail("it was held")
        # The fence is still the one that writes to the store are made under.
        renewed = desk.store.lease(KEY)
        assert renewed
        assert (renewed.owner, renewed.fence) == (one.owner, one.fence)


def test_what_nobody_renews_is_lost_before_another_may_take_it(desk: Desk) -> None:
    with desk.leases() as leases, desk.leases(OTHER) as others, leases.holding(KEY) as lease:
        desk.clock.go_on(TERM * 11 / 12 - 0.001)
        assert not leases.lost(lease)
        desk.clock.go_on(0.001)
        assert leases.lost(lease)
        with pytest.raises(Taken), others.holding(KEY):
            pytest.fail("it was held")
        desk.clock.go_on(TERM / 12)
        with others.holding(KEY) as taken:
            assert taken.fence == lease.fence + 1


def test_what_was_taken_is_lost_at_the_next_beat_and_stays_with_who_has_it(desk: Desk) -> None:
    with desk.leases() as leases, leases.holding("plan/other") as kept:
        with leases.holding(KEY) as lease:
            taken = desk.stolen(lease)
            assert not leases.lost(lease)
            leases.beat()
            assert leases.lost(lease)
            assert not leases.lost(kept)
            leases.beat()
            assert leases.lost(lease)
        assert desk.store.lease(KEY) == taken


def fail(*_: object, **__: object) -> Any:  # noqa: ANN401  # never answers
    raise FileProblem("postgresql://db/fleet", "the database says: gone", "mend that")


def test_a_store_that_is_gone_for_a_while_costs_no_lease(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with desk.leases() as leases, leases.holding(KEY) as lease:
        for _ in range(2):
            desk.clock.go_on(BEAT)
            with monkeypatch.context() as patch:
                patch.setattr(desk.store, "renew_leases", fail)
                leases.beat()
        assert not leases.lost(lease)
        assert "postgresql://db/fleet: the database says: gone" in caplog.text
        desk.clock.go_on(BEAT / 2)
        leases.beat()
        desk.clock.go_on(BEAT)
        assert not leases.lost(lease)


def test_a_store_that_stays_away_ends_the_lease(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.leases() as leases, leases.holding(KEY) as lease:
        monkeypatch.setattr(desk.store, "renew_leases", fail)
        for _ in range(3):
            assert not leases.lost(lease)
            desk.clock.go_on(BEAT)
            leases.beat()
        assert leases.lost(lease)


def test_work_that_is_done_stays_done_where_its_lease_cannot_be_given_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.leases() as leases:
        with leases.holding(KEY):
            monkeypatch.setattr(desk.store, "release_lease", fail)
        monkeypatch.undo()
        # It is over by itself.
        desk.clock.go_on(TERM)
        with desk.leases(OTHER) as others, others.holding(KEY):
            pass


def test_the_heart_beats_from_the_first_lease_until_the_end(desk: Desk) -> None:
    asked: SimpleQueue[float] = SimpleQueue()
    go: SimpleQueue[str] = SimpleQueue()

    def wait(closed: threading.Event, seconds: float) -> bool:
        asked.put(seconds)
        return go.get(timeout=60) == "end" or closed.is_set()

    clock = AgreedClock(desk.clock, desk.clock)
    leases = Leases(desk.store, ME, clock, term=TERM, beat=BEAT, wait=wait)
    assert asked.empty()
    with leases.holding(KEY), leases.holding("plan/other"):
        for beats in range(1, 4):
            assert asked.get(timeout=60) == BEAT
            desk.clock.go_on(BEAT)
            go.put("beat")
            # It has beaten by the time it waits again.
            seconds = asked.get(timeout=60)
            asked.put(seconds)
            until = START + timedelta(seconds=beats * BEAT + TERM)
            assert [each.until for each in desk.store.leases("")] == [until] * 2
    assert [thread.name for thread in threading.enumerate()].count("leases") == 1
    go.put("end")
    leases.close()
    assert "leases" not in [thread.name for thread in threading.enumerate()]


def test_closing_does_not_wait_for_a_beat(desk: Desk) -> None:
    clock = AgreedClock(desk.clock, desk.clock)
    with Leases(desk.store, ME, clock, term=10**6, beat=10**5) as leases, leases.holding(KEY):
        pass
    assert "leases" not in [thread.name for thread in threading.enumerate()]


def test_a_holder_that_has_died_is_not_waited_for(desk: Desk) -> None:
    dead = desk.store.take_lease(KEY, "dead", OTHER, START, TERM)
    assert dead
    with desk.leases(gone=lambda holder: holder == OTHER) as leases, leases.holding(KEY) as lease:
        assert (lease.holder, lease.fence) == (ME, dead.fence + 1)


def test_who_finds_the_same_holder_dead_but_comes_too_late_waits(desk: Desk) -> None:
    assert desk.store.take_lease(KEY, "dead", OTHER, START, TERM)
    faster = replace(ME, run="20261121T100000Z-0004")

    def look(holder: Holder) -> bool:
        if holder != OTHER:
            return False
        found = desk.store.lease(KEY)
        assert found
        assert desk.store.take_lease(KEY, "faster", faster, START, TERM, instead_of=found)
        return True

    with desk.leases(gone=look) as leases, pytest.raises(Taken) as caught, leases.holding(KEY):
        pytest.fail("it was held")
    assert caught.value.lease.holder == faster


def test_what_was_given_back_between_two_looks_is_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = desk.store.take_lease(KEY, "other", OTHER, START, TERM)
    assert theirs
    look = desk.store.lease

    def given_back(key: str) -> Lease | None:
        desk.store.release_lease(theirs)
        return look(key)

    monkeypatch.setattr(desk.store, "lease", given_back)
    with desk.leases() as leases, leases.holding(KEY) as lease:
        assert lease.holder == ME


def test_what_is_to_leave_off_hears_of_either(desk: Desk) -> None:
    stop = threading.Event()
    with desk.leases() as leases, leases.holding(KEY) as one, leases.holding("plan/2") as two:
        ones, twos = leases.leaving(one, stop), leases.leaving(two, stop)
        assert [each.is_set() for each in (ones, twos)] == [False, False]
        assert not ones.wait(0)
        desk.stolen(one)
        leases.beat()
        assert ones.is_set()
        assert ones.wait()
        assert not twos.is_set()
        stop.set()
        assert twos.is_set()
        assert twos.wait()


def test_the_stores_clock_counts_where_this_machines_is_wrong(desk: Desk) -> None:
    wrong = Clock(START - timedelta(hours=3))
    with desk.leases(here=wrong) as leases, leases.holding(KEY) as lease:
        assert lease.until == START + timedelta(seconds=TERM)
        wrong.go_on(TERM)
        assert leases.lost(lease)


def test_a_clock_that_was_set_meanwhile_is_corrected_at_the_next_beat(desk: Desk) -> None:
    machine = Clock()
    with desk.leases(here=machine) as leases, leases.holding(KEY) as lease:
        machine.go_on(-3600)
        desk.clock.go_on(BEAT)
        leases.beat()
        found = desk.store.lease(KEY)
        assert found
        assert found.until == START + timedelta(seconds=BEAT + TERM)
        machine.go_on(TERM)
        assert leases.lost(lease)


def test_the_store_is_asked_for_the_time_once_and_answers_midway_through_the_question() -> None:
    here = Clock()
    asked: list[datetime] = []

    def agreed() -> datetime:
        here.go_on(1)
        asked.append(START + timedelta(hours=1))
        here.go_on(1)
        return asked[-1]

    clock = AgreedClock(agreed, here)
    assert clock() == START + timedelta(hours=1, seconds=1)
    here.go_on(5)
    assert clock() == START + timedelta(hours=1, seconds=6)
    assert len(asked) == 1


def test_a_process_is_named_so_that_another_one_can_see_it_die(desk: Desk) -> None:
    with Leases.of(desk.store, "20261121T100000Z-0009") as leases, leases.holding(KEY) as lease:
        assert lease.holder.run == "20261121T100000Z-0009"
        assert lease.holder.started
        assert abs(lease.until - datetime.now(UTC)) < timedelta(seconds=TERM)
