from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from tests.cli.command import Ended, fleet
from tests.cli.packages import NEW, OLD, STRANGER, package

SCHEMA = Path(__file__).parents[2] / "reports" / "inspection.schema.json"


def inspected(directory: Path, *options: str) -> Ended:
    return fleet("inspect", "package.zip", *options, within=directory)


def document(directory: Path, *options: str) -> dict[str, Any]:
    ended = inspected(directory, "--json", *options)
    assert (ended.status, ended.err) == (0, "")
    read = json.loads(ended.out)
    assert isinstance(read, dict)
    return read


def test_the_verdict_comes_first_then_why_then_the_facts(tmp_path: Path) -> None:
    package(tmp_path, main=OLD)
    ended = inspected(tmp_path)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "package.zip: rebuild"
    assert "library-too-old" in lines[2]
    assert "in module fleet.example/handlers" in " ".join(ended.out.split())
    facts = " ".join(ended.out.partition("1 entry")[2].split())
    assert "module fleet.example/handlers (devel)" in facts
    assert "aws-lambda-go v1.17.0" in facts
    assert "Runtime API client no" in facts


def test_what_is_ready_says_by_what_and_what_to_know(tmp_path: Path) -> None:
    package(tmp_path, main=NEW)
    ended = inspected(tmp_path)
    assert ended.out.startswith("package.zip: ready\n")
    assert "Repackage by: rename." in ended.out
    assert "rpc-left-in" in ended.out


def test_the_document_is_as_its_schema_says(tmp_path: Path) -> None:
    package(tmp_path, bin__main=NEW, readme=(b"text", 0o644), run=b"#!/bin/sh\n")
    read = document(tmp_path)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(read, schema)
    binary = schema["properties"]["binaries"]["items"]
    (told,) = read["binaries"]
    assert read.keys() == schema["properties"].keys()
    assert told.keys() == binary["properties"].keys()
    assert (read["verdict"], read["strategy"]) == ("ready with shim", "shim")
    assert (read["handler"], read["scripts"]) == ("bin/main", ["run"])
    modes = {each["name"]: each["mode"] for each in read["entries"]}
    assert modes == {"bin/main": "0755", "readme": "0644", "run": "0755"}


def test_the_only_program_is_the_handler(tmp_path: Path) -> None:
    package(tmp_path, readme=(b"text", 0o644), bin__orders=NEW)
    assert document(tmp_path)["handler"] == "bin/orders"


def test_a_bootstrap_beside_another_program_is_the_handler(tmp_path: Path) -> None:
    package(tmp_path, main=OLD, bootstrap=NEW)
    read = document(tmp_path)
    assert (read["handler"], read["verdict"]) == ("bootstrap", "already custom")


def test_several_programs_ask_for_the_handler(tmp_path: Path) -> None:
    package(tmp_path, orders=NEW, refunds=OLD)
    ended = inspected(tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert "--handler (orders, refunds)" in ended.err
    assert document(tmp_path, "--handler", "refunds")["verdict"] == "rebuild"
    assert document(tmp_path, "--handler", "orders")["verdict"] == "ready with shim"


def test_no_program_at_all_is_a_verdict(tmp_path: Path) -> None:
    package(tmp_path)
    assert document(tmp_path)["verdict"] == "empty"
    package(tmp_path, main=b"print('x')\n")
    assert document(tmp_path, "--handler", "main")["verdict"] == "not Go"


@pytest.mark.parametrize(
    ("options", "status"),
    [([], 0), (["--fail-on-findings"], 3), (["--fail-on-findings", "--json"], 3)],
)
def test_findings_end_with_3_only_where_asked_for(
    tmp_path: Path, options: list[str], status: int
) -> None:
    package(tmp_path, main=OLD)
    assert inspected(tmp_path, *options).status == status


def test_what_is_ready_is_no_finding(tmp_path: Path) -> None:
    package(tmp_path, main=NEW)
    assert inspected(tmp_path, "--fail-on-findings").status == 0


def test_architecture_and_target_count(tmp_path: Path) -> None:
    package(tmp_path, main=NEW)
    arm64 = document(tmp_path, "--architecture", "arm64")
    assert (arm64["verdict"], arm64["architecture"]) == ("needs decision", "arm64")
    assert document(tmp_path, "--target", "provided.al2")["target"] == "provided.al2"
    assert inspected(tmp_path, "--target", "provided").status == 2


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_what_is_no_package_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "package.zip").write_bytes(content)
    ended = inspected(tmp_path)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("fleet: package.zip: ")
    assert len(ended.err.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    ended = inspected(tmp_path)
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 1


def test_names_of_entries_cannot_move_the_cursor(tmp_path: Path) -> None:
    package(tmp_path, **{"ma\x1b[2Jin": STRANGER})
    ended = inspected(tmp_path)
    assert ended.status == 0
    assert "\x1b" not in ended.out
    package(tmp_path, **{"a\x1b[2J": STRANGER, "b\x1b[2J": STRANGER})
    assert "\x1b" not in inspected(tmp_path).err
