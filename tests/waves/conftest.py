from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.moto_fixtures.small_organization import Organization, running
from tests.waves.runner import Runner, at_work


@pytest.fixture
def organization() -> Iterator[Organization]:
    """Three member accounts and an outsider, nothing in them."""
    with running() as small:
        yield small


@pytest.fixture
def runner(organization: Organization, tmp_path: Path) -> Iterator[Runner]:
    """Somebody who runs waves in it, with a state of their own."""
    with at_work(organization, tmp_path) as each:
        yield each
