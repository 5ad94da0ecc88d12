from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from fleet.errors import BadSelection, FileProblem
from fleet.inspection import (
    NOT_INSPECTED,
    Assessment,
    Inspection,
    InspectionDepth,
    Remark,
    Verdict,
)
from fleet.model import (
    FUNCTION_COLUMNS,
    Account,
    CoverageStatus,
    FunctionRecord,
    LaneResult,
    ScanHeader,
    ScanState,
    Use,
)
from fleet.store import Store
from tests import strategies
from tests.store.examples import (
    ACCOUNT,
    SCAN,
    START,
    USED,
    column,
    header,
    lane,
    record,
    without_use,
)

# One store serves all examples of a property: each saves a scan of its own.
shared_store = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


def flat(record: FunctionRecord) -> dict[str, object]:
    """What a saved record has to read, told apart from how the store writes it."""
    config = record.config
    moment = config.last_modified
    return {
        "account": config.ref.account,
        "region": config.ref.region,
        "name": config.ref.name,
        "qualifier": config.ref.qualifier,
        "use": record.use,
        "runtime": config.runtime,
        "latest_runtime": record.latest_runtime,
        "package_type": config.package_type,
        "handler": config.handler,
        "architecture": config.architecture,
        "memory_mb": config.memory_mb,
        "code_size": config.code_size,
        "code_sha256": config.code_sha256,
        "last_modified": None if moment is None else moment.astimezone(UTC).isoformat(),
        "layers": list(config.layers),
        "aliases": None
        if record.aliases is None
        else [
            {"name": alias.name, "version": alias.version, "weights": dict(alias.weights)}
            for alias in record.aliases
        ],
        "callers": None if record.callers is None else [asdict(c) for c in record.callers],
        "tags": None if record.tags is None else dict(record.tags),
        "owner_kind": record.owner.kind,
        "owner_name": record.owner.name,
        "invocations": record.invocations,
        "duration_ms": record.duration_ms,
        "cold_starts": record.cold_starts,
        "init_ms": record.init_ms,
        "signing_profile": config.signing_profile,
        **dict.fromkeys(FUNCTION_COLUMNS[FUNCTION_COLUMNS.index("verdict") :]),
    }


def parsed(row: tuple[str | int | None, ...]) -> dict[str, object]:
    named: dict[str, object] = dict(zip(FUNCTION_COLUMNS, row, strict=True))
    for name in ("layers", "aliases", "callers", "tags"):
        value = named[name]
        named[name] = json.loads(value) if isinstance(value, str) else value
    return named


def fresh(store: Store) -> str:
    """Begin a scan of its own for one example."""
    scan_id = f"{len(store.scans()):08d}"
    store.begin_scan(header(scan_id))
    return scan_id


@shared_store
@given(result=strategies.lane_results())
def test_saved_lane_reads_back_as_it_was(store: Store, result: LaneResult) -> None:
    scan_id = fresh(store)
    store.save_lane(scan_id, result)
    expected = sorted(
        map(flat, result.records), key=lambda row: (str(row["name"]), str(row["qualifier"]))
    )
    assert [parsed(row) for row in store.function_rows(scan_id)] == expected
    assert store.coverage(scan_id) == [result.coverage]


@shared_store
@given(saved=strategies.headers)
def test_header_reads_back_as_it_was(store: Store, saved: ScanHeader) -> None:
    saved = replace(saved, id=f"{saved.id}-{len(store.scans())}")
    store.begin_scan(saved)
    assert store.scan(saved.id) == saved


@shared_store
@given(planned=st.lists(strategies.accounts, unique_by=lambda account: account.id, max_size=5))
def test_accounts_read_back_by_id(store: Store, planned: list[Account]) -> None:
    scan_id = fresh(store)
    store.plan_accounts(scan_id, planned)
    assert store.accounts(scan_id) == sorted(planned, key=lambda account: account.id)


@shared_store
@given(results=st.lists(strategies.lane_results(), max_size=4))
def test_totals_and_history_are_what_the_rows_come_to(
    store: Store, results: list[LaneResult]
) -> None:
    scan_id = fresh(store)
    for result in results:
        store.save_lane(scan_id, result)
    rows = [parsed(row) for row in store.function_rows(scan_id)]
    found = [row for row in rows if Use(str(row["use"])).is_finding]
    coverage = store.coverage(scan_id)
    totals = store.totals(scan_id)
    assert totals.findings == len(found)
    assert totals.functions == len({(r["account"], r["region"], r["name"]) for r in found})
    assert sum(totals.by_use.values()) == len(rows)
    assert totals.by_verdict == ({None: len(found)} if found else {})
    assert sum(totals.by_status.values()) == len(coverage)
    assert totals.listed_functions == sum(row.functions for row in coverage)
    assert totals.listed_versions == sum(row.versions for row in coverage)
    assert totals.calls == sum(row.calls for row in coverage)
    assert totals.throttles == sum(row.throttles for row in coverage)
    point = next(point for point in store.history() if point.id == scan_id)
    assert (point.findings, point.functions) == (totals.findings, totals.functions)


