from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import Verdict
from reports.csv import COLUMNS, cell, write_csv
from reports.report import ReportData
from tests import strategies
from tests.reports.samples import (
    INSPECTED,
    REVISION,
    function,
    inspected,
    many,
    remarks,
    report,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "csv-columns.md"

hostile = st.builds(
    "".join,
    st.tuples(
        st.text(st.sampled_from(" \t\r\n\u00a0\u200b\ufeff'"), max_size=3),
        st.sampled_from(
            [
                "",
                "=",
                "+",
                "-",
                "@",
                "|",
                "%",
                "\uff1d",
                "\uff0b",
                "\uff0d",
                "\uff20",
                "\ufe62",
                "\ufe63",
                "\ufe6b",
                "\u2212",
            ]
        ),
        strategies.texts,
    ),
)

OF_PACKAGE = COLUMNS[COLUMNS.index("signing_profile") : COLUMNS.index("wave_plan")]


def written(data: ReportData) -> str:
    file = io.StringIO(newline="")
    write_csv(data, file)
    return file.getvalue()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "|calc", "%x",
        "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", "\u22121", "\ufe631",
        " =1", "\u200b=1", "\ufeff=1", "\u00a0@x",
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "main", "$LATEST", "[]", "{}", "a=b", "Zürich", "001234567890"]
)
def test_what_is_harmless_is_left_alone(text: str) -> None:
    assert cell(text) == text


@given(hostile)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    seen = unicodedata.normalize("NFKC", cell(text)).lstrip()
    seen = re.sub(r"^[\s\u200b\ufeff\x00-\x1f]+", "", seen)
    assert seen[:1] not in set("=+-@|%\u2212") - {""}


@given(hostile, hostile, hostile)
def test_a_program_that_drops_one_apostrophe_has_the_value(
    name: str, owner: str, unit: str
) -> None:
    data = report([function(name=name, owner_name=owner, handler=unit)])
    (row,) = read(written(data))
    for column, value in (("name", name), ("owner_name", owner), ("handler", unit)):
        assert row[column].removeprefix("'") == value


def test_every_row_ends_in_crlf_and_quotes_are_doubled() -> None:
    text = written(report([function(name='a "b", c', handler="line\nbreak")]))
    assert '"a ""b"", c"' in text
    assert '"line\nbreak"' in text
    assert text.endswith("\r\n")
    assert text.count("\r\n") == 2


def test_account_ids_keep_their_leading_zeros() -> None:
    (row,) = read(written(report([function()])))
    assert row["account"] == "001234567890"
    assert row["arn"] == "arn:aws:lambda:eu-central-1:001234567890:function:orders"


def test_one_row_a_function_and_qualifier_in_a_fixed_order() -> None:
    rows = many(40)
    text = written(report(rows))
    assert text == written(report(reversed(rows)))
    keys = [(r["account"], r["region"], r["name"], r["qualifier"]) for r in read(text)]
    assert len(set(keys)) == len(keys) == 40
    assert [key[:3] for key in keys] == sorted(key[:3] for key in keys)


def test_not_looked_at_is_an_empty_cell_and_none_there_is_not() -> None:
    (row,) = read(written(report([function(aliases=None, callers="[]", invocations=None)])))
    assert (row["aliases"], row["callers"], row["invocations"]) == ("", "[]", "")
    (row,) = read(written(report([function(invocations=0)])))
    assert row["invocations"] == "0"


def test_findings_are_true_and_the_rest_false() -> None:
    rows = read(written(report(many(6))))
    assert {row["use"]: row["finding"] for row in rows} == {
        "latest": "true",
        "served": "true",
        "kept": "true",
        "unknown": "true",
        "kept for rollback": "false",
        "image": "false",
    }


def test_reasons_and_warnings_are_sentences_behind_their_codes() -> None:
    said = remarks(library_too_old="main is, at last, too old", signed="its code is signed")
    (row,) = read(written(report([inspected(Verdict.REBUILD, reasons=said)], asked=INSPECTED)))
    assert row["reasons"] == (
        "library-too-old: main is, at last, too old | signed: its code is signed"
    )
    assert row["warnings"] == ""


def test_where_a_package_came_from_has_columns_of_its_own() -> None:
    row = inspected(Verdict.READY, strategy="rename", modified=True, signing_profile="arn:s")
    (found,) = read(written(report([row], asked=INSPECTED)))
    assert {name: found[name] for name in OF_PACKAGE} == {
        "signing_profile": "arn:s",
        "verdict": "ready",
        "reasons": "some-reason: why it is so",
        "warnings": "",
        "strategy": "rename",
        "go_version": "go1.20.14",
        "lambda_library": "v1.41.0",
        "module": "github.com/acme/orders",
        "module_version": "(devel)",
        "revision": REVISION,
        "modified": "true",
    }


def test_what_was_not_inspected_has_empty_cells() -> None:
    (row,) = read(written(report([function()])))
    assert {row[name] for name in OF_PACKAGE} == {""}


def test_not_modified_and_not_told_stay_apart() -> None:
    rows = [
        inspected(Verdict.READY, qualifier=version, modified=modified)
        for version, modified in (("1", False), ("2", None))
    ]
    found = read(written(report(rows, asked=INSPECTED)))
    assert [row["modified"] for row in found] == ["false", ""]


@given(hostile, hostile)
def test_no_spreadsheet_runs_what_a_package_says_of_itself(module: str, reason: str) -> None:
    row = inspected(
        Verdict.READY, module=module, reasons=json.dumps([{"code": reason, "text": ""}])
    )
    (found,) = read(written(report([row], asked=INSPECTED)))
    assert found["module"] == cell(module)
    assert found["reasons"] == cell(f"{reason}: ")


def test_the_first_column_is_called_account_for_every_program() -> None:
    assert written(report()) == ",".join(COLUMNS) + "\r\n"


def test_the_document_describes_each_column_in_order() -> None:
    described = re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert tuple(described) == COLUMNS
