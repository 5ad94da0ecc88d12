from __future__ import annotations

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import BinaryFacts, BinaryKind
from fleet.package.rewriting.programs import SENTENCES, ProgramsToReplace, programs_to_replace
from tests.package.hand_made import build_info, entry, package, program, shared

MAIN, WORKER = program("main"), program("bin/worker", build=build_info("v1.20.0"))
OBSTACLES = {
    "rebuild-library": shared("lib/libpostage.so"),
    "rebuild-go-library": shared("plugin.so", is_go=True, build=build_info()),
    "rebuild-not-go": program("tool", is_go=False, build=None),
    "rebuild-no-build-info": program("old", build=None),
    "rebuild-packed": program("small", is_go=False, build=None, upx=True),
    "rebuild-unreadable": BinaryFacts(
        "broken", BinaryKind.OTHER, 0, "machine 0", problem="header: ends early"
    ),
    "rebuild-no-program": program("main.o", kind=BinaryKind.OTHER, is_go=False, build=None),
}


def codes(sorted_out: ProgramsToReplace) -> list[str]:
    return [each.code for each in sorted_out.against]


def test_every_go_program_is_rebuilt_from_its_own_build_info() -> None:
    found = programs_to_replace(package(MAIN, WORKER), "arm64")
    assert found == ProgramsToReplace(rebuild=(MAIN, WORKER), against=(), left=())


def test_what_is_for_the_architecture_already_stays_whatever_it_is() -> None:
    there = (program("a", machine="arm64"), shared("b.so", machine="arm64"))
    packed = program("c", machine="arm64", upx=True, build=None, is_go=False)
    found = programs_to_replace(package(MAIN, *there, packed), "arm64")
    assert found == ProgramsToReplace(rebuild=(MAIN,), against=(), left=("a", "b.so", "c"))


def test_scripts_and_data_need_nothing() -> None:
    facts = package(MAIN, also=(entry("run.sh"), entry("data")), scripts=("run.sh",))
    assert programs_to_replace(facts, "arm64").rebuild == (MAIN,)
    scripts = package(also=(entry("run.sh"),), scripts=("run.sh",))
    assert programs_to_replace(scripts, "arm64") == ProgramsToReplace((), (), ())


@pytest.mark.parametrize("code", OBSTACLES)
def test_what_cannot_be_rebuilt_is_named_and_the_rest_is_still_sorted(code: str) -> None:
    other = OBSTACLES[code]
    found = programs_to_replace(package(MAIN, other, WORKER), "arm64")
    assert (found.rebuild, codes(found), found.left) == ((MAIN, WORKER), [code], ())
    assert found.against[0].text.startswith(other.entry)


def test_a_program_for_32_bit_runs_today_and_counts() -> None:
    go, c = program("go", machine="machine 3"), program("c", machine="machine 3", is_go=False)
    found = programs_to_replace(package(go, c), "arm64")
    assert (found.rebuild, codes(found)) == ((go,), ["rebuild-not-go"])
    assert "a program for i386" in found.against[0].text
    assert programs_to_replace(package(go, c), "x86_64").left == ("go", "c")


def test_what_runs_on_no_lambda_today_stays_as_it_is() -> None:
    found = programs_to_replace(package(MAIN, shared("ppc.so", machine="machine 21")), "arm64")
    assert (found.against, found.left) == ((), ("ppc.so",))


def test_the_way_back_to_x86_64_goes_by_the_same_rules() -> None:
    arm64 = program("main", machine="arm64")
    library = shared("b.so", machine="arm64")
    found = programs_to_replace(package(arm64, WORKER, library), "x86_64")
    assert (found.rebuild, found.left) == ((arm64,), ("bin/worker",))
    assert codes(found) == ["rebuild-library"]


def test_two_entries_of_one_name_are_refused_once() -> None:
    found = programs_to_replace(package(MAIN, MAIN), "arm64")
    assert (found.rebuild, codes(found)) == ((), ["rebuild-duplicate"])
    beside = programs_to_replace(package(MAIN, also=(entry("main"),)), "arm64")
    assert codes(beside) == ["rebuild-duplicate"]


def test_what_was_not_read_is_never_fine() -> None:
    assert codes(programs_to_replace(package(MAIN, whole=False), "arm64")) == ["rebuild-index-only"]


def test_a_signed_package_is_refused() -> None:
    assert codes(programs_to_replace(package(MAIN, signed=True), "arm64")) == ["rebuild-signed"]


@pytest.mark.parametrize("code", SENTENCES)
def test_each_is_one_sentence_that_says_what_to_do(code: str) -> None:
    sentence = SENTENCES[code]
    assert ": " in sentence
    assert ". " not in sentence
    assert not sentence.endswith(".")
    fields = {name for _, name, _, _ in Formatter().parse(sentence) if name}
    assert fields <= {"entry", "machine", "problem", "wanted"}


def test_names_from_outside_are_made_fit_to_be_shown() -> None:
    hostile = program(f"{chr(27)}[2J{{x}}{'y' * 1000}", build=None)
    (said,) = programs_to_replace(package(hostile), "arm64").against
    assert said.text.isprintable()
    assert "{x}" in said.text
    assert len(said.text) < 1000


_binaries = st.builds(
    BinaryFacts,
    entry=st.uuids().map(str),
    kind=st.sampled_from(BinaryKind),
    bits=st.sampled_from([32, 64]),
    machine=st.sampled_from(["x86_64", "arm64", "machine 0", "machine 3", "machine 8"]),
    build=st.sampled_from([None, build_info()]),
    is_go=st.booleans(),
    upx=st.booleans(),
)


@given(st.lists(_binaries), st.sampled_from(["x86_64", "arm64"]))
def test_every_binary_is_rebuilt_refused_or_stays(
    binaries: list[BinaryFacts], architecture: str
) -> None:
    found = programs_to_replace(package(*binaries), architecture)
    ends = [*(each.entry for each in found.rebuild), *found.left]
    refused = [each.entry for each in binaries if each.entry not in ends]
    assert len(found.against) == len(refused)
    assert sorted([*ends, *refused]) == sorted(each.entry for each in binaries)
    for each in found.rebuild:
        assert each.build is not None
        assert each.machine != architecture
