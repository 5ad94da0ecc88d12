from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.inspection import LAMBDA_LIBRARY, NOT_INSPECTED, Module, Verdict
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.library import speaking
from fleet.package.verdict.remarks import (
    COULD_NOT_BE_READ,
    PRECEDENCE,
    REFUSED_PACKAGE,
    RULES,
    VERDICTS,
    Rule,
    listed,
)
from fleet.package.words import LONGEST, shortened
from tests.package.hand_made import GO1X, MAIN, build_info, entry, old, package, program

VERDICTS_FOR_PEOPLE = Path(__file__).parents[2] / "docs" / "verdicts.md"


def row(rule: Rule) -> str:
    return f"| `{rule.code}` | {rule.verdict or 'warning'} | {rule.text} |"


def test_the_page_for_people_is_the_table_in_the_code() -> None:
    lines = VERDICTS_FOR_PEOPLE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == [row(rule) for rule in RULES]


def test_the_page_for_people_tells_the_verdicts_by_precedence() -> None:
    lines = VERDICTS_FOR_PEOPLE.read_text(encoding="utf-8").splitlines()
    told = [line.split("**")[1] for line in lines if line[:1].isdigit()]
    assert told == list(PRECEDENCE)


def test_every_code_is_there_once() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_every_verdict_has_its_place_and_a_reason() -> None:
    assert sorted(PRECEDENCE) == sorted(Verdict)
    assert set(VERDICTS.values()) == set(Verdict)


def test_unknown_goes_before_everything_ready() -> None:
    ready = [verdict for verdict in Verdict if verdict.is_ready]
    assert all(PRECEDENCE.index(Verdict.UNKNOWN) < PRECEDENCE.index(each) for each in ready)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_remark_is_one_sentence(rule: Rule) -> None:
    assert ". " not in rule.text
    assert not rule.text.endswith(".")


def test_a_rebuild_names_library_line_module_repository_and_commit() -> None:
    (reason,) = speaking(old())
    assert "aws-lambda-go v1.17.0" in reason.text
    assert f"in module {MAIN} (repository github.com/acme/orders, commit 4f3c2a1)" in reason.text
    assert "`github.com/aws/aws-lambda-go v1.17.0` of go.mod" in reason.text
    assert "`go get github.com/aws/aws-lambda-go@latest`" in reason.text


@pytest.mark.parametrize(
    ("module", "where"),
    [
        ("github.com/acme/orders", "in module github.com/acme/orders, change"),
        ("github.com/acme/orders/v2", "(repository github.com/acme/orders), change"),
        ("bitbucket.org/acme/orders/x/y", "(repository bitbucket.org/acme/orders), change"),
        ("go.acme.example/orders/v3", "(repository go.acme.example/orders), change"),
        ("gitlab.com/a/b/c", "in module gitlab.com/a/b/c, change"),
        ("orders", "in module orders, change"),
    ],
)
def test_the_repository_is_told_where_the_module_path_tells_it(module: str, where: str) -> None:
    build = build_info("v1.17.0", main=Module(module, "(devel)"), settings={})
    (reason,) = speaking(old(build=build))
    assert where in reason.text


def test_uncommitted_changes_are_told_with_the_commit() -> None:
    settings = {"vcs.revision": "4f3c2a1", "vcs.modified": "true"}
    (reason,) = speaking(old(build=build_info("v1.17.0", settings=settings)))
    assert "commit 4f3c2a1 and uncommitted changes" in reason.text


def test_a_build_by_file_name_says_that_its_source_is_not_named() -> None:
    build = build_info("v1.17.0", path="command-line-arguments", main=None)
    (reason,) = speaking(old(build=build))
    assert "in its source, which the build does not name, change" in reason.text


def test_a_build_without_module_names_its_main_package() -> None:
    build = build_info(None, path="acme/orders", main=None, has_modules=False)
    (reason,) = speaking(old(build=build, lambda_library=None))
    assert "in the source of acme/orders, run" in reason.text


def test_a_replacement_is_named() -> None:
    fork = Module(LAMBDA_LIBRARY, "v1.41.0", replacement=Module("../lambda", ""))
    (reason,) = speaking(old(lambda_library=None, build=build_info(dependencies=(fork,))))
    assert "aws-lambda-go replaced by ../lambda without" in reason.text


def test_programs_are_offered_where_the_handler_names_none() -> None:
    names = [f"app{number}" for number in range(7)]
    judged = assess(GO1X, package(*(program(name) for name in names)))
    text = judged.reasons[0].text
    assert "Handler main names no entry" in text
    assert "app0, app1, app2, app3, app4 and 2 more" in text


def test_names_from_outside_cannot_move_the_cursor_or_fill_the_screen() -> None:
    name = f"ma{chr(27)}[2Jin{chr(0x202E)}{'x' * 1000}"
    named = replace(GO1X, handler=name)
    for facts in (
        package(program(name)),
        package(program(name, runtime_api=None)),
        package(also=(entry("x"),)),
    ):
        assessment = assess(named, facts)
        for remark in (*assessment.reasons, *assessment.warnings):
            assert remark.text.isprintable()
            assert len(remark.text) < 1000


def test_braces_in_a_name_are_a_name() -> None:
    judged = assess(replace(GO1X, handler="{x.__class__}"), package(program("{x.__class__}")))
    assert "{x.__class__} is built with" in judged.reasons[0].text


def test_what_a_scan_could_not_read_has_its_code_and_why() -> None:
    said = COULD_NOT_BE_READ.said(why="access denied")
    assert (said.code, VERDICTS[said.code]) == (NOT_INSPECTED, Verdict.UNKNOWN)
    assert "could not be read: access denied; `fleet scan --resume`" in said.text
    assert REFUSED_PACKAGE.said(why="no zip").text == "its package cannot be believed: no zip"


def test_few_names_are_all_listed() -> None:
    assert listed(["a", "b"]) == "a, b"


def test_a_text_is_cut_where_it_gets_too_long() -> None:
    assert shortened("x" * LONGEST) == "x" * LONGEST
    assert shortened("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"
