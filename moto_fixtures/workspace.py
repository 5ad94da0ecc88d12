"""Lays out the directory that a handler is built in: its sources, modules, and repository."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from moto_fixtures.definition import Build
from moto_fixtures.tools import Runner

LIBRARY = "github.com/aws/aws-lambda-go"
_MODULE = "fleet.example/handlers"

# The same tree, author and date give the same revision on every machine.
_COMMITTER = {
    "GIT_AUTHOR_NAME": "Handlers",
    "GIT_AUTHOR_EMAIL": "handlers@fleet.example",
    "GIT_AUTHOR_DATE": "2023-11-07T12:00:00Z",
    "GIT_COMMITTER_NAME": "Handlers",
    "GIT_COMMITTER_EMAIL": "handlers@fleet.example",
    "GIT_COMMITTER_DATE": "2023-11-07T12:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def sources(wanted: Build, handlers: Path) -> Iterator[tuple[Path, str]]:
    """Give every file that goes into a build, and its path below the module's root."""
    for command in filter(None, (wanted.command, wanted.links)):
        for path in sorted((handlers / "cmd" / command).iterdir()):
            yield path, f"cmd/{command}/{path.name}"
    stem = "go" if wanted.library is None else f"versions/v{wanted.library}"
    for kind in ("mod", "sum"):
        yield handlers / f"{stem}.{kind}", f"go.{kind}"


def replacing_sums(wanted: Build, handlers: Path) -> Path | None:
    """Give the checksums of the release that stands in for the library, if one does."""
    if wanted.replacement in {None, "fork"}:
        return None
    return handlers / "versions" / f"v{wanted.replacement}.sum"


def lay_out(wanted: Build, handlers: Path, scratch: Path, runner: Runner) -> Path:
    """Give the module's root below `scratch`, ready to be built; raises BuildFailed."""
    root = scratch / "src" / _MODULE
    for path, name in sources(wanted, handlers):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, root / name)
    if wanted.replacement == "fork":
        _fork(root, runner)
    elif (sums := replacing_sums(wanted, handlers)) is not None:
        with (root / "go.sum").open("ab") as known:
            known.write(sums.read_bytes())
        _replace(root, f"{LIBRARY}@v{wanted.replacement}", runner)
    if wanted.modules != "on":
        runner.newest_go(["mod", "vendor"], root)
    if wanted.vcs != "none":
        _commit(root, runner)
    if wanted.vcs == "modified":
        (root / "notes.txt").write_text("not committed\n")
    return root


def _replace(root: Path, by: str, runner: Runner) -> None:
    runner.newest_go(["mod", "edit", f"-replace={LIBRARY}={by}"], root)


def _fork(root: Path, runner: Runner) -> None:
    runner.newest_go(["mod", "vendor"], root)
    (root / "vendor" / LIBRARY).rename(root / "fork")
    shutil.rmtree(root / "vendor")
    (root / "fork" / "go.mod").write_text(f"module {LIBRARY}\n\ngo 1.18\n")
    _replace(root, "./fork", runner)


def _commit(root: Path, runner: Runner) -> None:
    runner.run(["git", "init", "--quiet"], root, **_COMMITTER)
    runner.run(["git", "add", "."], root, **_COMMITTER)
    runner.run(["git", "commit", "--quiet", "--message=Handlers"], root, **_COMMITTER)
