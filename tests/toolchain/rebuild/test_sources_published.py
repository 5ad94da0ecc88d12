from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from fleet.toolchain.rebuild.problems import NotTold, PublishedChanged, PublishedMissing
from fleet.toolchain.rebuild.published import Download, published
from moto_fixtures.tools import go_root

MODULE, VERSION = "rsc.io/quote", "v1.5.2"
SUM = "h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y="


@pytest.fixture
def download(tmp_path: Path) -> Download:
    """The real one, with the settings of whoever runs the tests."""

    def run(argument: str) -> str:
        done = subprocess.run(
            [str(go_root() / "bin/go"), "mod", "download", "-json", argument],
            cwd=tmp_path,
            env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    return run


def test_a_published_module_is_laid_out_by_go(download: Download) -> None:
    found = published(MODULE, VERSION, SUM, download)
    assert (found.module, found.version, found.commit) == (MODULE, VERSION, "")
    assert found.origin == f"{MODULE}@{VERSION}"
    assert found.clean
    assert (found.module_directory / "quote.go").exists()


@pytest.mark.parametrize(
    ("recorded", "words"), [(SUM.replace("w5", "w6"), "the program tells h1:w6"), ("", "nothing")]
)
def test_a_published_module_that_has_changed_is_refused(
    download: Download, recorded: str, words: str
) -> None:
    with pytest.raises(PublishedChanged, match=words):
        published(MODULE, VERSION, recorded, download)


def test_a_published_module_that_is_gone_is_told_in_gos_words(
    download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    with pytest.raises(PublishedMissing, match=r"quote@v99\.0\.0 cannot be fetched: .*GOPROXY=off"):
        published(MODULE, "v99.0.0", SUM, download)


@pytest.mark.parametrize(
    "told",
    [
        *("", "[]", "null", "{}", '{"Dir": "relative"}', '{"Dir": 1}', "{"),
        json.dumps({"Error": "fetching https://u:s3cr3t@example.com/x: \x1b[31mno"}),
    ],
)
def test_whatever_go_tells_is_no_source_without_a_directory(told: str) -> None:
    with pytest.raises(PublishedMissing) as problem:
        published(MODULE, VERSION, SUM, lambda _: told)
    assert "s3cr3t" not in str(problem.value)
    assert str(problem.value).isprintable()


@pytest.mark.parametrize(
    ("module", "version"),
    [("-x", VERSION), ("a@b", VERSION), ("", VERSION), (MODULE, "latest"), (MODULE, "v1.5.2\n")],
)
def test_what_is_no_module_or_version_never_reaches_go(module: str, version: str) -> None:
    def never(_: str) -> str:
        raise AssertionError

    with pytest.raises(NotTold):
        published(module, version, SUM, never)
