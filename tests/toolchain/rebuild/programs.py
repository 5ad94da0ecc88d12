"""Programs as build info tells of them, and what Go would write for an order: no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fleet.inspection import BuildInfo, Module
from fleet.linker_flags import without_values
from fleet.recorded import Recorded
from fleet.sources import KnownBuild
from fleet.toolchain.rebuild.differences import Allowed
from fleet.toolchain.rebuild.order import BuildOrder
from fleet.toolchain.rebuild.settings import Orders, orders

GO = "go1.22.5"
COMMIT = "5e0f2c4d1b3a69788796a5b4c3d2e1f001234567"
VALUE = "tok3n"
LIBRARY = Module("github.com/aws/aws-lambda-go", "v1.41.0", "h1:" + "A" * 43 + "=")
FORK = Module("example.com/log", "v1.0.0", "", Module("./fork", "(devel)"))
NOBODY = KnownBuild()
FILES = frozenset(
    {"/usr/local/go/src/runtime/proc.go", "/src/shop/cmd/orders/main.go", "/src/shop/fork/log.go"}
)
TRIMMED_FILES = frozenset(
    {
        "runtime/proc.go",
        "example.com/shop/cmd/orders/main.go",
        "example.com/log@v1.0.0/log.go",
    }
)
"""The same with -trimpath."""

VCS: Mapping[str, str] = {
    "vcs": "git",
    "vcs.revision": COMMIT,
    "vcs.time": "2023-11-07T12:00:00Z",
    "vcs.modified": "false",
}
PLAIN: Mapping[str, str] = {
    "-buildmode": "exe",
    "-compiler": "gc",
    "DefaultGODEBUG": "httplaxcontentlength=1",
    "CGO_ENABLED": "0",
    "GOARCH": "amd64",
    "GOOS": "linux",
    "GOAMD64": "v1",
    **VCS,
}
"""What Go 1.22 writes for `CGO_ENABLED=0 go build ./cmd/orders` in a clean work tree."""


def program(
    settings: Mapping[str, str] = PLAIN, *, go: str = GO, flags: str | None = None, **told: object
) -> Recorded:
    """Give a program with these settings; `flags` are its -ldflags as they were written.

    Other words are fields of BuildInfo or of Recorded.
    """
    shown = {} if flags is None else {"-ldflags": without_values(flags)}
    build = BuildInfo(
        go_version=go,
        path="example.com/shop/cmd/orders",
        main=Module("example.com/shop", "(devel)"),
        dependencies=(LIBRARY, FORK),
        settings={**settings, **shown},
        has_modules=True,
    )
    of_build = {name: value for name, value in told.items() if hasattr(build, name)}
    of_file = {name: value for name, value in told.items() if name not in of_build}
    return Recorded(
        sha256="0" * 64,
        architecture="x86_64",
        build=replace(build, **of_build),  # type: ignore[arg-type]  # one of many
        linker_flags=flags,
        **{"files": FILES, **of_file},  # type: ignore[arg-type]  # same
    )


def without(settings: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in names}


def told(recorded: Recorded) -> BuildInfo:
    """Give the build info of a program that has one."""
    assert recorded.build is not None
    return recorded.build


def ordered(
    recorded: Recorded, known: KnownBuild = NOBODY, *, architecture: str = "arm64", go: str = GO
) -> Orders:
    """Give the orders of a program for which nothing is refused."""
    found = orders(recorded, architecture, known, go)
    assert isinstance(found, Orders), found
    return found


def refusals(
    recorded: Recorded, known: KnownBuild = NOBODY, *, architecture: str = "arm64", go: str = GO
) -> dict[str, str]:
    """Give code and sentence of everything that is against a program."""
    found = orders(recorded, architecture, known, go)
    assert not isinstance(found, Orders), found
    return {each.code: each.text for each in found.reasons}


def allowed(given: Orders, known: KnownBuild = NOBODY, **differently: object) -> Allowed:
    """Give what is allowed where the orders are followed."""
    what = Allowed(given.build, commit=given.commit, flags=given.flags, known=known)
    return replace(what, **differently)  # type: ignore[arg-type]  # one of many


def flag(order: BuildOrder, name: str) -> str | None:
    """Give the value of the last flag of this name, or None."""
    found = [each.partition("=")[2] for each in order.flags if each.partition("=")[0] == name]
    return found[-1] if found else None


def built(old: Recorded, given: Orders, commit: Mapping[str, str] = VCS) -> Recorded:
    """Give what Go 1.23 or later writes when it follows an order in a clean work tree."""
    before, order = told(old), given.build
    settings = without(before.settings, "-ldflags", "GOAMD64", "GOARM64", *VCS)
    settings |= {
        "-tags": str(flag(order, "-tags")),
        "-trimpath": "true",
        "-buildmode": flag(order, "-buildmode") or "exe",
        "GOARCH": {"x86_64": "amd64", "arm64": "arm64"}[order.architecture],
        "CGO_ENABLED": order.environment["CGO_ENABLED"],
        **({"GOAMD64": "v1"} if order.architecture == "x86_64" else {"GOARM64": "v8.0"}),
        **commit,
    }
    return replace(
        old,
        sha256="1" * 64,
        architecture=order.architecture,
        build=replace(before, path=order.package, settings=settings),
        linker_flags=None,
        files=TRIMMED_FILES,
    )
