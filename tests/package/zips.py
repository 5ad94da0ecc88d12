"""Zips built byte by byte, as no well-kept library would write them."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import pack

UTF8 = 0x0800
STREAMED = 0x0008
FULL = 0xFFFFFFFF

_LOCAL_AT = {
    "signature": 0,
    "flags": 6,
    "method": 8,
    "crc": 14,
    "compressed": 18,
    "size": 22,
    "extra": 28,
}
_CENTRAL_AT = {
    "signature": 0,
    "flags": 8,
    "method": 10,
    "crc": 16,
    "compressed": 20,
    "size": 24,
    "disk": 34,
    "external": 38,
    "offset": 42,
}
_NARROW = {"flags", "method", "disk", "extra"}


@dataclass(frozen=True)
class Part:
    """One entry; the overrides are lies."""

    name: bytes
    content: bytes = b""
    mode: int = stat.S_IFREG | 0o644
    host: int = 3
    method: int = 8
    flags: int = 0
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    local_name: bytes | None = None
    data: bytes | None = None
    """In place of the content, compressed."""
    descriptor: bytes | None = None
    """In place of a true one where the flags say that it follows."""
    gap: bytes = b""
    """Before its local header."""
    local: Mapping[str, int] = field(default_factory=dict)
    central: Mapping[str, int] = field(default_factory=dict)


def build(
    parts: Sequence[Part],
    *,
    prefix: bytes = b"",
    comment: bytes = b"",
    after: bytes = b"",
    zip64: bool = False,
    **lies: int,
) -> bytes:
    """Give the zip. Offsets do not count the prefix; lies are of the end record's fields."""
    body, directory = bytearray(), bytearray()
    for part in parts:
        body += part.gap
        directory += _central(part, len(body))
        body += local_of(part)
    true = {"disk": 0, "first": 0, "here": len(parts), "count": len(parts)}
    true |= {"size": len(directory), "offset": len(body)}
    told = true | lies
    ends = b""
    if zip64:
        numbers = pack("<2L4Q", *told.values())
        ends += pack("<4sQ2H", b"PK\6\6", 44, 45, 45) + numbers
        ends += pack("<4sLQL", b"PK\6\7", 0, len(body) + len(directory), 1)
        told = dict.fromkeys(("disk", "first"), 0) | dict.fromkeys(("here", "count"), 0xFFFF)
        told |= dict.fromkeys(("size", "offset"), FULL)
    ends += pack("<4s4H2LH", b"PK\5\6", *told.values(), len(comment))
    return prefix + bytes(body + directory) + ends + comment + after


def unicode_path(name: bytes, other: bytes) -> bytes:
    """Give a Unicode Path field that belongs to the name."""
    return pack("<2HBL", 0x7075, 5 + len(other), 1, zlib.crc32(name)) + other


def zip64_extra(*numbers: int) -> bytes:
    """Give a zip64 field of 8-byte numbers."""
    return pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def data_of(part: Part) -> bytes:
    if part.data is not None:
        return part.data
    if part.method != 8:
        return part.content
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(part.content) + squeeze.flush()


def local_of(part: Part) -> bytes:
    name = part.name if part.local_name is None else part.local_name
    data = data_of(part)
    numbers = (zlib.crc32(part.content), len(data), len(part.content))
    streamed = part.flags & STREAMED
    shown = (0, 0, 0) if streamed else numbers
    head = pack("<4s5H3L2H", b"PK\3\4", 20, part.flags, part.method, 0x6000, 0x5821, *shown,
                len(name), len(part.local_extra))  # fmt: skip
    after = b""
    if streamed:
        after = pack("<4s3L", b"PK\7\b", *numbers) if part.descriptor is None else part.descriptor
    return _lied(head, _LOCAL_AT, part.local) + name + part.local_extra + data + after


def _central(part: Part, offset: int) -> bytes:
    numbers = (zlib.crc32(part.content), len(data_of(part)), len(part.content))
    head = pack("<4s6H3L5H2L", b"PK\1\2", part.host << 8 | 20, 20, part.flags, part.method,
                0x6000, 0x5821, *numbers, len(part.name), len(part.central_extra),
                len(part.comment), 0, 0, part.mode << 16, offset)  # fmt: skip
    told = _lied(head, _CENTRAL_AT, part.central)
    return told + part.name + part.central_extra + part.comment


def _lied(head: bytes, places: Mapping[str, int], lies: Mapping[str, int]) -> bytes:
    raw = bytearray(head)
    for key, value in lies.items():
        piece = pack("<H" if key in _NARROW else "<L", value)
        raw[places[key] : places[key] + len(piece)] = piece
    return bytes(raw)
