from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.cli.trial import trial_app
from fleet.errors import FleetError
from fleet.toolchain.sandbox.machine import host_architecture
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.trial import emulator as room
from fleet.toolchain.trial.problems import EmulatorMissing

CONTENT = b"an emulator"


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A wheel whose emulator is taken for AWS's, and a cache of its own."""
    machine = host_architecture()
    monkeypatch.setattr(room, "SHA256", {machine: hashlib.sha256(CONTENT).hexdigest()})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "aws_sam_cli-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"samcli/local/rapid/aws-lambda-rie-{machine}", CONTENT)
    return path


def test_setup_keeps_the_emulator_and_checks_the_sandbox(wheel: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(trial_app, ["setup", "--wheel", str(wheel)])
    assert done.exit_code == 0, done.output
    emulator, sandbox = done.stdout.splitlines()
    assert Path(emulator.split()[1]).is_relative_to(tmp_path / "cache/fleet/emulator")
    assert Path(emulator.split()[1]).read_bytes() == CONTENT
    assert sandbox.split() == ["sandbox", "ready"]
    assert "fetching AWS's Runtime Interface Emulator" in done.stderr


def test_setup_takes_a_directory_of_wheels(wheel: Path) -> None:
    done = CliRunner().invoke(trial_app, ["setup", "--wheel", str(wheel.parent)])
    assert done.exit_code == 0, done.output


@pytest.mark.usefixtures("wheel")
def test_a_wheel_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(trial_app, ["setup", "--wheel", str(tmp_path / "none.whl")])
    assert isinstance(done.exception, EmulatorMissing)
    assert "none.whl" in str(done.exception)


def test_a_system_without_a_sandbox_is_told_and_the_emulator_kept(
    wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.toolchain.sandbox.box.shutil.which", lambda _: None)
    done = CliRunner().invoke(trial_app, ["setup", "--wheel", str(wheel)])
    assert isinstance(done.exception, NoSandbox)
    assert isinstance(done.exception, FleetError)
    assert "bubblewrap" in str(done.exception)
    assert done.stdout.startswith("emulator")
