from __future__ import annotations

import hashlib
import importlib.util
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from fleet.toolchain.trial import emulator as room
from fleet.toolchain.trial.emulator import Emulator, emulator
from fleet.toolchain.trial.problems import EmulatorMissing
from fleet.toolchain.trial.wheel import PROJECT, VERSION, by_pip, given

MEMBER = "samcli/local/rapid/aws-lambda-rie-x86_64"
CONTENT = b"an emulator"


def wheel(directory: Path, content: bytes = CONTENT, member: str = MEMBER) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{PROJECT.replace('-', '_')}-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


@pytest.fixture(name="trusted")
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the wheels here hold is taken for what AWS published."""
    monkeypatch.setattr(room, "SHA256", {"x86_64": hashlib.sha256(CONTENT).hexdigest()})


def test_the_emulator_is_the_file_that_aws_published(rie: Emulator) -> None:
    content = rie.path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == room.SHA256[rie.architecture]
    assert os.access(rie.path, os.X_OK)


@pytest.mark.usefixtures("trusted")
def test_it_is_kept_below_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = emulator(fetch=given(wheel(tmp_path)), architecture="x86_64")
    assert found.path.is_relative_to(tmp_path / "cache/fleet/emulator")
    assert found.path.read_bytes() == CONTENT


@pytest.mark.usefixtures("trusted")
def test_it_is_fetched_once(tmp_path: Path) -> None:
    said: list[str] = []
    first = emulator(
        tmp_path, fetch=given(wheel(tmp_path)), architecture="x86_64", progress=said.append
    )
    again = emulator(tmp_path, fetch=refuse, architecture="x86_64", progress=said.append)
    assert first == again
    assert len(said) == 1


def refuse(_: Path) -> Path:
    raise AssertionError("fetched again")


@pytest.mark.usefixtures("trusted")
def test_a_directory_gives_its_newest_wheel(tmp_path: Path) -> None:
    wheel(tmp_path / "wheels")
    found = emulator(tmp_path, fetch=given(tmp_path / "wheels"), architecture="x86_64")
    assert found.path.read_bytes() == CONTENT


def test_a_directory_without_a_wheel_says_so(tmp_path: Path) -> None:
    with pytest.raises(EmulatorMissing, match=f"holds no wheel of {PROJECT}"):
        emulator(tmp_path / "cache", fetch=given(tmp_path), architecture="x86_64")


@pytest.mark.usefixtures("trusted")
def test_another_file_is_refused_and_not_kept(tmp_path: Path) -> None:
    forged = wheel(tmp_path, content=b"something else")
    with pytest.raises(EmulatorMissing, match="not the file that AWS published") as told:
        emulator(tmp_path / "cache", fetch=given(forged), architecture="x86_64")
    assert f"the emulator in {forged.name} is not" in str(told.value)
    assert f"{PROJECT}=={VERSION}" in str(told.value)
    assert "remove" not in str(told.value)
    assert nothing_kept(tmp_path / "cache")


@pytest.mark.usefixtures("trusted")
def test_a_kept_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    found = emulator(tmp_path, fetch=given(wheel(tmp_path)), architecture="x86_64")
    found.path.write_bytes(b"changed")
    with pytest.raises(EmulatorMissing, match=f"{found.path} is not the file.*; remove it"):
        emulator(tmp_path, fetch=refuse, architecture="x86_64")


@pytest.mark.parametrize("content", [b"", b"PK no zip", None])
def test_a_wheel_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    broken = tmp_path / "broken.whl"
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(EmulatorMissing, match=r"broken\.whl cannot be read"):
        emulator(tmp_path / "cache", fetch=given(broken), architecture="x86_64")
    assert nothing_kept(tmp_path / "cache")


def damaged(place: Path, *, compression: int, at: float) -> Path:
    """Give a wheel whose directory is whole and whose content is not."""
    with zipfile.ZipFile(place, "w", compression) as archive:
        archive.writestr(MEMBER, bytes(range(256)) * 999)
    data = bytearray(place.read_bytes())
    begin = 30 + len(MEMBER)
    index = begin + int((data.index(b"PK\x01\x02") - begin) * at)
    data[index : index + 8] = b"\xff" * 8
    place.write_bytes(data)
    return place


@pytest.mark.parametrize("at", [0.0, 0.5])
@pytest.mark.parametrize(
    "compression",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
)
def test_a_damaged_wheel_is_told(tmp_path: Path, compression: int, at: float) -> None:
    broken = damaged(tmp_path / "broken.whl", compression=compression, at=at)
    with pytest.raises(EmulatorMissing, match=r"broken\.whl cannot be read"):
        emulator(tmp_path / "cache", fetch=given(broken), architecture="x86_64")
    assert nothing_kept(tmp_path / "cache")


def test_a_wheel_whose_content_ends_too_early_is_told(tmp_path: Path) -> None:
    whole = wheel(tmp_path).read_bytes()
    directory = whole.index(b"PK\x01\x02")
    record = bytearray(whole[directory:])
    # Both sizes, in the central directory: more than the file has.
    record[20:28] = struct.pack("<II", 1 << 20, 1 << 20)
    broken = tmp_path / "broken.whl"
    broken.write_bytes(whole[:directory] + record)
    with pytest.raises(EmulatorMissing, match=r"broken\.whl cannot be read"):
        emulator(tmp_path / "cache", fetch=given(broken), architecture="x86_64")


def test_a_wheel_of_something_else_is_told(tmp_path: Path) -> None:
    other = wheel(tmp_path, member="samcli/else")
    with pytest.raises(EmulatorMissing, match=f"does not hold {MEMBER}"):
        emulator(tmp_path / "cache", fetch=given(other), architecture="x86_64")


@pytest.mark.usefixtures("trusted")
def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(directory: Path) -> Path:
        (directory / "half.whl").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        emulator(tmp_path / "cache", fetch=interrupted, architecture="x86_64")
    assert nothing_kept(tmp_path / "cache")
    found = emulator(tmp_path / "cache", fetch=given(wheel(tmp_path)), architecture="x86_64")
    assert found.path.read_bytes() == CONTENT


@pytest.mark.usefixtures("trusted")
def test_what_a_killed_download_left_is_removed_by_the_next(tmp_path: Path) -> None:
    name = f"aws-lambda-rie-x86_64-{room.SHA256['x86_64'][:16]}.part"
    (tmp_path / "cache" / name).mkdir(parents=True)
    (tmp_path / "cache" / name / "half.whl").write_bytes(b"half")
    emulator(tmp_path / "cache", fetch=given(wheel(tmp_path)), architecture="x86_64")
    assert not (tmp_path / "cache" / name).exists()


def nothing_kept(cache: Path) -> bool:
    return [path.suffix for path in cache.iterdir()] == [".lock"]


def test_a_machine_that_aws_publishes_none_for_is_told(tmp_path: Path) -> None:
    with pytest.raises(EmulatorMissing, match="none for riscv64"):
        emulator(tmp_path, architecture="riscv64")


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EmulatorMissing, match="cannot be used"):
        emulator(tmp_path / "file" / "below", fetch=refuse, architecture="x86_64")


def test_without_a_way_to_an_index_the_way_by_hand_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The user's own settings of pip hold: here, an index that nobody answers for.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(EmulatorMissing) as told:
        emulator(tmp_path / "cache", architecture="x86_64")
    assert "pip could not download it" in str(told.value)
    assert "--wheel FILE" in str(told.value)
    assert nothing_kept(tmp_path / "cache")


def test_a_wheel_of_another_hash_is_refused_by_pip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forged = wheel(tmp_path / "links")
    forged.rename(forged.with_name(forged.name.replace("9.9.9", VERSION)))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    (tmp_path / "room").mkdir()
    with pytest.raises(EmulatorMissing):
        by_pip(tmp_path / "room")


def test_without_pip_the_way_by_hand_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmulatorMissing, match=r"no pip.*--wheel FILE"):
        emulator(tmp_path, architecture="x86_64")


def test_pip_is_asked_for_the_wheel_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        asked.append(command)
        wheel(tmp_path)
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    by_pip(tmp_path)
    (command,) = asked
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(command)
