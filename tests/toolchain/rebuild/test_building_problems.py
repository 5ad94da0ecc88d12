"""What is passed on of a program's words."""

from __future__ import annotations

import pytest

from fleet.toolchain.rebuild.build_problems import (
    BuildProblem,
    Circumstances,
    DiskFull,
    NewerGoAsked,
    TookTooMuchMemory,
    problem_in,
    told,
)

AROUND = Circumstances("example.com/a", "go1.22.5", "/cache", 4 << 30)


@pytest.mark.parametrize(
    "said",
    [
        "fatal: https://me:geheim@git.example/x: 403",
        "reading https://me:ge@heim@git.example/x.zip: 403",
        "get https://bucket.example/m.zip?X-Amz-Signature=geheim&x=1: 403 Forbidden",
        "token: ssh://geheim@git.example/x",
    ],
)
def test_credentials_of_urls_and_signatures_are_not_passed_on(said: str) -> None:
    shown = told(said)
    assert "geheim" not in shown
    assert "heim" not in shown
    assert "example" in shown


def test_only_the_last_lines_are_passed_on_and_the_rest_is_told() -> None:
    shown = told("\n".join(f"line {n}" for n in range(50)) + "\n" + "x" * 5000)
    assert "line 49" in shown
    assert "line 10\n" not in shown
    assert shown.startswith("…\n")
    assert len(shown) < 1000


def test_paths_of_this_machine_give_way() -> None:
    assert told("/a/b/main.go:3: no", ("/a/", "A/"), ("/a/b/", "")) == "main.go:3: no"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("write /fleet/builds/x: no space left on device", DiskFull),
        ("link: mapping output file failed: Disk quota exceeded", DiskFull),
        ("runtime: out of memory: cannot allocate 4194304-byte block", TookTooMuchMemory),
        ("go: go.mod requires go >= 1.23 (running go 1.22.5; GOTOOLCHAIN=local)", NewerGoAsked),
        ("go.mod:3: invalid go version '1.21.0': must match format 1.23", NewerGoAsked),
        ("note: module requires Go 1.19", NewerGoAsked),
        ("go.mod:5: unknown directive: toolchain", NewerGoAsked),
    ],
)
def test_what_was_lacking_is_told_apart(said: str, kind: type[BuildProblem]) -> None:
    problem = problem_in(said, "…", AROUND)
    assert type(problem) is kind
    assert "\n" not in str(problem)
    assert str(problem).startswith("example.com/a")


def test_the_sources_own_faults_are_no_lack() -> None:
    assert problem_in("./main.go:3:15: undefined: x", "…", AROUND) is None
