from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from fleet.toolchain.rebuild.modules import module_path
from moto_fixtures.tools import go_root


def read_by_go(directory: Path, go_mod: str) -> str:
    """Give what Go reads in a go.mod as its module's path; '' where it cannot be read."""
    (directory / "go.mod").write_text(go_mod, newline="")
    done = subprocess.run(
        [str(go_root() / "bin/go"), "mod", "edit", "-json"],
        cwd=directory,
        env={**os.environ, "GOENV": "off", "GOTOOLCHAIN": "local"},
        capture_output=True,
        check=False,
    )
    return str(json.loads(done.stdout)["Module"]["Path"]) if done.returncode == 0 else ""


@pytest.mark.parametrize(
    ("go_mod", "path"),
    [
        ("module a.example/x\n", "a.example/x"),
        ("module  a.example/x // the module\n", "a.example/x"),
        ("// module b\n\tmodule a/b\n", "a/b"),
        ('module "a.example/x"\n', "a.example/x"),
        ("module `a.example/x`\n", ""),
        ("module (\n\ta.example/x\n)\n", "a.example/x"),
        ("module a/b\r\n\r\ngo 1.21\r\n", "a/b"),
        ("go 1.21\n\nmodule a/b", "a/b"),
        ("require (\n\tmodule.example/x v1.0.0\n)\nmodule a/b\n", "a/b"),
        ("", ""),
        ("go 1.21\n", ""),
        ("module\n\nrequire a/b v1.0.0\n", ""),
        ("module //x\n", ""),
        ('module "a\n', ""),
    ],
)
def test_the_path_of_a_module_is_what_go_reads(tmp_path: Path, go_mod: str, path: str) -> None:
    assert module_path(go_mod) == path
    assert read_by_go(tmp_path, go_mod) == path
