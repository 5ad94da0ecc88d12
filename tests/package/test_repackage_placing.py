from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.inspection import Strategy
from fleet.package.rewriting.repackage import repackage
from tests.package.zips import Part, build

CONTENT = build([Part(b"main", os.urandom(2_000_000), method=0), Part(b"text", b"text")])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.zip"
    path.write_bytes(CONTENT)
    return path


def refused(source: Path, target: Path) -> str:
    with pytest.raises(FileProblem) as caught:
        repackage(source, target, handler="main", strategy=Strategy.RENAME)
    assert source.read_bytes() == CONTENT
    assert not list(source.parent.rglob(".fleet-*"))
    assert str(caught.value).startswith(f"{target}: ")
    return caught.value.problem


def test_the_package_itself_is_never_overwritten_by_any_name(source: Path) -> None:
    soft, hard = source.with_name("soft.zip"), source.with_name("hard.zip")
    soft.symlink_to(source)
    hard.hardlink_to(source)
    for target in (source, soft, hard, source.parent / "." / "in.zip"):
        assert refused(source, target) == "is the package itself"


def test_what_is_no_file_is_never_replaced(source: Path, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert refused(source, tmp_path / "directory") == "is not a file"
    assert refused(source, tmp_path / "pipe") == "is not a file"


def test_a_place_that_cannot_be_written_is_a_clear_error(source: Path, tmp_path: Path) -> None:
    assert "cannot be written" in refused(source, tmp_path / "missing" / "out.zip")
    assert "cannot be written" in refused(source, source / "out.zip")
    assert "cannot be written" in refused(source, tmp_path / "no\0name")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "cannot be written" in refused(source, tmp_path / "a")


def test_an_older_result_is_replaced_and_a_link_to_it_stays(source: Path, tmp_path: Path) -> None:
    real, link = tmp_path / "real.zip", tmp_path / "link.zip"
    real.write_bytes(b"older")
    link.symlink_to(real)
    repackage(source, link, handler="main", strategy=Strategy.RENAME)
    assert link.is_symlink()
    assert real.read_bytes().startswith(b"PK")


def test_the_result_is_readable_by_its_owner_only(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.zip"
    repackage(source, target, handler="main", strategy=Strategy.RENAME)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


_RUN = """
import os, resource, signal, sys
from pathlib import Path
from fleet.errors import FileProblem
from fleet.inspection import Strategy
from fleet.package.rewriting import placing
from fleet.package.rewriting import proof
from fleet.package.rewriting import repackage as module

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def half(archive, change):
    yield b"PK" * 99_999
    die()

where = sys.argv[3]
if where == "writing":
    module.rewritten = half
elif where == "proving":
    module.prove = die
elif where == "saving":
    os.fsync = die
elif where == "naming":
    os.replace = os.rename = die
    Path.replace = die
elif where == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    module.repackage(
        Path(sys.argv[1]), Path(sys.argv[2]), handler="main", strategy=Strategy.SHIM
    )
except FileProblem as error:
    print(error)
"""


def run(source: Path, target: Path, where: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _RUN, source, target, where],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("before", [None, b"older"])
@pytest.mark.parametrize("where", ["writing", "proving", "saving", "naming"])
def test_a_process_killed_at_any_point_leaves_no_half_result(
    where: str, before: bytes | None, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.zip"
    if before is not None:
        target.write_bytes(before)
    assert run(source, target, where).returncode == -signal.SIGKILL
    assert (target.read_bytes() if target.exists() else None) == before
    assert source.read_bytes() == CONTENT
    leavings = set(tmp_path.iterdir()) - {source, target}
    assert all(each.name.startswith(".fleet-") for each in leavings)
    assert run(source, target, "nowhere").returncode == 0
    assert target.stat().st_size > len(CONTENT)


def test_a_disk_without_room_is_one_clear_error_and_nothing_is_left(
    source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.zip"
    target.write_bytes(b"older")
    ran = run(source, target, "full")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{target}: cannot be written (")
    assert target.read_bytes() == b"older"
    assert sorted(tmp_path.iterdir()) == [source, target]


def test_an_interruption_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fleet.package.rewriting.repackage.prove", interrupted)
    with pytest.raises(KeyboardInterrupt):
        repackage(source, tmp_path / "out.zip", handler="main", strategy=Strategy.SHIM)
    assert list(tmp_path.iterdir()) == [source]
