"""Files that a program was compiled from and its commit does not hold, by real builds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.package.binary.recorded import read_recorded
from fleet.recorded import Recorded
from fleet.sources import Accepted, KnownBuild
from fleet.toolchain.rebuild.attestation import attest
from fleet.toolchain.rebuild.checkout import go_files
from tests.toolchain.rebuild.going import checkout_of, shared_go
from tests.toolchain.rebuild.programs import (
    FILES,
    NOBODY,
    TRIMMED_FILES,
    allowed,
    built,
    ordered,
    program,
)
from tests.toolchain.rebuild.repositories import Files, Repository

SHOP = "example.com/shop"
ROOT = "/src/shop"
GENERATED = "package main\n\nfunc init() { println(2) }\n"
LIBRARY = "package {0}\n\nfunc F() {{ println(1) }}\n"
LEFT_OUT = "//go:build !lambda.norpc\n\npackage {0}\n\nfunc init() {{ println(4) }}\n"
MONOREPO: Files = {
    ".gitignore": "zz_generated.go\nsecret/\n/vendor/\n",
    "app/go.mod": (
        f"module {SHOP}\n\ngo 1.21\n\nrequire (\n\texample.com/fork v1.0.0\n"
        "\texample.com/common v1.0.0\n)\n\nreplace (\n\texample.com/fork => ./fork\n"
        "\texample.com/common => ../common\n)\n"
    ),
    "app/cmd/orders/main.go": (
        'package main\n\nimport (\n\t"example.com/common"\n\t"example.com/fork"\n'
        '\t"example.com/shop/lib"\n)\n\nfunc main() { lib.F(); fork.F(); common.F() }\n'
    ),
    "app/cmd/stock/main.go": "package main\n\nfunc main() { println(3) }\n",
    "app/cmd/orders/rpc.go": LEFT_OUT.format("main"),
    "common/rpc.go": LEFT_OUT.format("common"),
    "app/lib/lib.go": LIBRARY.format("lib"),
    "app/fork/go.mod": "module example.com/fork\n\ngo 1.21\n",
    "app/fork/main.go": LIBRARY.format("fork"),
    "common/go.mod": "module example.com/common\n\ngo 1.21\n",
    "common/main.go": LIBRARY.format("common"),
}


@pytest.fixture
def monorepo(tmp_path: Path) -> Repository:
    return Repository.at(tmp_path / "repository", MONOREPO)


def compiled(repository: Repository, *flags: str, architecture: str = "amd64") -> Recorded:
    go = shared_go()
    target = repository.path.with_suffix(f".{architecture}")
    words = [str(go.program), "build", "-buildvcs=false", "-o", str(target), *flags]
    over = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": architecture}
    done = subprocess.run(
        [*words, "./cmd/orders"],
        cwd=repository.path / "app",
        env={**os.environ, **go.environment(**over)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return read_recorded(target)


def again(repository: Repository) -> tuple[Recorded, frozenset[str]]:
    """Build it from the commit alone; gives the Go files of that, too."""
    repository.git("clean", "-fdxq")
    new = compiled(repository, "-trimpath", "-tags=lambda.norpc", architecture="arm64")
    return new, go_files(checkout_of(repository, SHOP, "app"))


def lost(
    old: Recorded, new: Recorded, files: Iterable[str] = (), known: KnownBuild = NOBODY
) -> set[str]:
    """Give the files that are in no commit, of programs that build info says to be the same."""
    one = program(files=old.files, paths=True)
    what = ordered(one, known)
    found = attest(
        one,
        replace(built(one, what), files=new.files),
        allowed(what, known, files=frozenset(files)),
    )
    return {each.line.removeprefix("file ") for each in found.refusals}


def of_real(old: Recorded, new: Recorded, files: frozenset[str]) -> set[str]:
    """The same with their own build info, whatever else differs."""
    what = allowed(ordered(program()), files=files)
    found = attest(old, new, what)
    return {each.line for each in found.refusals if each.line.startswith("file")}


@pytest.mark.parametrize("flags", [(), ("-trimpath",), ("-ldflags=-s -w",)])
def test_an_ordinary_program_was_compiled_from_what_its_commit_holds(
    monorepo: Repository, flags: tuple[str, ...]
) -> None:
    old = compiled(monorepo, *flags)
    assert of_real(old, *again(monorepo)) == set()


@pytest.mark.parametrize("flags", [(), ("-trimpath",), ("-ldflags=-s -w",)])
def test_generated_code_that_git_ignores_is_told(
    monorepo: Repository, flags: tuple[str, ...]
) -> None:
    places = ["app/cmd/orders", "app/fork", "common"]
    for place in places:
        package = Path(place).name.replace("orders", "main")
        text = GENERATED.replace("package main", f"package {package}")
        monorepo.write({f"{place}/zz_generated.go": text})
    assert monorepo.git("status", "--porcelain") == ""
    old = compiled(monorepo, *flags)
    assert of_real(old, *again(monorepo)) == {
        "file cmd/orders/zz_generated.go",
        "file fork/zz_generated.go",
        "file ../common/zz_generated.go",
    }


@pytest.mark.parametrize("flags", [(), ("-trimpath",)])
def test_what_lies_in_vendor_is_no_file_of_the_main_module(
    monorepo: Repository, flags: tuple[str, ...]
) -> None:
    go = shared_go()
    vendor = [str(go.program), "mod", "vendor"]
    over = {**os.environ, **go.environment()}
    subprocess.run(vendor, cwd=monorepo.path / "app", env=over, capture_output=True, check=True)
    old = compiled(monorepo, "-mod=vendor", *flags)
    assert any("/vendor/" in each for each in old.files) is not bool(flags)
    assert of_real(old, *again(monorepo)) == set()


def test_a_file_of_the_commit_that_the_linker_left_out_is_none_of_those() -> None:
    old = program(files=FILES | {f"{ROOT}/cmd/orders/methods.go"})
    new = program(files=TRIMMED_FILES)
    assert lost(old, new) == {"cmd/orders/methods.go"}
    assert lost(old, new, {"cmd/orders/methods.go"}) == set()


@pytest.mark.parametrize(
    "name",
    [
        f"{ROOT}/cmd/orders/_cgo_gotypes.go",
        f"{ROOT}/cmd/orders/main.cgo1.go",
        f"{ROOT}/cmd/other/other.go",
        f"{ROOT}/vendor/example.com/log/extra.go",
        "/src/else/cmd/orders/extra.go",
        "/go/pkg/mod/example.com/x@v1.0.0/cmd/orders/extra.go",
        "example.com/shop/cmd/orders/extra.go",
    ],
)
def test_files_of_others_are_none_of_the_main_module(name: str) -> None:
    assert lost(program(files=FILES | {name}), program(files=TRIMMED_FILES)) == set()


@pytest.mark.parametrize("root", ["/usr/local/go/src", "/go/pkg/mod/example.com/x@v1.0.0"])
def test_neither_go_nor_a_cache_is_taken_for_the_main_module(root: str) -> None:
    names = {f"{root}/cmd/orders/{each}.go" for each in ("main", "extra")}
    alone = {each for each in FILES if "fork" not in each}
    assert lost(program(files=alone | names), program(files=TRIMMED_FILES)) == set()


def test_it_lay_where_most_of_its_files_were() -> None:
    names = {f"/src/else/cmd/orders/{each}.go" for each in ("main", "extra")}
    assert lost(program(files=FILES | names), program(files=TRIMMED_FILES)) == set()


@pytest.mark.parametrize("root", ["/builds/job@2/shop", "C:/Users/x/shop", "/go/src/shop", "/"])
def test_it_may_have_lain_anywhere(root: str) -> None:
    names = {f"{root.rstrip('/')}/cmd/orders/{each}.go" for each in ("main", "extra")}
    new = program(files=TRIMMED_FILES)
    assert lost(program(files=frozenset(names)), new) == {"cmd/orders/extra.go"}


def test_a_program_that_names_no_file_of_its_own_is_not_known_to_be_the_same() -> None:
    new = program(files=TRIMMED_FILES)
    for files in (frozenset[str](), frozenset({"/src/shop/cmd/orders/a.go"})):
        assert lost(program(files=files), new) == {"files"}


def test_a_file_in_no_commit_is_taken_on_with_other_changes() -> None:
    old = program(files=FILES | {f"{ROOT}/cmd/orders/extra.go"})
    accepted = KnownBuild(accept=frozenset({Accepted.MODIFIED}))
    assert lost(old, program(files=TRIMMED_FILES), known=accepted) == set()


_WORD = st.text("abcxyz_", min_size=1, max_size=3)
_PLACES = st.sets(st.lists(_WORD, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6)


@given(places=_PLACES, missing=_PLACES, root=st.lists(_WORD, max_size=3).map("/".join))
def test_what_both_have_is_never_told_and_what_is_told_is_missing(
    places: set[str], missing: set[str], root: str
) -> None:
    above = f"/{root}" if root else ""
    new = frozenset(f"{SHOP}/{each}.go" for each in places)
    trimmed = frozenset(f"{SHOP}/{each}.go" for each in places | missing)
    untrimmed = frozenset(f"{above}/{each}.go" for each in places | missing)
    same = frozenset(f"{above}/{each}.go" for each in places)
    assert lost(program(files=new), program(files=new)) == set()
    assert lost(program(files=same), program(files=new)) == set()
    told = lost(program(files=trimmed), program(files=new))
    assert told <= {f"{each}.go" for each in missing - places}
    directories = {each.rpartition("/")[0] for each in places}
    beside = {each for each in missing - places if each.rpartition("/")[0] in directories}
    kept = {f"{each}.go" for each in beside if not each.rpartition("/")[2].startswith("_cgo_")}
    assert kept <= told
    assert kept <= lost(program(files=untrimmed), program(files=new))


def test_go_1_13_trims_names_to_an_empty_version() -> None:
    told = frozenset({f"{SHOP}@/cmd/orders/{each}.go" for each in ("main", "extra")})
    new = frozenset({f"{SHOP}@/cmd/orders/main.go"})
    assert lost(program(files=told), program(files=new)) == {"cmd/orders/extra.go"}
    assert lost(program(files=told), program(files=TRIMMED_FILES)) == {"cmd/orders/extra.go"}
    assert lost(program(files=FILES), program(files=new)) == set()
