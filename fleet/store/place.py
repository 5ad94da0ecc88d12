"""Where the state is kept: what --state and FLEET_STATE may say, and how to name it safely."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from fleet.errors import FileProblem

_SQLITE = frozenset({"sqlite", "sqlite+pysqlite"})
_POSTGRESQL = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_ADVICE = "give --state a path, sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


@dataclass(frozen=True, slots=True)
class Place:
    """A checked place for the state."""

    url: URL
    shown: str
    """For messages: the path, or the PostgreSQL URL without user, password and parameters."""
    file: Path | None = None
    """The SQLite file, links resolved; None for PostgreSQL."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat: the password, and parameters that hold one."""
        values = [str(self.url.password or "")]
        for name, value in self.url.query.items():
            if "pass" in name:
                values += [value] if isinstance(value, str) else value
        return tuple(value for value in values if value)


def parse_place(where: str) -> Place:
    """Read a path, an SQLite URL or a PostgreSQL URL.

    Raises FileProblem, which never repeats a URL: what cannot be parsed may hold a password.
    """
    if "://" not in where:
        return _sqlite(where)
    scheme = where.partition("://")[0]
    # SQLAlchemy splits at the first @ and /: the tail of a raw password would pass for the host.
    if where.count("@") > 1:
        raise FileProblem(
            "the state URL", "has more than one @", "write @ within a password as %40"
        )
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise FileProblem("the state URL", "cannot be parsed", _ADVICE) from None
    if url.drivername in _SQLITE:
        if url.query or url.host:
            raise FileProblem(
                "the state URL",
                "names a host or parameters, which a file has not",
                "write three slashes before a relative path and four before an absolute one",
            )
        return _sqlite(url.database or "")
    if url.drivername not in _POSTGRESQL:
        raise FileProblem("the state URL", f"names no store fleet has: {scheme}", _ADVICE)
    port = f":{url.port}" if url.port else ""
    return Place(
        url=url.set(drivername="postgresql+psycopg"),
        shown=f"postgresql://{url.host or ''}{port}/{url.database or ''}",
    )


def _sqlite(path: str) -> Place:
    if path in {"", ":memory:"} or "\0" in path:
        raise FileProblem("the state", "names no file to keep scans in", _ADVICE)
    # A link that leads nowhere yet would escape O_EXCL: SQLite would create its target itself.
    try:
        file = Path(path).expanduser().resolve()
    except (RuntimeError, OSError) as error:
        raise FileProblem(path, f"leads nowhere ({error})", _ADVICE) from error
    return Place(url=URL.create("sqlite", database=str(file)), shown=path, file=file)
