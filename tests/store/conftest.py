from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.store import Store
from tests.postgresql import Server, postgresql

__all__ = ["postgresql"]

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture
def postgresql_state(postgresql: Server) -> Iterator[str]:
    """A PostgreSQL database still empty."""
    with postgresql.database() as url:
        yield url


@pytest.fixture(params=BOTH)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where to keep scans: a file that is not there yet, then a PostgreSQL database still empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fleet.db"
    url: str = request.getfixturevalue("postgresql_state")
    return url


@pytest.fixture
def store(state: str) -> Iterator[Store]:
    with Store.open(state) as opened:
        yield opened


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that nothing listens on and nobody else can take."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port
