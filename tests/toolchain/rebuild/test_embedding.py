"""What a program embeds has to be what it was, or the program is not built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.errors import FleetError
from fleet.toolchain.rebuild.build_problems import (
    EmbeddedUnknown,
    PointerEmbedded,
    SourcesMissing,
)
from fleet.toolchain.rebuild.embedding import check_embedded
from fleet.toolchain.rebuild.git import Git
from tests.toolchain.rebuild.going import NEVER, checkout_of, order_of, shared_go
from tests.toolchain.rebuild.repositories import Files, Repository, go_mod

SHOP = "example.com/shop"


def embeds(pattern: str, package: str = "main") -> str:
    main = '\nfunc main() { _, _ = held.Open(name) }\n\nvar name = "x"\n' * (package == "main")
    return f'package {package}\n\nimport "embed"\n\n//go:embed {pattern}\nvar held embed.FS\n{main}'


def problem(
    place: Path, files: Files, *submodules: str, module: str = "", is_sure: bool = False
) -> FleetError | None:
    """Check a program in a new repository of these files, forced in past its .gitignore."""
    repository = Repository.at(place / "repository")
    repository.write({"go.mod": go_mod(SHOP), **files})
    repository.git("add", "--all", "--force")
    repository.commit()
    checkout = replace(checkout_of(repository, SHOP, module), submodules=submodules)
    try:
        check_embedded(
            shared_go(),
            Git.found(),
            checkout,
            order_of(SHOP),
            is_sure=is_sure,
            stop=NEVER,
        )
    except FleetError as found:
        return found
    return None


@pytest.mark.parametrize(
    ("pattern", "ignored"),
    [
        ("all:dist", "dist/*\n!dist/.gitkeep\n"),
        ("dist", "/dist/\n"),
        ("dist", "*.js\n"),
        ("dist", "assets/\n"),
        ("dist", "*.sql\n"),
        ("dist/*", "dist/\n"),
        ("dist/*.html", "*.html\n"),
        ("dist/*.sql", "*.sql\n"),
        ("dist/assets", "dist/assets/*.map\n"),
        ("dist/*", "dist/.env\n"),
        ("all:dist", "dist/_local.json\n"),
        ("dist", "dist/bundle.min.js\n"),
        ("dist", "/dist/deep/generated.bin\n"),
        ("dist", "dist/**/*.wasm\n"),
    ],
)
def test_a_directory_in_which_git_ignores_files_may_have_held_some(
    tmp_path: Path, pattern: str, ignored: str
) -> None:
    names = ("index.html", "schema.sql", ".gitkeep", "assets/a.map")
    files = {f"dist/{each}": "x\n" for each in names}
    found = problem(tmp_path, {**files, ".gitignore": ignored, "main.go": embeds(pattern)})
    assert isinstance(found, EmbeddedUnknown)
    where = pattern.removeprefix("all:")
    assert f"it embeds {where}, and .gitignore" in str(found)
    assert "accept: [embedded]" in str(found)


@pytest.mark.parametrize(
    ("pattern", "ignored"),
    [
        ("dist", "/bin/\n*.exe\n*.test\n.env\nvendor/\n"),
        ("dist", "/other/dist/\n/index.html\n"),
        ("dist/index.html", "dist/*\n"),
        ("dist/*.html", "*.js\n/dist/*.sql\n"),
        ("dist", "# dist/\n\n!dist/\n"),
        ("dist", "/dist/.env\ndist/assets/_local.json\n"),
    ],
)
def test_what_is_ignored_elsewhere_does_no_harm(tmp_path: Path, pattern: str, ignored: str) -> None:
    files = {"dist/index.html": "x\n", ".gitignore": ignored, "main.go": embeds(pattern)}
    assert problem(tmp_path, files) is None


def test_a_program_that_comes_out_byte_for_byte_holds_what_it_held(tmp_path: Path) -> None:
    files = {"dist/x": "x\n", ".gitignore": "dist/\n", "main.go": embeds("dist")}
    assert problem(tmp_path, files, is_sure=True) is None


@pytest.mark.parametrize("submodule", ["dist", "dist/theme"])
def test_a_directory_that_another_repository_fills_was_not_empty(
    tmp_path: Path, submodule: str
) -> None:
    files = {"dist/x": "x\n", "main.go": embeds("dist")}
    found = problem(tmp_path, files, submodule)
    assert isinstance(found, EmbeddedUnknown)
    assert f"the submodule {submodule}" in str(found)
    assert problem(tmp_path / "other", files, "theme") is None


@pytest.mark.parametrize(
    "attribute", ["filter=git-crypt", "filter=lfs", "working-tree-encoding=UTF-16"]
)
@pytest.mark.parametrize("is_sure", [False, True])
def test_a_file_that_git_keeps_otherwise_is_refused(
    tmp_path: Path, attribute: str, is_sure: bool
) -> None:
    files: Files = {
        "dist/x": "x\n".encode("utf-16"),
        ".gitattributes": f"dist/* {attribute}\n",
        "main.go": embeds("dist"),
    }
    found = problem(tmp_path, files, is_sure=is_sure)
    assert isinstance(found, PointerEmbedded)
    assert f"it embeds dist/x ({attribute})" in str(found)


def test_attributes_of_other_files_do_no_harm(tmp_path: Path) -> None:
    files = {
        "dist/x": "x\n",
        ".gitattributes": "*.psd filter=lfs\ndist/* text -filter\n",
        "main.go": embeds("dist"),
    }
    assert problem(tmp_path, files) is None


def test_a_pointer_without_an_attribute_is_one_all_the_same(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 6\n"
    found = problem(tmp_path, {"model": pointer, "main.go": embeds("model")})
    assert isinstance(found, PointerEmbedded)
    assert "it embeds model" in str(found)


def test_where_what_is_embedded_is_not_there_nothing_is_known(tmp_path: Path) -> None:
    found = problem(tmp_path, {".gitignore": "dist/\n", "main.go": embeds("all:dist")})
    assert isinstance(found, SourcesMissing)
    assert "no matching files" in str(found)


def test_other_modules_of_a_workspace_are_looked_at(tmp_path: Path) -> None:
    uses = f'package main\n\nimport _ "{SHOP}/lib"\n\nfunc main() {{}}\n'
    files: Files = {
        "go.mod": None,
        "go.work": "go 1.21\n\nuse (\n\t./app\n\t./lib\n)\n",
        "app/go.mod": go_mod(SHOP),
        "app/main.go": uses,
        "lib/go.mod": go_mod(f"{SHOP}/lib"),
        "lib/lib.go": embeds("dist", "lib"),
        "lib/dist/x": "x\n",
    }
    assert problem(tmp_path, files, module="app") is None
    files = {**files, ".gitignore": "dist/\n"}
    found = problem(tmp_path / "other", files, module="app")
    assert "it embeds lib/dist" in str(found)


def test_nobodys_own_configuration_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ignored").write_text("dist/\n")
    (tmp_path / ".gitconfig").write_text(f"[core]\n\texcludesFile = {tmp_path}/ignored\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    assert problem(tmp_path, {"dist/x": "x\n", "main.go": embeds("dist")}) is None


def test_a_directory_that_ignores_files_itself_may_have_held_some(tmp_path: Path) -> None:
    files = {"dist/x": "x\n", "dist/.gitignore": "bundle.bin\n", "main.go": embeds("dist")}
    found = problem(tmp_path, files)
    assert isinstance(found, EmbeddedUnknown)
    assert "such as dist/bundle.bin" in str(found)


def test_a_link_to_a_directory_is_not_embedded_and_not_asked_about(tmp_path: Path) -> None:
    files: Files = {
        "dist/x": "x\n",
        "dist/assets": Path("../other"),
        "other/y": "y\n",
        ".gitignore": "*.o\n",
        "main.go": embeds("dist"),
    }
    assert problem(tmp_path, files) is None
