from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.sources import Address
from fleet.toolchain.rebuild.checkout import Wanted, checkout
from fleet.toolchain.rebuild.git import Git
from fleet.toolchain.rebuild.order import Checkout
from fleet.toolchain.rebuild.problems import (
    GitFailed,
    ModuleAmbiguous,
    NotTold,
    PackageMissing,
    UnsafeSource,
    WrongMapping,
)
from moto_fixtures.tools import go_root
from tests.toolchain.rebuild.repositories import MAIN, Files, Repository, go_mod

MONO = "example.com/mono"
LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"

LayOut = Callable[..., Checkout]


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def laid_out(tmp_path: Path, notes: list[str]) -> LayOut:
    """Check out the newest commit of a repository, or what is said otherwise."""

    def lay_out(repository: Repository, module: str, **told: str) -> Checkout:
        wanted = {"package": module, "commit": repository.head, "version": "", **told}
        return checkout(
            Git.found(),
            Address(repository.url, repository.url),
            Wanted(module, **wanted),
            tmp_path / "work",
            clones=tmp_path / "clones",
            note=notes.append,
        )

    return lay_out


def in_it(found: Checkout, *words: str) -> str:
    return Repository(found.root).git(*words)


def test_exactly_the_commit_is_checked_out(tmp_path: Path, laid_out: LayOut) -> None:
    repository = Repository.at(tmp_path / "orders", {"go.mod": go_mod("orders"), "main.go": MAIN})
    old = repository.head
    repository.commit({"main.go": MAIN + "// newer\n", "new.go": "package main\n"})
    found = laid_out(repository, "orders", commit=old)
    assert (found.commit, found.module, found.version) == (old, "orders", "")
    assert (found.root / "main.go").read_text() == MAIN
    assert not (found.root / "new.go").exists()
    assert in_it(found, "rev-parse", "HEAD") == old
    assert in_it(found, "status", "--porcelain") == ""


def test_git_is_a_directory_in_the_checkout(tmp_path: Path, laid_out: LayOut) -> None:
    # Go before 1.20 writes no commit where it is a file, as in a worktree.
    repository = Repository.at(tmp_path / "orders", {"go.mod": go_mod("orders"), "main.go": MAIN})
    assert (laid_out(repository, "orders").root / ".git").is_dir()


def test_a_module_is_found_wherever_it_lies(tmp_path: Path, laid_out: LayOut) -> None:
    files = {
        "go.mod": go_mod(MONO),
        "cmd/orders/main.go": MAIN,
        "services/billing/go.mod": go_mod("example.com/billing"),
        "services/billing/cmd/bill/main.go": MAIN,
    }
    repository = Repository.at(tmp_path / "mono", files)
    found = laid_out(repository, "example.com/billing", package="example.com/billing/cmd/bill")
    assert found.module_directory == found.root / "services/billing"


def test_a_command_of_a_monorepo_lies_in_its_root_module(tmp_path: Path, laid_out: LayOut) -> None:
    files = {"go.mod": go_mod(MONO), "cmd/a/main.go": MAIN, "cmd/b/main.go": MAIN}
    found = laid_out(Repository.at(tmp_path / "mono", files), MONO, package=f"{MONO}/cmd/b")
    assert found.module_directory == found.root


@pytest.mark.parametrize("place", ["vendor/x", "testdata", "a/testdata/b", "_old", ".old/a"])
def test_a_go_mod_where_go_does_not_look_is_no_module(
    tmp_path: Path, laid_out: LayOut, place: str
) -> None:
    files = {f"{place}/go.mod": go_mod(MONO), f"{place}/main.go": MAIN}
    with pytest.raises(WrongMapping, match="it holds no module"):
        laid_out(Repository.at(tmp_path / "mono", files), MONO)


def test_a_wrong_mapping_names_what_the_repository_does_hold(
    tmp_path: Path, laid_out: LayOut
) -> None:
    files = {"go.mod": go_mod("example.com/a"), "b/go.mod": go_mod("example.com/b")}
    with pytest.raises(WrongMapping, match=r"orders: it holds example.com/a, example.com/b;"):
        laid_out(Repository.at(tmp_path / "mono", files), "example.com/orders")


