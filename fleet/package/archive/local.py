"""Local headers: what stands before an entry's data, held against the central directory.

Some readers believe one, some the other: where they disagree, nobody knows what would run.
"""

from __future__ import annotations

from struct import Struct, pack
from typing import NamedTuple

from fleet.package.archive.records import (
    DESCRIPTOR_FOLLOWS,
    DESCRIPTOR_SIGNATURE,
    ENCRYPTED,
    FULL_32,
    LOCAL,
    LOCAL_SIGNATURE,
    NAME_IS_UTF8,
    ZIP64_EXTRA,
    extra_field,
)
from fleet.package.archive.source import Reader
from fleet.package.problems import BadPackage
from fleet.package.words import shortened

_BOTH_SIZES = Struct("<2Q")


class Listed(NamedTuple):
    """What the central directory says of an entry, and where its local header has to be."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    at: int
    """Of the local header in the source."""
    limit: int
    """Where the next entry or the directory begins."""


class Local(NamedTuple):
    """A local header that agrees with the directory."""

    raw: bytes
    """All of it, with name and extra fields."""
    data_at: int
    has_descriptor: bool


def read_local(reader: Reader, listed: Listed) -> Local:
    """Read an entry's local header. Raises BadPackage where it disagrees with the directory."""
    # One read for nearly every header: names and extra fields are short.
    head = reader.read(listed.at, min(512, listed.limit - listed.at))
    if len(head) < LOCAL.size or not head.startswith(LOCAL_SIGNATURE):
        raise _disagree(reader, listed, "is not where")
    _, _, flags, method, _, _, crc, compressed, size, name_length, extra_length = LOCAL.unpack_from(
        head
    )
    length = LOCAL.size + name_length + extra_length
    if listed.at + length + listed.compressed_size > listed.limit:
        raise _disagree(reader, listed, "runs into what follows it, not as")
    raw = head[:length] if length <= len(head) else reader.read(listed.at, length)
    name = raw[LOCAL.size : LOCAL.size + name_length]
    differing = flags ^ listed.flags
    if name != listed.raw_name or (differing & NAME_IS_UTF8 and not name.isascii()):
        raise _disagree(reader, listed, "has another name than")
    if method != listed.method or differing & ENCRYPTED:
        raise _disagree(reader, listed, "is compressed otherwise than")
    size, compressed = _widened(raw[LOCAL.size + name_length :], size, compressed)
    streamed = bool((flags | listed.flags) & DESCRIPTOR_FOLLOWS)
    told = (size, compressed, crc)
    truth = (listed.size, listed.compressed_size, listed.crc)
    # What is streamed has zeros here: the truth stands behind its data.
    if any(a != b and not (streamed and a == 0) for a, b in zip(told, truth, strict=True)):
        raise _disagree(reader, listed, "has another size or CRC than")
    return Local(raw, listed.at + length, bool(flags & DESCRIPTOR_FOLLOWS))


def check_descriptor(reader: Reader, listed: Listed, local: Local) -> None:
    """Raise BadPackage if what stands behind streamed data disagrees with the directory.

    4.3.9: with or without a signature, sizes of 4 or of 8 bytes.
    """
    if not local.has_descriptor:
        return
    at = local.data_at + listed.compressed_size
    found = reader.read(at, min(24, listed.limit - at))
    numbers = listed.crc, listed.compressed_size, listed.size
    forms = [pack(form, *numbers) for form in ("<3L", "<L2Q")]
    forms += [DESCRIPTOR_SIGNATURE + form for form in forms]
    if not found.startswith(tuple(forms)):
        raise _disagree(reader, listed, "has another data descriptor than")


def _widened(extra: bytes, size: int, compressed: int) -> tuple[int, int]:
    """4.5.3: in a local header the zip64 field holds both sizes, or neither counts."""
    field = extra_field(extra, ZIP64_EXTRA)
    if FULL_32 not in {size, compressed} or len(field) < _BOTH_SIZES.size:
        return size, compressed
    wide_size, wide_compressed = _BOTH_SIZES.unpack_from(field)
    return wide_size, wide_compressed


def _disagree(reader: Reader, listed: Listed, how: str) -> BadPackage:
    name = listed.raw_name.decode("utf-8", "backslashreplace")
    return reader.bad(f"the entry {shortened(name)!r} {how} its central directory says")
