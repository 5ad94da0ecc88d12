from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.inspection import BinaryFacts, EntryKind
from fleet.package import inspect
from fleet.package.archive.reader import Archive
from fleet.package.archive.source import Source
from fleet.package.binary.facts import read_binary
from fleet.package.inspect import inspect_archive, inspect_index, inspect_package
from fleet.package.problems import BadPackage
from moto_fixtures.build import build
from tests.bench.large_binary import enlarged
from tests.package.builds import MATRIX, orders, package
from tests.package.elf_files import Bytes, Made, framed, inline

ELF = Made(content=b"x").file
LINK = 0o120777
GROWTH = 16 << 20
"""Bytes that inspecting may take over what the modules take."""


def zipped(path: Path, files: Mapping[str, bytes | str], *, stored: bool = False) -> Path:
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_package_is_told_as_it_is(tmp_path: Path) -> None:
    program = build(orders()).read_bytes()
    path = zipped(tmp_path / "p.zip", {"bin/main": program, "run": "#!/bin/sh\n", "a.txt": "#x"})
    found = inspect_package(path)
    digest = hashlib.sha256(path.read_bytes()).digest()
    assert found.code_sha256 == base64.b64encode(digest).decode()
    assert (found.size, found.unzipped_size) == (path.stat().st_size, len(program) + 12)
    assert [each.name for each in found.entries] == ["bin/main", "run", "a.txt"]
    assert found.binaries == (read_binary(Bytes(program), "bin/main"),)
    assert found.scripts == ("run",)
    assert (found.signed, found.whole) == (False, True)


@pytest.mark.parametrize("stored", [True, False])
def test_every_elf_file_is_told_in_the_order_of_the_entries(
    tmp_path: Path, *, stored: bool
) -> None:
    names = [f"bin/{number}" for number in (3, 1, 2)]
    path = zipped(tmp_path / "p.zip", dict.fromkeys(names, ELF) | {"e": b"\x7fEL"}, stored=stored)
    assert [each.entry for each in inspect_package(path).binaries] == names


def test_what_a_link_or_directory_holds_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("main")
        link.external_attr = LINK << 16
        archive.writestr(link, "#!elsewhere")
        archive.writestr(zipfile.ZipInfo("directory/"), b"")
    found = inspect_package(path)
    assert [each.kind for each in found.entries] == [EntryKind.SYMLINK, EntryKind.DIRECTORY]
    assert (found.binaries, found.scripts) == ((), ())


def test_an_empty_package_has_nothing_in_it(tmp_path: Path) -> None:
    found = inspect_package(zipped(tmp_path / "p.zip", {}))
    assert (found.entries, found.binaries, found.size, found.unzipped_size) == ((), (), 22, 0)


@pytest.mark.parametrize(
    ("name", "signed"),
    [
        ("META-INF/aws_signer_signature_v1.0.SF", True),
        ("META_INF/aws_signer_signature_v1.0.SF", True),
        ("META-INF/MANIFEST.MF", False),
        ("lib/META-INF/aws_signer_signature_v1.0.SF", False),
    ],
)
def test_a_signature_is_told_by_its_entry(tmp_path: Path, name: str, *, signed: bool) -> None:
    path = zipped(tmp_path / "p.zip", {"main": ELF, name: "x"})
    assert inspect_package(path).signed == signed
    with Archive.open(path) as archive:
        assert inspect_index(archive).signed == signed


def test_the_index_alone_says_that_it_is_not_whole() -> None:
    with Archive.open(package(MATRIX["newest"])) as archive:
        found = inspect_index(archive, checksum="known")
        assert (found.whole, found.binaries, found.scripts) == (False, (), ())
        assert (found.code_sha256, found.entries) == ("known", archive.entries)
        assert (found.size, found.unzipped_size) == (archive.size, archive.unzipped_size)


def test_an_open_archive_is_told_with_the_checksum_that_is_known() -> None:
    path = package(MATRIX["newest"])
    with Archive.open(path) as archive:
        found = inspect_archive(archive, checksum="known")
    assert found == replace(inspect_package(path), code_sha256="known")


def test_content_that_is_not_what_was_promised_is_never_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "p.zip", {"text": b"x" * 200_000 + b"the end"}, stored=True)
    path.write_bytes(path.read_bytes().replace(b"the end", b"THE END"))
    with pytest.raises(BadPackage, match="CRC"):
        inspect_package(path)


