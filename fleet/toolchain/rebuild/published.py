"""A published module as a source: what `go install module@version` builds from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fleet.sources import is_import_path
from fleet.toolchain.rebuild.git import words_of
from fleet.toolchain.rebuild.main_version import is_version
from fleet.toolchain.rebuild.order import Checkout
from fleet.toolchain.rebuild.problems import NotTold, PublishedChanged, PublishedMissing
from fleet.toolchain.sandbox.text import harmless

Download = Callable[[str], str]
"""Gives what `go mod download -json MODULE@VERSION` prints, whatever its exit status."""


def published(module: str, version: str, recorded_sum: str, download: Download) -> Checkout:
    """Fetch a published module and compare it with the sum in the binary.

    https://go.dev/ref/mod#go-mod-download. Raises NotTold, PublishedMissing or PublishedChanged.
    """
    if not is_import_path(module):
        raise NotTold("path of a module", module)
    if not is_version(version):
        raise NotTold("version of a module", version)
    origin = f"{module}@{version}"
    try:
        told = json.loads(download(origin))
        problem = told.get("Error", "")
        directory, found = Path(told.get("Dir", "")), str(told.get("Sum", ""))
    except (ValueError, AttributeError, TypeError):
        raise PublishedMissing(origin, "what Go told of it cannot be read") from None
    if problem or not directory.is_absolute():
        said = words_of(harmless(str(problem).encode())) or "Go told no directory"
        raise PublishedMissing(origin, said)
    if not recorded_sum or found != recorded_sum:
        raise PublishedChanged(origin, recorded_sum, found)
    return Checkout(
        root=directory,
        module_directory=directory,
        module=module,
        commit="",
        version=version,
        origin=origin,
    )
