"""A saved scan of any size, made up from a seed: what the reports are rendered from."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from fleet.model import (
    GO1X,
    LATEST,
    Account,
    Alias,
    Coverage,
    CoverageStatus,
    FunctionConfig,
    FunctionRecord,
    FunctionRef,
    LaneResult,
    Owner,
    OwnerKind,
    PackageType,
    ScanHeader,
    ScanOptions,
    ScanState,
    Use,
)
from fleet.store import Store
from tests.bench.canned import PAGE, Organization

STARTED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_WORDS = ("order", "invoice", "parcel", "catalog", "session", "report", "image", "payment")
_UNITS = ("Workloads/Prod", "Workloads/NonProd", "Sandbox", "Platform/Shared")
_USES = (Use.LATEST, Use.SERVED, Use.KEPT)


def save_scan(store: Store, organization: Organization) -> None:
    """Save a finished scan with 50 function versions in each account and region."""
    header = ScanHeader(
        id="20261121T093000Z-0000",
        started=STARTED,
        finished=None,
        state=ScanState.RUNNING,
        caller=organization.account_ids[0],
        organization="o-canned0001",
        partition="aws",
        options=ScanOptions(organization=True),
    )
    store.begin_scan(header)
    store.plan_accounts(
        header.id,
        [
            Account(each, f"account {number}", _UNITS[number % len(_UNITS)])
            for number, each in enumerate(organization.account_ids)
        ],
    )
    random = Random(0)  # noqa: S311  # nothing secret, and it has to repeat
    for account, region in organization.lanes:
        records = tuple(_records(random, account, region))
        coverage = Coverage(account, region, CoverageStatus.OK, "", PAGE, PAGE, 2, 0)
        store.save_lane(header.id, LaneResult(coverage, records))
    store.finish_scan(header.id, ScanState.FINISHED, STARTED + timedelta(minutes=5))


def _records(random: Random, account: str, region: str) -> Iterator[FunctionRecord]:
    for number in range(PAGE):
        stack = f"{random.choice(_WORDS)}-{random.choice(_WORDS)}-{random.randrange(20)}"
        use = random.choice(_USES)
        version = LATEST if use is Use.LATEST else str(random.randrange(1, 90))
        name = f"{stack}-{random.choice(_WORDS)}-{number:03d}"
        yield FunctionRecord(
            config=FunctionConfig(
                ref=FunctionRef("aws", account, region, name, version),
                package_type=PackageType.ZIP,
                runtime=GO1X,
                handler=random.choice(("main", "bin/handler", f"bin/{stack}")),
                architecture="x86_64",
                code_size=random.randrange(2_000_000, 9_000_000),
                code_sha256=base64.b64encode(random.randbytes(32)).decode(),
                last_modified=STARTED - timedelta(minutes=random.randrange(4_000_000)),
            ),
            use=use,
            latest_runtime=GO1X,
            aliases=(Alias("live", version),) if use is Use.SERVED else (),
            tags={
                "aws:cloudformation:stack-name": stack,
                "aws:cloudformation:logical-id": f"Function{number}",
                "team": random.choice(_WORDS),
            },
            owner=Owner(OwnerKind.CLOUDFORMATION, stack),
            invocations=random.randrange(100_000),
        )
