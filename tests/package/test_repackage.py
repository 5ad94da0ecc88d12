from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import sys
import tempfile
import zipfile
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given

from fleet.inspection import Strategy
from fleet.package.rewriting.repackage import Repackaged, repackage
from tests.package.hostile import ODD, PLAIN
from tests.package.made import Made, packages, zipped
from tests.package.zips import Part, build, unicode_path

SHIM = b'#!/bin/sh\nexec "$LAMBDA_TASK_ROOT/$_HANDLER"\n'
KEPT = (
    "date_time",
    "compress_type",
    "comment",
    "create_version",
    "extract_version",
    "reserved",
    "flag_bits",
    "volume",
    "internal_attr",
    "CRC",
    "compress_size",
    "file_size",
)


def repackaged(
    content: bytes, handler: str, strategy: Strategy, where: Path | None = None
) -> tuple[bytes, Repackaged]:
    with tempfile.TemporaryDirectory(dir=where) as name:
        source, target = Path(name) / "in.zip", Path(name) / "out.zip"
        source.write_bytes(content)
        done = repackage(source, target, handler=handler, strategy=strategy)
        assert source.read_bytes() == content
        assert sorted(Path(name).iterdir()) == [source, target]
        return target.read_bytes(), done


def compressed(content: bytes, info: zipfile.ZipInfo) -> bytes:
    name, extra = (
        int.from_bytes(content[info.header_offset + at : info.header_offset + at + 2], "little")
        for at in (26, 28)
    )
    begin = info.header_offset + 30 + name + extra
    return content[begin : begin + info.compress_size]


@given(packages())
def test_rename_changes_one_name_and_mode_and_nothing_else(
    package: tuple[bytes, list[Made], str],
) -> None:
    content, _, handler = package
    result, done = repackaged(content, handler, Strategy.RENAME)
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.comment == old.comment
        assert new.testzip() is None
        for was, now in zip(old.infolist(), new.infolist(), strict=True):
            if was.filename == handler:
                assert now.filename == "bootstrap"
                assert now.create_system == 3
                assert now.external_attr >> 16 == stat.S_IFREG | 0o755
            else:
                assert now.filename == was.filename
                assert now.create_system == was.create_system
                assert now.external_attr == was.external_attr
            assert now.extra == was.extra
            assert [getattr(now, name) for name in KEPT] == [getattr(was, name) for name in KEPT]
            assert compressed(result, now) == compressed(content, was)
    assert done.code_sha256 == b64encode(hashlib.sha256(result).digest()).decode()
    assert (done.size, done.entry.name) == (len(result), handler)
    assert done.unzipped_size == sum(info.file_size for info in new.infolist())


@given(packages())
def test_shim_adds_a_bootstrap_and_makes_its_target_executable_and_nothing_else(
    package: tuple[bytes, list[Made], str],
) -> None:
    content, _, handler = package
    result, done = repackaged(content, handler, Strategy.SHIM)
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.comment == old.comment
        assert new.testzip() is None
        *others, shim = new.infolist()
        for was, now in zip(old.infolist(), others, strict=True):
            if was.filename == handler:
                assert now.create_system == 3
                assert now.external_attr >> 16 == stat.S_IFREG | 0o755
            else:
                assert now.create_system == was.create_system
                assert now.external_attr == was.external_attr
            assert (now.filename, now.extra) == (was.filename, was.extra)
            assert [getattr(now, name) for name in KEPT] == [getattr(was, name) for name in KEPT]
            assert compressed(result, now) == compressed(content, was)
        assert new.read(shim) == SHIM
    assert shim.filename == "bootstrap"
    assert shim.create_system == 3
    assert shim.external_attr >> 16 == stat.S_IFREG | 0o755
    assert shim.date_time == (1980, 1, 1, 0, 0, 0)
    assert done.code_sha256 == b64encode(hashlib.sha256(result).digest()).decode()
    assert done.unzipped_size == sum(info.file_size for info in new.infolist())


REFUSED = {
    "without entries",
    "two entries of one name",
    "an absolute name",
    "a name that leads outside",
    "bytes before the archive",
}


