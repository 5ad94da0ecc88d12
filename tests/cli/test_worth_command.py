"""What a scan with --cold-starts costs to run, and what its report says functions are worth."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moto_fixtures.corrections.log_store import Reports
from moto_fixtures.corrections.metric_store import Calls
from moto_fixtures.server import Emulator
from tests.cli.command import Ended, fleet
from tests.moto_fixtures.small_organization import HOME, MEMBER, RULES, Clock, Organization

PRICES = """
[regions."us-east-1"]
x86_64 = 0.001
arm64 = 0.0005
request = 0.0001
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Two functions of 256 MB: 1,000 calls of 200 ms, 10 of them cold for 500 ms in one's log."""
    with Emulator(RULES) as running:
        organization = Organization(running, Clock())
        # The command has the real time, and looks back from it.
        at = datetime.now(UTC) - timedelta(days=1)
        for name in ("orders", "refunds"):
            organization.add_function(name, MemorySize=256)
            calls = Calls(invocations=1000, duration_ms=200)
            running.record_calls(MEMBER, HOME, name, at, calls)
        reports = Reports(calls=1000, starts=10, init_ms=5000)
        running.record_reports(MEMBER, HOME, "/aws/lambda/orders", at, reports)
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worth")


@pytest.fixture(scope="module")
def scanned(emulator: Emulator, place: Path) -> Ended:
    return fleet(
        *("scan", "--cold-starts", "--region", HOME),
        within=place,
        environ=emulator.credentials_of(MEMBER),
    )


def test_the_summary_says_what_thirty_days_cost_at_the_shipped_prices(scanned: Ended) -> None:
    assert scanned.status == 0, scanned.err
    # 2 × 1,000 × 0.0000002 and 2 × 50 GB-s × 0.0000166667 are 0.0021; the init is 0.00002.
    assert "30 days of 2 functions cost at least USD under 0.01 on go1.x" in " ".join(
        scanned.out.split()
    )
    assert "Init is not known of 1 function" in scanned.out


@pytest.mark.usefixtures("scanned")
def test_prices_of_one_s_own_go_over_the_shipped_ones_long_after_the_scan(place: Path) -> None:
    (place / "prices.toml").write_text(PRICES, encoding="utf-8")
    told = ("report", "--no-report", "--prices", "prices.toml")
    document = json.loads(fleet(*told, "--format", "json", within=place).out)
    # By hand: 1,000 × 0.0001 = 0.1 each; 256/1,024 GB × 200 s = 50 GB-s, of which x86_64 costs
    # 0.05 and arm64 0.025 each; orders has 0.25 GB × 5 s = 1.25 GB-s of init: 0.00125, 0.000625.
    assert document["worth"]["total"] == {
        "functions": 2,
        "lower_bounds": 1,
        "go1x_then": 0.3,
        "go1x": 0.3,
        "custom_runtime": 0.3,
        "arm64": 0.25,
        "arm64_saves": 0.05,
    }
    (price,) = document["worth"]["prices"]
    assert price["source"] == "prices of your own"
    rows = csv.DictReader(io.StringIO(fleet(*told, "--format", "csv", within=place).out))
    assert {row["name"]: (row["cost_custom_runtime"], row["cost_arm64"]) for row in rows} == {
        "orders": ("0.151250", "0.125625"),
        "refunds": ("0.150000", "0.125000"),
    }


@pytest.mark.usefixtures("scanned")
def test_the_page_of_that_scan_has_the_section(place: Path) -> None:
    page = (place / "fleet-report" / "fleet-report.html").read_text("utf-8")
    assert "What it is worth" in page


def test_a_scan_without_the_flags_reads_and_says_nothing_of_it(
    emulator: Emulator, tmp_path: Path
) -> None:
    environ = emulator.credentials_of(MEMBER)
    emulator.calls.clear()
    ended = fleet("scan", "--region", HOME, within=tmp_path, environ=environ)
    assert ended.status == 0, ended.err
    assert "cost" not in ended.out
    assert not {call.service for call in emulator.calls} & {"logs", "cloudwatch"}


def test_the_policy_has_what_it_needs_only_where_asked(tmp_path: Path) -> None:
    plain = fleet("policy", "scan", within=tmp_path).out
    more = fleet("policy", "scan", "--cold-starts", within=tmp_path).out
    assert "logs:" not in plain
    for action in ("logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery"):
        assert action in more