def test_a_program_that_is_not_what_was_promised_is_never_told(tmp_path: Path) -> None:
    program = build(orders()).read_bytes()
    path = zipped(tmp_path / "p.zip", {"main": program}, stored=True)
    path.write_bytes(path.read_bytes().replace(b"startRuntimeAPILoop", b"startRuntimeAPIloop"))
    with pytest.raises(BadPackage, match="CRC"):
        inspect_package(path)


def test_more_elf_files_than_any_package_has_are_one_clear_error(tmp_path: Path) -> None:
    names = [f"bin/{number}" for number in range(inspect.MOST_BINARIES + 1)]
    assert len(inspect_package(zipped(tmp_path / "a", dict.fromkeys(names[:-1], ELF))).binaries)
    with pytest.raises(BadPackage, match=r"more than 2,000 ELF files.*meant"):
        inspect_package(zipped(tmp_path / "b", dict.fromkeys(names, ELF)))


def test_headers_are_read_up_to_a_number_for_the_whole_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = [(f".{number}", 2, 0, 1) for number in range(9_996)]
    forged = Made(content=b"x", sections=sections).file
    read: list[str] = []

    def counted(source: Source, entry: str) -> BinaryFacts:
        read.append(entry)
        return read_binary(source, entry)

    monkeypatch.setattr(inspect, "read_binary", counted)
    # 9,996 sections, two more that a table has, and a segment.
    fits = inspect.MOST_HEADERS // 9_999
    names = [f"bin/{number}" for number in range(fits + 2)]
    assert len(
        inspect_package(zipped(tmp_path / "a", dict.fromkeys(names[:fits], forged))).binaries
    )
    read.clear()
    with pytest.raises(BadPackage, match=r"more than 100,000 headers.*meant"):
        inspect_package(zipped(tmp_path / "b", dict.fromkeys(names, forged)))
    assert len(read) == fits


def test_facts_that_would_fill_the_memory_are_one_clear_error(tmp_path: Path) -> None:
    modules = "".join(f"dep\t{number}{'m' * 90}\tv1\th1:\n" for number in range(4_900))
    heavy = Made(content=inline("go1.20", framed(modules))).file
    names = [f"bin/{number}" for number in range(50)]
    with pytest.raises(BadPackage, match="ELF files that tell more than"):
        inspect_package(zipped(tmp_path / "p.zip", dict.fromkeys(names, heavy)))


def growth(*paths: Path) -> int:
    """Bytes by which a fresh process grows over all it imports while it inspects packages."""
    # Not getrusage: its peak is that of the process before it became this one.
    program = (
        "import sys; from pathlib import Path\n"
        "from fleet.errors import FleetError\n"
        "from fleet.package.inspect import inspect_package\n"
        "def peak():\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    return int(status.partition('VmHWM:')[2].split()[0])\n"
        "before = peak()\n"
        "for path in sys.argv[1:]:\n"
        "    try: inspect_package(Path(path))\n"
        "    except FleetError: pass\n"
        "print(peak() - before)\n"
    )
    words = [sys.executable, "-c", program, *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(done.stdout) << 10


def test_memory_does_not_grow_with_the_size_of_a_program(tmp_path: Path) -> None:
    large = enlarged(build(orders()), 100_000_000)
    assert growth(zipped(tmp_path / "p.zip", {"main": large})) < GROWTH


def test_memory_does_not_grow_with_what_a_program_claims(tmp_path: Path) -> None:
    texts = ("dep\tx\ty\n" * 60_000, "build\t\U0001f600=\U0001f600\n" * 25_000, "\x80" * 500_000)
    infos = [inline("go1.20", framed(text)) for text in texts]
    paths = [
        zipped(tmp_path / str(index), dict.fromkeys("abcdefgh", Made(content=info).file))
        for index, info in enumerate(infos)
    ]
    assert growth(*paths) < GROWTH


def test_a_package_full_of_forged_programs_takes_seconds_at_most(tmp_path: Path) -> None:
    """As many headers as are believed, all over the same bytes, in as many files as fit."""
    sections = [(f".{number}", 2, number, 1 << 20) for number in range(2_000)]
    forged = Made(content=bytes(1 << 20), sections=sections).file
    path = zipped(tmp_path / "p.zip", {str(number): forged for number in range(20)})
    began = time.process_time()
    assert len(inspect_package(path).binaries) == 20
    assert time.process_time() - began < 15
