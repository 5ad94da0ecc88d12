"""Reading a whole package, beside inflating its one entry and nothing else."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from isal import isal_zlib
from zlib_ng import zlib_ng

from fleet.package.archive.reader import Archive
from fleet.package.inspect import inspect_archive, inspect_package
from tests.bench.worker import Block, cpu_of

_LOCAL_HEADER = 30
_READ = 128 << 10


class _Inflater(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


INFLATERS: dict[str, Callable[[int], _Inflater]] = {
    "zlib": zlib.decompressobj,
    "isal": isal_zlib.decompressobj,
    "zlib-ng": zlib_ng.decompressobj,
}


def inspected(path: str) -> Block:
    """With the CodeSha256 of the zip, made in a pass of its own."""
    return cpu_of(lambda: inspect_package(Path(path)), 1)


def inspected_with_known_checksum(path: str) -> Block:
    """As a scan does it, which makes the CodeSha256 of what it downloads on the way."""

    def work() -> None:
        with Archive.open(Path(path)) as archive:
            inspect_archive(archive, checksum="known")

    return cpu_of(work, 1)


def inflated(path: str, name: str) -> Block:
    """The first entry's data read from the file and inflated; no CRC, nothing kept."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.infolist()[0]
    start = entry.header_offset + _LOCAL_HEADER + len(entry.filename)

    def work() -> None:
        stream = INFLATERS[name](-zlib.MAX_WBITS)
        with Path(path).open("rb", buffering=0) as file:
            file.seek(start)
            left = entry.compress_size
            while left:
                piece = file.read(min(_READ, left))
                left -= len(piece)
                stream.decompress(piece)

    return cpu_of(work, 1)


def grown(path: str) -> Block:
    """Megabytes by which the process has grown when a package was inspected once."""

    def block() -> float:
        before = _peak()
        inspect_package(Path(path))
        return (_peak() - before) / 1e6

    # Once is done by nobody before: a peak does not come down again.
    return block


def _peak() -> int:
    # Not getrusage: its peak is that of the process before it became this one.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell the peak of a process")
