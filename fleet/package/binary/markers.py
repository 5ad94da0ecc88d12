"""Strings that tell what a binary does, and where in it they are looked for.

They survive -s, -w and -trimpath: names of functions because Go's tracebacks need them, names
of environment variables because the program does. Seen in real builds from Go 1.13 to 1.27 with
aws-lambda-go 1.13.3 to 1.55.1; a program whose names were garbled has none of the former.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from fleet.package.archive.source import Source
from fleet.package.binary import pclntab
from fleet.package.binary.elf import Elf

_BLOCK = 256 << 10


class Marker(Enum):
    """Bytes to look for."""

    LEGIBLE = b"runtime.main\0"
    """Every Go program has this function: without its name, no name can be expected."""
    RUNTIME_API_CLIENT = b"/lambda.startRuntimeAPILoop"
    """In aws-lambda-go from v1.18.0 on, where lambda.Start is called."""
    RPC_SERVER = b"/lambda.(*Function).Ping"
    """What go1.x calls; left out by the tag lambda.norpc from v1.18.0 on."""
    EXECUTABLE = b"os.Executable\0"
    """Listed even where it was inlined, and nothing in Go's own packages calls it."""
    HANDLER = b"_HANDLER"
    EXECUTION_ENV = b"AWS_EXECUTION_ENV"


NAMES = frozenset({Marker.LEGIBLE, Marker.RUNTIME_API_CLIENT, Marker.RPC_SERVER, Marker.EXECUTABLE})
"""Names of functions, which lie in Go's table of them."""
VARIABLES = frozenset({Marker.HANDLER, Marker.EXECUTION_ENV})
"""Names of environment variables. Go puts strings side by side without an end, so that part of a
longer one is found as well: what is found may be read, what is not found is not read."""

_Range = tuple[int, int]


def find_markers(elf: Elf, wanted: frozenset[Marker]) -> frozenset[Marker]:
    """Give those of the wanted markers that are in what the program loads, code left out.

    Raises Malformed where headers contradict each other.
    """
    tables, names = _tables(elf)
    searched = _without(_loaded(elf), _merged(_clipped(elf, each) for each in _code(elf)))
    if not tables:
        return _search(elf.source, searched, wanted)
    found = _search(elf.source, _merged(names), wanted & NAMES)
    return found | _search(elf.source, _without(searched, _merged(tables)), wanted & VARIABLES)


def _tables(elf: Elf) -> tuple[list[_Range], list[_Range]]:
    """Give where Go's tables of functions lie, and where in them the names."""
    tables: list[_Range] = []
    names: list[_Range] = []
    for each in elf.sections:
        if each.is_loaded and not each.is_code and each.size >= pclntab.BEGINNING:
            beginning = elf.source.read_at(each.offset, pclntab.BEGINNING)
            if within := pclntab.names(beginning, elf.header.order, each.size):
                tables.append(_clipped(elf, (each.offset, each.offset + each.size)))
                names.append(_clipped(elf, (each.offset + within[0], each.offset + within[1])))
    return tables, names


def _code(elf: Elf) -> Iterator[_Range]:
    return ((each.offset, each.offset + each.size) for each in elf.sections if each.is_code)


def _loaded(elf: Elf) -> list[_Range]:
    """Give what is loaded, or everything where no program header tells it."""
    # Merged, so that a thousand forged segments over the same bytes are searched once.
    return _merged(
        _clipped(elf, (each.offset, each.offset + each.size)) for each in elf.loaded
    ) or [(0, elf.source.size)]


def _search(source: Source, ranges: list[_Range], wanted: frozenset[Marker]) -> frozenset[Marker]:
    missing = set(wanted)
    overlap = max((len(each.value) for each in wanted), default=1) - 1
    for start, end in ranges:
        for at in range(start, end, _BLOCK):
            if not missing:
                break
            block = source.read_at(at, min(_BLOCK + overlap, end - at))
            missing -= {each for each in missing if block.find(each.value) >= 0}
    return wanted - missing


def _clipped(elf: Elf, within: _Range) -> _Range:
    return min(within[0], elf.source.size), min(within[1], elf.source.size)


def _merged(ranges: Iterable[_Range]) -> list[_Range]:
    merged: list[_Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _without(ranges: list[_Range], holes: list[_Range]) -> list[_Range]:
    """Give what is left of sorted, merged ranges outside sorted, merged holes."""
    left: list[_Range] = []
    remaining = iter(holes)
    hole = next(remaining, None)
    for start, end in ranges:
        at = start
        while hole is not None and hole[0] < end:
            if hole[0] > at:
                left.append((at, hole[0]))
            at = max(at, hole[1])
            if hole[1] > end:
                break
            hole = next(remaining, None)
        if at < end:
            left.append((at, end))
    return left
