"""Every way of building that an inspection has to tell apart, and what is true of each.

What Go and readelf can tell of a binary is not written here: tests ask them.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.inspection import Verdict
from moto_fixtures.build import HANDLERS, build
from moto_fixtures.cache import default_cache, kept
from moto_fixtures.definition import Build, CBuild

NEWEST = (HANDLERS / "go.mod").read_text().split("aws-lambda-go ")[1].split()[0]
EXECUTABLE = 0o100755
READABLE = 0o100644


@dataclass(frozen=True, kw_only=True)
class Case:
    """A function: what its handler's entry was built from, what lies beside it, what is true.

    Unless it says otherwise, the build is a good one: the newest library, ready, and it starts.
    """

    build: Build | CBuild
    handler: str = "main"
    beside: Mapping[str, CBuild | str] = field(default_factory=dict)
    verdict: Verdict = Verdict.READY
    starts: bool = True
    """Whether it comes to the Runtime API with neither environment nor network of its own."""
    library: str | None = NEWEST
    norpc: bool | None = False
    runtime_api: bool | None = True
    reads_handler: bool = False
    asks_where_it_stands: bool = False
    reads_execution_env: bool = False
    is_go: bool = True
    packed: bool = False


def orders(library: str | None = None, **differently: object) -> Build:
    """Give the plain handler with a release of aws-lambda-go, stripped and with -trimpath."""
    return Build.model_validate({"command": "orders", "library": library, **differently})


NORPC: dict[str, object] = {"tags": ("lambda.norpc",)}
AS_GO_DOES: dict[str, object] = {"stripped": False, "trimpath": False}
# As Linux's distributions and most build servers had it: no -trimpath, and cgo for `net`.
GO_1_16: dict[str, object] = {"toolchain": "1.16.15", "trimpath": False, "cgo": True}
LETTERHEAD = '{"company": "Northwind Outfitters", "street": "1 Harbour Road"}'


def too_old(build: Build, library: str | None) -> Case:
    """Give the case of a library that speaks RPC and nothing else."""
    return Case(
        build=build, library=library, runtime_api=False, verdict=Verdict.REBUILD, starts=False
    )


def stranger(build: Build, *, starts: bool = False) -> Case:
    """Give the case of a Go program without aws-lambda-go."""
    return Case(
        build=build,
        library=None,
        norpc=None,
        runtime_api=False,
        verdict=Verdict.UNKNOWN,
        starts=starts,
    )


def opaque(build: Build | CBuild, verdict: Verdict, *, starts: bool, packed: bool = False) -> Case:
    """Give the case of a program in which nothing tells of Go."""
    return Case(
        build=build,
        library=None,
        norpc=None,
        runtime_api=None,
        is_go=False,
        packed=packed,
        verdict=verdict,
        starts=starts,
    )


RELEASES: Mapping[str, Case] = {
    "1.13.3": too_old(orders("1.13.3"), "v1.13.3"),
    "1.17.0": too_old(orders("1.17.0"), "v1.17.0"),
    "1.18.0": Case(build=orders("1.18.0"), library="v1.18.0"),
    "1.18.0 norpc": Case(build=orders("1.18.0", **NORPC), library="v1.18.0", norpc=True),
    "1.19.1": Case(build=orders("1.19.1"), library="v1.19.1"),
    "1.41.0 norpc": Case(build=orders("1.41.0", **NORPC), library="v1.41.0", norpc=True),
    "newest": Case(build=orders()),
}

WAYS: Mapping[str, Case] = {
    "as go does": Case(build=orders("1.41.0", **AS_GO_DOES), library="v1.41.0"),
    "stamped": Case(build=orders(stripped=False, linked={"main.build": "2023-11-07"})),
    "pie": Case(build=orders("1.41.0", **NORPC, pie=True), library="v1.41.0", norpc=True),
    "arm64": Case(
        build=orders("1.41.0", **NORPC, architecture="arm64"),
        library="v1.41.0",
        norpc=True,
        verdict=Verdict.NEEDS_DECISION,
    ),
    "main.go alone": Case(build=orders("1.41.0", by_file=True), library="v1.41.0"),
    "vendored": Case(build=orders("1.41.0", modules="vendored"), library="v1.41.0"),
    "modules off": Case(build=orders("1.41.0", modules="off"), library=None),
    "modules off, 1.17.0": too_old(orders("1.17.0", modules="off"), None),
    "replaced by 1.13.3": too_old(orders("1.41.0", replacement="1.13.3"), "v1.13.3"),
    "replaced by a fork": Case(build=orders("1.41.0", replacement="fork"), library=None),
    "committed": Case(build=orders("1.41.0", vcs="clean", **AS_GO_DOES), library="v1.41.0"),
    "not committed": Case(build=orders("1.41.0", vcs="modified", **AS_GO_DOES), library="v1.41.0"),
    "cgo": Case(build=Build(command="distance", cgo=True)),
    "packed": opaque(orders("1.41.0", packed=True), Verdict.UNKNOWN, starts=True, packed=True),
}

OLD_GO: Mapping[str, Case] = {
    "go 1.16": Case(build=orders("1.18.0", **GO_1_16), library="v1.18.0"),
    "go 1.16, 1.13.3": too_old(orders("1.13.3", **GO_1_16), "v1.13.3"),
    "go 1.16, modules off": Case(build=orders("1.18.0", **GO_1_16, modules="off"), library=None),
    "go 1.16, modules off, 1.13.3": too_old(orders("1.13.3", **GO_1_16, modules="off"), None),
    "go 1.16, pie": stranger(
        Build(command="checksum", library="1.18.0", toolchain="1.16.15", trimpath=False, pie=True)
    ),
}

PROGRAMS: Mapping[str, Case] = {
    "library of its own": Case(
        build=Build(command="parcel", cgo=True, links="postage"),
        beside={"lib/libpostage.so": CBuild(command="postage", shared=True)},
    ),
    "library missing": Case(
        build=Build(command="parcel", cgo=True, links="postage"),
        verdict=Verdict.NEEDS_DECISION,
        starts=False,
    ),
    "reads _HANDLER": Case(
        build=Build(command="router"),
        handler="router",
        reads_handler=True,
        verdict=Verdict.READY_WITH_SHIM,
    ),
    "reads AWS_EXECUTION_ENV": Case(build=Build(command="telemetry"), reads_execution_env=True),
    "asks where it stands": Case(
        build=Build(command="letterhead"),
        beside={"letterhead.json": LETTERHEAD},
        asks_where_it_stands=True,
    ),
    "asks where it stands, in a directory": Case(
        build=Build(command="letterhead"),
        handler="bin/letterhead",
        beside={"bin/letterhead.json": LETTERHEAD},
        asks_where_it_stands=True,
        verdict=Verdict.READY_WITH_SHIM,
    ),
    "ends without its environment": Case(build=Build(command="ledger"), starts=False),
    "waits for its network": Case(build=Build(command="stock"), starts=False),
    "speaks to the Runtime API itself": stranger(Build(command="courier"), starts=True),
    "no handler": stranger(Build(command="checksum")),
    "not Go": opaque(CBuild(command="greeting"), Verdict.NOT_GO, starts=False),
}

MATRIX: Mapping[str, Case] = {**RELEASES, **WAYS, **OLD_GO, **PROGRAMS}


def package(case: Case) -> Path:
    """Give the deployment package of a case, made once and kept in the cache."""
    built = {case.handler: build(case.build)}
    built |= {name: build(each) for name, each in case.beside.items() if isinstance(each, CBuild)}
    texts = {name: each for name, each in case.beside.items() if isinstance(each, str)}

    def make(target: Path) -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, path in built.items():
                archive.writestr(_entry(name, EXECUTABLE), path.read_bytes())
            for name, text in texts.items():
                archive.writestr(_entry(name, READABLE), text)

    # A binary's file name holds the hash of all that went into it.
    words = repr([*((name, path.name) for name, path in built.items()), *texts.items()])
    key = hashlib.sha256(words.encode()).hexdigest()[:24]
    return kept(default_cache(), f"matrix-{key}.zip", make)


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (2023, 11, 7, 12, 0, 0))
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
