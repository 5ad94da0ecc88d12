from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import zipfile
from pathlib import Path

import pytest

from fleet.aws.failures import Interrupted
from fleet.package.inspect import inspect_package
from fleet.rebuilding.provenance import is_of, patch_in
from fleet.rebuilding.rebuilt import NotRebuilt, Rebuilt
from fleet.settings import KnownFunction
from fleet.sources import Accepted
from fleet.toolchain.rebuild.golang import ChosenGo
from fleet.toolchain.trial.emulator import Emulator
from fleet.toolchain.trial.trial import try_package
from fleet.toolchain.trial.verdict import TrialOutcome
from moto_fixtures.tools import go_root, go_version
from tests.rebuilding.originals import (
    REF,
    Team,
    handlers,
    package,
    rebuild_with,
    wanted,
)

STRIPPED = "-ldflags=-s -w"
EVENT = b'{"lines": [{"article": "cup", "pieces": 3, "cents": 250}]}'
GOING_ON = threading.Event()


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team.at(tmp_path_factory.mktemp("team") / "repository", handlers("1.41.0", "orders"))


@pytest.fixture(scope="module")
def program(team: Team) -> bytes:
    """Of handlers/cmd/orders, as its team deploys it: with a value set by -X."""
    return team.build("./cmd/orders", "-ldflags=-s -w -X main.build=2024.7")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[Team, Path]:
    """A team whose program cannot speak to a custom runtime, and its package on go1.x."""
    place = tmp_path_factory.mktemp("old")
    team = Team.at(place / "repository", handlers("1.17.0", "orders"))
    return team, package(place / "running.zip", {"main": team.build()}, data=b"1\n")


def anew(team: Team, running: Path, **differently: object) -> Rebuilt:
    known = differently.pop("known", None)
    rebuild = rebuild_with(team.rule, known=known)  # type: ignore[arg-type]  # of this very type
    return rebuild(wanted(running, **differently), GOING_ON)  # type: ignore[arg-type]  # any field


def refused(team: Team, running: Path, **differently: object) -> NotRebuilt:
    with pytest.raises(NotRebuilt) as problem:
        anew(team, running, **differently)
    return problem.value


