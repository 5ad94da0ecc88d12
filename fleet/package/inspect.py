"""A whole deployment package → what is in it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from fleet.inspection import BinaryFacts, EntryKind, Module, PackageFacts
from fleet.package.archive.reader import Archive
from fleet.package.archive.source import Source
from fleet.package.binary import elf
from fleet.package.binary.elf_tables import count_headers
from fleet.package.binary.facts import read_binary
from fleet.package.binary.spool import HEAD, spooling
from fleet.package.problems import BadPackage

MOST_BINARIES = 2_000
"""ELF files of a package; the largest collections of Python modules have some hundreds."""
MOST_HEADERS = 100_000
"""Program and section headers of all ELF files of a package; one has some forty, and all work on
a file goes by them."""
LARGEST_FACTS = 12 << 20
"""Bytes that the facts of all ELF files of a package may take; fifty large programs take five."""

_SCRIPT = b"#!"
_HASHED = 256 << 10
_STRING = 56
"""Bytes that Python needs for a string besides its characters."""
_OBJECT = 300
_SIGNATURE = re.compile(r"META[-_]INF/aws_signer_signature_.*", re.IGNORECASE)
"""(believed) What AWS Signer puts into a zip it signs; seen in public code, on no page of AWS."""


def inspect_package(path: Path) -> PackageFacts:
    """Read a whole package; raises what Archive.open and inspect_archive raise."""
    with Archive.open(path) as archive:
        return inspect_archive(archive, checksum=code_sha256(archive.reader.source))


def inspect_archive(archive: Archive, *, checksum: str) -> PackageFacts:
    """Read an open package: every entry is inflated once, and its size and CRC are checked.

    `checksum` is its CodeSha256, which a download makes on its way: here it would cost a seventh
    of the rest. Raises BadPackage where the archive cannot be believed, and FileProblem where
    there is no room for a temporary file of the largest entry's size.
    """
    return _facts(archive, checksum, *_look(archive))


def inspect_index(archive: Archive, *, checksum: str = "") -> PackageFacts:
    """Tell what the central directory alone tells; the checksum is the caller's to know."""
    return _facts(archive, checksum, (), (), whole=False)


def code_sha256(source: Source) -> str:
    """Give the SHA-256 of a whole zip, base64, as AWS gives CodeSha256."""
    digest = hashlib.sha256()
    for at in range(0, source.size, _HASHED):
        digest.update(source.read_at(at, _HASHED))
    return base64.b64encode(digest.digest()).decode("ascii")


def _facts(
    archive: Archive,
    checksum: str,
    binaries: tuple[BinaryFacts, ...],
    scripts: tuple[str, ...],
    *,
    whole: bool = True,
) -> PackageFacts:
    return PackageFacts(
        code_sha256=checksum,
        size=archive.size,
        unzipped_size=archive.unzipped_size,
        entries=archive.entries,
        binaries=binaries,
        scripts=scripts,
        signed=any(_SIGNATURE.fullmatch(each.name) for each in archive.entries),
        whole=whole,
    )


def _look(archive: Archive) -> tuple[tuple[BinaryFacts, ...], tuple[str, ...]]:
    binaries: list[BinaryFacts] = []
    scripts: list[str] = []
    left = LARGEST_FACTS
    headers = 0
    with spooling() as spool:
        for entry in archive.entries:
            chunks = archive.chunks(entry)
            head = _head(chunks)
            if entry.kind is EntryKind.FILE and head.startswith(elf.MAGIC):
                held = spool.hold(head, chunks)
                headers += count_headers(held)
                if headers > MOST_HEADERS:
                    raise _too_much(archive, f"ELF files of more than {MOST_HEADERS:,} headers")
                if len(binaries) == MOST_BINARIES:
                    raise _too_much(archive, f"more than {MOST_BINARIES:,} ELF files")
                facts = read_binary(held, entry.name)
                left -= _weight(facts)
                if left < 0:
                    raise _too_much(
                        archive, f"ELF files that tell more than {LARGEST_FACTS:,} bytes"
                    )
                binaries.append(facts)
                continue
            if entry.kind is EntryKind.FILE and head.startswith(_SCRIPT):
                scripts.append(entry.name)
            # To the end all the same: what lies further on is checked on the way.
            for _ in chunks:
                pass
    return tuple(binaries), tuple(scripts)


def _too_much(archive: Archive, what: str) -> BadPackage:
    return archive.reader.bad(f"holds {what}", "look whether it is the package that was meant")


def _head(chunks: Iterator[bytes]) -> bytes:
    """Take chunks until there is enough to tell what lies where, or no more."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break
    return head


def _weight(facts: BinaryFacts) -> int:
    """Estimate the bytes of memory that facts take, from above."""
    texts = [facts.interpreter or "", facts.soname or "", *facts.needed, facts.problem]
    objects = 1
    if facts.build is not None:
        modules: list[Module | None] = [facts.build.main, *facts.build.dependencies]
        modules += [each.replacement for each in modules if each is not None]
        for module in modules:
            if module is not None:
                texts += [module.path, module.version, module.sum]
                objects += 1
        texts += chain.from_iterable(facts.build.settings.items())
    return objects * _OBJECT + sum(_STRING + len(each.encode("utf-16")) for each in texts)
