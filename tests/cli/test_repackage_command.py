from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from fleet.cli.repackage import DoesNotStart, repackage
from fleet.toolchain.trial.trial import Trial
from fleet.toolchain.trial.verdict import TrialOutcome
from moto_fixtures.definition import Build
from tests.cli.command import Ended, fleet
from tests.cli.packages import NEW, OLD, Content, package


def repackaged(directory: Path, *options: str, handler: str = "main") -> Ended:
    arguments = ("repackage", "package.zip", "out.zip", "--handler", handler)
    return fleet(*arguments, *options, within=directory)


def told(ended: Ended) -> dict[str, str]:
    return dict(line.split(maxsplit=1) for line in ended.out.splitlines())


def entries(directory: Path) -> list[str]:
    with zipfile.ZipFile(directory / "out.zip") as archive:
        return archive.namelist()


def test_what_is_ready_is_renamed(tmp_path: Path) -> None:
    package(tmp_path, main=(NEW, 0o644), readme=(b"text", 0o644))
    ended = repackaged(tmp_path)
    assert ended.status == 0
    assert entries(tmp_path) == ["bootstrap", "readme"]
    digest = hashlib.sha256((tmp_path / "out.zip").read_bytes()).digest()
    said = told(ended)
    assert said["CodeSha256"] == base64.b64encode(digest).decode()
    assert said["strategy"] == "rename"
    assert said["Handler"] == "bootstrap, instead of main"
    assert "main renamed to bootstrap" in ended.out
    assert "before 0644" in ended.out


def test_what_is_warned_of_is_said_on_stderr(tmp_path: Path) -> None:
    package(tmp_path, main=NEW)
    assert "lambda.norpc" in repackaged(tmp_path).err


def test_what_is_ready_with_a_shim_gets_one(tmp_path: Path) -> None:
    package(tmp_path, bin__main=NEW)
    ended = repackaged(tmp_path, handler="bin/main")
    assert ended.status == 0
    assert entries(tmp_path) == ["bin/main", "bootstrap"]
    assert told(ended)["Handler"] == "bin/main, as it is"


def test_what_is_not_ready_is_refused(tmp_path: Path) -> None:
    package(tmp_path, main=OLD)
    ended = repackaged(tmp_path)
    assert (ended.status, ended.out) == (3, "")
    assert "package.zip: rebuild: main is built with aws-lambda-go v1.17.0" in ended.err
    assert "out.zip was not written: --strategy overrides" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "out.zip").exists()


def test_what_is_custom_already_is_left_as_it_is(tmp_path: Path) -> None:
    package(tmp_path, bootstrap=NEW)
    ended = repackaged(tmp_path, handler="bootstrap")
    assert ended.status == 3
    assert "upload the package as it is" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "out.zip").exists()


def test_a_strategy_overrides_the_verdict_and_says_so(tmp_path: Path) -> None:
    package(tmp_path, main=OLD)
    ended = repackaged(tmp_path, "--strategy", "shim")
    assert ended.status == 0
    assert "--strategy shim overrides: rebuild: main is built with" in ended.err
    assert entries(tmp_path) == ["main", "bootstrap"]


def test_another_strategy_than_the_verdicts_says_what_it_overrides(tmp_path: Path) -> None:
    package(tmp_path, bin__main=NEW)
    ended = repackaged(tmp_path, "--strategy", "rename", handler="bin/main")
    assert "overrides: ready with shim, by shim: bin/main lies in a directory" in ended.err
    assert entries(tmp_path) == ["bootstrap"]


def test_the_verdicts_own_strategy_overrides_nothing(tmp_path: Path) -> None:
    package(tmp_path, main=NEW)
    assert "overrides" not in repackaged(tmp_path, "--strategy", "rename").err


@pytest.mark.parametrize("options", [[], ["--try"]])
def test_the_package_itself_is_never_overwritten(tmp_path: Path, options: list[str]) -> None:
    before = package(tmp_path, main=NEW).read_bytes()
    (tmp_path / "out.zip").symlink_to("package.zip")
    ended = repackaged(tmp_path, *options)
    assert ended.status == 1
    assert "is the package itself" in ended.err
    assert (tmp_path / "package.zip").read_bytes() == before


