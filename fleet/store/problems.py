"""What a database refused, as one sentence without parameters, passwords or SQL."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fleet.errors import FileProblem
from fleet.store.place import Place

_ELSEWHERE = "name another place with --state or FLEET_STATE"

_SQLITE = {
    sqlite3.SQLITE_NOTADB: ("is not an SQLite database", f"nothing was changed: {_ELSEWHERE}"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", f"restore it from a copy, or {_ELSEWHERE}"),
    sqlite3.SQLITE_BUSY: (
        "is locked by another command",
        f"try again when that one has ended, or {_ELSEWHERE}",
    ),
    sqlite3.SQLITE_FULL: ("has no room left on its disk", f"make room, or {_ELSEWHERE}"),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        f"make the file and its directory writable, or {_ELSEWHERE}",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        f"make the file and its directory readable and writable, or {_ELSEWHERE}",
    ),
}


def is_busy(error: BaseException) -> bool:
    """Whether SQLite gave up on a lock that another connection holds."""
    return _sqlite_code(error) == sqlite3.SQLITE_BUSY


def problem_of(error: SQLAlchemyError | sqlite3.Error, place: Place) -> FileProblem:
    """Say what the database refused."""
    known = _SQLITE.get(_sqlite_code(error))
    if known is not None:
        return FileProblem(place.shown, *known)
    return FileProblem(
        place.shown,
        f"the database says: {_first_line(error, place)}",
        f"mend that and run the same command again, or {_ELSEWHERE}",
    )


def _sqlite_code(error: BaseException) -> int:
    cause = error.orig if isinstance(error, DBAPIError) else error
    # The low byte is the primary code; the rest says which kind of it.
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF


def _first_line(error: SQLAlchemyError | sqlite3.Error, place: Place) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    line = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    # A driver may quote the part of a URL that it stumbled over.
    for secret in place.secrets:
        line = line.replace(secret, "***")
    return line