SAME = {
    "hello/go.mod": go_mod("hello-world"),
    "hello/main.go": MAIN,
    "again/go.mod": go_mod("hello-world"),
    "again/main.go": MAIN,
}


def test_a_package_in_a_module_below_is_not_the_upper_ones(
    tmp_path: Path, laid_out: LayOut
) -> None:
    files = {
        "go.mod": go_mod(MONO),
        "api/go.mod": go_mod("example.com/api"),
        "api/cmd/main.go": MAIN,
    }
    with pytest.raises(PackageMissing):
        laid_out(Repository.at(tmp_path / "mono", files), MONO, package=f"{MONO}/api/cmd")


def test_names_of_a_repository_are_told_without_control_characters(
    tmp_path: Path, laid_out: LayOut
) -> None:
    files = {f"{each}/{file}": text for each in ("a\x1b[31m\n", "b\udcff") for file, text in ONE}
    with pytest.raises(ModuleAmbiguous) as told:
        laid_out(Repository.at(tmp_path / "mono", files), MONO)
    assert str(told.value).isprintable()
    assert "a[31m, b" in str(told.value)


ONE = (("go.mod", go_mod(MONO)), ("main.go", MAIN))


def test_two_modules_of_one_path_are_told(tmp_path: Path, laid_out: LayOut) -> None:
    with pytest.raises(ModuleAmbiguous, match="more than once, in again, hello; say which"):
        laid_out(Repository.at(tmp_path / "sam", SAME), "hello-world")


def test_people_say_which_of_two_modules_it_is(tmp_path: Path, laid_out: LayOut) -> None:
    repository = Repository.at(tmp_path / "sam", SAME)
    found = laid_out(repository, "hello-world", directory="./again/")
    assert found.module_directory == found.root / "again"


def test_of_two_modules_that_which_has_the_package_counts(tmp_path: Path, laid_out: LayOut) -> None:
    repository = Repository.at(tmp_path / "sam", {**SAME, "hello/cmd/one/main.go": MAIN})
    found = laid_out(repository, "hello-world", package="hello-world/cmd/one")
    assert found.module_directory == found.root / "hello"


@pytest.mark.parametrize("package", [f"{MONO}/cmd/gone", "example.com/other", f"{MONO}x"])
def test_a_package_that_is_not_there_is_told(
    tmp_path: Path, laid_out: LayOut, package: str
) -> None:
    files = {"go.mod": go_mod(MONO), "main.go": MAIN, "x/main.go": MAIN}
    with pytest.raises(PackageMissing, match="no Go files of the package"):
        laid_out(Repository.at(tmp_path / "mono", files), MONO, package=package)


@pytest.mark.parametrize("commit", ["", "HEAD", "main", "--all", "abc", "A" * 40, "a" * 41])
def test_what_is_no_commit_never_reaches_git(commit: str) -> None:
    with pytest.raises(NotTold, match="no commit"):
        never_reached(Wanted("orders", "orders", commit))


@pytest.mark.parametrize("path", ["-x", "../x", "a/../b", "a//b", "/a", "a b", "a\nb", "a/", "a:b"])
def test_what_is_no_import_path_is_not_looked_for(path: str) -> None:
    with pytest.raises(NotTold, match="path of a module"):
        never_reached(Wanted(path, "orders", "a" * 40))
    with pytest.raises(NotTold, match="path of a package"):
        never_reached(Wanted("orders", path, "a" * 40))


def never_reached(wanted: Wanted) -> None:
    nowhere = Path("/nowhere")
    git = Git("/nowhere/git", {})
    checkout(git, Address("x", "x"), wanted, nowhere, clones=nowhere, note=print)


def versioned(tmp_path: Path, files: Files | None = None) -> Repository:
    repository = Repository.at(tmp_path / "mono", {"go.mod": go_mod(MONO), "main.go": MAIN})
    repository.tag("v9.0.0")
    repository.commit(files or {"main.go": MAIN + "//\n"}, tag="v9.1.0")
    return repository


def tags(found: Checkout) -> dict[str, str]:
    asked = ("for-each-ref", "--format=%(refname:strip=2) %(objectname)", "refs/tags")
    return dict(line.split(" ") for line in in_it(found, *asked).splitlines())


