"""A build order as arguments and environment of go.

Package, flags and versions come out of a binary that anybody may have made: nothing is handed to
go that could pass for another argument. What values of flags may hold, settings.py has decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from fleet.sources import is_import_path
from fleet.toolchain.rebuild.build_problems import CannotOrder
from fleet.toolchain.rebuild.main_version import is_version
from fleet.toolchain.rebuild.order import BuildOrder, Checkout
from fleet.toolchain.rebuild.versions import GoVersion, parse

GOARCH: Mapping[str, str] = MappingProxyType({"x86_64": "amd64", "arm64": "arm64"})
"""Lambda's words for architectures, and Go's."""

_STAMPS_REVISIONS = GoVersion(1, 18)
"""The first Go that knows -buildvcs; https://go.dev/doc/go1.18#go-command."""
_INSTALLS_VERSIONS = GoVersion(1, 16)
"""The first Go with `go install package@version`; https://go.dev/doc/go1.16#go-command."""

_SHOWN = 200
_FLAGS = frozenset(
    {
        *("-asmflags", "-buildmode", "-buildvcs", "-gcflags", "-mod", "-pgo", "-tags"),
        "-trimpath",
    }
)
_SELECTING = frozenset({"-tags", "-mod"})
"""Those that decide which files and modules are in."""
_VARIABLES = re.compile(r"CGO_(?:ENABLED|[A-Z]+FLAGS)|GO(?:AMD64|ARM64|EXPERIMENT|FIPS140)")


def checked(checkout: Checkout, order: BuildOrder) -> GoVersion:
    """Give the version of the order's Go; raises CannotOrder for what is not handed to it."""
    version = parse(order.go_version)
    if version is None:
        problem = f"{order.go_version[:_SHOWN]!r} is no release of Go"
        raise CannotOrder(order.package[:_SHOWN], problem)
    for problem in _problems(checkout, order, version):
        raise CannotOrder(order.package[:_SHOWN], problem)
    return version


def _problems(checkout: Checkout, order: BuildOrder, version: GoVersion) -> Iterator[str]:
    if not is_import_path(order.package):
        yield "that is no import path"
    if order.package != checkout.module and not order.package.startswith(f"{checkout.module}/"):
        yield f"it is no package of the module {checkout.module[:_SHOWN]}"
    if order.architecture not in GOARCH:
        yield f"{order.architecture[:_SHOWN]!r} is no architecture of Lambda"
    for flag in order.flags:
        name = flag.partition("=")[0]
        if name not in _FLAGS or not flag.isprintable():
            yield f"{name[:_SHOWN]!r} is no flag that is handed on"
    for name, value in order.environment.items():
        if not _VARIABLES.fullmatch(name) or not value.isprintable():
            yield f"{name[:_SHOWN]!r} is no setting that is handed on"
    if checkout.version and not is_version(checkout.version):
        yield f"{checkout.version[:_SHOWN]!r} is no version of a module"
    if checkout.version and version < _INSTALLS_VERSIONS:
        yield f"{order.go_version} cannot build a published module by its version"


def target_environment(order: BuildOrder) -> dict[str, str]:
    """Give what says for which machine, and how; GOOS=linux and GOARCH among it."""
    return {**order.environment, "GOOS": "linux", "GOARCH": GOARCH[order.architecture]}


def arguments(checkout: Checkout, order: BuildOrder, version: GoVersion, out: str) -> Sequence[str]:
    """Give the arguments of the go that builds; of a published module's, which installs it.

    `out` is the program's path; a published module's lies in GOPATH instead.
    """
    linker = () if order.linker_flags is None else (f"-ldflags={order.linker_flags.text}",)
    if checkout.version:
        package = f"{order.package}@{checkout.version}"
        return ("install", *order.flags, *linker, package)
    flags = (*_source_flags(checkout, order, version), *order.flags, *linker)
    return ("build", *flags, "-o", out, order.package)


def listing_flags(checkout: Checkout, order: BuildOrder, version: GoVersion) -> Sequence[str]:
    """Give the flags with which `go list` sees the files and modules that the build will see."""
    stamps = ("-buildvcs=false",) if version >= _STAMPS_REVISIONS else ()
    selecting = [flag for flag in order.flags if flag.partition("=")[0] in _SELECTING]
    source = [
        flag for flag in _source_flags(checkout, order, version) if not flag.startswith("-buildvcs")
    ]
    return (*stamps, *source, *selecting)


def _source_flags(checkout: Checkout, order: BuildOrder, version: GoVersion) -> Iterator[str]:
    """What Go would choose by itself, and not always did; the order's own word goes first."""
    given = {flag.partition("=")[0] for flag in order.flags}
    if "-mod" not in given:
        yield "-mod=vendor" if is_vendored(checkout) else "-mod=readonly"
    if "-buildvcs" not in given and version >= _STAMPS_REVISIONS:
        yield f"-buildvcs={'true' if checkout.commit else 'false'}"


def workspace(checkout: Checkout) -> Path | None:
    """Give the go.work that counts for a module, or None; never one from outside of its source.

    The nearest, beside its go.mod or above: https://go.dev/ref/mod#workspaces. A published module
    has none.
    """
    place = checkout.module_directory
    while not checkout.version and place.is_relative_to(checkout.root):
        if (place / "go.work").is_file():
            return place / "go.work"
        place = place.parent
    return None


def is_vendored(checkout: Checkout) -> bool:
    """Whether what the module needs lies in its own tree; https://go.dev/ref/mod#vendoring."""
    work = workspace(checkout)
    place = checkout.module_directory if work is None else work.parent
    return (place / "vendor" / "modules.txt").is_file()
