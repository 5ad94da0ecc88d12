"""One door to SQLite and PostgreSQL: engines, transactions, the schema and its version."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Engine, create_engine, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from fleet.errors import FileProblem
from fleet.store import sqlite_file
from fleet.store.place import Place, parse_place
from fleet.store.problems import problem_of
from fleet.store.schema import SCHEMA, VERSION
from fleet.store.upgrade import UPGRADES, upgrade

_CREATION_LOCK = 0x666C656574
"""Advisory lock under which PostgreSQL lets one fleet at a time create the tables."""

_CONNECTION = {
    "connect_timeout": "10",
    # Otherwise a server whose machine is gone is waited for a quarter of an hour.
    "tcp_user_timeout": "30000",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""libpq's parameters where the URL says nothing else; all in seconds but the second, which is in
milliseconds. https://www.postgresql.org/docs/current/libpq-connect.html"""

_POOL = {"pool_size": 16, "max_overflow": 0, "pool_timeout": 60.0}
"""Connections of one process, and the seconds that a thread waits for one. Transactions take
milliseconds, so threads take turns; PostgreSQL lets 100 in, from a coordinator and all workers."""

_DURABLE = text(
    "SELECT set_config('synchronous_commit', 'on', true)"
    " WHERE current_setting('synchronous_commit') = 'off'"
)
"""For PostgreSQL: any other setting outlasts a power cut of the server as it is."""


class Database:
    """An opened store: transactions that end in a commit, or in a FileProblem and no change."""

    def __init__(self, place: Place, engine: Engine) -> None:
        self.shown = place.shown
        self._place = place
        self._engine = engine
        self.dialect = engine.dialect
        # SQLite has one writer; threads queue here in turn, not in its blind back-off.
        self._turn: AbstractContextManager[object] = (
            threading.Lock() if place.file else nullcontext()
        )

    @classmethod
    def open(cls, where: str, *, create: bool = True) -> Database:
        """Open the store at a path or URL, and create it where there is none.

        Raises FileProblem: nothing there can be used, or it belongs to another program or to a
        newer fleet; none of these change anything.
        """
        place = parse_place(where)
        if place.file and not create and not place.file.exists():
            raise FileProblem(
                place.shown,
                "there is no such file, so nothing is saved",
                "run fleet scan, or name another place with --state or FLEET_STATE",
            )
        if place.file:
            sqlite_file.create(place.file, place.shown)
        database = cls(place, _engine(place))
        try:
            database._claim()
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Give up every connection."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view that holds up nobody."""
        with self._problems(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[Connection]:
        """One transaction, committed at the end of the block.

        What is durable outlasts a power cut from then on; the rest may be lost, as a whole.
        """
        options = sqlite_file.DURABLE_WRITES if durable else sqlite_file.WRITES
        with (
            self._turn,
            self._problems(),
            self._engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            if durable and not self._place.file:
                connection.execute(_DURABLE)
            yield connection

    @contextmanager
    def making_sense(self) -> Iterator[None]:
        """Turn what reading a row into values raises into a FileProblem."""
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            raise FileProblem(
                self.shown,
                "holds a value this fleet does not know",
                "upgrade fleet, or name another place with --state or FLEET_STATE",
            ) from error

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise problem_of(error, self._place) from error

    def _claim(self) -> None:
        with self.reading() as connection:
            ready = self._is_ours(connection)
        if self._place.file:
            sqlite_file.make_private(self._place.file)
        if not ready:
            self._create()
        if self._place.file:
            with self._problems():
                sqlite_file.use_write_ahead_log(self._engine)

    def _is_ours(self, connection: Connection) -> bool:
        """Whether the tables are there; raises FileProblem where they are not to be touched."""
        names = inspect(connection).get_table_names()
        if SCHEMA.name not in names:
            if names and self._place.file:
                raise FileProblem(
                    self.shown,
                    "is another program's database",
                    "nothing was changed: name another file with --state or FLEET_STATE",
                )
            return False
        versions = list(connection.scalars(select(SCHEMA.c.version)))
        if versions == [VERSION]:
            return True
        if len(versions) == 1 and versions[0] in UPGRADES:
            return False
        if max(versions, default=0) > VERSION:
            raise FileProblem(
                self.shown,
                f"was written by a newer fleet (schema {max(versions)}, this one knows {VERSION})",
                "upgrade fleet, or name another place with --state or FLEET_STATE",
            )
        raise FileProblem(
            self.shown,
            f"says its schema is {versions}, which no fleet ever wrote",
            "restore it from a copy, or name another place with --state or FLEET_STATE",
        )

    def _create(self) -> None:
        with self.writing() as connection:
            if not self._place.file:
                # Two that create or upgrade at once would trip over each other's tables.
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATION_LOCK}
                )
            if self._is_ours(connection):
                return
            upgrade(connection)


def _engine(place: Place) -> Engine:
    if place.file:
        return sqlite_file.engine(place.url, **_POOL)
    arguments = {name: value for name, value in _CONNECTION.items() if name not in place.url.query}
    try:
        return create_engine(
            place.url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True, **_POOL
        )
    except ModuleNotFoundError:
        raise FileProblem(
            place.shown,
            "needs the PostgreSQL driver, which is not installed",
            "run pip install 'fleet[postgresql]'",
        ) from None
