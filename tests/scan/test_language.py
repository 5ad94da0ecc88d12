"""Go functions, found by their tag where the runtime's name no longer tells."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import orjson
import pytest

from fleet.deployment import BRIDGE_LAYER
from fleet.model import GO1X, CoverageStatus, Language, ScanOptions, Use
from fleet.scan.selection import CUSTOM_RUNTIMES
from fleet.store import rows
from reports.frames import function_frame
from reports.groups import totals
from tests.cli.command import fleet as command
from tests.moto_fixtures.small_organization import HOME, MEMBER, Organization, zip_of
from tests.scan.conftest import ALONE, Small, row
from tests.scan.scanner import Scan
from tests.store.examples import header

GO = replace(ALONE, regions=(HOME,), language=Language.GO)
TAGGED = {"fleet:language": "go"}


def found(scan: Scan) -> dict[tuple[str, str], str]:
    """Name and version → use."""
    return {(each["name"], each["qualifier"]): each["use"] for each in scan.rows}


def add_moved(organization: Organization) -> None:
    """One function on each custom runtime with the tag, one without, one of another language."""
    for number, runtime in enumerate(CUSTOM_RUNTIMES):
        organization.add_function(f"moved-{number}", Runtime=runtime, Tags=TAGGED)
        organization.add_function(f"untagged-{number}", Runtime=runtime)
    rust = {"fleet:language": "rust"}
    organization.add_function("rust", Runtime="provided.al2023", Tags=rust)
    organization.add_function("python", Runtime="python3.12", Tags=TAGGED)


def test_go_functions_on_custom_runtimes_are_found_by_their_tag_alone(small: Small) -> None:
    with small() as (organization, fleet):
        add_moved(organization)
        scan = fleet.scan(GO)
    assert found(scan) == {
        ("moved-0", "$LATEST"): Use.CUSTOM,
        ("moved-1", "$LATEST"): Use.CUSTOM,
        ("moved-2", "$LATEST"): Use.CUSTOM,
        ("orders", "$LATEST"): Use.LATEST,
    }
    assert row(scan).status is CoverageStatus.OK
    assert {"provided", "provided.al2", "provided.al2023", GO1X} == {
        each["runtime"] for each in scan.rows
    }


def test_without_the_language_no_custom_runtime_is_listed(small: Small) -> None:
    with small() as (organization, fleet):
        add_moved(organization)
        scan = fleet.scan(replace(GO, language=None))
    assert found(scan) == {("orders", "$LATEST"): Use.LATEST}


def test_what_has_left_go1x_is_listed_and_never_counted_as_left_to_move(small: Small) -> None:
    with small() as (organization, fleet):
        add_moved(organization)
        scan = fleet.scan(GO)
        saved = scan.store.totals(scan.header.id)
        frame = function_frame(scan.store.function_rows(scan.header.id), [])
    assert (scan.progress.findings, saved.findings) == (1, 1)
    counted = totals(frame, scan.header)
    assert (counted.versions, counted.by_use[Use.CUSTOM]) == (1, 3)


def test_the_page_counts_as_left_to_move_what_the_reports_do() -> None:
    script = files("reports").joinpath("page/start.js").read_text("utf-8")
    [listed] = re.findall(r"NOT_COUNTED = (\[.*?\]);", script)
    assert set(orjson.loads(listed)) == {use for use in Use if not use.is_finding}


def test_versions_of_one_function_are_told_apart_by_their_own_runtime(small: Small) -> None:
    with small() as (organization, fleet):
        client = organization.add_function("moving", Tags=TAGGED)
        with organization.emulator.seeding():
            client.publish_version(FunctionName="moving")
            client.update_function_configuration(FunctionName="moving", Runtime="provided.al2023")
            code = zip_of(bootstrap=b"another")
            client.update_function_code(FunctionName="moving", ZipFile=code)
            client.publish_version(FunctionName="moving")
            client.create_alias(FunctionName="moving", Name="live", FunctionVersion="1")
        scan = fleet.scan(GO)
    assert found(scan) == {
        ("moving", "$LATEST"): Use.CUSTOM,
        ("moving", "1"): Use.SERVED,
        ("moving", "2"): Use.CUSTOM,
        ("orders", "$LATEST"): Use.LATEST,
    }


@pytest.mark.parametrize("language", [None, Language.GO])
def test_what_stands_halfway_needs_no_tag_and_counts_as_left_to_move(
    small: Small, language: Language | None
) -> None:
    with small() as (organization, fleet):
        client = organization.add_function("halfway")
        with organization.emulator.seeding():
            code = {"ZipFile": zip_of(bootstrap=b"of a layer")}
            layer = client.publish_layer_version(LayerName=BRIDGE_LAYER, Content=code)
            client.update_function_configuration(
                FunctionName="halfway",
                Runtime="provided.al2023",
                Layers=[layer["LayerVersionArn"]],
            )
            client.publish_version(FunctionName="halfway")
        scan = fleet.scan(replace(GO, language=language))
        asked = replace(GO, language=None, runtimes=("provided.al2",))
        other = fleet.scan(asked)
    assert found(scan) == {("halfway", "$LATEST"): Use.HALFWAY, ("orders", "$LATEST"): Use.LATEST}
    assert scan.progress.findings == scan.store.totals(scan.header.id).findings == 2
    assert found(other) == {}


def test_a_function_whose_tags_cannot_be_read_is_a_gap_and_stays_listed(small: Small) -> None:
    with small(denied=frozenset({(MEMBER, "lambda:ListTags")})) as (organization, fleet):
        organization.add_function("perhaps", Runtime="provided.al2")
        scan = fleet.scan(GO)
    coverage = row(scan)
    assert (coverage.status, coverage.listed) == (CoverageStatus.DENIED, True)
    assert "lambda:ListTags" in coverage.reason
    assert found(scan)["perhaps", "$LATEST"] == Use.CUSTOM
    [perhaps] = [each for each in scan.rows if each["name"] == "perhaps"]
    assert perhaps["tags"] is None


def test_a_resumed_scan_asks_for_the_same_language(small: Small) -> None:
    with small(denied=frozenset({(MEMBER, "lambda:ListFunctions")})) as (organization, fleet):
        organization.add_function("moved", Runtime="provided.al2023", Tags=TAGGED)
        first = fleet.scan(GO)
        assert first.rows == []
        world = organization.emulator._world
        world.rules = replace(world.rules, denied=frozenset())
        second = fleet.scan(resumes=first.header.id)
    assert second.header.options.language is Language.GO
    assert found(second)["moved", "$LATEST"] == Use.CUSTOM


def test_a_scan_that_was_saved_before_there_were_languages_asked_for_none() -> None:
    saved = rows.scan_row(replace(header(), options=ScanOptions(language=Language.GO)))
    options = orjson.loads(saved["options"])
    assert options.pop("language") == "go"
    old = rows.scan_header({**saved, "options": orjson.dumps(options).decode()})
    assert old.options == ScanOptions(language=None)


def test_a_tag_that_was_asked_for_narrows_both_kinds(small: Small) -> None:
    with small() as (organization, fleet):
        tags = {"fleet:language": "go", "team": "payments"}
        organization.add_function("ours", Runtime="provided.al2023", Tags=tags)
        organization.add_function("theirs", Runtime="provided.al2023", Tags=TAGGED)
        scan = fleet.scan(replace(GO, tags=("team=payments",)))
    assert set(found(scan)) == {("ours", "$LATEST")}


def test_the_command_tells_what_has_moved_beside_what_has_to(small: Small, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("runtimes: [provided.al2]\n", encoding="utf-8")
    with small() as (organization, _):
        add_moved(organization)
        environ = organization.emulator.credentials_of(MEMBER)
        ended = command(
            "scan", "--region", HOME, "--language", "go", "--no-report", "--quiet",
            within=tmp_path, environ=environ,
        )  # fmt: skip
    assert ended.status == 0, ended.err
    text = " ".join(ended.out.split())
    assert text.startswith("1 function is on go1.x, with 1 function version to move.")
    assert (
        "3 versions on custom runtimes listed, not counted: Go by the tag fleet:language=go, "
        "or with tags that could not be read."
    ) in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--language", "rust"], "'rust' is not one of 'go'"),
        (["--language", "go", "--runtime", "go1.x"], "leave --runtime out"),
        (["--language", "go", "--resume"], "leave the selection out"),
    ],
)
def test_a_language_that_makes_no_sense_is_refused(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    ended = command("scan", *arguments, within=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert said in " ".join(ended.err.split())