def test_scans_of_the_fourth_schema_know_nothing_of_what_functions_used(state: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
        with store._database.writing() as connection:
            for statement in without_use():
                connection.execute(text(statement))
            connection.execute(text("UPDATE fleet_schema SET version = 4"))
    with Store.open(state) as store:
        assert [column(store, name) for name in USED] == [[None]] * len(USED)
        used = replace(record("b"), invocations=7, duration_ms=70, cold_starts=1, init_ms=2**40)
        memory = replace(used.config, memory_mb=512)
        store.save_lane(SCAN, replace(lane("b"), records=(replace(used, config=memory),)))
        assert [column(store, name) for name in USED] == [[512], [70], [1], [2**40]]


def judged(store: Store, **verdicts: tuple[Verdict, str]) -> None:
    """Save verdicts, each with the code of one reason, beside functions of these names."""
    found = {each.ref.name: each for each in store.to_inspect(SCAN)}
    store.save_inspections(
        SCAN,
        [
            (found[name], Inspection(Assessment(verdict, (Remark(code, 'says "not-inspected"'),))))
            for name, (verdict, code) in verdicts.items()
        ],
    )


def asked_to_inspect(depth: InspectionDepth | None = InspectionDepth.WHOLE) -> ScanHeader:
    return replace(header(), options=replace(header().options, inspect=depth))


def test_findings_are_counted_by_verdict_and_those_without_apart(store: Store) -> None:
    store.begin_scan(asked_to_inspect())
    held = record("held", "1", use=Use.ROLLBACK)
    image = record("image", use=Use.IMAGE)
    names = lane("a", "b", "c", "d", "e")
    store.save_lane(SCAN, replace(names, records=(*names.records, held, image)))
    judged(
        store,
        a=(Verdict.READY, "runtime-api"),
        b=(Verdict.READY, "runtime-api"),
        c=(Verdict.UNKNOWN, "packed"),
        d=(Verdict.UNKNOWN, NOT_INSPECTED),
        image=(Verdict.IMAGE, "container-image"),
    )
    totals = store.totals(SCAN)
    assert totals.by_verdict == {Verdict.READY: 2, Verdict.UNKNOWN: 2, None: 1}
    assert totals.unread == 2


def test_nothing_is_unread_where_no_package_was_to_be_read(store: Store) -> None:
    store.begin_scan(asked_to_inspect(None))
    store.save_lane(SCAN, lane("a"))
    totals = store.totals(SCAN)
    assert (totals.by_verdict, totals.unread) == ({None: 1}, 0)


def test_packages_not_read_leave_the_inventory_as_complete_as_it_is(store: Store) -> None:
    store.begin_scan(asked_to_inspect())
    store.save_lane(SCAN, lane("a"))
    store.finish_scan(SCAN, ScanState.FINISHED, START)
    totals = store.totals(SCAN)
    assert (totals.unread, totals.complete) == (1, True)
    assert store.history()[0].complete


def test_rows_come_by_account_region_name_and_qualifier_of_code_points(store: Store) -> None:
    store.begin_scan(header())
    names = ["a_b", "a-b", "ab", "B", "Ab", "a"]
    store.save_lane(SCAN, lane(*names))
    store.save_lane(SCAN, lane("first", account="000000000000", region="us-east-1"))
    store.save_lane(SCAN, lane("second", region="af-south-1"))
    assert column(store, "name") == ["first", "second", *sorted(names)]


@pytest.mark.parametrize("status", list(CoverageStatus))
@pytest.mark.parametrize("ended", list(ScanState))
def test_scan_is_complete_only_when_finished_and_nothing_was_left_unseen(
    store: Store, ended: ScanState, status: CoverageStatus
) -> None:
    store.begin_scan(header())
    store.save_lane(SCAN, lane("a"))
    store.save_lane(SCAN, lane(region="us-east-1", status=status))
    store.finish_scan(SCAN, ended, START)
    complete = ended is ScanState.FINISHED and status.is_complete
    assert store.totals(SCAN).complete is complete
    assert [point.complete for point in store.history()] == [complete]


def test_scan_that_is_not_finished_is_never_complete(store: Store) -> None:
    store.begin_scan(header())
    assert not store.totals(SCAN).complete
    assert not store.history()[0].complete
    assert store.history()[0].findings == 0


def test_finished_scan_says_when_and_how_it_ended(store: Store) -> None:
    store.begin_scan(header())
    ended = START + timedelta(minutes=3)
    store.finish_scan(SCAN, ScanState.INTERRUPTED, ended)
    assert store.scans() == [replace(header(), state=ScanState.INTERRUPTED, finished=ended)]


def test_history_has_one_point_a_scan_oldest_first(store: Store) -> None:
    store.begin_scan(header("later", minutes=5))
    store.begin_scan(header("earlier"))
    store.plan_accounts("earlier", [Account(ACCOUNT)])
    store.save_lane("later", lane("a", "b"))
    assert [(point.id, point.findings) for point in store.history()] == [
        ("earlier", 0),
        ("later", 2),
    ]


def test_scan_is_saved_with_its_accounts_or_not_at_all(store: Store) -> None:
    def dying() -> Iterator[Account]:
        yield Account(ACCOUNT)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.begin_scan(header(), dying())
    assert store.scans() == []
    store.begin_scan(header(), [Account(ACCOUNT)])
    assert store.accounts(SCAN) == [Account(ACCOUNT)]
    assert [each.status for each in store.coverage(SCAN)] == [CoverageStatus.NOT_ATTEMPTED]


def test_times_compare_across_whole_and_broken_seconds(store: Store) -> None:
    store.begin_scan(replace(header("b"), started=START + timedelta(microseconds=1)))
    store.begin_scan(header("c"))
    store.begin_scan(replace(header("a"), started=START + timedelta(seconds=1)))
    assert [saved.id for saved in store.scans()] == ["c", "b", "a"]


def test_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        store.begin_scan(replace(header(), started=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point


@pytest.fixture
def three(store: Store) -> Store:
    for number, scan_id in enumerate(["20261119-aa", "20261120-ab", "20261120-abc"]):
        store.begin_scan(header(scan_id, minutes=number))
    return store


def test_no_name_means_the_last_scan(three: Store) -> None:
    assert three.scan(None).id == "20261120-abc"


def test_scan_is_found_by_a_beginning_that_fits_no_other(three: Store) -> None:
    assert three.scan("20261119").id == "20261119-aa"
    assert three.scan("20261120-ab").id == "20261120-ab"


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("2027", "is no scan in .*; choose one of 20261120-abc, 20261120-ab, 20261119-aa$"),
        ("", "is no scan in"),
        ("20261120", "fits several scans; choose one of 20261120-abc, 20261120-ab$"),
    ],
)
def test_unknown_scan_is_answered_with_those_there_are(three: Store, which: str, said: str) -> None:
    with pytest.raises(BadSelection, match=said):
        three.scan(which)


def test_of_many_scans_only_the_newest_are_named(store: Store) -> None:
    for minutes in range(8):
        store.begin_scan(header(f"s{minutes}", minutes=minutes))
    with pytest.raises(BadSelection, match=r"choose one of s7, s6, s5, s4, s3 and 3 older$"):
        store.scan("x")


def test_empty_store_says_to_scan_first(store: Store) -> None:
    with pytest.raises(FileProblem, match="holds no scan yet; run fleet scan"):
        store.scan(None)


def test_rows_are_of_one_moment_while_another_command_saves(store: Store, state: str) -> None:
    store.begin_scan(header())
    many = [f"f{number:04d}" for number in range(3000)]
    store.save_lane(SCAN, lane(*many))
    rows = store.function_rows(SCAN)
    next(rows)
    with Store.open(state) as other:
        other.save_lane(SCAN, lane("new", region="us-east-1"))
        other.save_lane(SCAN, lane("only"))
    assert sum(1 for _ in rows) == len(many) - 1
    assert column(store, "name") == ["only", "new"]


def test_rows_not_read_to_the_end_give_their_connection_back(store: Store) -> None:
    store.begin_scan(header())
    store.save_lane(SCAN, lane("a", "b"))
    for _ in range(40):
        next(store.function_rows(SCAN))
    assert column(store, "name") == ["a", "b"]


def test_use_is_kept_apart_by_qualifier(store: Store) -> None:
    store.begin_scan(header())
    versions = (record("a"), record("a", "10", use=Use.KEPT), record("a", "9", use=Use.SERVED))
    store.save_lane(SCAN, LaneResult(lane().coverage, versions))
    assert list(zip(column(store, "qualifier"), column(store, "use"), strict=True)) == [
        ("$LATEST", "latest"),
        ("10", "kept"),
        ("9", "served"),
    ]
