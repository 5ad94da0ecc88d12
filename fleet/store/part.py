"""What the parts of the store stand on, so that each can have its own file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from fleet.model import FunctionRef
from fleet.store.database import Database
from fleet.store.rows import Row

_Value = TypeVar("_Value")

REF = ("partition", "account", "region", "name")
"""Columns of an unqualified function."""


class Part:
    """Some of the store's methods, over the database that all of them share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_local(self) -> bool:
        """Whether it is a file of this machine, which no other reaches."""
        return self._database.dialect.name == "sqlite"

    def _all(
        self,
        statement: Select[Any],
        value: Callable[[Mapping[Any, Any]], _Value],
        **parameters: object,
    ) -> list[_Value]:
        with self._database.reading() as connection, self._database.making_sense():
            found = connection.execute(statement, parameters).mappings()
            return [value(row) for row in found]


def insert_into(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what to do about a row that is there already."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def ref_row(ref: FunctionRef) -> Row:
    """The columns REF; a qualifier is left behind."""
    return {name: getattr(ref, name) for name in REF}


def value_of(kind: type[_Value], given: Mapping[str, object]) -> _Value:
    """A dataclass out of what was read; raises ValueError for what it can't hold.

    A time without a zone could be any, and is refused too.
    """
    value = msgspec.convert(given, kind)
    for each in fields(kind):  # type: ignore[arg-type]  # kind is a dataclass
        found = getattr(value, each.name)
        if isinstance(found, datetime) and found.tzinfo is None:
            raise ValueError(f"{each.name} has no time zone")
    return value
