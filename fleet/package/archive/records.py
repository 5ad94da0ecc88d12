"""The records a zip is made of, as bytes and as values; nothing here reads a file.

Layouts and field names are those of APPNOTE.TXT 6.3.10, 4.3 and 4.4:
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple
from zlib import crc32

LOCAL = Struct("<4s5H3L2H")
"""4.3.7: signature, needed, flags, method, time, date, CRC, compressed, size, name, extra."""
CENTRAL = Struct("<4s6H3L5H2L")
"""4.3.12: as LOCAL with made by before needed; then comment, disk, internal, external, offset."""
END = Struct("<4s4H2LH")
"""4.3.16: signature, disk, directory's disk, entries here, entries, size, offset, comment."""
END64 = Struct("<4sQ2H2L4Q")
"""4.3.14: signature, size of the rest, made by, needed, then as END with wider numbers."""
END64_LOCATOR = Struct("<4sLQL")
"""4.3.15: signature, disk of END64, its offset, number of disks."""
EXTRA = Struct("<2H")
"""4.5.1: id and length of one extra field."""

_LENGTHS = Struct("<3H")
_LENGTHS_AT = 28
"""Of name, extra fields and comment in a central record."""

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
END64_SIGNATURE = b"PK\x06\x06"
END64_LOCATOR_SIGNATURE = b"PK\x06\x07"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

STORED = 0
DEFLATED = 8

ENCRYPTED = 0x2041
"""4.4.4: bits 0 (encrypted), 6 (strongly) and 13 (local headers masked)."""
DESCRIPTOR_FOLLOWS = 0x0008
"""4.4.4, bit 3: CRC and sizes stand behind the data; a local header may hold zeros."""
NAME_IS_UTF8 = 0x0800
"""4.4.4, bit 11."""

ZIP64_EXTRA = 0x0001
UNICODE_PATH_EXTRA = 0x7075
"""4.6.9: another name of the entry, in UTF-8, with the CRC of the name it belongs to."""

FULL_16 = 0xFFFF
FULL_32 = 0xFFFFFFFF
"""4.4.1.4: the number stands in the zip64 record instead."""

UNIX = 3
MACOS = 19
"""4.4.2.2: hosts whose modes are Unix modes."""


class Malformed(ValueError):
    """Bytes that are not the record they have to be; str() says of what, without the package."""


class Central(NamedTuple):
    """One record of the central directory; the numbers are those of its zip64 field, if any."""

    made_by: int
    needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    compressed_size: int
    size: int
    internal: int
    external: int
    offset: int
    """Of the local header, as it is written."""
    raw_name: bytes
    extra: bytes
    comment: bytes
    raw: bytes
    """The whole record."""

    @property
    def name(self) -> str:
        """Decoded as its flag says. Raises Malformed."""
        if not self.flags & NAME_IS_UTF8:
            return self.raw_name.decode("cp437")
        try:
            return self.raw_name.decode("utf-8")
        except UnicodeDecodeError as error:
            shown = self.raw_name.decode("ascii", "backslashreplace")
            raise Malformed(f"the name {shown!r} is marked as UTF-8, and is not UTF-8") from error

    @property
    def host(self) -> int:
        """The system whose attributes `external` holds: 4.4.2.2."""
        return self.made_by >> 8


def central_length(head: bytes) -> int:
    """Give the length of the central record whose first 46 bytes these are. Raises Malformed."""
    if not head.startswith(CENTRAL_SIGNATURE):
        raise Malformed("its central directory does not hold as many entries as it says")
    name, extra, comment = _LENGTHS.unpack_from(head, _LENGTHS_AT)
    length: int = CENTRAL.size + name + extra + comment
    return length


def parse_central(raw: bytes) -> Central:
    """Parse a whole central record, with its zip64 field. Raises Malformed."""
    (
        *_, made_by, needed, flags, method, time, date, crc, compressed, size,
        name_length, extra_length, _, disk, internal, external, offset,
    ) = CENTRAL.unpack_from(raw)  # fmt: skip
    name_end = CENTRAL.size + name_length
    extra_end = name_end + extra_length
    extra = raw[name_end:extra_end]
    if FULL_32 in {size, compressed, offset} or disk == FULL_16:
        size, compressed, offset, disk = _widened(extra, size, compressed, offset, disk)
    if disk:
        raise Malformed("is one part of an archive in several parts")
    return Central(
        made_by, needed, flags, method, time, date, crc, compressed, size, internal, external,
        offset, raw[CENTRAL.size : name_end], extra, raw[extra_end:], raw,
    )  # fmt: skip


def _widened(extra: bytes, size: int, compressed: int, offset: int, disk: int) -> tuple[int, ...]:
    """Take from the zip64 field what the record leaves to it, in its order: 4.5.3."""
    field = extra_field(extra, ZIP64_EXTRA)
    wide = [8, 8, 8, 4]
    full = [FULL_32, FULL_32, FULL_32, FULL_16]
    numbers = [size, compressed, offset, disk]
    at = 0
    for index, number in enumerate(numbers):
        if number == full[index]:
            piece = field[at : at + wide[index]]
            if len(piece) != wide[index]:
                raise Malformed("an entry leaves its sizes to a zip64 field that lacks them")
            numbers[index] = int.from_bytes(piece, "little")
            at += wide[index]
    return tuple(numbers)


def extra_field(extra: bytes, wanted: int) -> bytes:
    """Give the content of the first field of this id, b'' without one."""
    fields = extra_fields(extra)
    return next((extra[at + EXTRA.size : end] for id_, at, end in fields if id_ == wanted), b"")


def without_field(extra: bytes, left_out: int) -> bytes:
    """Give the extra fields without those of one id; what is no field stays at the end."""
    kept, end = b"", 0
    for id_, start, end in extra_fields(extra):
        if id_ != left_out:
            kept += extra[start:end]
    return kept + extra[end:]


def other_name(record: Central) -> bytes:
    """Give the Unicode Path of an entry where some readers would take it for another plain name.

    Such a field stands beside names that are not ASCII and says the same in UTF-8; one that is
    ASCII and yet differs has no reason but to be read by some and not by others.
    """
    field = extra_field(record.extra, UNICODE_PATH_EXTRA) if record.extra else b""
    crc, path = field[1:5], field[5:]
    belongs = crc32(record.raw_name) == int.from_bytes(crc, "little")
    return path if path.isascii() and path != record.raw_name and belongs else b""


def extra_fields(extra: bytes) -> Iterator[tuple[int, int, int]]:
    """Give id, start and end of each extra field.

    It ends where the bytes are no field any more: tools pad with zeros, and readers stop there.
    """
    at = 0
    while at + EXTRA.size <= len(extra):
        id_, length = EXTRA.unpack_from(extra, at)
        end = at + EXTRA.size + length
        if end > len(extra):
            return
        yield id_, at, end
        at = end
