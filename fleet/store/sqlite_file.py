"""What SQLite needs: a private file, locks taken in the right order, a log that readers pass by."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from fleet.errors import FileProblem
from fleet.store.problems import is_busy

BUSY_SECONDS = 30
"""How long a command waits for another one's transaction; a lane's takes milliseconds."""

_SYNCHRONOUS = "fleet_synchronous"
WRITES = {_SYNCHRONOUS: "NORMAL"}
"""Execution option of a connection whose transactions write. With a write-ahead log a power cut
can cost the last lanes, which then read as not attempted; it can't damage the file."""
DURABLE_WRITES = {_SYNCHRONOUS: "EXTRA"}
"""The same, on the disk before the commit returns: with or without a write-ahead log."""

_PRIVATE = 0o600


def create(file: Path, shown: str) -> None:
    """Create an empty file that only its owner may read, unless there is one.

    SQLite takes the mode over to the -wal, -shm and -journal files beside it. Raises FileProblem.
    """
    try:
        if file.exists():
            if not stat.S_ISREG(file.stat().st_mode):
                raise FileProblem(shown, "is not a file", "give --state the path of a file")
            return
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE))
    except FileExistsError:
        return  # another command was faster
    except OSError as error:
        raise FileProblem(
            shown,
            f"cannot be created: {(error.strerror or str(error)).lower()}",
            "name a file in a directory you can write to, with --state or FLEET_STATE",
        ) from error


def make_private(file: Path) -> None:
    """Take away what others may do with a file of ours; another owner's is left as it is."""
    if stat.S_IMODE(file.stat().st_mode) != _PRIVATE:
        with suppress(PermissionError):
            file.chmod(_PRIVATE)


def engine(url: URL, **pool: float) -> Engine:
    """Connect so that a transaction that writes takes its lock when it begins."""
    made = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS},
        paramstyle="named",
        hide_parameters=True,
        **pool,
    )
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def use_write_ahead_log(engine: Engine) -> None:
    """Let readers and the writer pass each other by, where the file system can."""
    # Switching wants the file alone, and SQLite's own waiting does not apply to it.
    for attempt in Retrying(
        retry=retry_if_exception(is_busy),
        stop=stop_after_delay(BUSY_SECONDS),
        wait=wait_random(0, 0.05),
        reraise=True,
    ):
        # A raw connection: SQLAlchemy's would begin a transaction, in which there is no switching.
        with attempt, closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA journal_mode=WAL")


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Left alone, the sqlite3 module begins a transaction at its first change, and what was read
    # before it is stale.
    connection.isolation_level = None
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA foreign_keys=ON")
        # On macOS fsync leaves what was written in the disk's own cache.
        cursor.execute("PRAGMA fullfsync=ON")
        cursor.execute("PRAGMA trusted_schema=OFF")


def _begin(connection: Connection) -> None:
    synchronous = connection.get_execution_options().get(_SYNCHRONOUS)
    if synchronous is None:
        connection.exec_driver_sql("BEGIN")
        return
    # Within a transaction it would be ignored.
    connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
