"""The whole seeded organization, scanned once and held against its files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.model import GO1X, LATEST, CoverageStatus, ScanOptions, ScanState, Use
from fleet.permissions import COLD_STARTS, SCAN, Where
from moto_fixtures.corrections.permissions import GLOBAL_SERVICES
from moto_fixtures.definition import Organization
from moto_fixtures.expected import Count, expected, expected_coverage, use_of
from moto_fixtures.function import Function
from moto_fixtures.server import Call, Emulator
from tests.scan.conftest import EU, now
from tests.scan.scanner import Scan, Scanner, scanner

Name = tuple[str, str, str]
"""Account, region and name of a function."""
PAGE = 50


@pytest.fixture(scope="module")
def looked(
    seeded: Emulator, northwind: Organization, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Scan, list[Call], Path]]:
    options = ScanOptions(
        organization=True,
        callers=True,
        traffic=True,
        cold_starts=True,
        regions=northwind.regions,
    )
    directory = tmp_path_factory.mktemp("whole")
    seeded.calls.clear()
    with scanner(seeded.environment, directory, clock=now) as fleet:
        scan = fleet.scan(options)
        yield scan, list(seeded.calls), directory


@pytest.fixture
def whole(looked: tuple[Scan, list[Call], Path]) -> Scan:
    """A scan of everything, with --callers, --traffic and --cold-starts."""
    return looked[0]


@pytest.fixture
def calls(looked: tuple[Scan, list[Call], Path]) -> list[Call]:
    """What that scan asked AWS."""
    return looked[1]


def reached(northwind: Organization) -> dict[tuple[str, str], Count]:
    """What the files hold where a scan may look."""
    statuses = expected_coverage(northwind)
    counts = expected(northwind).items()
    return {lane: count for lane, count in counts if statuses.get(lane) is CoverageStatus.OK}


def functions(northwind: Organization) -> dict[Name, Function]:
    """The functions that stand where a scan may look."""
    lanes = reached(northwind)
    return {
        (account.id, function.region, function.name): function
        for account in northwind.accounts
        for function in account.functions
        if (account.id, function.region) in lanes
    }


def uses(function: Function) -> dict[str, Use]:
    """Qualifier → use of what a scan for go1.x has to find of a function."""
    found = {
        str(number): use_of(function, number)
        for number, state in enumerate(function.published, 1)
        if state.runtime == GO1X
    }
    if function.runtime == GO1X:
        found[LATEST] = Use.LATEST
    if function.image is not None:
        found[LATEST] = Use.IMAGE
    return found


def callers_of_latest(function: Function) -> Counter[str]:
    """Kind → how many of it call $LATEST."""
    qualifiers = [
        *(("event source", each.qualifier) for each in function.event_sources),
        *(("function url", each.qualifier) for each in function.urls),
        *(("permission", each.qualifier) for each in function.permissions),
    ]
    return Counter(kind for kind, qualifier in qualifiers if qualifier == LATEST)


def name_of(row: dict[str, str]) -> Name:
    return row["account"], row["region"], row["name"]


def test_every_account_and_region_ends_as_the_row_it_should(
    whole: Scan, northwind: Organization
) -> None:
    assert whole.statuses == expected_coverage(northwind)
    assert whole.header.state is ScanState.FINISHED
    assert set(whole.statuses.values()) == {
        CoverageStatus.OK,
        CoverageStatus.DENIED,
        CoverageStatus.ROLE_MISSING,
        CoverageStatus.BLOCKED_BY_POLICY,
        CoverageStatus.REGION_NOT_ENABLED,
        CoverageStatus.ACCOUNT_NOT_ACTIVE,
    }


def test_every_row_but_ok_gives_a_reason(whole: Scan) -> None:
    for lane, row in whole.coverage.items():
        assert bool(row.reason) == (row.status is not CoverageStatus.OK), lane


def test_every_go1x_version_is_found_exactly_once_with_its_use(
    whole: Scan, northwind: Organization
) -> None:
    wanted = {
        (*name, qualifier): use.value
        for name, function in functions(northwind).items()
        for qualifier, use in uses(function).items()
    }
    assert len(whole.rows) == len(wanted)
    assert {(*name_of(row), row["qualifier"]): row["use"] for row in whole.rows} == wanted
    assert set(wanted.values()) == {
        use.value for use in Use if use not in {Use.UNKNOWN, Use.CUSTOM, Use.HALFWAY}
    }, "the organization has every kind"


def test_each_lane_counts_what_its_files_hold(whole: Scan, northwind: Organization) -> None:
    for lane, count in reached(northwind).items():
        row = whole.coverage[lane]
        assert (row.functions, row.versions) == (count.functions, count.versions), lane
    total = sum(reached(northwind).values(), Count())
    assert whole.store.totals(whole.header.id).by_use == {
        Use.LATEST: total.latest,
        Use.SERVED: total.served,
        Use.KEPT: total.kept,
        Use.ROLLBACK: total.rollback,
        Use.IMAGE: total.images,
    }
    assert whole.progress.findings == total.findings


def test_what_stands_on_the_second_page_is_found(whole: Scan, northwind: Organization) -> None:
    counts = reached(northwind)
    lane = max(counts, key=lambda each: counts[each].versions)
    assert counts[lane].versions > PAGE
    listed = sorted(
        (name, number)
        for (account, region, name), function in functions(northwind).items()
        for number in range(len(function.published) + 1)
        if (account, region) == lane
    )
    second_page = {(name, str(number) if number else LATEST) for name, number in listed[PAGE:]}
    found = {(row["name"], row["qualifier"]) for row in whole.rows if name_of(row)[:2] == lane}
    assert found & second_page


def test_a_function_that_moved_on_is_found_by_the_version_still_served(
    whole: Scan, northwind: Organization
) -> None:
    moved = {
        name
        for name, function in functions(northwind).items()
        if function.runtime != GO1X and Use.SERVED in uses(function).values()
    }
    assert moved
    for name in moved:
        rows = [row for row in whole.rows if name_of(row) == name]
        assert LATEST not in {row["qualifier"] for row in rows}
        assert all(row["latest_runtime"] != GO1X == row["runtime"] for row in rows)
        by = [*json.loads(rows[0]["aliases"]), *json.loads(rows[0]["callers"])]
        assert by or len(rows) > 1


def test_tags_traffic_and_callers_of_latest_are_those_of_the_files(
    whole: Scan, northwind: Organization
) -> None:
    files = functions(northwind)
    for row in whole.rows:
        function = files[name_of(row)]
        assert json.loads(row["tags"]) == function.tags, row["name"]
        assert row["invocations"] == (function.invocations or 0), row["name"]
        assert row["duration_ms"] == function.invocations * function.average_ms, row["name"]
        if row["qualifier"] == LATEST:
            found = Counter(each["kind"] for each in json.loads(row["callers"]))
            assert found == callers_of_latest(function), row["name"]


def test_memory_and_cold_starts_are_those_of_the_files_where_the_logs_hold_every_call(
    whole: Scan, northwind: Organization
) -> None:
    files = functions(northwind)
    unknown = set()
    for row in whole.rows:
        function = files[name_of(row)]
        if row["qualifier"] == LATEST:
            assert row["memory_mb"] == function.memory, row["name"]
        if function.invocations and function.logged_days < 30:
            unknown.add(row["name"])
            assert (row["cold_starts"], row["init_ms"]) == (None, None), row["name"]
        else:
            cold = -(-function.invocations // function.cold)
            assert row["cold_starts"] == cold, row["name"]
            assert row["init_ms"] == cold * function.init_ms, row["name"]
    assert unknown, "the organization has a log that was not kept"


def test_accounts_keep_their_names_and_units(whole: Scan, northwind: Organization) -> None:
    saved = {each.id: each for each in whole.store.accounts(whole.header.id)}
    assert saved.keys() == {each.id for each in northwind.accounts}
    for account in northwind.accounts:
        found = saved[account.id]
        assert (found.name, found.ou) == (account.name, account.ou)
        assert found.active == (account.status == "ACTIVE")
    assert whole.header.organization == northwind.id


def test_no_environment_variable_or_key_reaches_the_files(
    looked: tuple[Scan, list[Call], Path], northwind: Organization, seeded: Emulator
) -> None:
    variables = {
        value
        for account in northwind.accounts
        for function in account.functions
        for state in (*function.published, function.latest)
        for value in state.environment.values()
    }
    secrets = {each for each in variables if "do-not-leak" in each or ":" in each}
    assert len(secrets) > 1
    secrets |= {"do-not-leak", "DB_PASSWORD", "ASIA", "AKIA"}
    secrets.add(seeded.environment["AWS_SECRET_ACCESS_KEY"])
    # What SQLite holds back in its journal counts too.
    files = [path for path in looked[2].iterdir() if path.is_file()]
    assert any(b"checkout-orders" in path.read_bytes() for path in files)
    for path in files:
        content = path.read_bytes()
        assert not [each for each in secrets if each.encode() in content], path.name


def test_every_call_is_in_the_table_of_permissions_and_made_where_it_says(
    calls: list[Call], northwind: Organization
) -> None:
    table = {each.action: each.where for each in (*SCAN, *COLD_STARTS)}
    assert {call.action for call in calls} <= table.keys()
    elsewhere = {call.action for call in calls if call.account != northwind.management}
    assert {table[action] for action in elsewhere} == {Where.MEMBER}


def test_every_permission_of_the_table_is_used_but_the_one_for_lack_of_another(
    calls: list[Call],
) -> None:
    unused = {each.action for each in (*SCAN, *COLD_STARTS)} - {call.action for call in calls}
    # Regions are told by another call, and no query takes so long that it has to be stopped.
    assert unused == {"ec2:DescribeRegions", "logs:StopQuery"}


def test_nothing_that_writes_is_ever_called(calls: list[Call]) -> None:
    reading = ("List", "Get", "Describe")
    others = {call.operation for call in calls if not call.operation.startswith(reading)}
    # A query is started, and changes nothing.
    assert others == {"AssumeRole", "StartQuery"}


def test_the_management_account_is_read_without_a_role_and_others_with_one_each(
    calls: list[Call], northwind: Organization
) -> None:
    active = [each for each in northwind.accounts if each.status == "ACTIVE"]
    counted = Counter(call.operation for call in calls)
    # One try for each but the management account; the one without the role is refused once.
    assert counted["AssumeRole"] == len(active) - 1


def test_no_region_is_asked_that_is_off_and_no_account_that_is_closed(
    calls: list[Call], northwind: Organization
) -> None:
    expected_rows = expected_coverage(northwind)
    regional = {
        (call.account, call.region) for call in calls if call.service not in GLOBAL_SERVICES
    }
    off = {CoverageStatus.REGION_NOT_ENABLED, CoverageStatus.ACCOUNT_NOT_ACTIVE}
    assert all(expected_rows[lane] not in off for lane in regional)


def test_a_denied_account_is_asked_once_a_region(calls: list[Call], whole: Scan) -> None:
    denied = [lane for lane, each in whole.statuses.items() if each is CoverageStatus.DENIED]
    assert denied
    for lane in denied:
        asked = [call for call in calls if (call.service, *call[2:]) == ("lambda", *lane)]
        assert len(asked) == 1


PAYMENTS, RETAIL = "012345678901", "666677778888"
PLACES = {(account, region) for account in (PAYMENTS, RETAIL) for region in ("us-east-1", EU)}
TWO = ScanOptions(organization=True, accounts=(PAYMENTS, RETAIL), regions=("us-east-1", EU))


def test_a_tag_leaves_the_functions_that_have_it(fleet: Scanner, whole: Scan) -> None:
    rows = fleet.scan(replace(TWO, tags=("team=led*",))).rows
    wanted = {
        name_of(row)
        for row in whole.rows
        if name_of(row)[:2] in PLACES and json.loads(row["tags"]).get("team") == "ledger"
    }
    assert wanted
    assert {name_of(row) for row in rows} == wanted


def test_several_runtimes_are_found_beside_each_other(
    fleet: Scanner, northwind: Organization
) -> None:
    runtimes = {GO1X, "python3.9", "nodejs18.x"}
    rows = fleet.scan(replace(TWO, runtimes=tuple(runtimes))).rows
    wanted = {
        name
        for name, function in functions(northwind).items()
        if name[:2] in PLACES and function.runtime in runtimes
    }
    found = {name_of(row) for row in rows if row["qualifier"] == LATEST and row["runtime"]}
    assert found == wanted
    assert {row["runtime"] for row in rows} > {GO1X}


def test_a_quick_look_sees_latest_only(fleet: Scanner, seeded: Emulator, whole: Scan) -> None:
    scan = fleet.scan(replace(TWO, latest_only=True))
    assert {row["qualifier"] for row in scan.rows} == {LATEST}
    for lane, row in scan.coverage.items():
        assert row.versions == row.functions == whole.coverage[lane].functions
    # Without versions there is no use to find out.
    assert "ListEventSourceMappings" not in {call.operation for call in seeded.calls}


def test_without_callers_none_are_asked_for_and_every_version_is_found_all_the_same(
    fleet: Scanner, seeded: Emulator, whole: Scan
) -> None:
    scan = fleet.scan(TWO)
    asked = Counter(call.operation for call in seeded.calls)
    # Nobody may be told unseen that what is kept for rollback is no finding: of those versions,
    # and the alias that holds them, policy and URLs are asked for all the same.
    held = sum(row["use"] == Use.ROLLBACK for row in scan.rows)
    assert (asked["GetPolicy"], asked["ListFunctionUrlConfigs"]) == (2 * held, held)
    assert asked["GetMetricData"] == 0
    assert set(scan.versions()) == {
        version for version in whole.versions() if version[:2] in PLACES
    }
    assert asked["StartQuery"] == 0
    unread = ("callers", "invocations", "duration_ms", "cold_starts", "init_ms")
    assert {row[name] for row in scan.rows for name in unread} == {None}
