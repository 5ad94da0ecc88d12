from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleet.cache import user_cache
from fleet.toolchain.trial.emulator import Emulator, emulator


@pytest.fixture(scope="session")
def rie() -> Emulator:
    """AWS's own emulator, from the user's cache or fetched into it."""
    return emulator()


@pytest.fixture(scope="module", autouse=True)
def _nothing_kept_of_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was built before, by other code, passes for nothing; compiled packages do."""
    place = tmp_path_factory.mktemp("cache")
    shared = user_cache("go")
    shared.mkdir(parents=True, exist_ok=True)
    (place / "fleet").mkdir()
    for name in ("go", "emulator", "handlers"):
        (place / "fleet" / name).symlink_to(shared.with_name(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place))
        yield
