"""Which functions are estimated, on which row, and what the reports say of it."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import jsonschema  # type: ignore[import-untyped] # its stubs are a package of their own
import pytest

from fleet.cost import NotEstimated, Sum
from fleet.model import Use
from reports.csv import write_csv
from reports.groups import group_labels
from reports.html import render_html
from reports.json import write_json
from reports.report import ReportData
from reports.table import summary_table
from reports.worth import LEAST_MEMORY, NO_INIT, Worth, by_group, note
from tests.reports.samples import PAYMENTS, SEARCH, function, header, report
from tests.reports.test_html import EVIL, plain
from tests.reports.test_json import SCHEMA
from tests.reports.test_table import printed

TRAFFIC = header(traffic=True, cold_starts=True)


def used(**changes: object) -> tuple[object, ...]:
    """One function of a million calls of 100 ms at 1 GB, a thousand of them cold for 100 ms.

    It is the first line of the table in tests/test_cost.py.
    """
    told: dict[str, object] = {
        "memory_mb": 1024,
        "invocations": 1_000_000,
        "duration_ms": 100_000_000,
        "cold_starts": 1000,
        "init_ms": 100_000,
    }
    return function(**(told | changes))


def data(*rows: tuple[object, ...]) -> ReportData:
    return report(rows, asked=TRAFFIC)


def worth_of(*rows: tuple[object, ...]) -> Worth:
    found = data(*rows).worth
    assert found is not None
    return found


def as_csv(given: ReportData) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    write_csv(given, file)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def as_json(given: ReportData) -> dict[str, Any]:
    file = io.StringIO()
    write_json(given, file)
    document: dict[str, Any] = json.loads(file.getvalue())
    jsonschema.validate(document, SCHEMA)
    return document


def test_a_function_is_estimated_once_whatever_its_versions() -> None:
    rows = [used(), used(qualifier="2", use="served"), used(qualifier="1", use="kept")]
    assert worth_of(*rows).total == Sum(
        functions=1,
        go1x_then=Decimal("1.86667"),
        custom=Decimal("1.86833667"),
        arm64_custom=Decimal("1.53467334"),
    )


def test_the_price_is_that_of_its_region() -> None:
    assert worth_of(used(region="us-east-1")).total.custom == 2 * Decimal("1.86833667")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"invocations": None}, NotEstimated.TRAFFIC),
        ({"duration_ms": None}, NotEstimated.TRAFFIC),
        ({"memory_mb": None}, NotEstimated.MEMORY),
        ({"architecture": "arm64"}, NotEstimated.ARCHITECTURE),
        ({"region": "eu-south-2"}, NotEstimated.PRICE),
        ({"use": "kept", "qualifier": "1"}, NotEstimated.ELSEWHERE),
    ],
)
def test_what_cannot_be_estimated_is_counted_with_its_reason_and_never_nought(
    changes: dict[str, object], why: NotEstimated
) -> None:
    found = worth_of(used(name="known"), used(**changes))
    assert found.total.functions == 1
    assert found.why_not == {why: 1}
    assert found.is_lower_bound
    said = printed(summary_table(data(used(name="known"), used(**changes))))
    assert "cost at least USD 1.87" in said
    assert f"1 function not estimated: {why}." in said


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "custom runtime", "runtime": "provided.al2023"},
        {"use": "kept for rollback", "qualifier": "1"},
        {"use": "image", "runtime": None},
        {"runtime": "python3.9"},
    ],
)
def test_what_is_not_on_go1x_is_neither_estimated_nor_missing(changes: dict[str, object]) -> None:
    found = worth_of(used(**changes))
    assert (found.total.functions, found.why_not) == (0, {})


def test_what_stands_halfway_is_estimated_as_what_it_was() -> None:
    found = worth_of(used(use="halfway", runtime="provided.al2023"))
    assert found.total.functions == 1


def test_a_use_that_only_a_newer_fleet_knows_is_not_taken_for_one_that_runs() -> None:
    assert worth_of(used(use="dreaming")).why_not == {NotEstimated.ELSEWHERE: 1}
    assert "dreaming" not in list(Use)


def test_without_init_and_with_unequal_memory_it_is_a_lower_bound_that_says_so() -> None:
    rows = [used(init_ms=None), used(qualifier="1", use="served", memory_mb=128, init_ms=None)]
    found = worth_of(*rows)
    (one,) = found.functions
    assert one.usage.memory_mb == 128
    assert note(one.estimate) == f"{NO_INIT}; {LEAST_MEMORY}"
    said = printed(summary_table(data(*rows)))
    assert "Init is not known of 1 function" in said
    assert "The versions of 1 function differ in memory" in said


def test_a_version_whose_memory_is_not_known_leaves_its_function_out() -> None:
    rows = [used(), used(qualifier="1", use="served", memory_mb=None)]
    assert worth_of(*rows).why_not == {NotEstimated.MEMORY: 1}


def test_the_memory_of_versions_that_nobody_calls_does_not_count() -> None:
    (one,) = worth_of(used(), used(qualifier="1", use="kept", memory_mb=128)).functions
    assert (one.usage.memory_mb, one.usage.at_least) == (1024, False)


def test_estimates_stand_on_one_row_so_that_a_column_can_be_summed() -> None:
    rows = [
        used(qualifier="10", use="served"),
        used(qualifier="9", use="served"),
        used(qualifier="2", use="kept"),
        used(name="other", init_ms=None),
        used(name="unpriced", region="eu-south-2"),
    ]
    found = {(row["name"], row["qualifier"]): row for row in as_csv(data(*rows))}
    first = found["orders", "9"]
    assert [first[f"cost_{name}"] for name in ("go1x_then", "go1x", "custom_runtime", "arm64")] == [
        "1.866670",
        "1.868337",
        "1.868337",
        "1.534673",
    ]
    assert (first["cost_currency"], first["cost_note"]) == ("USD", "")
    for nothing in (found["orders", "10"], found["orders", "2"]):
        assert {value for name, value in nothing.items() if name.startswith("cost_")} == {""}
    assert found["other", "$LATEST"]["cost_note"] == NO_INIT
    unpriced = found["unpriced", "$LATEST"]
    assert (unpriced["cost_go1x"], unpriced["cost_note"]) == ("", NotEstimated.PRICE)


def test_groups_add_up_to_the_total_the_costliest_first() -> None:
    rows = [
        used(),
        used(name="b"),
        used(account=SEARCH.id, memory_mb=3072),
        used(account=SEARCH.id, name="b", region="eu-south-2"),
    ]
    given = data(*rows)
    found = given.worth
    assert found is not None
    sums = by_group(found, group_labels(given.functions, "account"))
    assert list(sums) == [f"search {SEARCH.id}", f"payments {PAYMENTS.id}"]
    assert [each.functions for each in sums.values()] == [1, 2]
    assert sum(sums.values(), Sum()) == found.total


def test_json_has_totals_groups_reasons_and_prices() -> None:
    document = as_json(data(used(), used(name="b", region="eu-south-2")))
    worth = document["worth"]
    assert worth["total"] == {
        "functions": 1,
        "lower_bounds": 0,
        "go1x_then": 1.87,
        "go1x": 1.87,
        "custom_runtime": 1.87,
        "arm64": 1.53,
        "arm64_saves": 0.33,
    }
    assert (worth["currency"], worth["at_least"], worth["days"]) == ("USD", True, 30)
    assert worth["not_estimated"] == {NotEstimated.PRICE.value: 1}
    assert [each["ou"] for each in worth["by_ou"]] == ["Workloads/Prod"]
    (price,) = worth["prices"]
    assert (price["region"], price["x86_64"], price["looked_up"]) == (
        "eu-central-1",
        0.0000166667,
        "2026-08-30",
    )
    assert [each["cost_go1x_then"] for each in document["functions"]] == [1.86667, None]


def test_a_scan_without_traffic_says_nothing_of_costs() -> None:
    given = report([used()])
    assert given.worth is None
    assert as_json(given)["worth"] is None
    assert "What it is worth" not in render_html(given)
    assert "cost" not in printed(summary_table(given))
    (row,) = as_csv(given)
    assert {value for name, value in row.items() if name.startswith("cost_")} == {""}


def test_a_scan_from_before_durations_were_read_estimates_nothing_and_says_so() -> None:
    given = data(function(invocations=5))
    words = plain(render_html(given))
    assert "1 function not estimated: its calls or how long they took are not known." in words
    assert as_json(given)["worth"]["total"]["functions"] == 0


def test_the_page_shows_totals_groups_arithmetic_and_prices() -> None:
    words = plain(render_html(data(used(), used(name="b", region="eu-south-2", init_ms=None))))
    for said in (
        "30 days of 1 function on go1.x cost at least USD 1.87; on arm64 at least USD 1.53",
        "1 function not estimated: its region has no price here.",
        "fleet report --prices FILE",
        "The costliest function, orders ( payments 001234567890, eu-central-1 )",
        "requests 1,000,000 × 0.0000002 0.200000",
        "duration, x86_64 1,024 / 1,024 GB × 100,000 s × 0.0000166667 1.666670",
        "duration, arm64 1,024 / 1,024 GB × 100,000 s × 0.0000133334 1.333340",
        "init, x86_64 1,024 / 1,024 GB × 100 s × 0.0000166667 0.001667",
        "go1.x, before 2025-08-01 requests + duration, x86_64 1.866670",
        "requests + duration, x86_64 + init, x86_64 1.868337",
        "a table of prices , looked up 2026-08-30",
        "Left out: the free tier",
    ):
        assert said in words, said
    # Only regions that something is estimated in.
    assert "us-east-1 0.0000333334" not in words


def test_names_and_sources_in_it_are_escaped() -> None:
    page = render_html(data(used(name=EVIL)))
    assert "<img" not in page
    assert page.count("<script") == 2


def test_what_is_less_than_a_cent_is_not_said_to_be_nothing() -> None:
    words = plain(render_html(data(used(invocations=1, duration_ms=1, init_ms=0))))
    assert "cost USD under 0.01" in words