@pytest.mark.parametrize("case", [case for case in ODD if case not in REFUSED])
@pytest.mark.parametrize("strategy", Strategy)
def test_what_is_odd_survives_and_unzip_finds_no_fault(
    case: str, strategy: Strategy, tmp_path: Path
) -> None:
    content = ODD[case]
    result, _ = repackaged(content, "main", strategy)
    (tmp_path / "out.zip").write_bytes(result)
    subprocess.run(
        ["unzip", "-tq", "out.zip"],
        check=True,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.comment == old.comment
        names = {"main": "bootstrap"} if strategy is Strategy.RENAME else {}
        for was in old.infolist():
            now = new.getinfo(names.get(was.filename, was.filename))
            assert new.read(now) == old.read(was)
            assert (now.date_time, now.flag_bits) == (was.date_time, was.flag_bits)


@pytest.mark.parametrize("strategy", Strategy)
def test_unzip_makes_what_has_to_run_executable_by_everyone(
    strategy: Strategy, tmp_path: Path
) -> None:
    content = zipped(
        [
            Made("bin/main", b"program", 0, system=0),
            Made("data.txt", b"data", stat.S_IFREG | 0o640),
            Made("link", b"bin/main", stat.S_IFLNK | 0o777),
        ],
        streamed=True,
    )
    result, _ = repackaged(content, "bin/main", strategy)
    (tmp_path / "out.zip").write_bytes(result)
    subprocess.run(["unzip", "-q", "out.zip", "-d", "out"], check=True, cwd=tmp_path, umask=0)
    out = tmp_path / "out"
    modes = {
        str(path.relative_to(out)): stat.S_IMODE(path.stat().st_mode)
        for path in out.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    if strategy is Strategy.RENAME:
        assert modes == {"bootstrap": 0o755, "data.txt": 0o640}
        assert (out / "bootstrap").read_bytes() == b"program"
    else:
        assert modes == {"bin/main": 0o755, "bootstrap": 0o755, "data.txt": 0o640}
        assert (out / "bootstrap").read_bytes() == SHIM
    assert (out / "link").readlink() == Path("bin/main")


def test_the_shim_starts_what_the_handler_names(tmp_path: Path) -> None:
    program = b'#!/bin/sh\necho "started as $0"\n'
    content = zipped([Made("bin/main", program, stat.S_IFREG | 0o600)])
    result, _ = repackaged(content, "bin/main", Strategy.SHIM)
    (tmp_path / "out.zip").write_bytes(result)
    subprocess.run(["unzip", "-q", "out.zip"], check=True, cwd=tmp_path)
    root = {"LAMBDA_TASK_ROOT": str(tmp_path), "_HANDLER": "bin/main"}
    said = subprocess.run([tmp_path / "bootstrap"], env=root, check=True, capture_output=True)
    assert said.stdout.decode() == f"started as {tmp_path}/bin/main\n"


_ANYWHERE = """
import os, sys
from pathlib import Path
from fleet.inspection import Strategy
from fleet.package.rewriting.repackage import repackage
os.umask(int(sys.argv[4], 8))
repackage(Path(sys.argv[1]), Path(sys.argv[2]), handler="main", strategy=Strategy(sys.argv[3]))
"""


@pytest.mark.parametrize("strategy", Strategy)
def test_the_same_package_gives_the_same_bytes_wherever_it_is_done(
    strategy: Strategy, tmp_path: Path
) -> None:
    content = ODD["zip64 in every place"]
    results = set()
    for place, umask, zone, seed in (("a", "0", "UTC", "1"), ("b", "077", "Asia/Tokyo", "2")):
        (tmp_path / place).mkdir()
        source, target = tmp_path / place / f"{place}.zip", tmp_path / f"{place}-out.zip"
        source.write_bytes(content)
        os.utime(source, (0, int(seed) * 10**9))
        subprocess.run(
            [sys.executable, "-c", _ANYWHERE, source, target, strategy, umask],
            check=True,
            env=os.environ | {"TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
        )
        results.add(target.read_bytes())
    assert len(results) == 1


def test_these_bytes_come_out_on_every_machine() -> None:
    hashes = {
        strategy: repackaged(build([Part(b"a", b"a", method=0), PLAIN_STORED]), "main", strategy)[
            1
        ].code_sha256
        for strategy in Strategy
    }
    assert hashes == {
        Strategy.RENAME: "n++5UU+pjnYmCq/ZpHdElhQ2z8CbKx9pE4OF4rnIeOQ=",
        Strategy.SHIM: "hNvf/w924JHQDYfR/LvznNXFvvNzxt4uV2bQwFQi97A=",
    }


PLAIN_STORED = Part(b"main", PLAIN.content, method=0)


def test_the_old_name_in_a_unicode_path_goes_with_the_old_name() -> None:
    name = "größe".encode()
    path = unicode_path(b"gr", name)
    content = build(
        [
            Part(
                b"gr", b"x" * 50, local_extra=b"UT\1\0\0" + path, central_extra=path + b"UT\1\0\1"
            ),
            Part(b"last", b"last"),
        ]
    )
    result, _ = repackaged(content, "gr", Strategy.RENAME)
    assert name not in result
    with zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.namelist() == ["bootstrap", "last"]
        assert new.infolist()[0].extra == b"UT\1\0\1"
        assert [new.read(each) for each in new.namelist()] == [b"x" * 50, b"last"]


def test_padding_that_is_no_extra_field_stays() -> None:
    content = build([Part(b"main", b"x", local_extra=b"\0\0\0", central_extra=b"UT\1\0\0\0\0")])
    result, _ = repackaged(content, "main", Strategy.RENAME)
    assert b"bootstrap\0\0\0" in result
    assert b"bootstrapUT\1\0\0\0\0" in result


def test_a_bootstrap_that_is_the_handler_only_gets_its_mode() -> None:
    content = build([Part(b"bootstrap", b"x", mode=stat.S_IFREG | 0o644)])
    result, done = repackaged(content, "bootstrap", Strategy.RENAME)
    with zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.infolist()[0].external_attr >> 16 == stat.S_IFREG | 0o755
    assert done.changed == ("mode of bootstrap 0755, before 0644",)


def test_nothing_is_said_to_be_changed_where_nothing_had_to_be() -> None:
    content = build([Part(b"bootstrap", b"x", mode=stat.S_IFREG | 0o755)])
    result, done = repackaged(content, "bootstrap", Strategy.RENAME)
    assert result == content
    assert done.changed == ()


def test_what_was_done_is_told() -> None:
    content = build([Part(b"bin/main", b"x", host=0), Part(b"Bootstrap", b"y")])
    assert repackaged(content, "./bin/main", Strategy.RENAME)[1].changed == (
        "bin/main renamed to bootstrap",
        "mode of bootstrap 0755, before not told",
    )
    assert repackaged(content, "Bootstrap", Strategy.SHIM)[1].changed == (
        "bootstrap added, which starts the Handler",
        "mode of Bootstrap 0755, before 0644",
    )


def test_a_zip_too_large_to_be_sent_directly_is_done_and_said(tmp_path: Path) -> None:
    for over in (0, 1):
        part = Part(b"main", b"", method=0)
        room = 52_428_800 - len(repackaged(build([part]), "main", Strategy.RENAME)[0]) + over
        content = build([Part(b"main", bytes(room), method=0)])
        done = repackaged(content, "main", Strategy.RENAME, tmp_path)[1]
        assert done.size == 52_428_800 + over
        assert len(done.notes) == over


@pytest.mark.parametrize(
    ("handler", "name"),
    [("./main", "main"), (".//main", "main"), ("bin/./main", "bin/main"), ("main", "./main")],
)
def test_a_handler_names_what_the_system_would_start(handler: str, name: str) -> None:
    content = build([Part(name.encode(), b"x")])
    assert repackaged(content, handler, Strategy.RENAME)[1].entry.name == name
    assert repackaged(content, handler, Strategy.SHIM)[1].entry.name == name


_MANY = """
import sys
from pathlib import Path
from fleet.inspection import Strategy
from fleet.package.rewriting.repackage import repackage

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

before = peak()
repackage(Path(sys.argv[1]), Path(sys.argv[2]), handler="main", strategy=Strategy(sys.argv[3]))
print(peak() - before)
"""


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("shape", ["one large file", "20,000 entries"])
def test_repackaging_takes_less_than_32_mb(shape: str, strategy: Strategy, tmp_path: Path) -> None:
    parts = [Part(b"main", bytes(100_000_000 if shape == "one large file" else 1), method=0)]
    if shape != "one large file":
        parts += [Part(b"node_modules/some-package/lib/%d.js" % n, b"x") for n in range(20_000)]
    (tmp_path / "in.zip").write_bytes(build(parts))
    ran = subprocess.run(
        [sys.executable, "-c", _MANY, tmp_path / "in.zip", tmp_path / "out.zip", strategy],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(ran.stdout) * 1024 < 32_000_000
