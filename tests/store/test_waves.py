from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, text

from fleet.errors import BadSelection, FileProblem
from fleet.ledger import EntryState
from fleet.model import Account, FunctionRef
from fleet.results import Result
from fleet.store import Store
from fleet.wave import Holder, Lease, MemberState, Order, OrderKind, Phase, SavedPlan, Stage
from tests import strategies
from tests.store.examples import ACCOUNT, SCAN, START, column, header, intended, lane, without_use

PLAN = "go1x"
ORDERS = FunctionRef("aws", ACCOUNT, "eu-west-1", "orders")
SAVED = SavedPlan(
    name=PLAN,
    organization="o-1",
    digest="00" * 32,
    text="format: 1\n",
    fleet="1.0.0",
    saved=START,
)
STOPPED = Order(plan=PLAN, wave="canary", kind=OrderKind.STOP, at=START, by="ada@bastion")
NEW_TABLES = ("fleet_plan", "fleet_member", "fleet_order", "fleet_told", "fleet_lease")

shared_store = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
refs = st.builds(
    FunctionRef,
    partition=st.just("aws"),
    account=strategies.account_ids,
    region=strategies.regions,
    name=strategies.names,
)
states = st.builds(
    MemberState,
    wave=strategies.names,
    ref=refs,
    stage=st.sampled_from(Stage),
    phase=st.sampled_from(Phase),
    attempts=strategies.counts,
    result=st.none() | st.sampled_from(Result),
    reason=strategies.texts,
    began=st.none() | strategies.moments,
    since=st.none() | strategies.moments,
    share=st.floats(0, 1),
    checked=st.none() | strategies.moments,
    failed_checks=strategies.counts,
    unjudged=st.booleans(),
    run=strategies.texts,
    fingerprint=strategies.texts,
    baseline=st.none() | strategies.moments,
    touched=st.booleans(),
    theirs=st.booleans(),
    ordered=st.booleans(),
)


def member(name: str = "orders", phase: Phase = Phase.WAITING, *, wave: str = "one") -> MemberState:
    return MemberState(wave=wave, ref=replace(ORDERS, name=name), phase=phase)


def key(state: MemberState) -> tuple[str, ...]:
    ref = state.ref
    return ref.partition, ref.account, ref.region, ref.name


# --- plans ---------------------------------------------------------------------------------------


@shared_store
@given(text=strategies.texts, organization=strategies.names, saved=strategies.moments)
def test_a_plan_reads_back_as_it_was_saved(
    store: Store, text: str, organization: str, saved: datetime
) -> None:
    plan = replace(SAVED, name=str(uuid4()), text=text, organization=organization, saved=saved)
    store.save_plan(plan)
    assert store.plan(plan.name) == plan


def test_a_plan_that_was_edited_takes_the_place_of_what_it_was(store: Store) -> None:
    store.save_plan(SAVED)
    edited = replace(SAVED, text="format: 1 \n", digest="11" * 32, saved=START + timedelta(1))
    store.save_plan(edited)
    assert store.plans() == [edited]


def test_the_plan_that_was_saved_last_is_the_one_meant(store: Store) -> None:
    old, last = replace(SAVED, name="old"), replace(SAVED, saved=START + timedelta(1))
    store.save_plan(last)
    store.save_plan(old)
    assert store.plan(None) == last
    assert store.plans() == [old, last]
    store.save_plan(replace(old, saved=START + timedelta(2)))
    assert store.plan(None).name == "old"


def test_a_plan_of_another_organization_does_not_take_its_place(store: Store) -> None:
    store.save_plan(SAVED)
    said = "holds a plan go1x of another organization than o-2; give one of them another name"
    with pytest.raises(FileProblem, match=said):
        store.save_plan(replace(SAVED, organization="o-2"))
    assert store.plans() == [SAVED]


def test_a_plan_that_is_not_there_is_said_with_those_that_are(store: Store) -> None:
    for name in (None, PLAN):
        with pytest.raises(FileProblem, match="holds no plan that was run; run fleet waves run"):
            store.plan(name)
    for number in range(7):
        saved = START + timedelta(minutes=number)
        store.save_plan(replace(SAVED, name=f"plan-{number}", saved=saved))
    named = r"choose one of plan-6, plan-5, plan-4, plan-3, plan-2 and 2 older"
    with pytest.raises(BadSelection, match=named):
        store.plan("go")


# --- members -------------------------------------------------------------------------------------


@shared_store
@given(states=st.lists(states, max_size=5, unique_by=key))
def test_members_read_back_as_they_were_put_in_the_order_of_their_functions(
    store: Store, states: list[MemberState]
) -> None:
    plan = str(uuid4())
    assert store.put_members(plan, states)
    assert store.members(plan) == sorted(states, key=key)
    for state in states:
        assert store.member(plan, replace(state.ref, qualifier="7")) == state


def test_a_member_takes_the_place_of_what_it_was_also_in_another_wave(store: Store) -> None:
    store.put_members(PLAN, [member("orders"), member("returns")])
    moved = member("orders", Phase.ENDED, wave="two")
    assert store.put_member(PLAN, moved)
    assert store.members(PLAN) == [moved, member("returns")]


