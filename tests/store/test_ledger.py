from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text

from fleet.deployment import Deployment
from fleet.errors import FileProblem
from fleet.ledger import Action, Entry, EntryState, Verb
from fleet.model import Alias, FunctionRef
from fleet.store import Store
from tests import strategies
from tests.store.examples import ACCOUNT, SCAN, START, header, intended, lane, without_use

ORDERS = FunctionRef("aws", ACCOUNT, "eu-west-1", "orders")
LATER = START + timedelta(seconds=2)

any_text = st.text(st.characters(), max_size=20)
"""Lone surrogates and NUL as well, as JSON may bring them."""
aliases = st.builds(
    Alias,
    name=any_text,
    version=any_text,
    weights=st.dictionaries(any_text, st.floats(0, 1), max_size=2).map(MappingProxyType),
)
deployments = st.builds(
    Deployment,
    runtime=st.none() | any_text,
    handler=st.none() | any_text,
    layers=st.lists(any_text, max_size=2).map(tuple),
    code_sha256=any_text,
    architecture=any_text,
    rest=any_text,
)
entries = st.builds(
    Entry,
    run=strategies.names,
    verb=st.sampled_from(Verb),
    ref=st.just(ORDERS),
    action=st.sampled_from(Action),
    what=strategies.texts,
    caller=strategies.texts,
    began=strategies.moments,
    alias_before=st.none() | aliases,
    alias_after=st.none() | aliases,
    deployment_before=st.none() | deployments,
    deployment_after=st.none() | deployments,
)
# One store serves all examples of a property.
shared_store = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


@shared_store
@given(entry=entries)
def test_a_step_reads_back_as_it_was_noted(store: Store, entry: Entry) -> None:
    number = store.begin_step(entry)
    assert store.steps(ORDERS)[-1] == replace(entry, number=number)


@shared_store
@given(entry=entries, ended=strategies.moments, texts=st.tuples(*[strategies.texts] * 3))
def test_a_step_reads_back_as_it_ended(
    store: Store, entry: Entry, ended: datetime, texts: tuple[str, str, str]
) -> None:
    number = store.begin_step(entry)
    answer: dict[str, Any] = dict(zip(("request_id", "result", "problem"), texts, strict=True))
    store.end_step(number, state=EntryState.FAILED, ended=ended, **answer)
    expected = replace(entry, number=number, ended=ended, state=EntryState.FAILED, **answer)
    assert store.steps(ORDERS)[-1] == expected


def test_texts_for_people_lose_what_a_database_cannot_hold(store: Store) -> None:
    hostile = "a\0b\ud800"
    number = store.begin_step(replace(intended(), what=hostile, caller=hostile))
    store.end_step(
        number,
        state=EntryState.DONE,
        ended=LATER,
        request_id=hostile,
        result=hostile,
        problem=hostile,
    )
    [told] = store.steps(ORDERS)
    assert {told.what, told.caller, told.request_id, told.result, told.problem} == {
        "a\ufffdb\ufffd"
    }


def test_steps_come_in_the_order_in_which_they_began_whatever_the_clock_says(store: Store) -> None:
    early = replace(intended(), began=START - timedelta(days=1))
    numbers = [store.begin_step(each) for each in (intended(), early, intended())]
    assert [each.number for each in store.steps(ORDERS)] == numbers == sorted(numbers)


@pytest.mark.parametrize("qualifier", ["$LATEST", "7", "live"])
def test_steps_are_the_whole_functions_whatever_the_qualifier(store: Store, qualifier: str) -> None:
    store.begin_step(intended())
    assert len(store.steps(replace(ORDERS, qualifier=qualifier))) == 1


@pytest.mark.parametrize(
    "other",
    [{"partition": "aws-cn"}, {"account": "000000000002"}, {"region": "x"}, {"name": "Orders"}],
    ids=lambda other: next(iter(other)),
)
def test_steps_of_another_function_are_left_out(store: Store, other: dict[str, str]) -> None:
    store.begin_step(replace(intended(), ref=replace(ORDERS, **other)))
    assert store.steps(ORDERS) == []


