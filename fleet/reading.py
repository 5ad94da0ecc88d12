"""A package where AWS has it → what is in it, by a file without a name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from fleet.aws.packages import Downloads, Location
from fleet.aws.session import Lane
from fleet.inspection import PackageFacts
from fleet.package.archive.reader import Archive
from fleet.package.archive.source import FileSource
from fleet.package.inspect import inspect_archive


def read_package(
    downloads: Downloads, lane: Lane, locate: Callable[[], Location], name: str
) -> PackageFacts:
    """Download a package and read all of it; `name` is what errors call it.

    Raises what `locate` raises, CallFailed, Interrupted, BadPackage, and OSError where there is no
    room for it here.
    """
    # Without a name from the start: nothing is left of it, whatever happens.
    with tempfile.TemporaryFile() as file:
        location = downloads.download(lane, locate, file)
        source = FileSource(file.fileno(), location.size, name)
        with Archive.of(source, name) as archive:
            return inspect_archive(archive, checksum=location.code_sha256)
