from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    "command", [[], ["scan"], ["report"], ["diff"], ["scans"], ["demo"], ["policy", "scan"]]
)
def test_every_command_explains_itself(tmp_path: Path, command: list[str]) -> None:
    ended = fleet(*command, "--help", within=tmp_path)
    assert ended.status == 0
    assert "Usage:" in ended.out


def test_the_readme_names_every_option_of_scan_that_selects(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = fleet("scan", "--help", within=tmp_path).out
    for option in ("--account", "--exclude-account", "--ou", "--tag", "--region", "--runtime"):
        assert option in shown
        assert option in readme
