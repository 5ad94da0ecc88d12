"""The real command over HTTP, against the seeded organization: what a user sees and gets."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.model import CoverageStatus
from moto_fixtures.definition import Organization
from moto_fixtures.expected import Count, expected, expected_coverage
from moto_fixtures.load import load_organization
from moto_fixtures.seed import seed
from moto_fixtures.server import Emulator
from tests.cli.command import Ended, fleet
from tests.scan.conftest import NOW, packages_of

SELECTED = ("--org", "--region", "us-east-1,us-west-2,eu-west-1,eu-south-2")
SECRET = "do-not-leak"  # noqa: S105  # how every secret of the seeded organization begins


@pytest.fixture(scope="module")
def organization() -> Organization:
    return load_organization()


@pytest.fixture(scope="module")
def emulator(organization: Organization) -> Iterator[Emulator]:
    with Emulator(organization.rules()) as running:
        seed(running, organization, packages=packages_of(organization), now=NOW)
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scan")


@pytest.fixture(scope="module")
def scanned(emulator: Emulator, place: Path) -> Ended:
    """One scan of everything, that the tests below look at from all sides."""
    return fleet("scan", *SELECTED, "--callers", within=place, environ=emulator.environment)


def seen(organization: Organization) -> Count:
    """What a scan of everything can see."""
    coverage = expected_coverage(organization)
    return sum(
        (
            count
            for (account, region), count in expected(organization).items()
            if coverage.get((account, region)) is CoverageStatus.OK
        ),
        Count(),
    )


def test_incomplete_coverage_ends_with_its_own_status_and_comes_first(scanned: Ended) -> None:
    assert scanned.status == 4, scanned.err
    lines = scanned.out.splitlines()
    assert lines[0].startswith("At least ")
    assert lines[1].startswith("! Not seen: ")


def test_progress_is_plain_and_on_stderr(scanned: Ended) -> None:
    assert re.search(r"13 of 13 accounts asked, \d+ of \d+ account-regions", scanned.err)
    assert "\x1b" not in scanned.err + scanned.out
    assert "accounts asked" not in scanned.out


@pytest.mark.usefixtures("scanned")
def test_every_finding_is_in_the_csv_exactly_once(place: Path, organization: Organization) -> None:
    with (place / "fleet-report" / "fleet-report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["account"], row["region"], row["name"], row["qualifier"]) for row in rows]
    assert len(keys) == len(set(keys))
    wanted = seen(organization)
    by_use = {use: sum(row["use"] == use for row in rows) for use in ("latest", "served", "kept")}
    assert by_use == {"latest": wanted.latest, "served": wanted.served, "kept": wanted.kept}
    assert sum(row["finding"] == "true" for row in rows) == wanted.findings


@pytest.mark.usefixtures("scanned")
def test_no_environment_variable_reaches_any_file(place: Path) -> None:
    for file in place.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


@pytest.mark.usefixtures("scanned")
def test_saved_scans_are_for_their_owner_only(place: Path) -> None:
    assert stat.S_IMODE((place / "fleet.db").stat().st_mode) == 0o600


@pytest.mark.usefixtures("scanned")
def test_json_and_csv_on_stdout_are_the_same_scan_offline(place: Path) -> None:
    as_json = fleet("report", "--no-report", "--format", "json", within=place)
    as_csv = fleet("report", "--no-report", "--format", "csv", within=place)
    assert as_json.status == as_csv.status == 4
    document = json.loads(as_json.out)
    rows = list(csv.DictReader(io.StringIO(as_csv.out)))
    assert [each["arn"] for each in document["functions"]] == [row["arn"] for row in rows]
    assert document["complete"] is False


@pytest.mark.usefixtures("scanned")
def test_the_brief_summary_says_what_the_full_one_says(place: Path) -> None:
    full = fleet("report", "--output", "again", within=place)
    brief = fleet("report", "--no-report", within=place)
    assert brief.out.splitlines()[0] == full.out.splitlines()[0]
    assert "by region" in full.out
    assert "by region" not in brief.out


@pytest.mark.usefixtures("scanned")
@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2023-12-30", "1 day before the announced end"),
        ("2026-11-21", "102 days until updates are blocked"),
        ("2027-03-03", "Updates are blocked since 2027-03-03"),
    ],
)
def test_any_day_can_be_asked_for(place: Path, day: str, said: str) -> None:
    assert said in fleet("report", "--no-report", "--as-of", day, within=place).out


def test_findings_fail_only_where_asked_and_coverage_is_complete(
    emulator: Emulator, tmp_path: Path
) -> None:
    account = ("--account", "012345678901", "--region", "eu-west-1", "--no-report")
    environ = emulator.environment
    assert fleet("scan", *account, within=tmp_path, environ=environ).status == 0
    found = fleet("scan", *account, "--fail-on-findings", within=tmp_path, environ=environ)
    assert found.status == 3
    assert not (tmp_path / "fleet-report").exists()


def test_what_does_not_exist_is_refused_before_anything_is_saved(
    emulator: Emulator, tmp_path: Path
) -> None:
    wrong = {
        ("--org", "--account", "999999999999"): "no such account",
        ("--org", "--ou", "Workloads/None"): "no such organizational unit",
        ("--region", "eu-west-9"): "no such region",
    }
    for arguments, said in wrong.items():
        ended = fleet("scan", *arguments, within=tmp_path, environ=emulator.environment)
        assert ended.status == 2, ended.err
        assert said in ended.err
    assert "No scan" in fleet("scans", within=tmp_path).out


def test_an_account_that_has_left_may_stay_excluded_in_the_settings_but_not_be_typed(
    emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "fleet.yaml").write_text('exclude_accounts: ["999999999999"]\n', encoding="utf-8")
    few = ("--org", "--account", "012345678901", "--region", "eu-west-1", "--no-report", "--quiet")
    environ = emulator.environment
    scanned = fleet("scan", *few, within=tmp_path, environ=environ)
    assert scanned.status == 0
    assert scanned.err == (
        "fleet: 999999999999: the organization has no such account any more; "
        "it can be taken out of exclude_accounts\n"
    )
    typed = ("--exclude-account", "999999999999")
    refused = fleet("scan", *few, *typed, within=tmp_path, environ=environ)
    assert refused.status == 2
    assert "--exclude-account '999999999999': no such account in this organization" in refused.err


def test_a_member_account_is_told_it_cannot_list_the_organization(
    emulator: Emulator, tmp_path: Path
) -> None:
    environ = emulator.credentials_of("012345678901")
    ended = fleet("scan", "--org", within=tmp_path, environ=environ)
    assert ended.status == 2
    assert "management account or a delegated administrator" in ended.err


def test_credentials_aws_does_not_know_are_named(emulator: Emulator, tmp_path: Path) -> None:
    environ = {**emulator.environment, "AWS_ACCESS_KEY_ID": "AKIAUNKNOWN000000000"}
    ended = fleet("scan", within=tmp_path, environ=environ)
    assert ended.status == 1
    assert "AWS credentials" in ended.err
    assert "AKIAUNKNOWN" not in ended.err
