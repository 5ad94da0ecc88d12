"""Any bytes as an ELF file: facts or a problem, never an exception, a hang or much memory."""

from __future__ import annotations

from collections.abc import Iterator

import atheris

with atheris.instrument_imports(include=["fleet.package"]):
    from fleet.package.binary.facts import read_binary

from fleet.inspection import BinaryKind
from moto_fixtures.build import build
from moto_fixtures.definition import CBuild
from tests.fuzz.fuzzing import fuzz
from tests.package.elf_files import (
    PAGE,
    SHAPES,
    Bytes,
    Made,
    Segment,
    framed,
    inline,
    pointers,
)

MODULES = (
    'path\tx\nmod\tx\t(devel)\t\ndep\ty\tv1\th1:\n=>\tz\tv2\th1:\nbuild\t-ldflags="-s -w"\n'
    "build\tGOARCH=amd64\n"
)


def seeds() -> Iterator[bytes]:
    """Both forms of build info in every class and byte order, and a real file that is linked."""
    for shape in SHAPES:
        for content in (
            inline("go1.20.14", framed(MODULES)),
            pointers("go1.16.15", framed(MODULES), shape),
        ):
            yield Made(content=content, shape=shape).file
            note = Segment(kind=4, flags=4, offset=PAGE, size=64)
            sections = [(".go.buildinfo", 3, 0, 32), (".text", 6, 32, 8)]
            yield Made(content=content, shape=shape, segments=[note], sections=sections).file
    yield build(CBuild(command="greeting")).read_bytes()


def target(content: bytes) -> None:
    found = read_binary(Bytes(content), "main")
    if found.kind not in BinaryKind or (found.bits == 0 and not found.problem):
        raise AssertionError(found)


if __name__ == "__main__":
    fuzz("binary", target, seeds())