def contents(zipped: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(zipped) as archive:
        return {each.filename: archive.read(each) for each in archive.infolist()}


def answer(rebuilt: Rebuilt, rie: Emulator, architecture: str = "arm64") -> str:
    trial = try_package(
        rebuilt.package,
        handler="bootstrap",
        architecture=architecture,
        emulator=rie,
        event=EVENT,
    )
    assert trial.outcome is TrialOutcome.STARTS, (trial.reason, trial.log)
    assert trial.answer is not None
    return trial.answer


def test_what_runs_on_x86_64_answers_on_arm64_with_all_that_was_set_and_beside_it(
    team: Team, program: bytes, tmp_path: Path, rie: Emulator
) -> None:
    running = package(tmp_path / "running.zip", {"bootstrap": program}, prices=b"cup 250\n")
    rebuilt = anew(team, running)
    said = json.loads(answer(rebuilt, rie))
    assert said == {"pieces": 3, "cents": 750, "build": "2024.7"}
    old, new = contents(running), contents(rebuilt.package)
    assert list(new) == list(old)
    assert new["prices"] == old["prices"]
    assert new["bootstrap"] != old["bootstrap"]
    [told] = rebuilt.programs
    assert (told.entry, told.commit) == ("bootstrap", team.repository.head)


def test_no_value_of_a_variable_is_in_what_is_kept(
    team: Team, program: bytes, tmp_path: Path
) -> None:
    rebuilt = anew(team, package(tmp_path / "running.zip", {"bootstrap": program}))
    assert "2024.7" not in rebuilt.statement
    assert "2024.7" not in repr(rebuilt)
    assert "main.build" in rebuilt.statement


def test_the_statement_names_source_package_and_what_differs(
    team: Team, program: bytes, tmp_path: Path
) -> None:
    rebuilt = anew(team, package(tmp_path / "running.zip", {"bootstrap": program}))
    said = json.loads(rebuilt.statement)
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    names = [each["name"] for each in said["subject"]]
    assert names == ["package.zip", "bootstrap"]
    resolved = said["predicate"]["buildDefinition"]["resolvedDependencies"]
    commits = [each["digest"].get("gitCommit") for each in resolved if "digest" in each]
    assert team.repository.head in commits


class TestLinkerFlags:
    def test_hidden_ones_without_values_are_found_out_by_building_the_same_again(
        self, team: Team, tmp_path: Path
    ) -> None:
        program = team.build("./cmd/orders", "-trimpath", STRIPPED)
        rebuilt = anew(team, package(tmp_path / "running.zip", {"bootstrap": program}))
        assert [each.identical for each in rebuilt.programs] == [True]

    def test_a_value_that_was_set_and_is_hidden_is_not_lost_unseen(
        self, team: Team, tmp_path: Path
    ) -> None:
        program = team.build("./cmd/orders", "-trimpath", f"{STRIPPED} -X main.build=7")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        problem = refused(team, running)
        assert problem.code == "ldflags-lost"
        assert "ldflags:" in str(problem)
        assert not problem.failed

    def test_what_somebody_knows_of_them_is_built_in(
        self, team: Team, tmp_path: Path, rie: Emulator
    ) -> None:
        program = team.build("./cmd/orders", "-trimpath", f"{STRIPPED} -X main.build=7")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        known = KnownFunction(function=REF.arn, ldflags="-s -w -X main.build=7")
        assert json.loads(answer(anew(team, running, known=known), rie))["build"] == "7"

    def test_what_somebody_gives_wrongly_is_found_out(self, team: Team, tmp_path: Path) -> None:
        program = team.build("./cmd/orders", "-trimpath", f"{STRIPPED} -X main.build=7")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        known = KnownFunction(function=REF.arn, ldflags="-s -w -X main.build=8")
        assert refused(team, running, known=known).code == "ldflags-wrong"

    def test_their_loss_is_somebodys_to_accept_by_name(self, team: Team, tmp_path: Path) -> None:
        program = team.build("./cmd/orders", "-trimpath", f"{STRIPPED} -X main.build=8")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        accept = frozenset({Accepted.LOST_LINKER_FLAGS})
        another = KnownFunction(function=REF.arn.replace("orders", "invoices"), accept=accept)
        assert refused(team, running, known=another).code == "ldflags-lost"
        rebuilt = anew(team, running, known=KnownFunction(function=REF.arn, accept=accept))
        said = json.loads(rebuilt.statement)
        [asked] = said["predicate"]["buildDefinition"]["externalParameters"]["programs"]
        assert asked["accepted"] == ["lost-ldflags"]


class TestTheCommit:
    def test_changes_that_are_in_no_commit_refuse_it_until_somebody_accepts_that(
        self, tmp_path: Path
    ) -> None:
        team = Team.at(tmp_path / "repository")
        team.repository.write({"notes.txt": "not committed\n"})
        running = package(tmp_path / "running.zip", {"bootstrap": team.build()})
        problem = refused(team, running)
        assert problem.code == "modified"
        accepted = KnownFunction(function="orders", accept=frozenset({Accepted.MODIFIED}))
        rebuilt = anew(team, running, known=accepted)
        [told] = rebuilt.programs
        assert any("vcs.modified" in each for each in told.differences)

    def test_one_that_the_binary_does_not_name_has_to_be_given(self, tmp_path: Path) -> None:
        team = Team.at(tmp_path / "repository")
        program = team.build("./cmd/orders", "-buildvcs=false")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        assert refused(team, running).code == "no-commit"
        head = team.repository.head
        known = KnownFunction(function="orders", commit=head[:12])
        assert [each.commit for each in anew(team, running, known=known).programs] == [head]

    def test_another_source_than_that_of_what_runs_is_refused_by_what_came_of_it(
        self, tmp_path: Path
    ) -> None:
        team = Team.at(tmp_path / "repository")
        program = team.build("./cmd/orders", "-buildvcs=false")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        other = handlers("1.19.1", "orders")
        tampered = team.repository.commit(other)
        known = KnownFunction(function="orders", commit=tampered)
        problem = refused(team, running, known=known)
        assert problem.code == "other-program"
        assert "aws-lambda-go" in problem.words

    def test_one_that_is_gone_is_told_with_what_to_look_for(self, tmp_path: Path) -> None:
        team = Team.at(tmp_path / "repository")
        team.repository.commit({"README": "more\n"})
        gone = team.repository.head
        running = package(tmp_path / "running.zip", {"bootstrap": team.build()})
        team.repository.forget(gone)
        problem = refused(team, running)
        assert problem.code == "commit-gone"
        assert gone in str(problem)


class TestPackagesWithMore:
    def test_every_go_program_is_built_anew_by_what_it_tells_itself(
        self, tmp_path: Path, rie: Emulator
    ) -> None:
        team = Team.at(tmp_path / "repository", handlers("1.41.0", "orders", "stock"))
        programs = {
            "bootstrap": team.build("./cmd/orders"),
            "bin/stock": team.build("./cmd/stock"),
        }
        rebuilt = anew(team, package(tmp_path / "running.zip", programs))
        assert [each.entry for each in rebuilt.programs] == ["bootstrap", "bin/stock"]
        assert json.loads(answer(rebuilt, rie))["pieces"] == 3

    def test_a_program_that_is_not_go_refuses_the_package(
        self, team: Team, program: bytes, tmp_path: Path
    ) -> None:
        other = Path("/bin/true").read_bytes()
        running = package(tmp_path / "running.zip", {"bootstrap": program, "bin/true": other})
        problem = refused(team, running)
        assert problem.code == "rebuild-not-go"
        assert "bin/true" in str(problem)


class TestOldLibraries:
    def test_one_that_cannot_speak_to_a_custom_runtime_is_rescued_and_answers(
        self, old: tuple[Team, Path], rie: Emulator
    ) -> None:
        team, running = old
        before = contents(running)
        rebuilt = anew(
            team,
            running,
            architecture="x86_64",
            handler="main",
            runtime="go1.x",
            raise_library="v1.41.0",
        )
        assert json.loads(answer(rebuilt, rie, "x86_64"))["pieces"] == 3
        after = contents(rebuilt.package)
        # What go1.x starts is still there.
        assert after.keys() == {*before, "bootstrap"}
        assert {name: after[name] for name in before} == before
        assert "+require github.com/aws/aws-lambda-go v1.41.0" in rebuilt.patch
        assert [each.library for each in rebuilt.programs] == ["v1.41.0"]
        assert patch_in(rebuilt.statement) == rebuilt.patch
        assert is_of(rebuilt.statement, inspect_package(running).code_sha256)
        assert not is_of(rebuilt.statement, rebuilt.code_sha256)

    def test_the_patch_applies_to_the_teams_own_repository(
        self, old: tuple[Team, Path], tmp_path: Path
    ) -> None:
        team, running = old
        rebuilt = anew(
            team,
            running,
            architecture="x86_64",
            handler="main",
            runtime="go1.x",
            raise_library="v1.41.0",
        )
        patch = tmp_path / "orders.patch"
        patch.write_text(rebuilt.patch, encoding="utf-8")
        team.repository.git("apply", "--check", str(patch))

    def test_what_was_rescued_is_built_for_arm64_with_the_same_library(
        self, old: tuple[Team, Path], rie: Emulator
    ) -> None:
        team, running = old
        rescued = anew(
            team,
            running,
            architecture="x86_64",
            handler="main",
            runtime="go1.x",
            raise_library="v1.41.0",
        )
        rebuilt = anew(team, rescued.package, handler="main", earlier=rescued.statement)
        assert json.loads(answer(rebuilt, rie))["pieces"] == 3
        libraries = {each.entry: each.library for each in rebuilt.programs}
        assert libraries == {"main": "v1.17.0", "bootstrap": "v1.41.0"}

    def test_values_that_were_set_in_the_old_program_are_not_lost_on_the_way_to_arm64(
        self, old: tuple[Team, Path], tmp_path: Path, rie: Emulator
    ) -> None:
        team, _ = old
        program = team.build("./cmd/orders", "-ldflags=-s -w -X main.build=2020.3")
        running = package(tmp_path / "running.zip", {"main": program})
        how = {"handler": "main", "runtime": "go1.x", "raise_library": "v1.41.0"}
        rescued = anew(team, running, architecture="x86_64", **how)
        rebuilt = anew(team, rescued.package, handler="main", earlier=rescued.statement)
        assert json.loads(answer(rebuilt, rie))["build"] == "2020.3"

    def test_without_raising_it_the_package_is_refused(self, old: tuple[Team, Path]) -> None:
        team, running = old
        problem = refused(team, running, handler="main", runtime="go1.x")
        assert "aws-lambda-go" in str(problem)


class TestTrouble:
    def test_a_source_that_does_not_build_is_told_in_the_compilers_words(
        self, tmp_path: Path
    ) -> None:
        team = Team.at(tmp_path / "repository")
        program = team.build("./cmd/orders", "-buildvcs=false")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        broken = team.repository.commit({"cmd/orders/more.go": "package main\n\nfunc broken( {\n"})
        problem = refused(team, running, known=KnownFunction(function="orders", commit=broken))
        assert problem.failed
        assert "cmd/orders/more.go:3" in problem.words

    def test_a_pointer_in_the_place_of_an_embedded_large_file_refuses_it(
        self, tmp_path: Path
    ) -> None:
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 6\n"
        embeds = 'package main\n\nimport _ "embed"\n\n//go:embed model\nvar model string\n'
        team = Team.at(
            tmp_path / "repository",
            {
                **handlers(),
                ".gitattributes": "cmd/orders/model filter=lfs\n",
                "cmd/orders/model": pointer,
                "cmd/orders/embeds.go": embeds,
            },
        )
        head = team.repository.head
        team.repository.write({"cmd/orders/model": "weights"})
        program = team.build("./cmd/orders", "-buildvcs=false")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        problem = refused(team, running, known=KnownFunction(function="orders", commit=head))
        assert problem.code == "pointer-embedded"
        assert "cmd/orders/model" in str(problem)

    def test_what_is_kept_by_large_files_and_not_embedded_does_no_harm(
        self, tmp_path: Path
    ) -> None:
        files = {**handlers(), ".gitattributes": "*.psd filter=lfs\n", "logo.psd": "x\n"}
        team = Team.at(tmp_path / "repository", files)
        rebuilt = anew(team, package(tmp_path / "running.zip", {"bootstrap": team.build()}))
        assert any("Git LFS" in note for note in rebuilt.notes)

    def test_c_that_only_the_network_brings_along_is_left_out_where_somebody_takes_that_on(
        self, tmp_path: Path, rie: Emulator
    ) -> None:
        team = Team.at(tmp_path / "repository")
        running = package(tmp_path / "running.zip", {"bootstrap": team.build(CGO_ENABLED="1")})
        problem = refused(team, running)
        assert problem.code == "cgo"
        assert "without-c" in str(problem)
        accept = frozenset({Accepted.WITHOUT_C})
        rebuilt = anew(team, running, known=KnownFunction(function="orders", accept=accept))
        assert json.loads(answer(rebuilt, rie))["pieces"] == 3

    def test_without_a_rule_for_its_module_the_line_for_it_is_told(
        self, program: bytes, tmp_path: Path
    ) -> None:
        running = package(tmp_path / "running.zip", {"bootstrap": program}, data=b"no rule\n")
        with pytest.raises(NotRebuilt) as problem:
            rebuild_with()(wanted(running), GOING_ON)
        assert problem.value.code == "no-source-rule"
        assert "fleet.example/handlers" in str(problem.value)

    def test_once_it_is_stopped_nothing_is_built(self, team: Team, tmp_path: Path) -> None:
        stop = threading.Event()
        stop.set()
        program = team.build("./cmd/orders", "-ldflags=-X main.build=stopped")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        with pytest.raises(Interrupted):
            rebuild_with(team.rule)(wanted(running), stop)


class TestWhatIsKept:
    def test_what_another_go_than_the_recorded_one_built_is_built_again_next_time(
        self, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = team.build("./cmd/orders", "-ldflags=-X main.build=nearest")
        running = package(tmp_path / "running.zip", {"bootstrap": program})
        nearest = ChosenGo(go_version(go_root()), recorded=False, why_not="it is gone")
        with monkeypatch.context() as patch:
            patch.setattr("fleet.rebuilding.program.choose_go", lambda *_, **__: nearest)
            first = anew(team, running)
        assert any("it is gone" in note for note in first.notes)
        assert not any("it is gone" in note for note in anew(team, running).notes)

    def test_somebody_who_waits_for_anothers_build_of_it_can_be_stopped(
        self, team: Team, program: bytes, tmp_path: Path
    ) -> None:
        running = package(tmp_path / "running.zip", {"bootstrap": program}, data=b"waited for\n")
        place = anew(team, running).package.parent
        for each in place.glob("*.json"):
            each.unlink()
        stop = threading.Event()
        with contextlib.ExitStack() as held:
            for each in place.glob("*.lock"):
                fcntl.flock(held.enter_context(each.open("w")), fcntl.LOCK_EX)
            threading.Timer(0.1, stop.set).start()
            with pytest.raises(Interrupted):
                rebuild_with(team.rule)(wanted(running), stop)

    def test_what_killed_builds_have_left_is_cleared_away(
        self, team: Team, program: bytes, tmp_path: Path
    ) -> None:
        running = package(tmp_path / "running.zip", {"bootstrap": program}, data=b"cleared\n")
        place = anew(team, running).package.parent
        left, others = place / ".building-old", place / ".building-now"
        left.mkdir()
        others.mkdir()
        os.utime(left, (0, 0))
        anew(team, package(tmp_path / "more.zip", {"bootstrap": program}, data=b"more\n"))
        assert (left.exists(), others.exists()) == (False, True)

    def test_the_same_is_built_once(
        self, team: Team, program: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running = package(tmp_path / "running.zip", {"bootstrap": program}, data=b"kept\n")
        first = anew(team, running)
        monkeypatch.setattr("fleet.rebuilding.rebuilder.pack", lambda *_: pytest.fail("built"))
        assert anew(team, running) == first

    def test_a_package_that_was_changed_since_is_built_again(
        self, team: Team, program: bytes, tmp_path: Path
    ) -> None:
        running = package(tmp_path / "running.zip", {"bootstrap": program}, data=b"changed\n")
        first = anew(team, running)
        first.package.write_bytes(b"something else")
        again = anew(team, running)
        assert contents(again.package)["data"] == b"changed\n"
        assert again.code_sha256 == first.code_sha256