def test_steps_on_layers_belong_to_their_account_and_region(store: Store) -> None:
    store.begin_step(intended())
    number = store.begin_step(intended("", action=Action.PUBLISH_LAYER))
    [step] = store.steps(replace(ORDERS, name=""))
    assert step.number == number


@pytest.mark.parametrize(
    "change",
    [
        {"number": 7},
        {"ended": LATER},
        {"state": EntryState.DONE},
        {"ref": replace(ORDERS, qualifier="7")},
        {"began": datetime(2026, 11, 21)},  # noqa: DTZ001 - it could be any time
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_step_that_cannot_begin_is_not_noted(store: Store, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"step|time zone"):
        store.begin_step(replace(intended(), **change))
    assert store.steps(ORDERS) == []


def test_a_step_ends_once(store: Store) -> None:
    number = store.begin_step(intended())
    store.end_step(number, state=EntryState.DONE, ended=LATER)
    ended = store.steps(ORDERS)
    with pytest.raises(FileProblem, match=f"has no step {number} under way in its ledger; make"):
        store.end_step(number, state=EntryState.FAILED, ended=LATER, problem="again")
    assert store.steps(ORDERS) == ended


def test_a_step_that_was_never_noted_cannot_end(store: Store) -> None:
    with pytest.raises(FileProblem, match="has no step 1 under way"):
        store.end_step(1, state=EntryState.DONE, ended=LATER)


def test_a_step_ends_as_done_or_failed(store: Store) -> None:
    number = store.begin_step(intended())
    with pytest.raises(ValueError, match="done or failed"):
        store.end_step(number, state=EntryState.INTENDED, ended=LATER)
    assert store.steps(ORDERS)[0].ended is None


def test_ending_a_step_changes_no_other(store: Store) -> None:
    one, two = store.begin_step(intended()), store.begin_step(intended())
    store.end_step(one, state=EntryState.DONE, ended=LATER)
    assert store.steps(ORDERS)[1] == replace(intended(), number=two)


def test_lanes_that_the_ledger_names_are_told_once_and_sorted(store: Store) -> None:
    for account, region in [("2", "us-east-1"), ("2", "eu-west-1"), ("1", "us-east-1")] * 2:
        store.begin_step(intended(account=account, region=region))
    assert store.moved_lanes() == [
        ("aws", "1", "us-east-1"),
        ("aws", "2", "eu-west-1"),
        ("aws", "2", "us-east-1"),
    ]


def test_a_state_without_steps_names_no_lanes(store: Store) -> None:
    assert store.moved_lanes() == []


def when_committing(store: Store, query: str, do: Callable[[], object]) -> list[object]:
    """What a query answers at each commit meanwhile."""
    seen: list[object] = []

    def look(connection: Connection) -> None:
        # Not by the connection's own methods: they would begin another transaction.
        driver = connection.connection.cursor()
        driver.execute(query)
        seen.extend(driver.fetchone() or ())

    engine = store._database._engine
    event.listen(engine, "commit", look)
    try:
        do()
    finally:
        event.remove(engine, "commit", look)
    return seen


def note_and_end(store: Store) -> None:
    store.end_step(store.begin_step(intended()), state=EntryState.DONE, ended=LATER)


def test_sqlite_has_every_step_and_the_key_on_its_disk_before_it_goes_on(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "fleet.db")) as store:
        level = "PRAGMA synchronous"
        assert when_committing(store, level, lambda: note_and_end(store)) == [3, 3]
        store.begin_scan(header())
        assert when_committing(store, level, lambda: store.save_lane(SCAN, lane("a"))) == [1]
        _, made, _ = when_committing(store, level, store.hash_key)
        assert made == 3


@pytest.mark.postgresql
@pytest.mark.parametrize(("set_to", "used"), [("off", "on"), ("local", "local")])
def test_postgresql_has_every_step_on_its_disk_even_where_it_is_told_not_to_wait(
    postgresql_state: str, set_to: str, used: str
) -> None:
    with Store.open(f"{postgresql_state}&options=-csynchronous_commit%3D{set_to}") as store:
        wait = "SHOW synchronous_commit"
        assert when_committing(store, wait, lambda: note_and_end(store)) == [used, used]
        store.begin_scan(header())
        assert when_committing(store, wait, lambda: store.save_lane(SCAN, lane("a"))) == [set_to]


def test_the_hash_key_is_made_once_and_kept(state: str) -> None:
    with Store.open(state) as store:
        key = store.hash_key()
        assert len(key) == 32
        assert store.hash_key() == key
    with Store.open(state) as store:
        assert store.hash_key() == key


def test_each_state_has_a_hash_key_of_its_own(tmp_path: Path) -> None:
    keys = set()
    for name in ("one.db", "other.db"):
        with Store.open(str(tmp_path / name)) as store:
            keys.add(store.hash_key())
    assert len(keys) == 2


@pytest.mark.parametrize("damaged", [b"", b"sesame", "s" * 32], ids=["empty", "short", "text"])
def test_a_damaged_hash_key_is_refused_without_repeating_it(
    tmp_path: Path, damaged: bytes | str
) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        store.hash_key()
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE fleet_hash_key SET key = ?", (damaged,))
        with pytest.raises(FileProblem, match="holds a value this fleet does not know") as caught:
            store.hash_key()
    assert "sesame" not in f"{caught.value}{caught.value.__cause__}"


IMAGES = ["", "{", "[]", "5", "null", '{"name": "live"}', '{"name": "live", "version": 5}']
UNKNOWN = '{"name": "live", "version": "1", "weights": {}, "dreams": 1}'
HELD: dict[str, list[object]] = {
    "verb": ["dream"],
    "action": ["dream"],
    "state": ["dreaming", "done"],
    "began": ["once", "2026-11-21T10:00:00", 5],
    "ended": ["once", "2026-11-21T10:00:00+00:00"],
    "what": [b"main"],
    "alias_before": [*IMAGES, UNKNOWN],
    "alias_after": ['{"name": "live", "version": "1", "weights": {"2": "half"}}'],
    "deployment_before": ['{"runtime": "go1.x"}'],
    "deployment_after": [UNKNOWN],
}


@pytest.mark.parametrize(
    ("column", "value"), [(name, each) for name, values in HELD.items() for each in values]
)
def test_a_step_that_no_fleet_wrote_is_said(tmp_path: Path, column: str, value: object) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        store.begin_step(intended())
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(f"UPDATE fleet_ledger SET {column} = ?", [value])  # noqa: S608  # a name above
        with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
            store.steps(ORDERS)


def test_a_lane_that_no_fleet_wrote_is_said(tmp_path: Path) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        store.begin_step(intended())
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE fleet_ledger SET region = ?", [b"eu"])
        with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
            store.moved_lanes()


def test_scans_of_the_second_schema_are_kept_beside_a_new_ledger(state: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
        before = list(store.function_rows(SCAN))
        with store._database.writing() as connection:
            connection.execute(text("DROP TABLE fleet_ledger"))
            connection.execute(text("DROP TABLE fleet_hash_key"))
            for statement in without_use():
                connection.execute(text(statement))
            connection.execute(text("UPDATE fleet_schema SET version = 2"))
    with Store.open(state) as store:
        assert store.scans() == [header()]
        assert list(store.function_rows(SCAN)) == before
        note_and_end(store)
        assert len(store.hash_key()) == 32
    with Store.open(state) as store:
        assert [each.ended for each in store.steps(ORDERS)] == [LATER.astimezone(UTC)]
