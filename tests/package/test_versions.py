from __future__ import annotations

from itertools import pairwise

import pytest

from fleet.package.verdict.versions import is_release, parse

ASCENDING = (
    "v0.0.0-20200101000000-0123456789ab",
    "v1.0.0",
    "v1.9.0",
    "v1.17.0",
    "v1.17.1-0.20200701000000-0123456789ab",
    "v1.17.1-pre.0.20200702000000-0123456789ab",
    "v1.17.1",
    "v1.18.0-pre",
    "v1.18.0",
    "v1.41.0",
    "v2.0.0+incompatible",
)


@pytest.mark.parametrize(("older", "newer"), list(pairwise(ASCENDING)))
def test_versions_go_in_the_order_of_go(older: str, newer: str) -> None:
    first, second = parse(older), parse(newer)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize(
    "version", ["", "v", "(devel)", "1.18.0", "v1.18", "v1.x.0", "v1.18.0.1", "v1.2." + "9" * 5000]
)
def test_what_go_calls_no_version_is_none(version: str) -> None:
    assert parse(version) is None


@pytest.mark.parametrize("version", ["v1.18.0", "v2.0.0+incompatible"])
def test_releases_are_told(version: str) -> None:
    parsed = parse(version)
    assert parsed is not None
    assert is_release(parsed)


@pytest.mark.parametrize("version", ["v1.18.0-rc.1", "v0.0.0-20200101000000-0123456789ab"])
def test_states_between_releases_are_told(version: str) -> None:
    parsed = parse(version)
    assert parsed is not None
    assert not is_release(parsed)
