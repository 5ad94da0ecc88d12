from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import Entry, EntryKind
from fleet.package.archive.reader import Archive
from fleet.package.problems import BadPackage
from tests.package.hostile import ODD, PLAIN
from tests.package.made import Made, packages, zipped
from tests.package.memory import Memory, archive_of
from tests.package.zips import Part, build


@given(packages())
def test_entries_and_content_are_those_that_zipfile_reads(
    package: tuple[bytes, list[Made], str],
) -> None:
    content, *_ = package
    archive = archive_of(content)
    with zipfile.ZipFile(io.BytesIO(content)) as other:
        infos = other.infolist()
        assert [entry.name for entry in archive.entries] == [info.filename for info in infos]
        for entry, info in zip(archive.entries, infos, strict=True):
            assert (entry.size, entry.compressed_size) == (info.file_size, info.compress_size)
            assert entry.crc == info.CRC
            assert b"".join(archive.chunks(entry)) == other.read(info)
    assert archive.size == len(content)
    assert archive.unzipped_size == sum(info.file_size for info in infos)


@given(st.binary(max_size=200) | st.builds(bytes, st.integers(0, 1_200_000)), st.booleans())
def test_content_comes_in_pieces_that_are_never_long(content: bytes, stored: bool) -> None:
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    archive = archive_of(zipped([Made("main", content, 0o644, method=method)]))
    pieces = list(archive.chunks(archive.entries[0]))
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= 512 << 10 for piece in pieces)


@given(st.data())
def test_any_damage_is_a_clear_error_or_changes_no_content(data: st.DataObject) -> None:
    whole = bytearray(ODD[data.draw(st.sampled_from(sorted(ODD)))])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "splice"])):
            case "flip":
                whole[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del whole[at : at + data.draw(st.integers(1, 60))]
            case "splice":
                whole[at:at] = data.draw(st.binary(min_size=1, max_size=60))
        if not whole:
            break
    try:
        archive = archive_of(bytes(whole))
        for entry in archive.entries:
            assert sum(len(piece) for piece in archive.chunks(entry)) == entry.size
    except BadPackage:
        return


@given(st.binary(max_size=300))
def test_any_bytes_are_a_clear_error(content: bytes) -> None:
    try:
        archive_of(content)
    except BadPackage:
        return


@pytest.mark.parametrize(
    ("part", "kind", "mode"),
    [
        (Part(b"f", mode=stat.S_IFREG | 0o640), EntryKind.FILE, 0o640),
        (Part(b"f", mode=stat.S_IFREG | 0o4755), EntryKind.FILE, 0o755),
        (Part(b"f", mode=0), EntryKind.FILE, 0),
        (Part(b"f", mode=stat.S_IFREG | 0o755, host=0), EntryKind.FILE, None),
        (Part(b"f", mode=stat.S_IFREG | 0o755, host=19), EntryKind.FILE, 0o755),
        (Part(b"d/", mode=0, host=0), EntryKind.DIRECTORY, None),
        (Part(b"d", mode=stat.S_IFDIR | 0o755), EntryKind.DIRECTORY, 0o755),
        (Part(b"l", mode=stat.S_IFLNK | 0o777), EntryKind.SYMLINK, 0o777),
        (Part(b"l", mode=stat.S_IFLNK | 0o777, host=0), EntryKind.SYMLINK, None),
    ],
)
def test_kind_and_mode_are_told_from_name_and_attributes(
    part: Part, kind: EntryKind, mode: int | None
) -> None:
    (entry,) = archive_of(build([part])).entries
    assert (entry.kind, entry.mode) == (kind, mode)


def test_names_are_decoded_as_their_flag_says() -> None:
    parts = [Part("größe".encode(), flags=0x800), Part("größe".encode()), Part(b"gr\x94\xe1e")]
    names = [entry.name for entry in archive_of(build(parts)).entries]
    assert names == ["größe", "gr├╢├ƒe", "größe"]


def test_entries_of_one_name_are_read_each_by_itself() -> None:
    parts = [Part(b"main", each) for each in (b"first", b"second", b"first")]
    archive = archive_of(build(parts))
    assert [b"".join(archive.chunks(each)) for each in archive.entries] == [
        b"first",
        b"second",
        b"first",
    ]


def test_an_entry_that_was_kept_elsewhere_is_found_again() -> None:
    archive = archive_of(build([Part(b"text", b"text"), PLAIN]))
    kept = Entry(*(getattr(archive.entries[1], name) for name in Entry.__match_args__))
    assert b"".join(archive.chunks(kept)) == PLAIN.content


def test_a_package_of_exactly_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    for size in (262_144_000, 262_144_001):
        squeeze = zlib.compressobj(1, wbits=-15)
        data = [squeeze.compress(bytes(min(1 << 20, size - at))) for at in range(0, size, 1 << 20)]
        told = {"size": size}
        part = Part(b"main", data=b"".join(data) + squeeze.flush(), local=told, central=told)
        path.write_bytes(build([part]))
        if size == 262_144_000:
            with Archive.open(path) as ours:
                assert ours.unzipped_size == size
    with pytest.raises(BadPackage, match="262,144,001"):
        Archive.open(path)


def test_a_file_too_large_for_any_package_is_not_even_looked_at() -> None:
    class Endless(Memory):
        def __init__(self) -> None:
            super().__init__(b"")
            self.size = 1 << 40

    source = Endless()
    with pytest.raises(BadPackage, match="larger than anything"):
        Archive.of(source, "package.zip")
    assert source.asked == []


def test_opening_reads_the_end_and_the_directory_and_nothing_else() -> None:
    source = Memory(build([Part(b"main", os.urandom(1 << 20)), Part(b"text", b"text")]))
    Archive.of(source, "package.zip")
    assert min(offset for offset, _ in source.asked) >= source.size - 70_000


def test_a_source_that_gives_less_than_it_has_is_a_clear_error() -> None:
    class Short(Memory):
        def read_at(self, offset: int, length: int) -> bytes:
            return super().read_at(offset, length)[:-1]

    with pytest.raises(BadPackage, match="changed meanwhile"):
        Archive.of(Short(build([PLAIN])), "package.zip")


def test_the_file_is_closed_however_opening_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    before = list(Path("/proc/self/fd").iterdir())
    path.write_bytes(build([PLAIN]))
    with Archive.open(path):
        pass
    path.write_bytes(b"no zip")
    with pytest.raises(BadPackage):
        Archive.open(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


_READ_ALL = """
import sys
from pathlib import Path
from fleet.package.archive.reader import Archive

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

before = peak()
with Archive.open(Path(sys.argv[1])) as archive:
    for entry in archive.entries:
        for _ in archive.chunks(entry):
            pass
print(peak() - before)
"""


@pytest.mark.parametrize("shape", ["one large file", "65,535 entries"])
def test_reading_takes_less_than_32_mb(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    if shape == "one large file":
        parts = [Part(b"main", bytes(80_000_000) + os.urandom(40_000_000), method=0)]
    else:
        parts = [Part(b"node_modules/some-package/lib/%d.js" % n, b"x") for n in range(65_535)]
    path.write_bytes(build(parts))
    ran = subprocess.run(
        [sys.executable, "-c", _READ_ALL, path], check=True, capture_output=True, text=True
    )
    assert int(ran.stdout) * 1024 < 32_000_000
