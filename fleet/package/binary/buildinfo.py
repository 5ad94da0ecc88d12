"""Where Go keeps what it knows of a build, in both forms; Go's debug/buildinfo and its linker.

https://pkg.go.dev/debug/buildinfo; from Go 1.13 on, and nothing before.
"""

from __future__ import annotations

from typing import Literal

from fleet.inspection import BuildInfo
from fleet.package.binary.elf import Elf, Malformed, Segment, SegmentType, exactly
from fleet.package.binary.linking import Tag, read_dynamic
from fleet.package.binary.modules import parse_modules

SECTION = ".go.buildinfo"
MAGIC = b"\xff Go buildinf:"
LONGEST_VERSION = 1_024
LONGEST_MODULES = 512 << 10
"""Bytes of module information; a program of 300 modules has some 40 KB."""

_ALIGNMENT = 16
_HEADER = 32
_BIG_ENDIAN = 1
_INLINE = 2
_POINTERS_AT = 16
_LONGEST_NUMBER = 10
_SENTINEL = 16
_BLOCK = 256 << 10
_SECTIONS = {SECTION, ".note.go.buildid"}
_NAMES = ".gopclntab"
_NOTE_NAME = b"Go\0\0"
_NOTE_BUILD_ID = 4
_LONGEST_NOTES = 4_096
"""Bytes of all notes of a file together; they take some hundred."""
_RELATIVE = {8, 1027}
"""R_X86_64_RELATIVE and R_AARCH64_RELATIVE."""


def read_build_info(elf: Elf) -> BuildInfo | None:
    """Give what Go wrote about the build, or None where there is none; raises Malformed.

    No section header is needed: without one, the writable data is looked through, as Go does.
    """
    written = read_written(elf)
    return parse_modules(*written) if written else None


def read_written(elf: Elf) -> tuple[str, str] | None:
    """Give Go's version and the text of modules and settings, or None; raises Malformed.

    The text has the values that -X sets, which may be secrets: it is for parsing alone.
    """
    at = _find(elf)
    if at is None:
        return None
    header = elf.at(at, _HEADER)
    word, flags = header[len(MAGIC)], header[len(MAGIC) + 1]
    if flags & _INLINE:
        version, following = _inline(elf, at + _HEADER, LONGEST_VERSION)
        modules, _ = _inline(elf, following, LONGEST_MODULES)
    elif word in {4, 8}:
        pointers = _Pointers(elf, word, "big" if flags & _BIG_ENDIAN else "little")
        version = pointers.string(at + _POINTERS_AT, LONGEST_VERSION)
        modules = pointers.string(at + _POINTERS_AT + word, LONGEST_MODULES)
    else:
        raise Malformed(f"pointers of {word} bytes")
    if not version:
        raise Malformed("no Go version in it")
    return _text(version), _text(_unframed(modules))


def made_by_go(elf: Elf) -> bool:
    """Whether sections or notes tell of Go's linker, whatever else can be read."""
    if any(each.name in _SECTIONS or each.name.endswith(_NAMES) for each in elf.sections):
        return True
    return has_build_id(elf)


def has_build_id(elf: Elf) -> bool:
    """Whether there is the note of Go's build id, which -ldflags=-buildid= leaves out."""
    left = _LONGEST_NOTES
    for each in elf.segments:
        if each.type == SegmentType.NOTE and left > 0:
            size = min(each.size, left)
            if _holds_go_note(elf, each, size):
                return True
            left -= size
    return False


def _holds_go_note(elf: Elf, segment: Segment, size: int) -> bool:
    content = elf.source.read_at(segment.offset, size)
    row = elf.header.layout("III")
    at = 0
    while at + row.size <= len(content):
        name, rest, kind = row.unpack_from(content, at)
        at += row.size
        ours = (name, kind) == (len(_NOTE_NAME), _NOTE_BUILD_ID)
        if ours and content.startswith(_NOTE_NAME, at):
            return True
        at += _padded(name) + _padded(rest)
    return False