def test_members_of_another_plan_are_left_out(store: Store) -> None:
    store.put_member("other", member())
    assert store.members(PLAN) == []
    assert store.member(PLAN, ORDERS) is None


@pytest.mark.parametrize("field", ["partition", "account", "region", "name"])
def test_a_member_is_one_function(store: Store, field: str) -> None:
    store.put_member(PLAN, member())
    assert store.member(PLAN, replace(ORDERS, **{field: "other"})) is None


def test_thousands_of_members_are_put_as_one(store: Store) -> None:
    many = [member(f"f{number:05}") for number in range(5000)]
    store.put_members(PLAN, many)
    assert store.members(PLAN) == many
    # A bad one among them: all of them stay as they are.
    later = [replace(each, phase=Phase.ENDED) for each in many]
    with pytest.raises(ValueError, match="no time zone"):
        store.put_members(PLAN, [*later, replace(member(), since=START.replace(tzinfo=None))])
    with pytest.raises(FileProblem):
        store.put_members(PLAN, [*later, replace(member(), attempts=None)])  # type: ignore[arg-type]  # on purpose
    assert store.members(PLAN) == many


def test_why_a_member_ended_loses_what_a_database_cannot_hold(store: Store) -> None:
    store.put_member(PLAN, replace(member(), reason="a\0b\ud800"))
    [told] = store.members(PLAN)
    assert told.reason == "a\ufffdb\ufffd"


def held(store: Store, owner: str, seconds: float = 0) -> Lease:
    holder = Holder(run="r", host="h", process=1)
    now = START + timedelta(seconds=seconds)
    lease = store.take_lease("function/orders", owner, holder, now, 60)
    assert lease
    return lease


def test_who_has_lost_the_lease_does_not_overwrite_what_the_new_holder_saved(store: Store) -> None:
    lost = held(store, "one")
    assert store.put_member(PLAN, member(phase=Phase.UNDER_WAY), lease=lost)
    now = held(store, "two", 60)
    newer = member(phase=Phase.BAKING)
    assert store.put_member(PLAN, newer, lease=now)
    assert not store.put_member(PLAN, member(phase=Phase.ENDED), lease=lost)
    assert not store.put_members(PLAN, [member("other")], lease=lost)
    store.release_lease(now)
    assert not store.put_member(PLAN, member(phase=Phase.ENDED), lease=now)
    assert store.members(PLAN) == [newer]


@pytest.mark.postgresql
def test_nobody_takes_a_lease_between_the_look_at_it_and_the_write(postgresql_state: str) -> None:
    """SQLite has one writer at a time; on PostgreSQL the two have to wait for each other."""
    waiting_there = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with Store.open(postgresql_state) as store, ThreadPoolExecutor(2) as pool:
        lease = held(store, "one")
        store.put_member(PLAN, member())
        with store._database.writing() as blocking:
            # The put below has seen its lease by the time it waits for this row.
            blocking.execute(text("UPDATE fleet_member SET attempts = 7"))
            put = pool.submit(store.put_member, PLAN, member(phase=Phase.BAKING), lease=lease)
            with store._database.reading() as watching:
                taking = None
                for waiters in (1, 2):
                    while watching.scalar(waiting_there) < waiters:
                        assert not put.done()
                        assert not (taking and taking.done()), "taken in between"
                        watching.execute(text("SELECT pg_stat_clear_snapshot()"))
                    taking = taking or pool.submit(held, store, "two", 60)
        assert put.result(timeout=60)
        assert taking
        assert taking.result(timeout=60).fence == lease.fence + 1
        assert store.members(PLAN) == [member(phase=Phase.BAKING)]


def test_two_that_put_the_same_members_in_any_order_do_not_stop_each_other(
    store: Store, state: str
) -> None:
    many = [member(f"f{number:05}") for number in range(500)]
    together = Barrier(2, timeout=60)

    def put_all(putter: Store, order: int) -> None:
        for _ in range(4):
            together.wait()
            assert putter.put_members(PLAN, many[::order])

    with Store.open(state) as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(put_all, [store, other], [1, -1]))
    assert store.members(PLAN) == many


# --- orders and what was told --------------------------------------------------------------------


@shared_store
@given(
    kind=st.sampled_from(OrderKind),
    at=strategies.moments,
    by=strategies.texts,
    why=strategies.texts,
)
def test_an_order_reads_back_as_it_was_given(
    store: Store, kind: OrderKind, at: datetime, by: str, why: str
) -> None:
    order = Order(plan=PLAN, wave=str(uuid4()), kind=kind, at=at, by=by, why=why)
    assert store.give_order(order)
    assert order in store.orders()
    assert store.withdraw_orders(PLAN, order.wave, OrderKind) == 1


def test_an_order_in_force_stays_as_it_was_given_first(store: Store) -> None:
    first = replace(STOPPED, why="2 of 100 failed, and the budget is 1")
    assert store.give_order(first)
    assert not store.give_order(replace(STOPPED, why="3 of 100 failed, and the budget is 1"))
    assert store.orders() == [first]


