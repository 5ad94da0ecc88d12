from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fleet.inspection import LAMBDA_LIBRARY
from fleet.toolchain.rebuild.build_problems import NotRaised
from fleet.toolchain.rebuild.building import build
from fleet.toolchain.rebuild.order import RAISED_TO
from fleet.toolchain.rebuild.raising import Raised, RaisedModule, raise_library
from tests.toolchain.rebuild.going import NEVER, OLD, checkout_of, info_of, order_of, shared_go
from tests.toolchain.rebuild.repositories import Files, Repository

HANDLERS = Path("moto_fixtures/handlers").resolve()
MODULE = "fleet.example/handlers"
PACKAGE = f"{MODULE}/cmd/orders"
MOD = (HANDLERS / "versions" / "v1.17.0.mod").read_text()
SUM = (HANDLERS / "versions" / "v1.17.0.sum").read_text()


def old_handlers(place: Path, more: Files | None = None) -> Repository:
    """Give a module below the root whose aws-lambda-go knows no custom runtimes."""
    files: Files = {
        "README": "handlers\n",
        "service/go.mod": MOD,
        "service/go.sum": SUM,
        "service/cmd/orders/main.go": (HANDLERS / "cmd" / "orders" / "main.go").read_bytes(),
    }
    return Repository.at(place, {**files, **(more or {})})


def raised(repository: Repository, directory: Path, go_version: str | None = None) -> Raised:
    checkout = checkout_of(repository, MODULE, "service")
    order = order_of(PACKAGE, "-tags=lambda.norpc", go_version=go_version)
    return raise_library(shared_go(), checkout, order, directory, stop=NEVER)


@pytest.mark.parametrize("go_version", [None, OLD])
def test_the_library_is_raised_in_a_copy_and_told_as_a_patch(
    tmp_path: Path, go_version: str | None
) -> None:
    repository = old_handlers(tmp_path / "source")
    made = raised(repository, tmp_path / "copy", go_version)
    assert made.modules == (RaisedModule(LAMBDA_LIBRARY, "v1.17.0", RAISED_TO),)
    assert repository.git("status", "--porcelain") == ""
    changed = (made.checkout.module_directory / "go.mod").read_text()
    assert f"{LAMBDA_LIBRARY} {RAISED_TO}" in changed
    assert "\ngo 1.21\n" in changed
    assert "toolchain" not in changed
    assert (made.checkout.clean, made.checkout.commit) == (False, repository.head)
    # The patch makes of the repository what was built.
    repository.git("apply", "-", given=made.patch)
    for name in ("go.mod", "go.sum"):
        ours = repository.path / "service" / name
        assert ours.read_bytes() == (made.checkout.module_directory / name).read_bytes()
    assert sorted(repository.git("status", "--porcelain").split()[1::2]) == [
        "service/go.mod",
        "service/go.sum",
    ]


def test_a_raised_program_is_built_and_says_that_it_is_modified(tmp_path: Path) -> None:
    repository = old_handlers(tmp_path / "source")
    made = raised(repository, tmp_path / "copy")
    order = order_of(PACKAGE, "-tags=lambda.norpc", architecture="arm64", linker="-s -w")
    program = build(shared_go(), made.checkout, order, tmp_path / "program", stop=NEVER).program
    told = info_of(program)
    assert f"dep\t{LAMBDA_LIBRARY}\t{RAISED_TO}\th1:" in told
    assert f"vcs.revision={repository.head}" in told
    assert "vcs.modified=true" in told


def test_a_vendored_tree_is_raised_as_well(tmp_path: Path) -> None:
    repository = old_handlers(tmp_path / "source")
    service = repository.path / "service"
    assert shared_go().run(["mod", "vendor"], service, stop=NEVER).status == 0
    repository.commit()
    made = raised(repository, tmp_path / "copy")
    modules = (made.checkout.module_directory / "vendor" / "modules.txt").read_text()
    assert f"# {LAMBDA_LIBRARY} {RAISED_TO}\n" in modules
    assert "vendor" not in made.patch
    program = tmp_path / "program"
    order = order_of(PACKAGE, architecture="arm64", linker="-s -w")
    off = dataclasses.replace(shared_go(), network={"GOPROXY": "off"})
    build(off, made.checkout, order, program, stop=NEVER)
    assert f"dep\t{LAMBDA_LIBRARY}\t{RAISED_TO}" in info_of(program)


def test_a_replacement_that_keeps_the_library_back_is_told(tmp_path: Path) -> None:
    held = f"{MOD}\nreplace {LAMBDA_LIBRARY} => {LAMBDA_LIBRARY} v1.17.0\n"
    repository = old_handlers(tmp_path / "source", {"service/go.mod": held})
    with pytest.raises(NotRaised, match="a replacement, keeps it back"):
        raised(repository, tmp_path / "copy")


@pytest.mark.parametrize("name", ["go.sum", "go.work.sum"])
def test_nothing_is_written_through_a_link_of_the_repository(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(SUM)
    repository = old_handlers(
        tmp_path / "source",
        {
            **({"service/go.work": "go 1.21\n\nuse .\n"} if name == "go.work.sum" else {}),
            f"service/{name}": elsewhere,
        },
    )
    with pytest.raises(NotRaised, match="is a link"):
        raised(repository, tmp_path / "copy")
    assert elsewhere.read_text() == SUM


def test_nothing_that_the_source_asks_for_is_run(tmp_path: Path) -> None:
    attack = 'package main\n\n//go:generate gcc\n\n// #cgo pkg-config: zlib\nimport "C"\n'
    repository = old_handlers(tmp_path / "source", {"service/cmd/orders/c.go": attack})
    repository.git("config", "core.fsmonitor", f"touch {tmp_path}/ran #")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("gcc", "pkg-config", "git"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (programs / name).chmod(0o755)
    path = {**shared_go().surroundings, "PATH": str(programs)}
    go = dataclasses.replace(shared_go(), surroundings=path)
    order = dataclasses.replace(order_of(PACKAGE), environment={"CGO_ENABLED": "1"})
    checkout = checkout_of(repository, MODULE, "service")
    assert raise_library(go, checkout, order, tmp_path / "copy", stop=NEVER).modules
    assert not (tmp_path / "ran").exists()
