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
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.package.inspect import inspect_package
from fleet.package.rewriting.replacing import Replaced, replace_programs
from fleet.toolchain.trial.emulator import emulator
from fleet.toolchain.trial.trial import try_package
from fleet.toolchain.trial.verdict import TrialOutcome
from moto_fixtures.packages import zipped as packaged
from tests.package.builds import NEWEST
from tests.package.hostile import ODD, PLAIN
from tests.package.made import Made, packages, zipped
from tests.package.test_repackage import KEPT, REFUSED, compressed
from tests.package.zips import Part, build, unicode_path
from tests.toolchain.trying import EXECUTABLE, PATIENT, handler

NEW = b"\x7fELF, rebuilt" * 999


def replaced(
    content: bytes,
    programs: Mapping[str, bytes],
    bootstrap: bytes | None = None,
    where: Path | None = None,
) -> tuple[bytes, Replaced]:
    with tempfile.TemporaryDirectory(dir=where) as name:
        room = Path(name)
        source, target = room / "in.zip", room / "out.zip"
        source.write_bytes(content)
        files = {}
        for number, (entry, program) in enumerate(programs.items()):
            files[entry] = room / f"{number}"
            files[entry].write_bytes(program)
        given = None
        if bootstrap is not None:
            given = room / "given"
            given.write_bytes(bootstrap)
        before = sorted(room.iterdir())
        done = replace_programs(source, target, files, bootstrap=given)
        assert source.read_bytes() == content
        assert sorted(room.iterdir()) == sorted([*before, target])
        return target.read_bytes(), done


def shown(info: zipfile.ZipInfo) -> list[object]:
    names = ("filename", "extra", "create_system", "external_attr", *KEPT)
    return [getattr(info, name) for name in names]


@settings(max_examples=60)
@given(packages(), st.data())
def test_given_entries_change_and_nothing_else(
    package: tuple[bytes, list[Made], str], data: st.DataObject
) -> None:
    content, made, _ = package
    files = [each.name for each in made if stat.S_ISREG(each.mode)]
    chosen = data.draw(st.lists(st.sampled_from(files), unique=True))
    programs = {name: data.draw(st.binary(max_size=2_000), name) for name in chosen}
    bootstrap = data.draw(st.none() | st.binary(max_size=50), "bootstrap")
    result, done = replaced(content, programs, bootstrap)
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.comment == old.comment
        assert new.testzip() is None
        infos = new.infolist()
        names = [each.filename for each in old.infolist()]
        assert [each.filename for each in infos] == [
            *names,
            *([] if bootstrap is None else ["bootstrap"]),
        ]
        for was, now in zip(old.infolist(), infos, strict=False):
            if was.filename not in programs:
                assert shown(now) == shown(was)
                assert compressed(result, now) == compressed(content, was)
                continue
            assert new.read(now) == programs[was.filename]
            assert now.comment == was.comment
        wanted = dict(programs) | ({} if bootstrap is None else {"bootstrap": bootstrap})
        for now in infos:
            if now.filename in wanted:
                assert new.read(now) == wanted[now.filename]
                assert (now.create_system, now.external_attr >> 16) == (3, stat.S_IFREG | 0o755)
                assert now.compress_type == zipfile.ZIP_DEFLATED
                assert now.date_time == (1980, 1, 1, 0, 0, 0)
                assert now.flag_bits & ~0x800 == 0
                assert now.extra == b""
    assert done.code_sha256 == b64encode(hashlib.sha256(result).digest()).decode()
    assert (done.size, done.unzipped_size) == (len(result), sum(each.file_size for each in infos))
    hashes = {name: hashlib.sha256(program).hexdigest() for name, program in wanted.items()}
    assert done.programs == hashes


@settings(max_examples=20)
@given(packages())
def test_with_nothing_to_replace_the_package_is_what_it_was(
    package: tuple[bytes, list[Made], str],
) -> None:
    assert replaced(package[0], {})[0] == package[0]


@pytest.mark.parametrize("case", [case for case in ODD if case not in REFUSED])
@pytest.mark.parametrize("bootstrap", [None, b"a bootstrap"], ids=["alone", "with a bootstrap"])
def test_what_is_odd_survives_and_unzip_finds_no_fault(
    case: str, bootstrap: bytes | None, tmp_path: Path
) -> None:
    content = ODD[case]
    result, _ = replaced(content, {"main": NEW}, bootstrap)
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
        for was in old.infolist():
            now = new.getinfo(was.filename)
            assert new.read(now) == (NEW if was.filename == "main" else old.read(was))
            if was.filename != "main" and case != "zip64 in every place":
                # There, a zip64 field holds an offset.
                assert shown(now) == shown(was)


@pytest.mark.parametrize("name", ["bootstrap", "./bootstrap", ".//bootstrap"])
def test_a_bootstrap_that_is_there_gives_way_and_the_handler_stays(name: str) -> None:
    content = build([Part(name.encode(), b"old"), PLAIN])
    result, done = replaced(content, {}, NEW)
    with zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.namelist() == [name, "main"]
        assert [new.read(each) for each in new.namelist()] == [NEW, PLAIN.content]
    assert done.programs == {"bootstrap": hashlib.sha256(NEW).hexdigest()}


def test_a_package_without_entries_gets_its_bootstrap() -> None:
    result, _ = replaced(build([], comment=b"made empty"), {}, NEW)
    with zipfile.ZipFile(io.BytesIO(result)) as new:
        assert (new.namelist(), new.comment) == (["bootstrap"], b"made empty")
        assert new.read("bootstrap") == NEW


