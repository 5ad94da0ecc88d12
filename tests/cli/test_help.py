from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleet.cli.verbs import VERBS
from tests.cli.command import fleet

HEAVY = ("boto3", "botocore", "pandas", "sqlalchemy", "rich", "pydantic", "jinja2", "logging")

LOOK = """
import sys
sys.argv = ["fleet", "--help"]
try:
    from fleet.cli import main
    main()
except SystemExit as ended:
    print("|".join(sys.modules), file=sys.stderr)
"""


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=60
    )
    imported = done.stderr.splitlines()[-1].split("|")
    assert "typer" in imported
    assert [name for name in HEAVY if name in imported] == []


@pytest.mark.parametrize("command", [[], *([name] for name in VERBS), ["policy", "scan"]])
def test_every_command_explains_itself(tmp_path: Path, command: list[str]) -> None:
    ended = fleet(*command, "--help", within=tmp_path)
    assert ended.status == 0
    assert "Usage:" in ended.out


def test_a_command_is_listed_with_the_first_line_of_its_own_help(tmp_path: Path) -> None:
    for name, verb in VERBS.items():
        told = fleet(name, "--help", within=tmp_path).out.split("\n\n")[1]
        assert " ".join(told.split()) == verb.help


def test_a_command_that_is_not_asked_for_is_not_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=60
    )
    imported = done.stderr.splitlines()[-1].split("|")
    assert [verb.module for verb in VERBS.values() if verb.module in imported] == []


def test_a_mistyped_command_names_the_one_that_was_meant(tmp_path: Path) -> None:
    ended = fleet("reprot", within=tmp_path)
    assert ended.status == 2
    assert "'report'" in ended.err


def test_the_readme_names_every_option_of_scan_that_selects(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = fleet("scan", "--help", within=tmp_path).out
    for option in ("--account", "--exclude-account", "--ou", "--tag", "--region", "--runtime"):
        assert option in shown
        assert option in readme
