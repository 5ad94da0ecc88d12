"""Scans with verdicts, to plan from."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fleet.inspection import Assessment, Inspection, InspectionDepth, Remark, Verdict
from fleet.model import (
    GO1X,
    LATEST,
    UNKNOWN_OWNER,
    Account,
    Coverage,
    CoverageStatus,
    FunctionConfig,
    FunctionRecord,
    FunctionRef,
    LaneResult,
    Owner,
    PackageType,
    ScanHeader,
    ScanOptions,
    ScanState,
    Use,
)
from fleet.store import Store
from tests.store.examples import SCAN, START, header

PROD, DEV = "111111111111", "222222222222"
HERE, THERE = "eu-central-1", "us-east-1"
ACCOUNTS = (Account(PROD, "shop", "Workloads/Prod"), Account(DEV, "lab", "Workloads/Dev"))
INSPECTED = ScanOptions(organization=True, inspect=InspectionDepth.WHOLE)


@dataclass(frozen=True)
class Function:
    """A function version as a scan found it."""

    name: str
    verdict: Verdict | None = Verdict.READY
    account: str = PROD
    region: str = HERE
    qualifier: str = LATEST
    use: Use = Use.LATEST
    runtime: str | None = GO1X
    latest_runtime: str | None = GO1X
    tags: Mapping[str, str] | None = field(default_factory=dict)
    owner: Owner = UNKNOWN_OWNER
    invocations: int | None = None
    image: bool = False
    code: str = "1"

    @property
    def ref(self) -> FunctionRef:
        return FunctionRef("aws", self.account, self.region, self.name, self.qualifier)

    @property
    def config(self) -> FunctionConfig:
        return FunctionConfig(
            ref=self.ref,
            package_type=PackageType.IMAGE if self.image else PackageType.ZIP,
            runtime=None if self.image else self.runtime,
            handler=None if self.image else "main",
            architecture="x86_64",
            code_size=1,
            code_sha256=base64.b64encode(
                hashlib.sha256(f"{self.name}{self.code}".encode()).digest()
            ).decode(),
            last_modified=START,
        )

    @property
    def record(self) -> FunctionRecord:
        return FunctionRecord(
            config=self.config,
            use=Use.IMAGE if self.image else self.use,
            latest_runtime=None if self.image else self.latest_runtime,
            tags=self.tags,
            owner=self.owner,
            invocations=self.invocations,
        )

    @property
    def inspection(self) -> Inspection | None:
        if self.verdict is None:
            return None
        reason = Remark("some-reason", f"why {self.name} is so")
        return Inspection(Assessment(self.verdict, (reason,)))


def inspected(
    scan_id: str = SCAN, options: ScanOptions = INSPECTED, minutes: int = 0
) -> ScanHeader:
    return replace(header(scan_id, minutes=minutes), options=options)


def save(
    store: Store,
    functions: Iterable[Function],
    said: ScanHeader | None = None,
    *,
    missed: bool = False,
) -> ScanHeader:
    """Save a whole scan of these; `missed`: one region of it was denied."""
    said = said or inspected()
    store.begin_scan(said, ACCOUNTS)
    by_lane: dict[tuple[str, str], list[Function]] = {}
    for account in ACCOUNTS:
        by_lane[account.id, HERE] = []
    for each in functions:
        by_lane.setdefault((each.account, each.region), []).append(each)
    for (account_id, region), found in by_lane.items():
        coverage = Coverage(account_id, region, CoverageStatus.OK, functions=len(found))
        records = tuple(each.record for each in found)
        store.save_lane(said.id, LaneResult(coverage, records))
        judged = [(each.config, each.inspection) for each in found if each.inspection is not None]
        store.save_inspections(said.id, judged)
    if missed:
        denied = Coverage(DEV, "ap-south-1", CoverageStatus.DENIED, "AccessDenied")
        store.save_lane(said.id, LaneResult(denied))
    store.finish_scan(said.id, ScanState.FINISHED, START)
    return said
