from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migration.mover import Mover, moving
from tests.moto_fixtures.small_organization import Organization, running


@pytest.fixture
def organization() -> Iterator[Organization]:
    """Three member accounts and an outsider, nothing in them."""
    with running() as small:
        yield small


@pytest.fixture
def mover(organization: Organization, tmp_path: Path) -> Iterator[Mover]:
    """Somebody who migrates in it, with a state of their own."""
    with moving(organization, tmp_path) as each:
        yield each
