"""The same scan in the partitions of China and GovCloud, as far as the emulator has them.

What differs there by service (which of them have function URLs, say) it cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from moto.organizations.models import FakeAccount, organizations_backends

from fleet.errors import BadSelection
from fleet.model import CoverageStatus, ScanOptions
from moto_fixtures.server import Emulator
from tests.moto_fixtures.small_organization import (
    MANAGEMENT,
    MEMBER,
    RULES,
    Clock,
    Organization,
    zip_of,
)
from tests.scan.scanner import Scanner, scanner


@dataclass(frozen=True)
class Partition:
    """A partition, its regions, and the one where its global services are signed for."""

    name: str
    regions: tuple[str, str]
    home: str


CHINA = Partition("aws-cn", ("cn-north-1", "cn-northwest-1"), "cn-northwest-1")
GOVCLOUD = Partition("aws-us-gov", ("us-gov-east-1", "us-gov-west-1"), "us-gov-west-1")


@pytest.fixture(params=[CHINA, GOVCLOUD], ids=["china", "govcloud"])
def partition(request: pytest.FixtureRequest) -> Partition:
    found: Partition = request.param
    return found


@pytest.fixture
def elsewhere(partition: Partition, tmp_path: Path) -> Iterator[tuple[Emulator, Scanner]]:
    """An organization of two accounts there, with a function in both regions of one."""
    clock = Clock()
    with Emulator(RULES, clock=clock) as emulator:
        backend = organizations_backends[MANAGEMENT][partition.name]
        backend.create_organization(region=partition.home, FeatureSet="ALL")
        member = FakeAccount(backend.org, AccountName="member", Email="member@example.com")
        member.id = MEMBER
        backend.accounts.append(member)
        organizations_backends.master_accounts[MEMBER] = (MANAGEMENT, partition.name)
        for region in partition.regions:
            add_function(Organization(emulator, clock), partition, region)
        first = partition.regions[0]
        environment = {**emulator.environment, "AWS_REGION": first, "AWS_DEFAULT_REGION": first}

        def its_time() -> datetime:
            return datetime.fromtimestamp(clock(), UTC)

        with scanner(environment, tmp_path, clock=its_time) as made:
            yield emulator, made


def add_function(organization: Organization, partition: Partition, region: str) -> None:
    with organization.emulator.seeding():
        with suppress(ClientError):  # the second region finds the role there
            organization.client("iam", MEMBER, region).create_role(
                RoleName="run", AssumeRolePolicyDocument="{}"
            )
        organization.client("lambda", MEMBER, region).create_function(
            FunctionName="orders",
            Role=f"arn:{partition.name}:iam::{MEMBER}:role/run",
            Runtime="go1.x",
            Handler="main",
            Code={"ZipFile": zip_of(main=b"orders")},
        )


def test_an_organization_is_scanned_in_its_own_partition(
    elsewhere: tuple[Emulator, Scanner], partition: Partition
) -> None:
    emulator, fleet = elsewhere
    scan = fleet.scan(ScanOptions(organization=True, callers=True))
    assert scan.header.partition == partition.name
    assert scan.statuses == {
        (account, region): CoverageStatus.OK
        for account in (MANAGEMENT, MEMBER)
        for region in partition.regions
    }
    assert scan.versions() == [
        (MEMBER, region, "orders", "$LATEST") for region in partition.regions
    ]
    asked = {call.region for call in emulator.calls}
    assert asked == set(partition.regions)
    of_all = {
        call.region for call in emulator.calls if call.service in {"organizations", "account"}
    }
    assert of_all == {partition.home}


def test_a_region_of_another_partition_is_refused(
    elsewhere: tuple[Emulator, Scanner], partition: Partition
) -> None:
    _, fleet = elsewhere
    with pytest.raises(BadSelection, match="no such region in this partition"):
        fleet.scan(ScanOptions(organization=True, regions=("us-east-1", partition.home)))
    assert fleet.store.scans() == []