def test_no_handler_is_a_usage_error(tmp_path: Path) -> None:
    package(tmp_path, main=NEW)
    assert fleet("repackage", "package.zip", "out.zip", within=tmp_path).status == 2


@pytest.mark.parametrize("options", [[], ["--strategy", "rename"]])
def test_what_is_no_package_is_one_error(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "package.zip").write_bytes(b"no zip at all")
    ended = repackaged(tmp_path, *options)
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "out.zip").exists()


def test_a_result_that_starts_is_kept(tmp_path: Path) -> None:
    package(tmp_path, main=NEW)
    ended = repackaged(tmp_path, "--try")
    assert ended.status == 0
    assert told(ended)["trial"].startswith("starts: ")
    assert entries(tmp_path) == ["bootstrap"]


def test_a_shim_is_tried_with_the_handler_it_starts(tmp_path: Path) -> None:
    package(tmp_path, bin__main=NEW)
    ended = repackaged(tmp_path, "--try", handler="bin/main")
    assert told(ended)["trial"].startswith("starts: ")


def test_a_result_that_does_not_start_is_not_kept(tmp_path: Path) -> None:
    package(
        tmp_path,
        main=Build(
            command="orders", library="1.41.0", tags=("lambda.norpc",), architecture="arm64"
        ),
    )
    ended = repackaged(tmp_path, "--try", "--strategy", "rename")
    assert ended.status == 1
    assert "does not start" in ended.err
    assert "out.zip was not written" in ended.err
    assert not (tmp_path / "out.zip").exists()


def test_a_trial_that_shows_nothing_does_not_stop_it(tmp_path: Path) -> None:
    package(tmp_path, main=Build(command="ledger"))
    ended = repackaged(tmp_path, "--try")
    assert ended.status == 0
    assert told(ended)["trial"].startswith("inconclusive: ")
    assert entries(tmp_path) == ["bootstrap"]


def test_what_cannot_be_laid_out_for_a_trial_is_one_error_about_the_package(
    tmp_path: Path,
) -> None:
    deep: dict[str, Content] = {"main": NEW, "a__" * 1200 + "f": b"x"}
    package(tmp_path, **deep)
    ended = repackaged(tmp_path, "--try")
    assert (ended.status, len(ended.err.splitlines())) == (1, 1)
    assert "package.zip: 'f' lies in too many directories" in ended.err
    assert "fleet-try" not in ended.err
    assert not (tmp_path / "out.zip").exists()


def test_what_was_tried_is_kept_whatever_becomes_of_the_package_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.zip").write_bytes(b"former")
    tried: list[bytes] = []

    def changing(result: Path, **_: object) -> Trial:
        tried.append(result.read_bytes())
        package(tmp_path, main=NEW, more=b"text")
        return Trial(TrialOutcome.STARTS, "it asked")

    monkeypatch.setattr("fleet.toolchain.trial.emulator.emulator", lambda **_: None)
    monkeypatch.setattr("fleet.toolchain.trial.trial.try_package", changing)
    repackage(
        package=package(tmp_path, main=NEW),
        output=tmp_path / "out.zip",
        handler="main",
        attempt=True,
    )
    assert tried == [(tmp_path / "out.zip").read_bytes()]
    assert entries(tmp_path) == ["bootstrap"]


def test_a_former_result_stays_where_the_new_one_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.zip").write_bytes(b"former")
    broken = Trial(TrialOutcome.CANNOT_START, "exec format error")
    monkeypatch.setattr("fleet.toolchain.trial.emulator.emulator", lambda **_: None)
    monkeypatch.setattr("fleet.toolchain.trial.trial.try_package", lambda *_, **__: broken)
    with pytest.raises(DoesNotStart):
        repackage(
            package=package(tmp_path, main=NEW),
            output=tmp_path / "out.zip",
            handler="main",
            attempt=True,
        )
    assert (tmp_path / "out.zip").read_bytes() == b"former"
