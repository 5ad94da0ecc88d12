"""Faults on the wire during a scan: nothing lost, nothing counted twice, and told if they last."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.aws.failures import CallFailed
from fleet.model import EVERY_REGION, CoverageStatus, ScanOptions, ScanState
from moto_fixtures.server import Emulator
from tests.scan.conftest import now
from tests.scan.microburst import Microburst, Rule, microburst
from tests.scan.scanner import Scan, Scanner, scanner

OPTIONS = ScanOptions(organization=True, regions=("us-east-1", "eu-west-1"))
MANAGEMENT, PAYMENTS, STAGING = "111122223333", "012345678901", "999900001111"
FEW = replace(OPTIONS, accounts=(MANAGEMENT, PAYMENTS, STAGING), callers=True)
LIST = {"service": "lambda", "operation": "ListFunctions"}
SESSIONS_ONLY = {"headers": {"X-Amz-Security-Token": ""}}
OPERATIONS = {
    "sts": ["AssumeRole"],
    "organizations": ["DescribeOrganization", "ListAccounts", "ListAccountsForParent"],
    "account": ["ListRegions"],
    "lambda": ["ListFunctions", "ListTags", "ListAliases", "ListEventSourceMappings"],
}


@pytest.fixture(scope="module")
def proxy(seeded: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Microburst]:
    """A microburst before the seeded organization; one for all tests of this file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    log = tmp_path_factory.mktemp("microburst") / "log"
    with microburst(seeded.url, port, log) as running:
        yield running


def untouched(seeded: Emulator, directory: Path, options: ScanOptions) -> Scan:
    with scanner(seeded.environment, directory, clock=now) as made:
        scan = made.scan(options)
        # Both are kept: they are read while the store is open.
        assert scan.rows
        assert scan.coverage
        return scan


