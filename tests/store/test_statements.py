from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.store import Store


def code(number: int) -> str:
    """A CodeSha256, as AWS gives it."""
    return base64.b64encode(number.to_bytes(32)).decode()


def test_statements_are_given_by_content_and_the_others_are_left_out(store: Store) -> None:
    store.save_statement(code(1), '{"first": "\N{SNOWMAN}"}')
    store.save_statement(code(2), '{"second": 2}')
    found = store.statements([code(1), code(2), code(3), code(1)])
    assert found == {code(1): '{"first": "\N{SNOWMAN}"}', code(2): '{"second": 2}'}
    assert store.statements([]) == {}


def test_what_was_said_first_of_a_content_stays(store: Store) -> None:
    store.save_statement(code(1), "first")
    store.save_statement(code(1), "second")
    assert store.statements([code(1)]) == {code(1): "first"}


def test_more_are_asked_for_than_a_database_takes_at_once(store: Store) -> None:
    store.save_statement(code(1_500), "there")
    assert store.statements(map(code, range(2_000))) == {code(1_500): "there"}


@pytest.mark.parametrize("damage", [b"", b"no zlib", b"x\x9c\xcbH"])
def test_one_that_is_damaged_is_no_statement(tmp_path: Path, damage: bytes) -> None:
    place = tmp_path / "fleet.db"
    with Store.open(str(place)) as store:
        store.save_statement(code(1), "whole")
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("UPDATE fleet_statement SET statement = ?", (damage,))
    with Store.open(str(place)) as store, pytest.raises(FileProblem):
        store.statements([code(1)])