def _padded(size: int) -> int:
    return size + -size % 4


def _find(elf: Elf) -> int | None:
    """Give the address of the header, or None."""
    section = elf.section(SECTION)
    # Position-independent programs have two writable segments, and Go looks at the first alone.
    places = (section,) if section else tuple(each for each in elf.loaded if each.is_data)
    left = elf.source.size
    for each in places:
        left -= each.size
        if left < 0:
            # A hundred segments over the same bytes would be a hundred searches of them.
            raise Malformed("data of more bytes than the file has")
        found = _search(elf, each.address, each.size)
        if found is not None:
            return found
    return None


def _search(elf: Elf, address: int, size: int) -> int | None:
    # Blocks begin at aligned addresses, so the magic never lies across two of them.
    for start in range(-address % _ALIGNMENT, size, _BLOCK):
        block = elf.at(address + start, min(_BLOCK, size - start))
        found = block.find(MAGIC)
        while found >= 0:
            # Go's own constant may lie anywhere else; the header is always aligned.
            if found % _ALIGNMENT == 0:
                return address + start + found
            found = block.find(MAGIC, found + 1)
    return None


def _inline(elf: Elf, at: int, longest: int) -> tuple[bytes, int]:
    """Give a string that its length stands before, and the address behind it."""
    offset, room = elf.place(at)
    number = exactly(elf.source, offset, min(room, _LONGEST_NUMBER))
    length = 0
    for index, byte in enumerate(number):
        length |= (byte & 0x7F) << 7 * index
        if byte < 0x80:  # noqa: PLR2004  # the last byte of a number
            return elf.at(at + index + 1, _limited(length, longest)), at + index + 1 + length
    raise Malformed("a length that does not end")


def _limited(length: int, longest: int) -> int:
    if length > longest:
        raise Malformed(f"a string of {length} bytes, more than {longest}")
    return length


class _Pointers:
    """Go strings as they lie in memory: an address and a length, reached by an address."""

    def __init__(self, elf: Elf, word: int, order: Literal["little", "big"]) -> None:
        self._elf = elf
        self._word = word
        self._order = order

    def string(self, at: int, longest: int) -> bytes:
        """Give the string that the pointer at this address leads to."""
        header = self._pointer(at)
        if self._elf.is_zeroed(header):
            # A string that nobody set, as modinfo is in a build without modules.
            return b""
        length = _limited(self._number(header + self._word), longest)
        return self._elf.at(self._pointer(header), length)

    def _number(self, at: int) -> int:
        return int.from_bytes(self._elf.at(at, self._word), self._order)

    def _pointer(self, at: int) -> int:
        # Go's linker leaves the address in place; others leave it to the loader.
        return self._number(at) or _relocated(self._elf, at)


def _relocated(elf: Elf, at: int) -> int:
    """Give what a loader puts at this address, by the relocations that carry it; 0 if none."""
    table = read_dynamic(elf).values
    start, left = table.get(Tag.RELOCATIONS, 0), table.get(Tag.RELOCATIONS_SIZE, 0)
    row = elf.header.layout("QQq")
    if elf.header.bits != 64:  # noqa: PLR2004  # narrow ones leave the address in place
        return 0
    wanted = elf.header.layout("Q").pack(at)
    while left >= row.size:
        size = min(left, _BLOCK) // row.size * row.size
        block = elf.at(start, size)
        found = block.find(wanted)
        while found >= 0:
            if found % row.size == 0:
                _, kind, value = row.unpack_from(block, found)
                return int(value) if kind in _RELATIVE else 0
            # On to the next row: what lies across two may repeat at every byte.
            found = block.find(wanted, found // row.size * row.size + row.size)
        start, left = start + size, left - size
    return 0


def _unframed(text: bytes) -> bytes:
    """Take away the sentinels that Go's linker puts around the modules."""
    whole = len(text) > 2 * _SENTINEL and text[-_SENTINEL - 1 : -_SENTINEL] == b"\n"
    return text[_SENTINEL:-_SENTINEL] if whole else b""


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