def test_unzip_makes_programs_executable_and_leaves_the_rest(tmp_path: Path) -> None:
    content = zipped(
        [
            Made("bin/main", b"program", 0, system=0),
            Made("data.txt", b"data", stat.S_IFREG | 0o640),
            Made("link", b"bin/main", stat.S_IFLNK | 0o777),
        ],
        streamed=True,
    )
    result, _ = replaced(content, {"bin/main": NEW}, b"another")
    (tmp_path / "out.zip").write_bytes(result)
    subprocess.run(["unzip", "-q", "out.zip", "-d", "out"], check=True, cwd=tmp_path, umask=0)
    out = tmp_path / "out"
    modes = {
        str(path.relative_to(out)): stat.S_IMODE(path.stat().st_mode)
        for path in out.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert modes == {"bin/main": 0o755, "bootstrap": 0o755, "data.txt": 0o640}
    assert (out / "link").read_bytes() == NEW


def test_of_the_extra_fields_only_the_name_in_utf_8_stays() -> None:
    path = unicode_path(b"gr\x94", "grö".encode())
    times = b"UT\5\0\3\0\0\0\x60"
    part = Part(b"gr\x94", b"old", local_extra=times + path, central_extra=path + times)
    result, _ = replaced(build([part, PLAIN]), {"grö": NEW})
    assert result.count(path) == 2
    assert b"UT" not in result


def test_entries_that_lie_in_another_order_than_they_are_listed_keep_both_orders() -> None:
    first, second = Part(b"first", b"1"), Part(b"second", b"2")
    straight = build([first, second, PLAIN])
    at = straight.index(b"PK\1\2")
    lengths = [46 + len(part.name) for part in (first, second)]
    records = straight[at : at + lengths[0]], straight[at + lengths[0] : at + sum(lengths)]
    content = straight[:at] + records[1] + records[0] + straight[at + sum(lengths) :]
    result, _ = replaced(content, {"first": NEW, "second": b"new"})
    with zipfile.ZipFile(io.BytesIO(result)) as new:
        assert new.namelist() == ["second", "first", "main"]
        assert [new.read(each) for each in new.namelist()] == [b"new", NEW, PLAIN.content]
    assert result.index(b"first") < result.index(b"second")


_ANYWHERE = """
import os, sys
from pathlib import Path
from fleet.package.rewriting.replacing import replace_programs
os.umask(int(sys.argv[4], 8))
source, target, program = map(Path, sys.argv[1:4])
replace_programs(source, target, {"main": program, "text": program}, bootstrap=program)
"""


def test_the_same_input_gives_the_same_bytes_wherever_it_is_done(tmp_path: Path) -> None:
    content = ODD["zip64 in every place"]
    results = set()
    for place, umask, zone, seed in (("a", "0", "UTC", "1"), ("b", "077", "Asia/Tokyo", "2")):
        (tmp_path / place).mkdir()
        source, program = tmp_path / place / f"{place}.zip", tmp_path / place / f"program-{place}"
        target = tmp_path / f"{place}-out.zip"
        source.write_bytes(content)
        program.write_bytes(NEW)
        program.chmod(0o600 if umask == "077" else 0o755)
        os.utime(program, (0, int(seed) * 10**9))
        subprocess.run(
            [sys.executable, "-c", _ANYWHERE, source, target, program, umask],
            check=True,
            env=os.environ | {"TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
        )
        results.add(target.read_bytes())
    assert len(results) == 1


def test_a_zip_too_large_to_be_sent_directly_is_done_and_said(tmp_path: Path) -> None:
    content = build([PLAIN, Part(b"data", bytes(52_428_800), method=0)])
    assert len(replaced(content, {"main": NEW}, where=tmp_path)[1].notes) == 1
    assert replaced(build([PLAIN]), {"main": NEW})[1].notes == ()


_LARGE = """
import sys
from pathlib import Path
from fleet.package.rewriting.replacing import replace_programs

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

before = peak()
source, target, program = map(Path, sys.argv[1:4])
replace_programs(source, target, {"main": program})
print(peak() - before)
"""


def test_replacing_takes_the_largest_program_once_and_less_than_48_mb_besides(
    tmp_path: Path,
) -> None:
    parts = [Part(b"node_modules/some-package/lib/%d.js" % n, b"x") for n in range(20_000)]
    (tmp_path / "in.zip").write_bytes(build([PLAIN, *parts]))
    program = tmp_path / "program"
    program.write_bytes(bytes(50_000_000))
    ran = subprocess.run(
        [sys.executable, "-c", _LARGE, tmp_path / "in.zip", tmp_path / "out.zip", program],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(ran.stdout) * 1024 < 50_000_000 + 48_000_000


def test_a_real_program_put_in_for_another_starts(tmp_path: Path) -> None:
    old, new = handler("1.17.0"), handler()
    source, target, program = tmp_path / "in.zip", tmp_path / "out.zip", tmp_path / "program"
    source.write_bytes(packaged({"main": (old, EXECUTABLE), "data.txt": (b"data", 0o100644)}))
    program.write_bytes(new)
    program.chmod(0o600)
    done = replace_programs(source, target, {}, bootstrap=program)
    facts = inspect_package(target)
    assert facts.code_sha256 == done.code_sha256
    assert [each.entry for each in facts.binaries] == ["main", "bootstrap"]
    assert [each.lambda_library for each in facts.binaries] == ["v1.17.0", NEWEST]
    trial = try_package(
        target, handler="main", architecture="x86_64", emulator=emulator(), limits=PATIENT
    )
    assert trial.outcome is TrialOutcome.STARTS
