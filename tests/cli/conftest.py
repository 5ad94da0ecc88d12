from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.inside import Desk, small_organization
from tests.moto_fixtures.small_organization import RULES, Organization


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    """Three member accounts and an outsider; each test adds functions of its own."""
    with small_organization() as each:
        yield each


@pytest.fixture
def desk(organization: Organization, tmp_path: Path) -> Iterator[Desk]:
    """Somebody who types commands there, with a state of their own."""
    yield Desk(organization, tmp_path)
    emulator = organization.emulator
    emulator.on_call = None
    emulator.block_runtimes()
    emulator._world.rules = RULES
