from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from fleet.model import Coverage, ScanOptions
from moto_fixtures.definition import Organization
from moto_fixtures.load import load_organization
from moto_fixtures.packages import Package, zipped
from moto_fixtures.seed import seed
from moto_fixtures.server import Emulator
from tests.moto_fixtures.small_organization import HOME, MEMBER, RULES, running
from tests.moto_fixtures.small_organization import Organization as SmallOrganization
from tests.scan.scanner import Scan, Scanner, scanner

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def now() -> datetime:
    """The time of the seeded organization, where it never gets later."""
    return NOW


def packages_of(organization: Organization) -> dict[str, Package]:
    """Stand-ins for the built packages: a scan never opens one, so nothing has to be built."""
    return {
        name: Package(zipped({"main": (hashlib.sha256(name.encode()).digest(), 0o100755)}))
        for name in organization.packages
    }


@pytest.fixture(scope="session")
def northwind() -> Organization:
    """The organization of moto_fixtures/organization."""
    return load_organization()


@pytest.fixture(scope="module")
def seeded(northwind: Organization) -> Iterator[Emulator]:
    """An emulator with it inside; one for all tests of a file, which leave it as it was."""
    with Emulator(northwind.rules(), clock=NOW.timestamp) as emulator:
        seed(emulator, northwind, packages=packages_of(northwind), now=NOW)
        yield emulator


@pytest.fixture
def fleet(seeded: Emulator, tmp_path: Path) -> Iterator[Scanner]:
    """Scans it from the management account."""
    seeded.calls.clear()
    with scanner(seeded.environment, tmp_path, clock=now) as made:
        yield made


EU = "eu-west-1"
EVERYBODY = ScanOptions(organization=True, regions=(HOME, EU))
ALONE = replace(EVERYBODY, accounts=(MEMBER,))


class Small(Protocol):
    """Starts the small organization under changed rules; gives it and who scans it."""

    def __call__(
        self, **changes: object
    ) -> AbstractContextManager[tuple[SmallOrganization, Scanner]]: ...


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """An organization of a test's own, with a function `orders` in two regions of MEMBER."""

    @contextmanager
    def start(**changes: Any) -> Iterator[tuple[SmallOrganization, Scanner]]:  # noqa: ANN401  # whatever Rules takes
        with running(replace(RULES, **changes)) as organization:
            organization.add_function("orders")
            organization.add_function("orders", region=EU)

            def its_time() -> datetime:
                return datetime.fromtimestamp(organization.clock(), UTC)

            with scanner(organization.emulator.environment, tmp_path, clock=its_time) as made:
                yield organization, made

    return start


def row(scan: Scan, account: str = MEMBER, region: str = HOME) -> Coverage:
    """One row of coverage."""
    return scan.coverage[account, region]
