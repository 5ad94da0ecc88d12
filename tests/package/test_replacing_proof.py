from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct, pack, unpack_from

import pytest

from fleet.errors import FileProblem
from fleet.package.archive.source import Reader
from fleet.package.problems import NotProven
from fleet.package.rewriting import exchange, replacing, rewrite
from fleet.package.rewriting.deflating import deflate, temporary
from fleet.package.rewriting.exchange import exchanged
from fleet.package.rewriting.places import places_of
from fleet.package.rewriting.proof_of_exchange import prove_exchange
from fleet.package.rewriting.replacing import replace_programs
from tests.package.hostile import ODD
from tests.package.memory import Memory, archive_of
from tests.package.zips import Part, build, unicode_path

PATH = unicode_path(b"m\x84in", "mäin".encode())
NAMED = Part(b"m\x84in", b"x", host=0, comment=b"!", local_extra=PATH, central_extra=PATH)
ORIGINALS = {
    "plain": (
        build(
            [
                Part(b"first", b"1", comment=b"?"),
                NAMED,
                Part(b"lib/", mode=stat.S_IFDIR, method=0),
                Part(b"last", b"last", flags=8),
            ],
            comment=b"comment",
        ),
        ("mäin", "last"),
    ),
    "gaps": (
        build([Part(b"main", b"x"), Part(b"a", b"a"), Part(b"b", b"b", gap=bytes(300))]),
        ("main",),
    ),
    "zip64": (ODD["zip64 in every place"], ("text", "main")),
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(b"rebuilt" * 3)
    return path


@contextmanager
def proving(original: str, program: Path) -> Iterator[tuple[bytes, Judge]]:
    content, names = ORIGINALS[original]
    archive = archive_of(content)
    places = places_of(archive, names, bootstrap=True)
    with temporary() as room:
        contents = {place: deflate(program, room) for place in places.values()}
        result = b"".join(exchanged(archive, contents))
    yield result, Judge(content, dict.fromkeys(places.values(), program))


class Judge:
    """The proof for one original."""

    def __init__(self, content: bytes, files: dict[int, Path]) -> None:
        self._archive, self._files = archive_of(content), files

    def __call__(self, result: bytes) -> bool:
        try:
            prove_exchange(self._archive, Reader(Memory(result), "out.zip"), self._files)
        except NotProven:
            return False
        return True


@pytest.mark.parametrize("original", ORIGINALS)
def test_a_result_with_any_byte_changed_is_not_proven(original: str, program: Path) -> None:
    with proving(original, program) as (result, proven):
        assert proven(result)
        passed = []
        for at in range(len(result)):
            for bits in (0x01, 0x10, 0xFF):
                changed = bytearray(result)
                changed[at] ^= bits
                if proven(bytes(changed)):
                    passed.append((at, bits))
    assert passed == []


@pytest.mark.parametrize("original", ORIGINALS)
def test_a_result_that_is_cut_or_longer_is_not_proven(original: str, program: Path) -> None:
    with proving(original, program) as (result, proven):
        assert not any(proven(result[:length]) for length in range(len(result)))
        assert not proven(result + b"\0")


def test_the_original_itself_is_not_proven(program: Path) -> None:
    with proving("plain", program) as (_, proven):
        assert not proven(ORIGINALS["plain"][0])


def test_bytes_hidden_before_the_directory_are_not_proven(program: Path) -> None:
    with proving("plain", program) as (result, proven):
        end = result.rindex(b"PK\5\6")
        (start,) = unpack_from("<L", result, end + 16)
        moved = result[: end + 16] + pack("<L", start + 6) + result[end + 20 :]
        assert not proven(moved[:start] + b"hidden" + moved[start:])


def test_a_bootstrap_that_nobody_asked_for_is_not_proven(program: Path) -> None:
    content = build([Part(b"main", b"x")])
    with temporary() as room:
        new = {index: deflate(program, room) for index in (0, 1)}
        result = b"".join(exchanged(archive_of(content), new))
    assert Judge(content, dict.fromkeys((0, 1), program))(result)
    assert not Judge(content, {0: program})(result)


def test_a_program_that_changes_meanwhile_is_noticed(program: Path) -> None:
    with proving("plain", program) as (result, proven):
        program.write_bytes(b"another" * 3)
        assert not proven(result)


def test_entries_in_another_order_are_not_proven(program: Path) -> None:
    parts = [Part(b"main", b"x"), Part(b"a", b"a"), Part(b"b", b"b")]
    ours, swapped = archive_of(build(parts)), archive_of(build([parts[0], parts[2], parts[1]]))
    with temporary() as room:
        result = b"".join(exchanged(swapped, {0: deflate(program, room)}))
    with pytest.raises(NotProven):
        prove_exchange(ours, Reader(Memory(result), "out.zip"), {0: program})


def test_a_second_bootstrap_is_not_proven(program: Path) -> None:
    archive = archive_of(build([Part(b"main", b"x"), Part(b"./bootstrap", b"y")]))
    with temporary() as room:
        result = b"".join(exchanged(archive, {2: deflate(program, room)}))
    with pytest.raises(NotProven, match="2 bootstraps"):
        prove_exchange(archive, Reader(Memory(result), "out.zip"), {2: program})


@pytest.mark.parametrize(
    ("module", "broken", "value"),
    [
        (rewrite, "_EXTERNAL", (stat.S_IFREG | 0o644) << 16),
        (rewrite, "_EXTERNAL", (stat.S_IFLNK | 0o755) << 16),
        (rewrite, "_MADE_BY", 20),
        (rewrite, "_DATE", 0x5821),
        (rewrite, "_OFFSET_AT", 36),
        (rewrite, "_WIDE", Struct("<L")),
        (exchange, "_NEEDED", 10),
        (exchange, "DEFLATED", 0),
        (exchange, "BOOTSTRAP", "Bootstrap"),
        (exchange, "NAME_IS_UTF8", 0x802),
        (exchange, "UNICODE_PATH_EXTRA", 0x5455),
        (exchange, "bisect_left", lambda _starts, _offset: 0),
    ],
)
def test_what_a_broken_writer_makes_is_never_placed(
    module: object, broken: str, value: object, program: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(module, broken, value)
    refused = 0
    streamed = build([Part(b"main", b"x", flags=8 | 1 << 1), Part(b"last", b"last")])
    target = tmp_path / "out.zip"
    for content, names in (
        *ORIGINALS.values(),
        (ORIGINALS["zip64"][0], ("text",)),
        (streamed, ("main",)),
    ):
        source = tmp_path / "in.zip"
        source.write_bytes(content)
        try:
            replace_programs(source, target, dict.fromkeys(names, program), bootstrap=program)
        except NotProven:
            refused += 1
            assert not target.exists()
        target.unlink(missing_ok=True)
        assert not list(tmp_path.glob(".fleet-*"))
    assert refused


_RUN = """
import os, resource, signal, sys
from pathlib import Path
from fleet.errors import FileProblem
from fleet.package.rewriting import replacing

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def half(*_):
    yield b"PK" * 99_999
    die()

source, target, program, where = *map(Path, sys.argv[1:4]), sys.argv[4]
if where == "writing":
    replacing.exchanged = half
elif where == "proving":
    replacing.prove_exchange = die
elif where == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    replacing.replace_programs(source, target, {"main": program})
except FileProblem as error:
    print(error)
"""


def run(where: str, program: bytes, directory: Path) -> subprocess.CompletedProcess[str]:
    (directory / "in.zip").write_bytes(build([Part(b"main", b"x")]))
    (directory / "out.zip").write_bytes(b"older")
    (directory / "program").write_bytes(program)
    files = [directory / name for name in ("in.zip", "out.zip", "program")]
    return subprocess.run(
        [sys.executable, "-c", _RUN, *files, where], check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize("where", ["writing", "proving"])
def test_a_process_killed_meanwhile_leaves_what_was_there(where: str, tmp_path: Path) -> None:
    assert run(where, b"new", tmp_path).returncode == -signal.SIGKILL
    assert (tmp_path / "out.zip").read_bytes() == b"older"
    leavings = {each.name for each in tmp_path.iterdir()} - {"in.zip", "out.zip", "program"}
    assert all(each.startswith(".fleet-") for each in leavings)


def test_a_disk_without_room_is_one_clear_error_and_nothing_is_left(tmp_path: Path) -> None:
    ran = run("full", os.urandom(1_500_000), tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "no temporary file can be used there (File too large)" in ran.stdout
    assert (tmp_path / "out.zip").read_bytes() == b"older"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.zip", "out.zip", "program"]


def test_an_interruption_leaves_nothing(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    source = tmp_path / "in.zip"
    source.write_bytes(build([Part(b"main", b"x")]))
    monkeypatch.setattr(replacing, "prove_exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_programs(source, tmp_path / "out.zip", {"main": program})
    assert sorted(tmp_path.iterdir()) == [source, program]


def test_a_program_larger_than_lambda_unzips_is_refused_before_it_is_read(tmp_path: Path) -> None:
    program = tmp_path / "program"
    with program.open("wb") as file:
        file.truncate(262_144_001)
    with pytest.raises(FileProblem, match="larger than the 262,144,000 bytes"), temporary() as room:
        deflate(program, room)
