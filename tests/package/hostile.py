"""Zips that lie, that are odd, or that are no zips, and what is said of each."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Mapping
from dataclasses import replace
from struct import pack

from tests.package.zips import (
    FULL,
    STREAMED,
    UTF8,
    Part,
    build,
    data_of,
    local_of,
    unicode_path,
    zip64_extra,
)

PLAIN = Part(b"main", b"program" * 99, mode=stat.S_IFREG | 0o755)
_EMPTY_END = build([])
_OE = unicode_path(b"gr\x94", "grö".encode())
_TEXT = Part(b"text", b"text")


def _zip64_everywhere() -> bytes:
    sizes = len(PLAIN.content), len(data_of(PLAIN))
    full = {"size": FULL, "compressed": FULL}
    first = len(local_of(_TEXT))
    wide = replace(
        PLAIN,
        local=full,
        local_extra=zip64_extra(*sizes),
        central=full | {"offset": FULL},
        central_extra=b"UT\1\0\0" + zip64_extra(*sizes, first),
    )
    last = first + len(local_of(wide))
    narrow = replace(_TEXT, name=b"last", central={"offset": FULL}, central_extra=zip64_extra(last))
    return build([_TEXT, wide, narrow], zip64=True)


def _lying(**lies: int) -> list[Part]:
    return [replace(PLAIN, central=lies, local=lies)]


REFUSED_AT_OPENING: Mapping[str, tuple[bytes, str]] = {
    "no bytes at all": (b"", "is empty"),
    "not a zip": (b"#!/bin/sh\nexit 1\n" * 99, "is not a zip"),
    "an ELF file": (b"\x7fELF" + bytes(500), "is not a zip"),
    "cut off in an entry": (build([PLAIN])[:60], "cut off"),
    "cut off in the directory": (build([PLAIN])[:-40], "cut off"),
    "cut off in the end": (build([PLAIN])[:-1], "cut off"),
    "cut off in the comment": (build([PLAIN], comment=b"comment")[:-1], "cut off"),
    "bytes after the end": (build([PLAIN], after=b"\0"), "cut off"),
    "two ends, one in the other's comment": (build([PLAIN], comment=_EMPTY_END), "two ends"),
    "an end that is none in the comment": (
        build([PLAIN], comment=b"PK\5\6" + bytes(30)),
        "two ends",
    ),
    "encrypted": (build([replace(PLAIN, flags=1)]), "encrypted"),
    "strongly encrypted": (build([replace(PLAIN, flags=0x41)]), "encrypted"),
    "local headers masked": (build([replace(PLAIN, flags=0x2000)]), "encrypted"),
    "NUL in a name": (build([replace(PLAIN, name=b"main\0.txt")]), "no file can have"),
    "no name": (build([replace(PLAIN, name=b"")]), "no file can have"),
    "a name that is no UTF-8 though it says so": (
        build([replace(PLAIN, name=b"m\xff", flags=UTF8)]),
        "not UTF-8",
    ),
    "two names for one entry": (
        build([replace(PLAIN, central_extra=unicode_path(b"main", b"bootstrap"))]),
        "another name",
    ),
    "two entries at one place": (
        build([PLAIN, replace(PLAIN, central={"offset": 0})]),
        "lies over",
    ),
    "an entry within another": (
        build([PLAIN, replace(_TEXT, central={"offset": 40})]),
        "lies over",
    ),
    "an entry that reaches into the directory": (
        build(_lying(compressed=1000)),
        "beyond where the directory begins",
    ),
    "an entry beyond the end": (
        build([replace(PLAIN, central={"offset": 1 << 20})]),
        "beyond where the directory",
    ),
    "a bomb by its own words": (build(_lying(size=262_144_001)), "would unzip to 262,144,001"),
    "a stored entry of two sizes": (
        build([replace(PLAIN, method=0, central={"size": 1})]),
        "has two sizes",
    ),
    "an entry in another part": (build([replace(PLAIN, central={"disk": 1})]), "several parts"),
    "part of an archive": (build([PLAIN], disk=1, first=1), "several parts"),
    "entries in other parts": (build([PLAIN], here=0), "several parts"),
    "more entries than it has": (build([PLAIN], here=2, count=2), "not where its end says"),
    "more entries than it has, and room for them": (
        build([replace(PLAIN, comment=bytes(100))], here=2, count=2),
        "ends within an entry",
    ),
    "something else among its entries": (
        build([PLAIN, replace(_TEXT, central={"signature": 0})]),
        "as many entries as it says",
    ),
    "an entry so far away that no number holds it": (
        build([replace(PLAIN, central={"offset": FULL}, central_extra=zip64_extra((1 << 64) - 1))]),
        "beyond where the directory",
    ),
    "fewer entries than it has": (build([PLAIN, _TEXT], here=1, count=1), "more than the entries"),
    "65,536 entries, counted as none": (build([PLAIN], here=0, count=0), "more than 65,535"),
    "a directory larger than it is": (build([PLAIN], size=10**6), "not where its end says"),
    "a directory that begins elsewhere": (build([PLAIN], offset=10**6), "not where its end says"),
    "an endless directory": (build([PLAIN], size=FULL - 1), "larger than the"),
    "a directory that ends within an entry": (
        build([PLAIN, replace(_TEXT, central_extra=b"12345")], size=101),
        "not where its end says",
    ),
    "zip64 without its end": (build([PLAIN], size=FULL), "zip64 end that is missing"),
    "zip64 sizes that are not there": (
        build([replace(PLAIN, central={"size": FULL})]),
        "zip64 field that lacks them",
    ),
    "zip64 sizes cut short": (
        build([replace(PLAIN, central={"size": FULL}, central_extra=b"\1\0\4\0size")]),
        "zip64 field that lacks them",
    ),
    "a zip64 size beyond all": (
        build([replace(PLAIN, central={"size": FULL}, central_extra=zip64_extra(1 << 63))]),
        "would unzip to 9,223,372,036,854,775,808",
    ),
    "70,000 entries by zip64": (
        build([PLAIN], zip64=True, here=70_000, count=70_000),
        "more than 65,535",
    ),
    "a zip64 directory elsewhere": (build([PLAIN], zip64=True, offset=1 << 62), "not where it has"),
    "a zip64 directory before the file": (
        build([PLAIN], zip64=True, size=1 << 62),
        "not where it has",
    ),
}
"""Bytes, and what the error says."""

REFUSED_IN_READING: Mapping[str, tuple[bytes, str]] = {
    "no local header": (build([replace(PLAIN, local={"signature": 0})]), "is not where"),
    "another name": (build([replace(PLAIN, local_name=b"evil")]), "another name"),
    "a longer name": (build([replace(PLAIN, local_name=b"m" * 700)]), "another name"),
    "endless extra fields": (build([replace(PLAIN, local={"extra": 60_000})]), "runs into"),
    "another encoding of the name": (
        build([replace(PLAIN, name="mäin".encode(), flags=UTF8, local={"flags": 0})]),
        "another name",
    ),
    "another method": (build([replace(PLAIN, local={"method": 0})]), "compressed otherwise"),
    "another size": (build([replace(PLAIN, local={"size": 1})]), "another size or CRC"),
    "another CRC": (build([replace(PLAIN, local={"crc": 1})]), "another size or CRC"),
    "encrypted after all": (build([replace(PLAIN, local={"flags": 1})]), "compressed otherwise"),
    "content longer than it says": (build(_lying(size=692)), "goes on beyond"),
    "content shorter than it says": (build(_lying(size=694)), "does not have the size"),
    "content of another CRC": (build(_lying(crc=7)), "does not have the CRC"),
    "stored content of another CRC": (
        build([replace(PLAIN, method=0, local={"crc": 7}, central={"crc": 7})]),
        "does not have the CRC",
    ),
    "noise in place of deflated data": (build([replace(PLAIN, data=b"\xff" * 40)]), "inflated"),
    "deflated data cut off": (build([replace(PLAIN, data=data_of(PLAIN)[:-4])]), "breaks off"),
    "bytes behind deflated data": (
        build([replace(PLAIN, data=data_of(PLAIN) + b"more")]),
        "does not have the size",
    ),
    "a method that Lambda lacks": (build([replace(PLAIN, method=12, data=b"")]), "method 12"),
    "a bomb behind a small size": (
        build([replace(PLAIN, data=data_of(Part(b"", bytes(10**7))))]),
        "goes on beyond",
    ),
}
"""Bytes whose entry `main` cannot be read, and what the error says."""

ODD: Mapping[str, bytes] = {
    "without entries": _EMPTY_END,
    "two entries of one name": build([PLAIN, PLAIN]),
    "an absolute name": build([PLAIN, replace(_TEXT, name=b"/etc/passwd")]),
    "a name that leads outside": build([PLAIN, replace(_TEXT, name=b"../../etc/passwd")]),
    "backslashes": build([PLAIN, replace(_TEXT, name=b"lib\\text")]),
    "a name of code page 437": build([PLAIN, replace(_TEXT, name=b"gr\x94\xe1e")]),
    "a name in UTF-8": build([PLAIN, replace(_TEXT, name="größe".encode(), flags=UTF8)]),
    "a name with its Unicode Path": build(
        [
            PLAIN,
            replace(_TEXT, name=b"gr\x94", local_extra=_OE, central_extra=_OE),
        ]
    ),
    "bytes before the archive": build([PLAIN, _TEXT], prefix=b"#!/bin/sh\n" * 9),
    "gaps between the entries": build([PLAIN, replace(_TEXT, gap=bytes(99))]),
    "a comment": build([PLAIN], comment=b"by a tool"),
    "the longest comment": build([PLAIN], comment=b"c" * 65_535),
    "a symbolic link": build([PLAIN, replace(_TEXT, mode=stat.S_IFLNK | 0o777)]),
    "a directory": build([PLAIN, Part(b"lib/", mode=stat.S_IFDIR | 0o755, method=0)]),
    "made on DOS": build([replace(PLAIN, host=0, mode=0), _TEXT]),
    "made on macOS": build([replace(PLAIN, host=19), _TEXT]),
    "streamed": build([replace(PLAIN, flags=STREAMED), _TEXT]),
    "streamed, without the signature": build(
        [replace(PLAIN, flags=STREAMED, descriptor=pack("<3L", zlib.crc32(PLAIN.content),
         len(data_of(PLAIN)), len(PLAIN.content))), _TEXT]
    ),
    "streamed, with zip64 sizes": build(
        [replace(PLAIN, flags=STREAMED, descriptor=pack("<4sL2Q", b"PK\7\b",
         zlib.crc32(PLAIN.content), len(data_of(PLAIN)), len(PLAIN.content)),
         local={"size": FULL, "compressed": FULL}, local_extra=zip64_extra(0, 0)), _TEXT]
    ),
    "zip64": build([PLAIN, _TEXT], zip64=True),
    "zip64 in every place": _zip64_everywhere(),
    "extra fields that end in padding": build([replace(PLAIN, local_extra=b"\0" * 3), _TEXT]),
}  # fmt: skip
"""Bytes that can be read in one way only, however odd; `main` holds what PLAIN holds."""
