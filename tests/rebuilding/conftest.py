from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleet.toolchain.trial.emulator import Emulator, emulator
from tests.rebuilding.originals import own_cache


@pytest.fixture(scope="session")
def rie() -> Emulator:
    """AWS's own emulator, from the user's cache or fetched into it."""
    return emulator()


@pytest.fixture(scope="module", autouse=True)
def _nothing_kept_of_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with own_cache(tmp_path_factory.mktemp("cache")):
        yield