@pytest.fixture(scope="module")
def undisturbed(seeded: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """What a scan gives that nothing happens to."""
    return untouched(seeded, tmp_path_factory.mktemp("whole"), OPTIONS)


@pytest.fixture(scope="module")
def few(seeded: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """The same of three accounts, with their callers."""
    return untouched(seeded, tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture
def behind(
    fleet: Scanner, seeded: Emulator, proxy: Microburst, monkeypatch: pytest.MonkeyPatch
) -> Scanner:
    """A scanner whose every call goes through the proxy, with eight attempts for each."""
    proxy.spoil()
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "8")
    fleet.act_as({**seeded.environment, "AWS_ENDPOINT_URL": proxy.url})
    return fleet


def error(code: str, status: int) -> Rule:
    return {"error": {"code": code, "status": status, "message": "said"}}


def everywhere(*faults: Rule, times: int = 5, **only: object) -> list[Rule]:
    """Each fault so often for each operation: together less often than one call is tried."""
    return [
        {
            "service": service,
            "operation": operation,
            "sequence": {"fail": 1, "pass": 2},
            "times": times,
            **only,
            **fault,
        }
        for service, operations in OPERATIONS.items()
        for operation in operations
        for fault in faults
    ]


THROTTLED = error("TooManyRequestsException", 429)
FAILED = error("ServiceException", 500)
CUT_SHORT = {"response": {"truncate_frac": 0.5}}
CUT_OFF = {"response": {"abort_frac": 0.5}}
RESET = {"reset": True}
PASSING: dict[str, list[Rule]] = {
    "429": everywhere(THROTTLED),
    "ThrottlingException": everywhere(error("ThrottlingException", 400)),
    "500": everywhere(FAILED),
    "503": everywhere(error("ServiceUnavailable", 503)),
    "connection reset": everywhere(RESET),
    "body cut short": everywhere(CUT_SHORT),
    "connection cut off in a body": everywhere(CUT_OFF),
    "answer lost": everywhere({"response": {"abort_bytes": 1}}),
    "session expired": everywhere(error("ExpiredTokenException", 403), times=2, **SESSIONS_ONLY),
    "several at once": everywhere(RESET, FAILED, THROTTLED, CUT_SHORT, CUT_OFF, times=1),
    "latency": [{"service": "lambda", "latency": {"min": 1, "max": 30}}],
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_loses_nothing_and_counts_nothing_twice(
    behind: Scanner, proxy: Microburst, undisturbed: Scan, fault: str
) -> None:
    proxy.spoil(*PASSING[fault])
    scan = behind.scan(OPTIONS)
    assert len(proxy.fired()) >= 10
    assert scan.header.state is ScanState.FINISHED
    assert scan.statuses == undisturbed.statuses
    assert scan.rows == undisturbed.rows
    for lane, row in scan.coverage.items():
        whole = undisturbed.coverage[lane]
        assert (row.functions, row.versions) == (whole.functions, whole.versions), lane
    assert scan.progress.findings == undisturbed.progress.findings


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (error("TooManyRequestsException", 429), CoverageStatus.THROTTLED_OUT, "TooManyRequests"),
        (error("ServiceException", 500), CoverageStatus.FAILED, "ServiceException"),
        (error("ServiceUnavailable", 503), CoverageStatus.FAILED, "ServiceUnavailable"),
        ({"reset": True}, CoverageStatus.FAILED, "Connection"),
        ({"response": {"truncate_frac": 0.5}}, CoverageStatus.FAILED, "no readable 'Functions'"),
        ({"response": {"truncate_bytes": 0}}, CoverageStatus.FAILED, "no readable 'Functions'"),
        ({"response": {"abort_frac": 0.5}}, CoverageStatus.FAILED, ""),
        (error("ExpiredTokenException", 403), CoverageStatus.FAILED, "ExpiredToken"),
        (error("UnrecognizedClientException", 403), CoverageStatus.FAILED, "UnrecognizedClient"),
        (error("AccessDeniedException", 403), CoverageStatus.DENIED, "AccessDenied"),
    ],
)
def test_a_list_that_fails_for_good_is_told_and_the_rest_is_whole(
    behind: Scanner,
    proxy: Microburst,
    few: Scan,
    monkeypatch: pytest.MonkeyPatch,
    fault: Rule,
    status: CoverageStatus,
    said: str,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    proxy.spoil({**LIST, **SESSIONS_ONLY, "region": "eu-west-1", **fault})
    scan = behind.scan(FEW)
    hit = {(PAYMENTS, "eu-west-1"), (STAGING, "eu-west-1")}
    assert scan.incomplete.keys() == hit
    for lane in hit:
        row = scan.coverage[lane]
        assert row.status is status
        assert said in row.reason
        assert (row.functions, row.versions) == (0, 0)
    kept = [row for row in few.rows if (row["account"], row["region"]) not in hit]
    assert scan.rows == kept
    assert not scan.store.totals(scan.header.id).complete

    proxy.spoil()
    finished = behind.scan(resumes=scan.header.id)
    assert finished.rows == few.rows
    assert finished.statuses == few.statuses


@pytest.mark.parametrize(
    ("operation", "column", "fault"),
    [
        ("ListTags", "tags", CUT_SHORT),
        ("ListAliases", "aliases", RESET),
        ("ListEventSourceMappings", "callers", CUT_OFF),
        ("GetPolicy", "callers", FAILED),
    ],
)
def test_a_detail_that_fails_for_good_is_unknown_and_never_empty(
    behind: Scanner,
    proxy: Microburst,
    few: Scan,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    column: str,
    fault: Rule,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    proxy.spoil({"service": "lambda", "operation": operation, **fault})
    scan = behind.scan(FEW)
    assert scan.versions() == few.versions()
    assert {row[column] for row in scan.rows} == {None}
    lanes = {(row["account"], row["region"]) for row in scan.rows}
    assert {scan.statuses[lane] for lane in lanes} == {CoverageStatus.FAILED}
    assert all(operation in scan.coverage[lane].reason for lane in lanes)


def test_a_role_that_cannot_be_had_for_faults_is_not_called_missing(
    behind: Scanner, proxy: Microburst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    proxy.spoil({"service": "sts", "operation": "AssumeRole", **error("ServiceUnavailable", 503)})
    row = behind.scan(FEW).coverage[PAYMENTS, EVERY_REGION]
    assert row.status is CoverageStatus.FAILED
    assert "ServiceUnavailable" in row.reason


@pytest.mark.parametrize("operation", ["DescribeOrganization", "ListAccounts", "ListRoots"])
def test_an_organization_that_cannot_be_read_leaves_no_scan_that_looks_whole(
    behind: Scanner, proxy: Microburst, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    proxy.spoil({"service": "organizations", "operation": operation, **CUT_SHORT})
    with pytest.raises(CallFailed, match=f"organizations:{operation}"):
        behind.scan(FEW)
    assert behind.store.scans() == []


def test_a_read_that_times_out_is_tried_again(
    behind: Scanner, proxy: Microburst, few: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.aws.clients.READ_SECONDS", 0.5)
    proxy.spoil({**LIST, "region": "eu-west-1", "times": 2, "latency": 3000})
    scan = behind.scan(replace(FEW, accounts=(PAYMENTS,), regions=("eu-west-1",)))
    assert len(proxy.fired()) == 2
    assert not scan.incomplete
    lane = (PAYMENTS, "eu-west-1")
    assert scan.coverage[lane].calls == few.coverage[lane].calls + 2
    assert scan.rows == [row for row in few.rows if (row["account"], row["region"]) == lane]