def test_only_the_orders_that_are_meant_are_withdrawn(store: Store) -> None:
    given = [
        replace(STOPPED, plan=plan, wave=wave, kind=kind)
        for plan, wave in [("", ""), (PLAN, ""), (PLAN, "canary"), ("other", "canary")]
        for kind in sorted(OrderKind)
    ]
    for order in reversed(given):
        store.give_order(order)
    assert store.orders() == given
    gone = {OrderKind.STOP, OrderKind.PAUSE}
    assert store.withdraw_orders(PLAN, "canary", gone) == 2
    assert store.withdraw_orders(PLAN, "canary", gone) == 0
    assert store.withdraw_orders(PLAN, "canary", []) == 0
    left = [
        each
        for each in given
        if not (each.plan == PLAN and each.wave == "canary" and each.kind in gone)
    ]
    assert store.orders() == left
    # What was withdrawn can be ordered again.
    assert store.give_order(STOPPED)


def test_each_event_is_told_by_one_of_those_who_notice_it(state: str) -> None:
    events = [(PLAN, "canary", "started"), (PLAN, "canary", "ended"), (PLAN, "rest", "started")]
    together = Barrier(4, timeout=60)

    def notice(_: int) -> list[bool]:
        with Store.open(state) as store:
            told = []
            for event in events:
                together.wait()
                told.append(store.tell_once(*event, START))
            return told

    with ThreadPoolExecutor(together.parties) as pool:
        answers = list(pool.map(notice, range(together.parties)))
    assert [sum(each) for each in zip(*answers, strict=True)] == [1, 1, 1]


# --- what no fleet wrote, and older tables -------------------------------------------------------


HELD: dict[tuple[str, str], list[object]] = {
    ("fleet_member", "stage"): ["dream"],
    ("fleet_member", "phase"): ["dreaming"],
    ("fleet_member", "result"): ["dreamt"],
    ("fleet_member", "attempts"): ["many"],
    ("fleet_member", "since"): ["once", "2026-11-21T10:00:00"],
    ("fleet_member", "baseline"): ["once", "2026-11-21T10:00:00"],
    ("fleet_member", "fingerprint"): [b"0"],
    ("fleet_member", "share"): ["half"],
    ("fleet_member", "account"): [b"1"],
    ("fleet_order", "kind"): ["dream"],
    ("fleet_order", "at"): ["2026-11-21T10:00:00"],
    ("fleet_plan", "saved"): ["once"],
    ("fleet_plan", "text"): [b"format: 1"],
}


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [(*where, each) for where, values in HELD.items() for each in values],
)
def test_what_no_fleet_wrote_is_said(tmp_path: Path, table: str, name: str, value: object) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        store.save_plan(SAVED)
        store.put_member(PLAN, replace(member(), since=START))
        store.give_order(STOPPED)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(f"UPDATE {table} SET {name} = ?", [value])  # noqa: S608  # names above
        readers: dict[str, Callable[[], object]] = {
            "fleet_plan": store.plans,
            "fleet_member": lambda: store.members(PLAN),
            "fleet_order": store.orders,
        }
        with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
            readers[table]()


def use_all(store: Store) -> None:
    """Something of each table that the third schema had not."""
    store.save_plan(SAVED)
    store.put_member(PLAN, member(), lease=held(store, "one"))
    assert store.give_order(STOPPED)
    assert store.tell_once(PLAN, "canary", "started", START)
    assert store.members(PLAN) == [member()]


def test_a_file_of_the_third_schema_keeps_all_that_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "fleet.db"
    with closing(sqlite3.connect(file)) as connection:
        dump = Path(__file__).with_name("schema-3.sql")
        connection.executescript(dump.read_text(encoding="utf-8"))
    for _ in range(2):
        with Store.open(str(file)) as store:
            assert store.scans() == [header()]
            assert store.accounts(SCAN) == [Account(ACCOUNT, "orders", "root")]
            assert column(store, "name") == ["a", "b"]
            assert store.hash_key() == bytes(range(32))
            [step] = store.steps(ORDERS)
            done = replace(intended(), number=1, state=EntryState.DONE, request_id="r-1")
            assert step == replace(done, ended=START + timedelta(seconds=2))
    with Store.open(str(file)) as store, Store.open(str(tmp_path / "new.db")) as new:
        use_all(store)
        upgraded, fresh = (inspect(each._database._engine) for each in (store, new))
        assert upgraded.get_table_names() == fresh.get_table_names()
        for table in fresh.get_table_names():
            assert str(upgraded.get_columns(table)) == str(fresh.get_columns(table))


def test_a_state_of_the_third_schema_gains_what_waves_need(state: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
        with store._database.writing() as connection:
            for table in NEW_TABLES:
                connection.execute(text(f"DROP TABLE {table}"))
            for statement in without_use():
                connection.execute(text(statement))
            connection.execute(text("UPDATE fleet_schema SET version = 3"))
    with Store.open(state) as store:
        assert column(store, "name") == ["a"]
        use_all(store)
    with Store.open(state) as store:
        assert store.plan(None) == SAVED
