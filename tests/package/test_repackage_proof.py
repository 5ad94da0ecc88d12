from __future__ import annotations

import stat
from pathlib import Path
from struct import Struct

import pytest

from fleet.inspection import Strategy
from fleet.package.archive.reader import Archive
from fleet.package.archive.source import Reader
from fleet.package.problems import NotProven
from fleet.package.rewriting import rewrite
from fleet.package.rewriting.choice import choose
from fleet.package.rewriting.proof import prove
from fleet.package.rewriting.repackage import repackage
from fleet.package.rewriting.rewrite import rewritten
from tests.package.hostile import ODD
from tests.package.memory import Memory, archive_of
from tests.package.zips import Part, build, unicode_path

PATH = unicode_path(b"m\x84in", "mäin".encode())
ORIGINALS = {
    "plain": (
        build(
            [
                Part(b"first", b"1", comment=b"!"),
                Part(
                    b"m\x84in",
                    b"x",
                    host=0,
                    central={"external": 0x11},
                    local_extra=PATH,
                    central_extra=PATH,
                ),
                Part(b"lib/", mode=stat.S_IFDIR, method=0),
                Part(b"last", b"last", flags=8),
            ],
            comment=b"comment",
        ),
        "mäin",
    ),
    "zip64": (ODD["zip64 in every place"], "main"),
    "zip64, first": (ODD["zip64 in every place"], "text"),
}


def outcome(original: str, strategy: Strategy, result: bytes | None = None) -> bytes:
    """Give the result if it, or what stands in its place, is proven."""
    content, handler = ORIGINALS[original]
    archive = archive_of(content)
    change = choose(archive, handler, strategy)
    if result is None:
        result = b"".join(rewritten(archive, change))
    prove(archive, Reader(Memory(result), "out.zip"), change)
    return result


@pytest.mark.parametrize("original", ORIGINALS)
@pytest.mark.parametrize("strategy", Strategy)
def test_a_result_with_any_byte_changed_is_not_proven(original: str, strategy: Strategy) -> None:
    result = outcome(original, strategy)
    passed = []
    for at in range(len(result)):
        for bits in (0x01, 0x10, 0xFF):
            changed = bytearray(result)
            changed[at] ^= bits
            try:
                outcome(original, strategy, bytes(changed))
                passed.append((at, bits))
            except NotProven:
                pass
    assert passed == []


@pytest.mark.parametrize("original", ORIGINALS)
@pytest.mark.parametrize("strategy", Strategy)
def test_a_result_that_is_cut_or_longer_is_not_proven(original: str, strategy: Strategy) -> None:
    result = outcome(original, strategy)
    for length in range(len(result)):
        with pytest.raises(NotProven):
            outcome(original, strategy, result[:length])
    with pytest.raises(NotProven):
        outcome(original, strategy, result + b"\0")


def test_the_original_itself_is_not_proven() -> None:
    content, _ = ORIGINALS["plain"]
    for strategy in Strategy:
        with pytest.raises(NotProven):
            outcome("plain", strategy, content)


def test_the_result_of_the_other_strategy_is_not_proven() -> None:
    with pytest.raises(NotProven):
        outcome("plain", Strategy.RENAME, outcome("plain", Strategy.SHIM))
    with pytest.raises(NotProven):
        outcome("plain", Strategy.SHIM, outcome("plain", Strategy.RENAME))


@pytest.mark.parametrize(
    ("broken", "value"),
    [
        ("_EXTERNAL", (stat.S_IFREG | 0o644) << 16),
        ("_EXTERNAL", (stat.S_IFLNK | 0o755) << 16),
        ("UNIX", 0),
        ("_NAME", b"Bootstrap"),
        ("_NAME", b"bootstrap/"),
        ("SHIM", b"#!/bin/sh\r\n"),
        ("UNICODE_PATH_EXTRA", 0x5455),
        ("_DOS_READ_ONLY_OR_DIRECTORY", 0),
        ("_DATE", 0x5821),
        ("_OFFSET_AT", 36),
        ("_WIDE", Struct("<L")),
    ],
)
def test_what_a_broken_writer_makes_is_never_placed(
    broken: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite, broken, value)
    refused = 0
    for original, (content, handler) in ORIGINALS.items():
        for strategy in Strategy:
            source, target = tmp_path / original, tmp_path / "out.zip"
            source.write_bytes(content)
            try:
                repackage(source, target, handler=handler, strategy=strategy)
            except NotProven:
                refused += 1
                assert not target.exists()
            target.unlink(missing_ok=True)
            assert not list(tmp_path.glob(".fleet-*"))
    assert refused


def test_entries_in_another_order_are_not_proven() -> None:
    parts = [Part(b"main", b"x"), Part(b"a", b"a"), Part(b"b", b"b")]
    ours, other = build(parts), build([parts[0], parts[2], parts[1]])
    archive, swapped = archive_of(ours), archive_of(other)
    change = choose(archive, "main", Strategy.RENAME)
    result = b"".join(rewritten(swapped, change))
    with pytest.raises(NotProven):
        prove(archive, Reader(Memory(result), "out.zip"), change)


def test_a_second_bootstrap_is_not_proven() -> None:
    archive = archive_of(build([Part(b"main", b"x"), Part(b"./bootstrap", b"y")]))
    change = choose(archive_of(build([Part(b"main", b"x")])), "main", Strategy.RENAME)
    result = b"".join(rewritten(archive, change))
    with pytest.raises(NotProven, match="2 bootstraps"):
        prove(archive, Reader(Memory(result), "out.zip"), change)


def test_an_original_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "in.zip"
    path.write_bytes(ORIGINALS["plain"][0])
    with Archive.open(path) as archive:
        change = choose(archive, "mäin", Strategy.RENAME)
        result = b"".join(rewritten(archive, change))
        path.write_bytes(ORIGINALS["plain"][0].replace(b"first", b"worst"))
        with pytest.raises(NotProven):
            prove(archive, Reader(Memory(result), "out.zip"), change)
