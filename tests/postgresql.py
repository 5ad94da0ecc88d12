"""A real PostgreSQL of the tests' own: Debian's programs, a socket in a directory under /tmp."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

PASSWORD = "correct-horse"  # noqa: S105 - of a server that lives as long as the tests


@dataclass(frozen=True)
class Server:
    """A running server that listens on a socket in its own directory, so no port can be taken."""

    home: Path

    def url(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql://fleet:{password}@/{database}?host={self.home}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database, emptied again afterwards: far quicker than a new one."""
        url = self.url("postgres")
        try:
            yield url
        finally:
            with psycopg.connect(url) as connection:
                schemas = connection.execute(
                    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'"
                ).fetchall()
                for (name,) in schemas:
                    drop = sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name))
                    connection.execute(drop)
                connection.execute("CREATE SCHEMA public")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One server a test process, started where it is first asked for."""
    with running_postgresql() as server:
        yield server


@contextmanager
def running_postgresql() -> Iterator[Server]:
    """A server until the block ends."""
    programs = _programs()
    # pytest's own directories are too long for a socket's path.
    home = Path(tempfile.mkdtemp(prefix="fleet-pg-", dir="/tmp"))
    user = _give_away(home)
    password = home / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)

    def run(program: str, *arguments: str | Path) -> None:
        with (home / "log").open("ab") as log:
            subprocess.run(
                [programs / program, "-D", home / "data", *arguments],
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                cwd=home,
                stdout=log,
                stderr=log,
                check=True,
            )

    try:
        # Sorted by a language, as most servers are: the store must not lean on the C locale.
        run(
            "initdb",
            "--no-sync",
            "--encoding=UTF8",
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
            "--username=fleet",
            f"--pwfile={password}",
        )
        run("pg_ctl", "-w", "-o", f"-k {home} -c listen_addresses= -c fsync=off", "start")
        try:
            yield Server(home)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    except subprocess.CalledProcessError as error:
        pytest.fail(f"{error}\n{(home / 'log').read_text()}")
    finally:
        shutil.rmtree(home)


def _programs() -> Path:
    """Where initdb and pg_ctl are; Debian keeps them off the PATH, one directory a version."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    found = found or (Path(which) if (which := shutil.which("initdb")) else None)
    if found is None:
        pytest.fail("these tests need PostgreSQL 15 or later: apt-get install postgresql")
    return found.parent


def _give_away(home: Path) -> str | None:
    """PostgreSQL refuses to run as root: hand its directory to the user its package made."""
    if os.geteuid():
        return None
    shutil.chown(home, "postgres", "postgres")
    return "postgres"
