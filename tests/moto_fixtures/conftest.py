from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.moto_fixtures.small_organization import Organization, running


@pytest.fixture
def organization() -> Iterator[Organization]:
    """Three member accounts (one a delegated administrator, one suspended) and an outsider."""
    with running() as small:
        yield small