@pytest.mark.parametrize("version", ["", "(devel)", "v0.0.0-20240102030405-0123456789ab"])
def test_no_tag_of_today_comes_along(tmp_path: Path, laid_out: LayOut, version: str) -> None:
    assert tags(laid_out(versioned(tmp_path), MONO, version=version)) == {}


def test_the_recorded_version_is_tagged_again(tmp_path: Path, laid_out: LayOut) -> None:
    repository = versioned(tmp_path)
    found = laid_out(repository, MONO, version="v1.2.3")
    assert tags(found) == {"v1.2.3": repository.head}


def test_the_base_of_a_pseudo_version_is_tagged_before(tmp_path: Path, laid_out: LayOut) -> None:
    repository = versioned(tmp_path)
    found = laid_out(repository, MONO, version="v1.2.4-0.20240102030405-0123456789ab")
    assert tags(found) == {"v1.2.3": repository.git("rev-parse", "HEAD^")}


def test_the_tag_of_a_module_in_a_directory_names_it(tmp_path: Path, laid_out: LayOut) -> None:
    files = {"api/go.mod": go_mod(f"{MONO}/api/v2"), "api/main.go": MAIN}
    repository = versioned(tmp_path, files)
    found = laid_out(repository, f"{MONO}/api/v2", version="v2.0.1")
    assert tags(found) == {"api/v2.0.1": repository.head}


def test_hooks_of_a_template_are_not_run(
    tmp_path: Path, laid_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "template/hooks/post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    configured(tmp_path, monkeypatch, f"[init]\n\ttemplateDir = {hook.parents[1]}\n")
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(hook.parents[1]))
    repository = Repository.at(tmp_path / "orders", {"go.mod": go_mod("orders"), "main.go": MAIN})
    laid_out(repository, "orders")
    assert not (tmp_path / "ran").exists()


def test_a_filter_of_the_user_is_not_run_and_large_files_are_told(
    tmp_path: Path, laid_out: LayOut, monkeypatch: pytest.MonkeyPatch, notes: list[str]
) -> None:
    files = {
        "go.mod": go_mod("orders"),
        "main.go": MAIN,
        "model.bin": LFS_POINTER,
        ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    }
    repository = Repository.at(tmp_path / "orders", files)
    configured(tmp_path, monkeypatch, f'[filter "lfs"]\n\tsmudge = touch {tmp_path}/ran\n')
    found = laid_out(repository, "orders")
    assert (found.root / "model.bin").read_text() == LFS_POINTER
    assert (found.root / "main.go").read_bytes() == MAIN.encode()
    assert not (tmp_path / "ran").exists()
    assert any("Git LFS" in each for each in notes)


