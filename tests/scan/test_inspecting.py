"""Packages that are really downloaded, read and judged, over HTTP from the emulator."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.inspection import InspectionDepth
from fleet.model import LATEST, ScanOptions
from moto_fixtures.cache import default_cache
from moto_fixtures.definition import Organization
from moto_fixtures.packages import load_packages
from moto_fixtures.seed import seed
from moto_fixtures.server import Emulator
from tests.scan.conftest import NOW, now
from tests.scan.inspected import reasons, verdicts
from tests.scan.scanner import Scan, Scanner, scanner

EVERYTHING = ScanOptions(
    organization=True,
    regions=("us-east-1", "eu-west-1"),
    inspect=InspectionDepth.WHOLE,
)
SHARED_SERVICES = "555566667777"


@pytest.fixture(scope="module")
def real(northwind: Organization) -> Iterator[Emulator]:
    """The seeded organization with its real packages inside."""
    with Emulator(northwind.rules(), clock=NOW.timestamp) as emulator:
        packages = load_packages(northwind, cache=default_cache())
        seed(emulator, northwind, packages=packages, now=NOW)
        yield emulator


@pytest.fixture(scope="module")
def kept(real: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    """Scans it; its store is shared by the tests of this file."""
    with scanner(real.environment, tmp_path_factory.mktemp("kept"), clock=now) as made:
        yield made


@pytest.fixture(scope="module")
def whole(kept: Scanner) -> Scan:
    scan = kept.scan(EVERYTHING)
    assert scan.rows
    return scan


def test_every_kind_of_package_gets_the_verdict_that_fits(whole: Scan) -> None:
    found = verdicts(whole)
    assert found["dns-enrich", LATEST] == "ready"
    assert found["route-planner", LATEST] == "empty"
    assert found["route-tracker", "2"] == "already custom"
    assert found["image-resize", LATEST] == "image"
    assert found["route-optimizer", LATEST] == "needs decision"
    assert Counter(found.values())["rebuild"] > 0
    assert Counter(found.values())["ready with shim"] > 0


def test_a_verdict_tells_where_the_program_came_from(whole: Scan) -> None:
    [row] = [each for each in whole.rows if each["name"] == "dns-enrich"]
    assert row["go_version"].startswith("go1.")
    assert row["lambda_library"].startswith("v1.")
    assert row["module"] == "fleet.example/handlers"
    assert row["strategy"] == "rename"


def test_a_package_that_many_functions_run_is_downloaded_once(
    real: Emulator, tmp_path: Path, whole: Scan
) -> None:
    judged = [row for row in whole.rows if row["package_type"] == "Zip" and row["verdict"]]
    real.calls.clear()
    with scanner(real.environment, tmp_path, clock=now) as alone:
        alone.scan(EVERYTHING)
    asked = [call for call in real.calls if call.operation == "GetFunction"]
    assert len(asked) == len({row["code_sha256"] for row in judged}) < len(judged)


def test_the_next_scan_downloads_nothing_that_is_known(
    kept: Scanner, real: Emulator, whole: Scan
) -> None:
    real.calls.clear()
    again = kept.scan(EVERYTHING)
    assert [call.operation for call in real.calls if call.operation == "GetFunction"] == []
    assert verdicts(again) == verdicts(whole)


def test_versions_that_only_the_rollback_alias_holds_are_not_downloaded(whole: Scan) -> None:
    held = [row for row in whole.rows if row["use"] == "kept for rollback"]
    assert held
    assert {row["verdict"] for row in held} == {None}


def test_a_layer_with_an_extension_is_warned_of(whole: Scan) -> None:
    said = reasons(whole, "chatops-webhook", "warnings")
    assert any("extension" in code for code in said), said


def test_a_layer_of_another_account_that_is_not_shared_is_told_as_unreadable(whole: Scan) -> None:
    unreadable = [row for row in whole.rows if "layer-unreadable" in (row["warnings"] or "")]
    assert {json.loads(row["layers"])[0].split(":")[4] for row in unreadable} == {SHARED_SERVICES}
    assert {row["account"] for row in unreadable}.isdisjoint({SHARED_SERVICES})


def test_neither_environment_nor_url_reaches_the_state_file(whole: Scan) -> None:
    file = Path(str(whole.store._database._engine.url.database))
    written = b"".join(each.read_bytes() for each in file.parent.iterdir())
    assert b"fleet.example/handlers" in written
    for secret in (b"do-not-leak", b"X-Amz-Signature", b"X-Amz-Security-Token", b"awslambda-"):
        assert secret not in written
