"""ELF files made by hand, in every class and byte order, for what no toolchain here builds."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

ADDRESS = 0x10000
"""Where the one segment of the file is loaded."""
PAGE = 0x1000
BUILD_MAGIC = b"\xff Go buildinf:"
SENTINEL = b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6"
SENTINEL_END = b"\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"


@dataclass(frozen=True)
class Bytes:
    """A source over bytes in memory."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Class and byte order."""

    bits: int = 64
    order: str = "<"

    @property
    def word(self) -> int:
        return self.bits // 8

    def pack(self, letters: str, *values: int) -> bytes:
        """Pack as struct does; A is an address."""
        return struct.pack(
            self.order + letters.replace("A", "Q" if self.bits == 64 else "I"), *values
        )


SHAPES = [Shape(bits=bits, order=order) for bits in (64, 32) for order in "<>"]


@dataclass(frozen=True, kw_only=True)
class Segment:
    kind: int
    flags: int
    offset: int
    size: int
    memory: int | None = None
    address: int | None = None


@dataclass(frozen=True, kw_only=True)
class Made:
    """A file with one page of headers, then its content, loaded to ADDRESS + PAGE to be written."""

    content: bytes
    shape: Shape = field(default_factory=Shape)
    segments: Sequence[Segment] = ()
    """Besides the one that loads headers and content."""
    sections: Sequence[tuple[str, int, int, int]] = ()
    """Name, flags, offset in the content, size; without any, there is no section table."""
    kind: int = 2
    machine: int = 62
    zeroed: int = 0
    """Bytes of memory behind the content that are not in the file."""

    @property
    def file(self) -> bytes:
        whole = len(self.content) + PAGE
        load = Segment(kind=1, flags=6, offset=0, size=whole, memory=whole + self.zeroed)
        segments = b"".join(map(self._segment, (load, *self.segments)))
        names = b"\0" + b"".join(name.encode() + b"\0" for name, *_ in self.sections)
        names += b".shstrtab\0"
        table = self._section_table(names, whole) if self.sections else b""
        shape, at = self.shape, whole + len(names)
        wide = shape.bits == 64
        header = shape.pack(
            "HHIAAAIHHHHHH",
            *(self.kind, self.machine, 1, 0, 64, at if table else 0, 0, 64 if wide else 52),
            *(56 if wide else 32, len(segments) // (56 if wide else 32)),
            *(64 if wide else 40, len(self.sections) + 2 if table else 0),
            len(self.sections) + 1 if table else 0,
        )
        ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if shape.order == "<" else 2, 1])
        head = (ident.ljust(16, b"\0") + header).ljust(64, b"\0") + segments
        return head.ljust(PAGE, b"\0") + self.content + (names + table if table else b"")

    def _segment(self, each: Segment) -> bytes:
        address = ADDRESS + each.offset if each.address is None else each.address
        memory = each.size if each.memory is None else each.memory
        if self.shape.bits == 64:
            return self.shape.pack(
                "IIAAAAAA", each.kind, each.flags, each.offset, address, 0, each.size, memory, 0
            )
        return self.shape.pack(
            "IAAAAAIA", each.kind, each.offset, address, 0, each.size, memory, each.flags, 0
        )

    def _section_table(self, names: bytes, at: int) -> bytes:
        rows = [self.shape.pack("IIAAAAIIAA", *[0] * 10)]
        for name, flags, offset, size in self.sections:
            start = names.index(b"\0" + name.encode() + b"\0") + 1
            place = PAGE + offset
            rows.append(
                self.shape.pack(
                    "IIAAAAIIAA", start, 1, flags, ADDRESS + place, place, size, 0, 0, 0, 0
                )
            )
        start = names.index(b"\0.shstrtab") + 1
        rows.append(self.shape.pack("IIAAAAIIAA", start, 3, 0, 0, at, len(names), 0, 0, 0, 0))
        return b"".join(rows)


def framed(modules: str) -> bytes:
    return SENTINEL + modules.encode() + SENTINEL_END


def number(value: int) -> bytes:
    """Write a length as Go does: seven bits a byte, the lowest first."""
    written = b""
    while value > 0x7F:
        written += bytes([value & 0x7F | 0x80])
        value >>= 7
    return written + bytes([value])


def inline(version: str, modules: bytes) -> bytes:
    """Build info as Go from 1.18 on writes it."""
    texts = [version.encode(), modules]
    return (BUILD_MAGIC + b"\0\x02").ljust(32, b"\0") + b"".join(
        number(len(text)) + text for text in texts
    )


def pointers(version: str, modules: bytes, shape: Shape, *, at: int = 0) -> bytes:
    """Build info as Go 1.13 to 1.17 writes it, to be put at `at` in the content of a file."""
    texts = [version.encode(), modules]
    strings = ADDRESS + PAGE + at + 32
    content = strings + 4 * shape.word
    header = BUILD_MAGIC + bytes([shape.word, shape.order == ">"])
    header += shape.pack("AA", strings, strings + 2 * shape.word)
    behind = shape.pack("AAAA", content, len(texts[0]), content + len(texts[0]), len(texts[1]))
    return header.ljust(32, b"\0") + behind + b"".join(texts)
