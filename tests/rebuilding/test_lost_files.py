"""Programs that were built from files of no commit, while git called the work tree clean."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fleet.package.binary.recorded import read_recorded
from fleet.rebuilding.rebuilt import NotRebuilt, Rebuilt
from fleet.settings import KnownFunction
from fleet.sources import Accepted
from tests.rebuilding.originals import REF, Team, handlers, package, rebuild_with, wanted

GENERATED = {"cmd/orders/zz_generated.go": "package main\n\nfunc init() { println(1) }\n"}
EMBEDS = 'package main\n\nimport "embed"\n\n//go:embed all:dist\nvar dist embed.FS\n'
EMBEDDING = {
    **handlers(),
    ".gitignore": "/cmd/orders/dist/*\n!/cmd/orders/dist/.gitkeep\n",
    "cmd/orders/embeds.go": EMBEDS + '\nfunc init() { _, _ = dist.Open("x") }\n',
    "cmd/orders/dist/.gitkeep": "",
}
BUNDLE = {"cmd/orders/dist/bundle.js": "alert(1)\n"}


def anew(team: Team, running: Path, *accepted: Accepted) -> Rebuilt:
    known = KnownFunction(function=REF.arn, accept=frozenset(accepted))
    return rebuild_with(team.rule, known=known)(wanted(running), threading.Event())


def refused(team: Team, running: Path, *accepted: Accepted) -> NotRebuilt:
    with pytest.raises(NotRebuilt) as problem:
        anew(team, running, *accepted)
    assert not problem.value.failed
    return problem.value


def running(team: Team, place: Path, *flags: str) -> Path:
    """Give a package of what git calls built from a commit alone."""
    deployed = package(place / "running.zip", {"bootstrap": team.build("./cmd/orders", *flags)})
    told = read_recorded(team.repository.path.with_suffix(".program")).build
    assert told is not None
    assert told.settings["vcs.modified"] == "false"
    return deployed


def test_generated_code_that_git_ignores_is_not_lost_unseen(tmp_path: Path) -> None:
    files = {**handlers(), ".gitignore": "zz_generated.go\n"}
    team = Team.at(tmp_path / "repository", files)
    team.repository.write(GENERATED)
    deployed = running(team, tmp_path)
    problem = refused(team, deployed)
    assert problem.code == "other-program"
    assert "file cmd/orders/zz_generated.go" in str(problem)
    [told] = anew(team, deployed, Accepted.MODIFIED).programs
    assert any("zz_generated.go" in each for each in told.differences)


class TestEmbeddedDirectories:
    @pytest.fixture
    def team(self, tmp_path: Path) -> Team:
        return Team.at(tmp_path / "repository", EMBEDDING)

    def test_one_in_which_git_ignores_files_refuses_it_until_somebody_accepts_that(
        self, team: Team, tmp_path: Path
    ) -> None:
        team.repository.write(BUNDLE)
        deployed = running(team, tmp_path)
        problem = refused(team, deployed)
        assert problem.code == "embedded-unknown"
        assert "accept: [embedded]" in str(problem)
        assert anew(team, deployed, Accepted.EMBEDDED).programs

    def test_one_that_came_out_byte_for_byte_holds_what_it_held(
        self, team: Team, tmp_path: Path
    ) -> None:
        [told] = anew(team, running(team, tmp_path, "-trimpath")).programs
        assert told.identical

    def test_one_that_held_more_does_not_come_out_so(self, team: Team, tmp_path: Path) -> None:
        team.repository.write(BUNDLE)
        assert refused(team, running(team, tmp_path, "-trimpath")).code == "ldflags-lost"
        taken_on = refused(team, tmp_path / "running.zip", Accepted.LOST_LINKER_FLAGS)
        assert taken_on.code == "embedded-unknown"

    def test_a_submodule_in_one_is_seen(self, tmp_path: Path) -> None:
        theme = Team.at(tmp_path / "theme", {"style.css": "\n"})
        files = {**EMBEDDING, ".gitignore": ""}
        team = Team.at(tmp_path / "repository", files)
        place = "cmd/orders/dist/theme"
        allow = ("-c", "protocol.file.allow=always")
        team.repository.git(*allow, "submodule", "--quiet", "add", theme.repository.url, place)
        team.repository.commit()
        problem = refused(team, running(team, tmp_path))
        assert problem.code == "embedded-unknown"
        assert f"the submodule {place}" in str(problem)
