from __future__ import annotations

from pathlib import Path

import pytest

from fleet.toolchain.trial.emulator import Emulator, emulator
from tests.toolchain.trying import Try


@pytest.fixture(scope="session")
def rie() -> Emulator:
    """AWS's own emulator, from the user's cache or fetched into it."""
    return emulator()


@pytest.fixture
def tried(rie: Emulator, tmp_path: Path) -> Try:
    """Try packages made of the files given."""
    return Try(rie, tmp_path)
