"""Any bytes as a package: facts or BadPackage, never another exception, a hang or much memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import atheris

with atheris.instrument_imports(include=["fleet.package"]):
    from fleet.package.archive.reader import Archive
    from fleet.package.inspect import inspect_archive, inspect_index

from fleet.package.problems import BadPackage
from tests.fuzz.fuzzing import fuzz
from tests.package.elf_files import Bytes, Made, framed, inline


def seeds() -> Iterator[bytes]:
    """Small packages, deflated and stored, with a program, a script and a directory."""
    program = Made(content=inline("go1.20.14", framed("path\tx\ndep\ty\tv1\th1:\n"))).file
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", method) as archive:
            archive.writestr("main", program)
            archive.writestr("run", "#!/bin/sh\n")
            archive.writestr("directory/", b"")
            archive.comment = b"a comment"
        yield written.getvalue()


def target(content: bytes) -> None:
    try:
        archive = Archive.of(Bytes(content), "package.zip")
        index = inspect_index(archive)
        found = inspect_archive(archive, checksum="")
    except BadPackage as problem:
        if not str(problem):
            raise AssertionError("a problem without a word") from problem
        return
    if (
        found.entries != index.entries
        or sum(each.size for each in found.entries) > found.unzipped_size
    ):
        raise AssertionError(found)


if __name__ == "__main__":
    fuzz("archive", target, seeds())
