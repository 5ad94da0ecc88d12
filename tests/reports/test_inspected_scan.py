from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.cli.options import Format
from fleet.cli.result import Reporting
from fleet.cli.status import Status
from fleet.inspection import (
    NOT_INSPECTED,
    Assessment,
    Inspection,
    InspectionDepth,
    Remark,
    Verdict,
)
from fleet.model import ScanState
from fleet.settings import Settings
from fleet.store import Store
from tests.store.examples import SCAN, START, header, lane

READY = Inspection(Assessment(Verdict.READY, (Remark("runtime-api", "it speaks"),)))
REBUILD = Inspection(
    Assessment(Verdict.REBUILD, (Remark("library-too-old", "too old"),)), module="x.org/orders"
)
MISSED = Inspection(Assessment(Verdict.UNKNOWN, (Remark(NOT_INSPECTED, "AccessDenied"),)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(str(tmp_path / "state.db")) as opened:
        yield opened


def saved(
    store: Store,
    *found: Inspection | None,
    depth: InspectionDepth | None = InspectionDepth.WHOLE,
) -> None:
    """Save a finished scan with one function for each of these."""
    store.begin_scan(replace(header(), options=replace(header().options, inspect=depth)))
    store.save_lane(SCAN, lane(*(f"f{at}" for at in range(len(found)))))
    pairs = zip(store.to_inspect(SCAN), found, strict=True)
    store.save_inspections(SCAN, [(config, each) for config, each in pairs if each is not None])
    store.finish_scan(SCAN, ScanState.FINISHED, START)


def shown(store: Store, output: Path | None = None) -> Status:
    reporting = Reporting.prepared(
        Settings.load(None, {}), as_of="2026-11-21", output=output, no_color=True
    )
    return reporting.of_scan(store, store.scan(SCAN), Format.TABLE, fail_on_findings=False)


@pytest.mark.parametrize("unread", [MISSED, None], ids=["missed", "without a verdict"])
def test_a_scan_with_unread_packages_is_incomplete(store: Store, unread: Inspection | None) -> None:
    saved(store, READY, unread)
    assert shown(store) is Status.INCOMPLETE


def test_a_scan_that_read_every_package_is_done(store: Store) -> None:
    saved(store, READY, REBUILD)
    assert shown(store) is Status.DONE


def test_a_scan_that_was_to_read_no_package_is_done(store: Store) -> None:
    saved(store, None, depth=None)
    assert shown(store) is Status.DONE


@pytest.mark.parametrize("with_files", [False, True])
def test_the_counts_are_the_same_with_files_and_without(
    store: Store, with_files: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(store, READY, READY, REBUILD, MISSED, None)
    assert shown(store, tmp_path if with_files else None) is Status.INCOMPLETE
    printed = capsys.readouterr().out.replace("\n", " ")
    assert (
        "2 of 5 function versions found are ready; 1 needs a rebuild and 2 are unknown (2 not "
        "read)." in printed
    )
    assert "Not read: the packages of 2 function versions." in printed
