"""Every build of the matrix: what fleet reads in it beside what Go and readelf say of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fleet.inspection import BinaryFacts, BinaryKind, BuildInfo, Module, PackageFacts
from fleet.package.inspect import inspect_package
from moto_fixtures.build import build, go_root
from moto_fixtures.definition import Build, CBuild
from tests.package.builds import MATRIX, package

MACHINES = {"Advanced Micro Devices X86-64": "x86_64", "AArch64": "arm64"}
every_case = pytest.mark.parametrize("name", MATRIX)


@cache
def facts(name: str) -> PackageFacts:
    return inspect_package(package(MATRIX[name]))


def handler(name: str) -> BinaryFacts:
    """What fleet read in the binary that the function starts."""
    found = facts(name).binary(MATRIX[name].handler)
    assert found is not None
    return found


def said_by(words: list[str], binary: Path) -> str:
    environment = {**os.environ, "LC_ALL": "C", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        [*words, binary], env=environment, capture_output=True, text=True, check=False
    )
    # What is no Go program is no failure here: then go says nothing on stdout.
    return done.stdout


def said_by_go(binary: Path) -> BuildInfo | None:
    text = said_by([str(go_root() / "bin" / "go"), "version", "-m", "-json"], binary)
    if not text:
        return None
    told = json.loads(text)
    main = module(told["Main"])
    dependencies = tuple(filter(None, map(module, told.get("Deps", ()))))
    return BuildInfo(
        told["GoVersion"],
        told.get("Path", ""),
        main,
        dependencies,
        {each["Key"]: each["Value"] for each in told.get("Settings", ())},
        has_modules=bool(main or dependencies),
    )


def module(told: dict[str, Any] | None) -> Module | None:
    if not told:
        return None
    replacement = module(told.get("Replace"))
    return Module(told["Path"], told.get("Version", ""), told.get("Sum", ""), replacement)


def said_by_readelf(binary: Path) -> dict[str, object]:
    text = said_by(["readelf", "--wide", "-h", "-l", "-d", "-V"], binary)

    def first(pattern: str) -> str | None:
        found = re.search(pattern, text)
        return found[1] if found else None

    needs = text.partition("Version needs section")[2]
    versions = re.findall(r"Name: GLIBC_([0-9.]+)\b", needs)
    return {
        "bits": int(first(r"Class: +ELF([0-9]+)") or 0),
        "machine": MACHINES[first(r"Machine: +(.+)") or ""],
        "interpreter": first(r"Requesting program interpreter: (.+)\]"),
        "soname": first(r"Library soname: \[(.+)\]"),
        "needed": tuple(re.findall(r"\(NEEDED\) +Shared library: \[(.+)\]", text)),
        "glibc": max(versions, key=numbers, default=None),
    }


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def linking(found: BinaryFacts) -> dict[str, object]:
    names = ("bits", "machine", "interpreter", "soname", "needed", "glibc")
    return {name: getattr(found, name) for name in names}


@every_case
def test_build_info_is_what_go_reads(name: str) -> None:
    assert handler(name).build == said_by_go(build(MATRIX[name].build))


@every_case
def test_machine_and_libraries_are_what_readelf_reads(name: str) -> None:
    case = MATRIX[name]
    assert linking(handler(name)) == said_by_readelf(build(case.build))
    beside = {entry: each for entry, each in case.beside.items() if isinstance(each, CBuild)}
    for entry, other in beside.items():
        found = facts(name).binary(entry)
        assert found is not None
        assert linking(found) == said_by_readelf(build(other))


@every_case
def test_what_a_program_does_is_told_by_its_strings(name: str) -> None:
    case, found = MATRIX[name], handler(name)
    assert found.lambda_library == case.library
    assert found.norpc is case.norpc
    assert found.runtime_api is case.runtime_api
    assert found.reads_handler == case.reads_handler
    assert found.asks_where_it_stands == case.asks_where_it_stands
    assert found.reads_execution_env == case.reads_execution_env
    assert found.is_go == case.is_go
    assert found.upx == case.packed
    assert found.kind is BinaryKind.EXECUTABLE
    assert found.problem == ""


def test_a_shared_library_beside_the_program_is_told_from_it() -> None:
    (brought,) = MATRIX["library of its own"].beside
    found = facts("library of its own").binary(brought)
    assert found is not None
    assert (found.kind, found.soname) == (BinaryKind.LIBRARY, "libpostage.so")
    assert found.soname in handler("library of its own").needed


def test_the_matrix_has_every_shape_that_has_to_be_told_apart() -> None:
    """Held against what Go and readelf say, so that no build is quietly something else."""
    told = {name: said_by_go(build(case.build)) for name, case in MATRIX.items()}
    infos = {name: info for name, info in told.items() if info is not None}
    assert told.keys() - infos.keys() == {"packed", "not Go"}
    assert {info.go_version for info in infos.values()} >= {"go1.16.15"}
    assert infos["main.go alone"].path == "command-line-arguments"
    assert infos["main.go alone"].main is None
    assert not infos["modules off"].has_modules
    assert infos["modules off"].settings
    assert not infos["go 1.16, modules off"].has_modules
    assert not infos["go 1.16, modules off"].settings
    assert infos["committed"].settings["vcs.modified"] == "false"
    assert infos["not committed"].settings["vcs.modified"] == "true"
    revisions = {infos[name].settings["vcs.revision"] for name in ("committed", "not committed")}
    assert len(revisions) == 1
    assert infos["arm64"].settings["GOARCH"] == "arm64"
    assert infos["cgo"].settings["CGO_ENABLED"] == "1"
    assert "-trimpath" not in infos["as go does"].settings
    assert [each.sum for each in infos["vendored"].dependencies] == [""]
    forked, older = (
        infos[name].dependencies[0].replacement
        for name in ("replaced by a fork", "replaced by 1.13.3")
    )
    assert forked == Module("./fork", "(devel)")
    assert older is not None
    assert older.version == "v1.13.3"


@pytest.mark.parametrize("name", ["as go does", "stamped", "committed", "not committed"])
def test_builds_that_keep_their_symbols_do(name: str) -> None:
    assert ".symtab" in said_by(["readelf", "--wide", "-S"], build(MATRIX[name].build))


@pytest.mark.parametrize("name", ["1.18.0", "pie", "cgo", "go 1.16"])
def test_stripped_builds_have_none(name: str) -> None:
    assert ".symtab" not in said_by(["readelf", "--wide", "-S"], build(MATRIX[name].build))


def test_old_go_points_to_its_build_info_and_new_go_holds_it() -> None:
    """Bit 1 of the flags; https://go.dev/src/debug/buildinfo/buildinfo.go."""
    magic = b"\xff Go buildinf:"
    inline = 2
    for name, case in MATRIX.items():
        if not case.is_go:
            continue
        content = build(case.build).read_bytes()
        # The first one that is aligned: the packages of newer Go know the magic by themselves.
        starts = (each.start() for each in re.finditer(re.escape(magic), content))
        at = next(start for start in starts if start % 16 == 0)
        assert isinstance(case.build, Build)
        old = case.build.toolchain == "1.16.15"
        assert (content[at + 15] & inline == 0) == old, name
