from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import URL, text

from fleet.errors import FileProblem
from fleet.ledger import EntryState
from fleet.model import EVERY_REGION, Account, CoverageStatus
from fleet.store import Store, ledger, sqlite_file
from fleet.store.database import Database
from tests.store import noter, writer
from tests.store.examples import ACCOUNT, SCAN, START, column, header, intended, lane, statuses

WRITER = [sys.executable, writer.__file__]
NOTER = [sys.executable, noter.__file__]
ROUNDS = 12
PLANNED = [writer.region(number) for number in range(writer.LANES)]


@contextmanager
def waiting(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process that begins its work at the first line it gets, ended at the end in any case."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def go(*processes: subprocess.Popen[str], lines: int = 1) -> None:
    for process in processes:
        assert process.stdin
        process.stdin.write("\n" * lines)
        process.stdin.flush()


def ended(*processes: subprocess.Popen[str]) -> list[str]:
    """What each wrote on standard error."""
    return [process.communicate()[1] for process in processes]


def plan(store: Store) -> None:
    store.begin_scan(header())
    store.plan_accounts(SCAN, [Account(ACCOUNT)])
    store.plan_lanes(SCAN, ACCOUNT, PLANNED)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_places(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Several places without a store, so that those who race for one need not win at once."""
    if request.param == "sqlite":
        return [str(tmp_path / f"{number}.db") for number in range(ROUNDS)]
    url: str = request.getfixturevalue("postgresql_state")
    janitor = Database.open(url)
    with janitor.writing() as connection:
        for number in range(ROUNDS):
            connection.execute(text(f"CREATE SCHEMA round_{number}"))
    janitor.close()
    return [f"{url}&options=-csearch_path%3Dround_{number}" for number in range(ROUNDS)]


def test_commands_that_create_the_store_at_once_all_find_it(empty_places: list[str]) -> None:
    together = Barrier(4, timeout=60)

    def create(place: str) -> int:
        together.wait()
        with Store.open(place) as store:
            return len(store.scans())

    with ThreadPoolExecutor(together.parties) as pool:
        for place in empty_places:
            assert list(pool.map(create, [place] * together.parties)) == [0] * together.parties


def test_commands_that_save_the_same_lanes_at_once_never_mix_or_count_twice(
    store: Store, state: str
) -> None:
    plan(store)
    with waiting(*WRITER, state, "one") as one, waiting(*WRITER, state, "two") as two:
        go(one, two, lines=writer.LANES)
        assert ended(one, two) == ["", ""]
    either = [writer.names("one"), writer.names("two")]
    saved = column(store, "name")
    for number in range(writer.LANES):
        at = number * writer.FUNCTIONS
        assert saved[at : at + writer.FUNCTIONS] in either
    assert len(saved) == store.totals(SCAN).findings == writer.LANES * writer.FUNCTIONS


def test_killed_writer_leaves_whole_lanes_and_the_rest_not_attempted(
    store: Store, state: str
) -> None:
    plan(store)
    with waiting(*WRITER, state, "one") as process:
        go(process, lines=20)
        assert process.stdout
        assert [process.stdout.readline() for _ in range(20)][-1] == "19\n"
        go(process, lines=5)
        process.kill()
        process.wait()
    after = statuses(store)
    saved = [region for (_, region), status in after.items() if status is CoverageStatus.OK]
    assert sorted(region for _, region in after) == PLANNED
    assert saved == PLANNED[: len(saved)]
    assert 20 <= len(saved) <= 25
    assert column(store, "name") == writer.names("one") * len(saved)
    assert not store.totals(SCAN).complete
    store.save_lane(SCAN, lane("a", region=PLANNED[-1]))


def test_threads_share_a_store(store: Store) -> None:
    plan(store)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda at: store.save_lane(SCAN, lane("a", "b", region=at)), PLANNED))
    assert store.totals(SCAN).by_status == {CoverageStatus.OK: writer.LANES}
    assert len(column(store, "name")) == 2 * writer.LANES


def test_threads_and_commands_that_note_steps_at_once_lose_none(store: Store, state: str) -> None:
    def note(_: int) -> int:
        number = store.begin_step(intended(run="threads"))
        store.end_step(number, state=EntryState.DONE, ended=START)
        return number

    with waiting(*NOTER, state, "one") as one, waiting(*NOTER, state, "two") as two:
        go(one, two, lines=20)
        with ThreadPoolExecutor(8) as pool:
            numbers = list(pool.map(note, range(40)))
        for process in (one, two):
            told, problem = process.communicate()
            assert problem == ""
            numbers += map(int, told.split())
    steps = store.steps(intended().ref)
    assert [step.number for step in steps] == sorted(numbers)
    assert Counter(step.run for step in steps) == {"threads": 40, "one": 20, "two": 20}
    under_way = [step.run for step in steps if step.state is EntryState.INTENDED]
    assert sorted(under_way) == ["one", "two"]


def test_killed_command_leaves_the_step_it_was_about_to_make(store: Store, state: str) -> None:
    with waiting(*NOTER, state, "one") as process:
        go(process)
        assert process.stdout
        number = int(process.stdout.readline())
        process.kill()
        process.wait()
    [step] = store.steps(intended().ref)
    assert (step.number, step.state, step.ended) == (number, EntryState.INTENDED, None)
    store.end_step(number, state=EntryState.DONE, ended=START)


def test_commands_that_make_the_hash_key_at_once_all_get_the_same(state: str) -> None:
    together = Barrier(4, timeout=60)

    def ask(_: int) -> bytes:
        with Store.open(state) as store:
            together.wait()
            return store.hash_key()

    with ThreadPoolExecutor(together.parties) as pool:
        assert len(set(pool.map(ask, range(together.parties)))) == 1


def test_command_that_comes_too_late_to_make_the_hash_key_gets_the_one_that_is_there(
    store: Store, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = ledger.hash_key
    with Store.open(state) as faster:
        key = faster.hash_key()
    seen: list[bytes | None] = [None]  # as it was when the slower one looked
    monkeypatch.setattr(
        ledger, "hash_key", lambda connection: seen.pop() if seen else read(connection)
    )
    assert store.hash_key() == key


def test_commands_that_plan_the_same_accounts_in_any_order_do_not_stop_each_other(
    store: Store, state: str
) -> None:
    store.begin_scan(header())
    accounts = [Account(f"{number:012d}") for number in range(500)]
    together = Barrier(2, timeout=60)

    def plan_all(planner: Store, order: int) -> None:
        for _ in range(4):
            together.wait()
            planner.plan_accounts(SCAN, accounts[::order])

    with Store.open(state) as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(plan_all, [store, other], [1, -1]))
    assert set(statuses(store)) == {(account.id, EVERY_REGION) for account in accounts}


@pytest.mark.postgresql
def test_account_given_up_while_another_command_plans_it_says_nothing_beside_its_lanes(
    postgresql_state: str,
) -> None:
    """SQLite has one writer at a time; on PostgreSQL the two have to wait for each other."""
    waiting_there = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with Store.open(postgresql_state) as store, ThreadPoolExecutor(1) as pool:
        store.begin_scan(header())
        store.plan_accounts(SCAN, [Account(ACCOUNT)])
        with store._database.writing() as planning:
            store._hold(planning, SCAN)
            store._lanes.plan_lanes(planning, SCAN, ACCOUNT, ["eu-west-1"])
            refused = lane(region=EVERY_REGION, status=CoverageStatus.ROLE_MISSING)
            given_up = pool.submit(store.save_lane, SCAN, refused)
            with store._database.reading() as watching:
                while not (given_up.done() or watching.scalar(waiting_there)):
                    watching.execute(text("SELECT pg_stat_clear_snapshot()"))
        given_up.result(timeout=60)
        assert statuses(store) == {(ACCOUNT, "eu-west-1"): CoverageStatus.NOT_ATTEMPTED}


def test_store_that_stays_locked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.01)
    file = str(tmp_path / "fleet.db")
    with Store.open(file) as store:
        store.begin_scan(header())
        holder = Database.open(file)
        with holder.writing():
            with pytest.raises(FileProblem, match="is locked by another command; try again"):
                store.save_lane(SCAN, lane("a"))
            assert store.coverage(SCAN) == []
        holder.close()
        store.save_lane(SCAN, lane("a"))


@pytest.mark.postgresql
def test_connection_that_the_server_dropped_is_replaced(
    postgresql_state: str,
) -> None:
    with Store.open(postgresql_state) as store:
        store.begin_scan(header())
        janitor = Database.open(postgresql_state)
        with janitor.reading() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            )
        janitor.close()
        store.save_lane(SCAN, lane("a"))
        assert column(store, "name") == ["a"]


def test_new_store_gets_its_log_once_the_others_who_look_at_it_have_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0)
    file = tmp_path / "fleet.db"
    engine = sqlite_file.engine(URL.create("sqlite", database=str(file)))
    monkeypatch.undo()
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("CREATE TABLE any (thing)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM any")

        def go_away(_attempt: object) -> float:
            reader.execute("COMMIT")
            return 0

        monkeypatch.setattr(sqlite_file, "wait_random", lambda *_: go_away)
        sqlite_file.use_write_ahead_log(engine)
    engine.dispose()
    with closing(sqlite3.connect(file)) as fresh:
        assert fresh.execute("PRAGMA journal_mode").fetchone() == ("wal",)