def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Give the user a configuration of git, in each of the places it may come from."""
    home = tmp_path / "home"
    (home / "git").mkdir(parents=True)
    for place in (home / ".gitconfig", home / "git/config"):
        place.write_text(text)
    (home / "git/attributes").write_text("*.go text eol=crlf\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))


@pytest.mark.parametrize("target", ["/etc/hostname", "sub/../../outside", "through"])
def test_links_that_lead_out_are_left_out_and_told(
    tmp_path: Path, laid_out: LayOut, notes: list[str], target: str
) -> None:
    files: Files = {
        "go.mod": go_mod("orders"),
        "main.go": MAIN,
        "sub/a": "a",
        "secret.go": Path(target),
        "inside": Path("main.go"),
        "up/dir": Path("../.."),
        "through": Path("up/dir/outside"),
    }
    (tmp_path / "outside").write_text("package main\n")
    found = laid_out(Repository.at(tmp_path / "orders", files), "orders")
    assert not (found.root / "secret.go").is_symlink()
    assert (found.root / "inside").read_text() == MAIN
    assert in_it(found, "status", "--porcelain") == ""
    assert any("lead out" in each and "secret.go" in each for each in notes)


def test_links_in_a_circle_are_laid_out(tmp_path: Path, laid_out: LayOut) -> None:
    files: Files = {"go.mod": go_mod("orders"), "main.go": MAIN, "a": Path("b"), "b": Path("a")}
    found = laid_out(Repository.at(tmp_path / "orders", files), "orders")
    assert (found.root / "a").is_symlink()


def test_a_submodule_is_not_fetched_and_told(
    tmp_path: Path, laid_out: LayOut, notes: list[str]
) -> None:
    inner = Repository.at(tmp_path / "inner", {"file": "x"})
    files = {"go.mod": go_mod("orders"), "main.go": MAIN}
    repository = Repository.at(tmp_path / "orders", files)
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", inner.url)
    repository.commit()
    found = laid_out(repository, "orders")
    assert list((found.root / "inner").iterdir()) == []
    assert in_it(found, "status", "--porcelain") == ""
    assert any("submodules" in each for each in notes)


@pytest.mark.parametrize("name", [".GIT", "git~1", ".g\u200cit"])
def test_a_tree_that_looks_like_gits_own_directory_is_refused(
    tmp_path: Path, laid_out: LayOut, name: str
) -> None:
    repository = Repository.at(tmp_path / "orders", {"go.mod": go_mod("orders"), "main.go": MAIN})
    (repository.path / "file").write_text("")
    hidden = repository.git("hash-object", "-w", "file")
    hidden = repository.git("mktree", given=f"100644 blob {hidden}\tconfig")
    with_tree(repository, f"040000 tree {hidden}\t{name}")
    with pytest.raises(GitFailed, match="invalid path"):
        laid_out(repository, "orders")
    assert not (tmp_path / "work").exists()


def with_tree(repository: Repository, *lines: str) -> None:
    """Commit a tree that git's own commands would not make."""
    tree = repository.git("mktree", given="\n".join([repository.git("ls-tree", "HEAD"), *lines]))
    repository.git("reset", "--soft", repository.git("commit-tree", "-m", "hostile", tree))


def test_trees_without_end_are_refused(
    tmp_path: Path, laid_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.toolchain.rebuild.git._MOST_OUTPUT", 1 << 20)
    repository = Repository.at(tmp_path / "orders", {"go.mod": go_mod("orders"), "main.go": MAIN})
    tree, kind = repository.git("hash-object", "-w", "main.go"), "100644 blob"
    for _ in range(7):
        lines = "\n".join(f"{kind} {tree}\tname-{each}" for each in range(10))
        tree, kind = repository.git("mktree", given=lines), "040000 tree"
    with_tree(repository, f"040000 tree {tree}\tbomb")
    with pytest.raises(UnsafeSource, match="more than 1,000,000 files"):
        laid_out(repository, "orders")


def test_nothing_is_left_where_it_fails(tmp_path: Path, laid_out: LayOut) -> None:
    repository = Repository.at(tmp_path / "orders", {"go.mod": go_mod("orders"), "main.go": MAIN})
    with pytest.raises(GitFailed, match="git update-ref failed"):
        laid_out(repository, "orders", version="v1.2.3-x.lock")
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("version", ["v1.2.3", "v1.2.4-0.{when}", "v0.0.0-{when}", "v3.0.0"])
def test_go_writes_the_recorded_version_again(
    tmp_path: Path, laid_out: LayOut, version: str
) -> None:
    repository = versioned(tmp_path)
    # Go takes no v3 for a module without it in its path, and neither would the recorded build.
    recorded = version.format(when=f"20240102030405-{repository.head[:12]}")
    found = laid_out(repository, MONO, version=recorded)
    expected = recorded if version != "v3.0.0" else f"v0.0.0-20240102030405-{repository.head[:12]}"
    assert main_module(found, tmp_path) == ["mod", MONO, expected]


def main_module(found: Checkout, tmp_path: Path) -> list[str]:
    """Build a checkout; gives what Go has written of its main module."""
    go, program = str(go_root() / "bin/go"), str(tmp_path / "program")
    own = {"GOENV": "off", "GOFLAGS": "", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    # Go keeps there which version a commit had, whatever the tags say later.
    own["GOMODCACHE"] = str(tmp_path / "modules")
    environment = {name: value for name, value in os.environ.items() if "GIT" not in name} | own
    for words in (["build", "-buildvcs=true", "-o", program, "."], ["version", "-m", program]):
        done = subprocess.run(
            [go, *words],
            cwd=found.module_directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return next(line.split() for line in done.stdout.splitlines() if "\tmod\t" in line)
