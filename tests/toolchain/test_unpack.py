from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from fleet.toolchain.trial import unpack as unpacking
from fleet.toolchain.trial.problems import PackageUnusable
from fleet.toolchain.trial.unpack import unpack


def archive(place: Path, *entries: tuple[str, bytes, int], system: int = 3) -> Path:
    path = place / "package.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.create_system = system
            entry.external_attr = mode << 16
            made.writestr(entry, content)
    return path


def laid_out(place: Path, *entries: tuple[str, bytes, int], system: int = 3) -> Path:
    task = place / "task"
    task.mkdir()
    unpack(archive(place, *entries, system=system), task)
    return task


@pytest.mark.parametrize(
    ("given", "found"), [(0o755, 0o555), (0o700, 0), (0o744, 0o444), (0o711, 0o111), (0o777, 0o777)]
)
def test_what_others_may_is_what_everyone_may(tmp_path: Path, given: int, found: int) -> None:
    task = laid_out(tmp_path, ("bootstrap", b"x", 0o100000 | given))
    assert stat.S_IMODE((task / "bootstrap").stat().st_mode) == found


def test_an_archive_that_was_not_made_on_unix_holds_nothing_executable(tmp_path: Path) -> None:
    task = laid_out(tmp_path, ("bootstrap", b"x", 0o100755), system=0)
    assert stat.S_IMODE((task / "bootstrap").stat().st_mode) == 0o444


def test_a_directory_keeps_others_out_as_well(tmp_path: Path) -> None:
    task = laid_out(tmp_path, ("bin/", b"", 0o040750), ("bin/main", b"x", 0o100755))
    assert stat.S_IMODE((task / "bin").stat().st_mode) == 0
    (task / "bin").chmod(0o700)


def test_a_directory_without_an_entry_is_open(tmp_path: Path) -> None:
    task = laid_out(tmp_path, ("bin/main", b"x", 0o100755))
    assert stat.S_IMODE((task / "bin").stat().st_mode) == 0o755


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    task = laid_out(tmp_path, ("bootstrap", b"bin/main", 0o120777), ("bin/main", b"x", 0o100755))
    assert (task / "bootstrap").readlink() == Path("bin/main")


def refused(place: Path, *entries: tuple[str, bytes, int]) -> str:
    with pytest.raises(PackageUnusable) as told:
        laid_out(place, *entries)
    return str(told.value)


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/out", ".."])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    assert "leads outside" in refused(tmp_path, (name, b"x", 0o100644))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("backwards", [False, True])
def test_nothing_is_written_through_a_link(tmp_path: Path, *, backwards: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    entries = [("a", bytes(outside), 0o120777), ("a/new", b"x", 0o100644)]
    assert "cannot be unpacked" in refused(tmp_path, *entries[:: -1 if backwards else 1])
    assert list(outside.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    twice = ("bootstrap", b"x", 0o100755)
    assert "cannot be unpacked" in refused(tmp_path, twice, twice)


@pytest.mark.parametrize("depth", [101, 1500])
def test_directories_too_deep_to_be_removed_again_are_refused(tmp_path: Path, depth: int) -> None:
    assert "in too many directories" in refused(tmp_path, ("a/" * depth + "f", b"x", 0o100644))
    assert list((tmp_path / "task").iterdir()) == []


def test_directories_without_entries_count_against_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_PLACES", 300)
    deep = ((f"{each}/" + "a/" * 98 + "f", b"", 0o100644) for each in range(4))
    assert "too many files and directories" in refused(tmp_path, *deep)


def test_as_many_entries_as_the_limit_are_none_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_PLACES", 300)
    names = [(f"{each}", b"", 0o100644) for each in range(300)]
    assert len(list(laid_out(tmp_path, *names).iterdir())) == 300


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_content_is_refused(tmp_path: Path, compression: int) -> None:
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w", compression) as made:
        made.writestr("f", bytes(range(256)) * 999)
    data = bytearray(path.read_bytes())
    middle = data.index(b"PK\x01\x02") // 2
    data[middle : middle + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(PackageUnusable):
        unpack(path, tmp_path)


def test_a_device_is_refused(tmp_path: Path) -> None:
    assert "neither file nor link" in refused(tmp_path, ("null", b"", 0o020666))


def test_a_bomb_is_stopped_at_lambdas_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNZIPPED", 1 << 20)
    assert "more than 250 MB" in refused(tmp_path, ("big", bytes(1 << 21), 0o100644))
    assert (tmp_path / "task/big").stat().st_size <= 1 << 20


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_a_truncated_zip_is_refused(tmp_path: Path, cut: float) -> None:
    whole = archive(tmp_path, ("bootstrap", bytes(range(256)) * 99, 0o100755)).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(PackageUnusable, match="not a whole zip"):
        unpack(tmp_path / "cut.zip", tmp_path)


def test_content_that_does_not_fit_its_checksum_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, ("bootstrap", b"honest", 0o100755))
    data = path.read_bytes()
    at = data.index(b"bootstrap") + len(b"bootstrap") + 1
    path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    with pytest.raises(PackageUnusable):
        unpack(path, tmp_path)


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, ("bootstrap", b"secret", 0o100755))
    data = bytearray(path.read_bytes())
    # The encryption bit of the flags, in the local header and in the central directory.
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(PackageUnusable, match="not a zip for Lambda"):
        unpack(path, tmp_path)


def test_a_missing_zip_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackageUnusable, match="cannot be unpacked"):
        unpack(tmp_path / "none.zip", tmp_path)
