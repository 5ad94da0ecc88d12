"""What would be started, told without starting it: a kernel may know other machines' programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from moto_fixtures.corrections.serving import Serving
from moto_fixtures.invoking.entry import CannotStart, command
from tests.moto_fixtures.test_invoking import AL2023, Files, program, shim


def serving(runtime: str = AL2023) -> Serving:
    return Serving(
        name="orders",
        arn="arn:aws:lambda:us-east-1:111111111111:function:orders",
        version="$LATEST",
        runtime=runtime,
        handler="main",
        code=b"",
        code_sha256="",
        layers=(),
        environment={},
        architecture="x86_64",
        memory=128,
        timeout=3,
    )


def lay_out(files: Files, directory: Path) -> Path:
    directory.mkdir()
    for name, (content, mode) in files.items():
        (directory / name).write_bytes(content)
        (directory / name).chmod(mode & 0o777)
    return directory


@pytest.mark.parametrize(
    ("runtime", "package", "layer", "kind"),
    [
        (AL2023, program("bootstrap", architecture="arm64"), {}, "Runtime.InvalidEntrypoint"),
        (AL2023, {}, program("bootstrap", architecture="arm64"), "Runtime.InvalidEntrypoint"),
        (AL2023, program(architecture="arm64"), shim(), "Runtime.ExitError"),
        (AL2023, program(), {}, "Runtime.InvalidEntrypoint"),
        ("go1.x", program(architecture="arm64"), {}, "PathError"),
    ],
)
def test_what_lambda_could_not_start_is_not_started(
    tmp_path: Path, runtime: str, package: Files, layer: Files, kind: str
) -> None:
    task, opt = lay_out(package, tmp_path / "task"), lay_out(layer, tmp_path / "opt")
    found = command(task, opt, serving(runtime), "x86_64")
    assert isinstance(found, CannotStart)
    assert found.kind == kind


def test_a_directory_called_bootstrap_is_not_what_is_started(tmp_path: Path) -> None:
    layer = program("bootstrap", architecture="arm64")
    task, opt = lay_out({}, tmp_path / "task"), lay_out(layer, tmp_path / "opt")
    (task / "bootstrap").mkdir()
    assert command(task, opt, serving(), "x86_64") == CannotStart(
        "Runtime.InvalidEntrypoint", "fork/exec /opt/bootstrap: exec format error"
    )
