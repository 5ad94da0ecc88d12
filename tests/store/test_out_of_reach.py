"""A state that can't be used in the middle of a run: said, and used again once it can."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select, text

from fleet.errors import FileProblem
from fleet.store import Store, sqlite_file
from fleet.store.database import Database
from fleet.store.schema import SCHEMA
from tests.postgresql import PASSWORD, Server, _give_away, _programs
from tests.store.examples import START
from tests.store.test_leases import HOLDER, KEY, TERM
from tests.store.test_waves import ORDERS, PLAN, SAVED, STOPPED, member

THREADS = 16
"""As many as may be at the database at once; a worker may have more."""


def writes(store: Store) -> list[Callable[[], object]]:
    lease = store.take_lease(KEY, "one", HOLDER, START, TERM)
    assert lease
    return [
        lambda: store.take_lease("plan/other", "one", HOLDER, START, TERM),
        lambda: store.renew_leases([lease], START, TERM),
        lambda: store.release_lease(lease),
        lambda: store.put_member(PLAN, member("other"), lease=lease),
        lambda: store.put_members(PLAN, [member(f"other-{number}") for number in range(3)]),
        lambda: store.save_plan(replace(SAVED, name="other")),
        lambda: store.give_order(STOPPED),
        lambda: store.withdraw_orders(PLAN, "canary", [STOPPED.kind]),
        lambda: store.tell_once(PLAN, "canary", "started", START),
    ]


def reads(store: Store) -> list[Callable[[], object]]:
    return [
        store.orders,
        store.plans,
        partial(store.plan, PLAN),
        partial(store.members, PLAN),
        partial(store.member, PLAN, ORDERS),
        partial(store.lease, KEY),
        partial(store.leases, ""),
    ]


def what_is_saved(store: Store) -> list[object]:
    return [read() for read in reads(store)]


@pytest.fixture
def stopped_and_started(postgresql: Server) -> Iterator[Callable[[str], None]]:
    """Tells the server to `stop` or to `start`; it runs again at the end."""
    home = postgresql.home
    user = _give_away(home)
    options = ["-o", f"-k {home} -c listen_addresses= -c fsync=off"]

    def tell(what: str) -> None:
        arguments = options if what == "start" else ["-m", "immediate"]
        with (home / "log").open("ab") as log:
            subprocess.run(
                [_programs() / "pg_ctl", "-D", home / "data", "-w", *arguments, what],
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                cwd=home,
                stdout=log,
                stderr=log,
                check=True,
            )

    yield tell
    if not (home / "data" / "postmaster.pid").exists():
        tell("start")


@pytest.mark.postgresql
def test_a_server_that_goes_is_said_at_every_call_and_one_that_comes_back_is_used(
    postgresql_state: str, stopped_and_started: Callable[[str], None]
) -> None:
    with Store.open(postgresql_state) as store:
        store.save_plan(SAVED)
        store.put_member(PLAN, member())
        calls = [*writes(store), *reads(store), store.now]
        before = what_is_saved(store)
        stopped_and_started("stop")
        for call in calls:
            with pytest.raises(FileProblem) as caught:
                call()
            said = str(caught.value)
            assert said.startswith("postgresql:///postgres: the database says: ")
            assert "; mend that and run the same command again, or name another place" in said
            assert PASSWORD not in said
        stopped_and_started("start")
        assert what_is_saved(store) == before
        for call in calls:
            call()


@pytest.mark.postgresql
def test_a_transaction_that_the_server_ends_in_the_middle_is_said_and_leaves_nothing(
    postgresql_state: str,
) -> None:
    with Store.open(postgresql_state) as store:
        store.save_plan(SAVED)
        ending = text("SELECT pg_terminate_backend(pg_backend_pid())")

        def cut_off() -> None:
            with store._database.writing() as connection:
                connection.execute(text("DELETE FROM fleet_plan"))
                connection.execute(ending)

        with pytest.raises(FileProblem, match="the database says: ") as caught:
            cut_off()
        assert PASSWORD not in str(caught.value)
        assert store.plans() == [SAVED]


def test_a_disk_without_room_is_said_and_what_was_saved_stays(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "fleet.db")) as store:
        store.save_plan(SAVED)
        store.put_member(PLAN, member())
        before = what_is_saved(store)
        many = [replace(member(f"f{number}"), reason="x" * 1000) for number in range(100)]
        with store._database._engine.connect() as connection:
            pages = connection.scalar(text("PRAGMA page_count"))
            connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(FileProblem, match="has no room left on its disk; make room"):
            store.put_members(PLAN, many)
        assert what_is_saved(store) == before
        with store._database._engine.connect() as connection:
            connection.execute(text("PRAGMA max_page_count = 100000"))
        assert store.put_members(PLAN, many)


def test_a_file_that_another_command_keeps_locked_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.01)
    file = str(tmp_path / "fleet.db")
    with Store.open(file) as store:
        store.save_plan(SAVED)
        calls = writes(store)
        before = what_is_saved(store)
        holder = Database.open(file)
        with holder.writing():
            for call in calls:
                with pytest.raises(FileProblem, match="is locked by another command; try again"):
                    call()
            # Whoever only reads is not held up.
            assert what_is_saved(store) == before
        holder.close()


def test_many_threads_are_at_the_database_at_once(store: Store) -> None:
    together = Barrier(THREADS, timeout=20)

    def read(_: int) -> list[int]:
        with store._database.reading() as connection:
            together.wait()
            return list(connection.scalars(select(SCHEMA.c.version)))

    with ThreadPoolExecutor(THREADS) as pool:
        assert len(set(map(str, pool.map(read, range(THREADS))))) == 1


def test_more_threads_than_connections_take_turns(store: Store) -> None:
    def work(number: int) -> bool:
        key = f"function/{number}"
        lease = store.take_lease(key, f"owner-{number}", HOLDER, START, TERM)
        assert lease
        return store.put_member(PLAN, member(f"f{number}"), lease=lease) and store.release_lease(
            lease
        )

    with ThreadPoolExecutor(4 * THREADS) as pool:
        assert all(pool.map(work, range(8 * THREADS)))
    assert len(store.members(PLAN)) == 8 * THREADS
    assert store.leases("") == []
