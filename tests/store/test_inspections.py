from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import (
    NOT_INSPECTED,
    READING,
    Assessment,
    BinaryFacts,
    BinaryKind,
    BuildInfo,
    Entry,
    EntryKind,
    Inspection,
    Module,
    PackageFacts,
    Remark,
    Strategy,
    Verdict,
)
from fleet.model import FUNCTION_COLUMNS, FunctionConfig, LaneResult, Use
from fleet.store import Store, inspections
from tests.store.examples import SCAN, header, lane, record, without_use

READY = Inspection(
    Assessment(
        Verdict.READY,
        (Remark("library-new-enough", "it speaks the Runtime API"),),
        (Remark("rpc", "it holds net/rpc"),),
        Strategy.RENAME,
    ),
    go_version="go1.27.3",
    lambda_library="v1.41.0",
    module="example.org/orders",
    revision="5f1e",
    modified=False,
)
MISSED = Inspection(Assessment(Verdict.UNKNOWN, (Remark(NOT_INSPECTED, "AccessDenied"),)))
FACTS = PackageFacts(
    code_sha256="q80=",
    size=1,
    unzipped_size=2,
    entries=(Entry("main", EntryKind.FILE, 2, 1, 0o755, 7),),
    binaries=(
        BinaryFacts(
            "main",
            BinaryKind.EXECUTABLE,
            64,
            "x86_64",
            needed=("libc.so.6",),
            build=BuildInfo(
                "go1.27.3",
                "example.org/orders",
                Module("example.org/orders", "(devel)"),
                (Module("example.org/a", "v1.0.0", "h1:x", Module("./fork", "")),),
                {"-tags": "lambda.norpc"},
                has_modules=True,
            ),
        ),
    ),
)


@pytest.fixture
def scan(store: Store) -> Store:
    store.begin_scan(header())
    return store


def inspected(store: Store) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for row in store.function_rows(SCAN):
        named: dict[str, object] = dict(zip(FUNCTION_COLUMNS, row, strict=True))
        found[str(named["name"])] = named
    return found


def pending(store: Store) -> list[FunctionConfig]:
    return store.to_inspect(SCAN)


def test_a_verdict_is_read_back_beside_its_function(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a", "b"))
    [first, _] = pending(scan)
    scan.save_inspections(SCAN, [(first, READY)])
    rows = inspected(scan)
    assert rows["a"]["verdict"] == "ready"
    assert json.loads(str(rows["a"]["reasons"])) == [
        {"code": "library-new-enough", "text": "it speaks the Runtime API"}
    ]
    assert rows["a"]["strategy"] == "rename"
    assert (rows["a"]["module"], rows["a"]["revision"]) == ("example.org/orders", "5f1e")
    assert not rows["a"]["modified"]
    assert rows["b"]["verdict"] is None


def test_what_is_to_be_inspected_comes_back_with_all_that_its_verdict_needs(scan: Store) -> None:
    [kept] = lane("a").records
    config = replace(
        kept.config, layers=("arn:aws:lambda:eu-west-1:1:layer:l:1",), signing_profile="arn:s"
    )
    scan.save_lane(SCAN, LaneResult(lane("a").coverage, (replace(kept, config=config),)))
    assert pending(scan) == [replace(config, last_modified=None)]


def test_a_function_with_a_verdict_is_not_asked_for_again(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a", "b"))
    scan.save_inspections(SCAN, [(pending(scan)[0], READY)])
    assert [each.ref.name for each in pending(scan)] == ["b"]


def test_a_package_that_could_not_be_read_is_asked_for_again(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    scan.save_inspections(SCAN, [(pending(scan)[0], MISSED)])
    [again] = pending(scan)
    scan.save_inspections(SCAN, [(again, READY)])
    assert inspected(scan)["a"]["verdict"] == "ready"
    assert pending(scan) == []


def test_versions_held_for_rollback_alone_are_not_inspected(scan: Store) -> None:
    held = LaneResult(lane().coverage, (record("a", "1", use=Use.ROLLBACK),))
    scan.save_lane(SCAN, held)
    assert pending(scan) == []


def test_a_lane_saved_anew_loses_its_verdicts(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    scan.save_inspections(SCAN, [(pending(scan)[0], READY)])
    scan.save_lane(SCAN, lane("a"))
    assert inspected(scan)["a"]["verdict"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"code_sha256": "other"},
        {"handler": "other"},
        {"handler": None},
        {"runtime": "provided.al2023"},
        {"architecture": "arm64"},
        {"layers": ("arn:aws:lambda:eu-west-1:1:layer:l:1",)},
        {"signing_profile": "arn:s"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_verdict_on_what_has_changed_meanwhile_is_not_saved(
    scan: Store, change: dict[str, Any]
) -> None:
    scan.save_lane(SCAN, lane("a"))
    [now] = pending(scan)
    scan.save_inspections(SCAN, [(replace(now, **change), READY)])
    assert inspected(scan)["a"]["verdict"] is None


def test_two_that_read_one_package_at_once_both_go_on(state: str) -> None:
    with Store.open(state) as one, Store.open(state) as other:
        with one._database.writing() as connection:
            inspections.save_facts(connection, "q80=", FACTS)
            waiting = Thread(target=other.save_facts, args=("q80=", FACTS))
            waiting.start()
        waiting.join()
        other.save_facts("q80=", FACTS)
        assert one.facts("q80=") == FACTS


def test_facts_too_large_to_be_read_back_are_not_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspections, "_LARGEST_FACTS", 100)
    store.save_facts("q80=", FACTS)
    assert store.facts("q80=") is None


def test_a_verdict_on_a_function_that_was_dropped_meanwhile_is_not_saved(scan: Store) -> None:
    scan.save_lane(SCAN, lane("a"))
    [old] = pending(scan)
    scan.save_lane(SCAN, lane("b"))
    scan.save_inspections(SCAN, [(old, READY)])
    assert list(inspected(scan)) == ["b"]


def test_facts_of_a_package_read_back_as_they_were(store: Store) -> None:
    assert store.facts("q80=") is None
    store.save_facts("q80=", FACTS)
    store.save_facts("q80=", FACTS)
    assert store.facts("q80=") == FACTS


def test_facts_read_by_an_older_fleet_are_not_taken_for_new(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_facts("q80=", FACTS)
    monkeypatch.setattr("fleet.store.inspections.READING", READING + 1)
    assert store.facts("q80=") is None


@given(damage=st.binary(max_size=40))
def test_facts_that_cannot_be_read_are_read_anew(
    tmp_path_factory: pytest.TempPathFactory, damage: bytes
) -> None:
    file = tmp_path_factory.mktemp("state") / "fleet.db"
    with Store.open(str(file)) as store:
        store.save_facts("q80=", FACTS)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE fleet_package SET facts = ?", (damage,))
        assert store.facts("q80=") is None


def test_scans_of_the_first_schema_are_kept_and_can_be_inspected(tmp_path: Path) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE fleet_inspection")
        connection.execute("DROP TABLE fleet_package")
        connection.execute("ALTER TABLE fleet_function DROP COLUMN signing_profile")
        for statement in without_use():
            connection.execute(statement)
        connection.execute("UPDATE fleet_schema SET version = 1")
    with Store.open(str(file)) as store:
        assert store.scans() == [header()]
        store.save_inspections(SCAN, [(pending(store)[0], READY)])
        assert inspected(store)["a"]["verdict"] == "ready"
    Store.open(str(file)).close()
