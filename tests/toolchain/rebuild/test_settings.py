"""What a program tells of its build → the order to build it again, and what is against it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import Module
from fleet.sources import Accepted, KnownBuild
from fleet.toolchain.rebuild.linking import Known
from fleet.toolchain.rebuild.order import BuildOrder
from fleet.toolchain.rebuild.settings import none_matched
from tests.toolchain.rebuild.programs import (
    COMMIT,
    GO,
    PLAIN,
    VALUE,
    VCS,
    flag,
    ordered,
    program,
    refusals,
    without,
)

LOST = KnownBuild(accept=frozenset({Accepted.LOST_LINKER_FLAGS}))
TRIMMED = {**PLAIN, "-trimpath": "true"}
SILENT = program({}, go="go1.16.15", symbols=False, dwarf=False)
NAMED = KnownBuild(commit=COMMIT)


def texts(found: list[BuildOrder]) -> list[str]:
    return [each.linker_flags.text if each.linker_flags else "" for each in found]


def test_a_plain_program_is_built_for_arm64_with_norpc_and_trimpath() -> None:
    found = ordered(program())
    assert (found.commit, found.flags, found.control) == (COMMIT, Known.RECORDED, ())
    assert found.build == BuildOrder(
        package="example.com/shop/cmd/orders",
        architecture="arm64",
        go_version=GO,
        environment={"CGO_ENABLED": "0"},
        flags=("-trimpath", "-tags=lambda.norpc", "-mod=readonly", "-pgo=off"),
    )


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("prod,netgo", "prod,netgo,lambda.norpc"),
        ("prod netgo", "prod,netgo,lambda.norpc"),
        ("prod,prod,", "prod,lambda.norpc"),
        ("lambda.norpc,prod", "lambda.norpc,prod"),
        ("prod,fips140v1.0", "prod,lambda.norpc"),
    ],
)
def test_tags_stay_and_norpc_is_added_once(written: str, asked: str) -> None:
    assert flag(ordered(program({**PLAIN, "-tags": written})).build, "-tags") == asked


@pytest.mark.parametrize("name", ["-gcflags", "-asmflags"])
def test_flags_of_compiler_and_assembler_are_carried_over(name: str) -> None:
    assert flag(ordered(program({**PLAIN, name: "all=-N -l"})).build, name) == "all=-N -l"


def test_levels_of_instructions_stay_with_their_architecture() -> None:
    old = program({**PLAIN, "GOAMD64": "v3"})
    assert "GOAMD64" not in ordered(old).build.environment
    assert ordered(old, architecture="x86_64").build.environment["GOAMD64"] == "v3"


@pytest.mark.parametrize(
    ("settings", "go", "expected"),
    [
        ({"GOEXPERIMENT": "rangefunc,arenas"}, "go1.22.5 X:arenas", "rangefunc,arenas"),
        ({}, "go1.22.5 X:arenas", "arenas"),
        ({}, "go1.26.1-X:jsonv2,arenas", "jsonv2,arenas"),
        ({}, "go1.22.5", None),
    ],
)
def test_experiments_are_carried_over(
    settings: dict[str, str], go: str, expected: str | None
) -> None:
    found = ordered(program({**PLAIN, **settings}, go=go))
    assert found.build.environment.get("GOEXPERIMENT") == expected


def test_a_validated_cryptography_is_carried_over() -> None:
    old = program({**PLAIN, "GOFIPS140": "v1.0.0-c2097c7c"}, go="go1.26.1")
    assert ordered(old).build.environment["GOFIPS140"] == "v1.0.0-c2097c7c"


def test_a_profile_beside_the_package_is_used_as_it_was() -> None:
    old = program({**PLAIN, "-pgo": "/builds/shop/cmd/orders/default.pgo"})
    assert flag(ordered(old).build, "-pgo") == "auto"
    assert flag(ordered(program()).build, "-pgo") == "off"
    assert flag(ordered(program(go="go1.20.14"), go="go1.20.14").build, "-pgo") is None
    assert "profile" in refusals(program({**PLAIN, "-pgo": "/builds/live.pgo"}))


def test_a_position_independent_program_is_told_by_its_file() -> None:
    """Go before 1.20 writes no -buildmode."""
    old = program(without(PLAIN, "-buildmode"), go="go1.19.13", position_independent=True)
    assert flag(ordered(old).build, "-buildmode") == "pie"
    assert flag(ordered(program()).build, "-buildmode") is None


def test_cgo_that_nothing_uses_is_no_cgo_and_its_control_has_it_still() -> None:
    old = program({**TRIMMED, "CGO_ENABLED": "1"})
    found = ordered(old)
    assert found.build.environment["CGO_ENABLED"] == "0"
    assert {each.environment["CGO_ENABLED"] for each in found.control} == {"1"}


def test_what_holds_c_is_built_for_its_own_architecture_alone() -> None:
    settings = {**PLAIN, "CGO_ENABLED": "1", "CGO_CFLAGS": "-O2 -g", "CGO_LDFLAGS": ""}
    old = program(settings, cgo=True)
    assert set(refusals(old)) == {"cgo"}
    environment = ordered(old, architecture="x86_64").build.environment
    assert environment == {"CGO_ENABLED": "1", "CGO_CFLAGS": "-O2 -g", "GOAMD64": "v1"}
    plugin = program({**settings, "CGO_CFLAGS": "-fplugin=./x.so"}, cgo=True)
    assert set(refusals(plugin, architecture="x86_64")) == {"setting-value"}


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"-race": "true"}, "instrumented"),
        ({"-msan": "true"}, "instrumented"),
        ({"-asan": "true"}, "instrumented"),
        ({"-cover": "true"}, "instrumented"),
        ({"-compiler": "gccgo"}, "compiler"),
        ({"-gccgoflags": "-O3"}, "unknown-setting"),
        ({"-buildmode": "c-shared"}, "build-mode"),
        ({"-novel": "1"}, "unknown-setting"),
        ({"GOARM": "7"}, "unknown-setting"),
        ({"-tags": "prod,-toolexec=x"}, "setting-value"),
        ({"-gcflags": "-N\x1b[2J"}, "setting-value"),
        ({"-gcflags": "all=-linkobj=/fleet/builds/00/x"}, "setting-value"),
        ({"-asmflags": "-o /fleet/builds/00/x"}, "setting-value"),
        ({"GOEXPERIMENT": "../x"}, "setting-value"),
        ({"GOFIPS140": "../x"}, "setting-value"),
        ({"GOAMD64": "v1 v2"}, "setting-value"),
        ({"CGO_ENABLED": "yes"}, "setting-value"),
        ({"GOOS": "darwin"}, "architecture"),
        ({"GOARCH": "arm64"}, "architecture"),
        ({"vcs": "hg"}, "not-git"),
        ({"vcs.revision": "--upload-pack=x"}, "commit-name"),
        ({"vcs.revision": COMMIT + "0"}, "commit-name"),
        ({"vcs.modified": "true"}, "modified"),
        ({"vcs.modified": "perhaps"}, "modified"),
    ],
)
def test_what_can_not_be_carried_over_is_refused_by_its_name(
    settings: dict[str, str], code: str
) -> None:
    assert set(refusals(program({**PLAIN, **settings}))) == {code}


@given(st.text(min_size=1), st.text())
def test_no_unknown_setting_is_dropped(name: str, value: str) -> None:
    found = refusals(program({**PLAIN, f"x{name}": value}))
    assert set(found) <= {"unknown-setting", "setting-value"}


@pytest.mark.parametrize(
    "package",
    [
        "-toolexec=x",
        "example.com/shop/../other",
        "example.com/shop//cmd",
        "example.com/shopping",
        "example.com/shop/cmd;x",
        "example.com/shop/cmd\n",
    ],
)
def test_a_package_that_is_none_of_its_module_is_refused(package: str) -> None:
    assert set(refusals(program(path=package))) == {"package-name"}


def test_a_program_without_a_package_takes_the_one_that_people_name() -> None:
    old = program(without(PLAIN, *VCS), path="command-line-arguments", main=None)
    assert set(refusals(old)) == {"no-package", "no-commit"}
    named = KnownBuild(commit=COMMIT[:9], package="example.com/shop/cmd/orders")
    found = ordered(old, named)
    assert (found.build.package, found.commit) == ("example.com/shop/cmd/orders", COMMIT[:9])


def test_a_commit_that_people_name_has_to_be_the_one_that_is_told() -> None:
    assert ordered(program(), KnownBuild(commit=COMMIT[:12])).commit == COMMIT
    assert set(refusals(program(), KnownBuild(commit="0123456"))) == {"other-commit"}


def test_changes_in_no_commit_are_taken_on_by_name() -> None:
    old = program({**PLAIN, "vcs.modified": "true"})
    assert ordered(old, KnownBuild(accept=frozenset({Accepted.MODIFIED}))).commit == COMMIT


def test_a_published_module_needs_no_commit() -> None:
    main = Module("example.com/shop", "v1.2.3", "h1:x=")
    assert ordered(program(without(PLAIN, *VCS), main=main)).commit == ""
    wrong = replace(main, version="v1.2.3;x")
    assert set(refusals(program(without(PLAIN, *VCS), main=wrong))) == {"module-version"}


def test_everything_against_a_program_is_told_at_once() -> None:
    old = program({**PLAIN, "-race": "true", "vcs.modified": "true"}, has_modules=False)
    assert set(refusals(old)) == {"instrumented", "modified", "no-modules"}
    assert set(refusals(replace(old, build=None))) == {"no-build-info"}
    assert "go-version" in refusals(program(go="weekly.2011-01-01"))
    assert set(refusals(replace(program(), architecture="machine 40"))) == {"architecture"}


def test_recorded_linker_flags_are_handed_on_and_never_shown() -> None:
    written = f"-s -w -X 'main.token={VALUE}'"
    found = ordered(program(flags=written))
    assert found.flags is Known.RECORDED
    assert found.build.linker_flags is not None
    assert found.build.linker_flags.text == written
    assert VALUE not in repr(found) + repr(program(flags=written))


@pytest.mark.parametrize(
    ("written", "flag_named"),
    [
        ("-extld=./evil", "-extld"),
        ("-s -o /tmp/x", "-o"),
        ("-linkmode=external", "-linkmode"),
        ("-s 'main.token=tok3n", "a quote"),
        ("-s main.token=tok3n", "something else"),
        ("-s -tok3n=x", "something else"),
        ("-s=tok3n", "-s"),
        ("-X tok3n", "-X"),
        ("-X", "-X"),
    ],
)
def test_linker_flags_that_reach_further_are_refused(written: str, flag_named: str) -> None:
    found = refusals(program(flags=written))
    assert set(found) == {"linker-flag"}
    assert flag_named in found["linker-flag"]
    assert VALUE not in found["linker-flag"]


def test_linker_flags_people_write_pass() -> None:
    for written in (
        "-s -w -buildid= -X=main.a=b",
        "--s --X main.a=b=c",
        "all=-s",
        "-w -extldflags '-static'",
        "-linkmode=internal -checklinkname=0 -compressdwarf=false",
    ):
        assert ordered(program(flags=written)).build.linker_flags is not None


@pytest.mark.parametrize(
    ("old", "guessed"),
    [
        (program(TRIMMED), [""]),
        (program(TRIMMED, dwarf=False), ["-w"]),
        (program(TRIMMED, symbols=False, dwarf=False), ["-s -w", "-s", "-w -s"]),
        (program(TRIMMED, symbols=False, dwarf=False, build_id=False), ["-s -w -buildid="]),
        (program(TRIMMED, build_id=False), ["-buildid="]),
    ],
)
def test_hidden_linker_flags_are_guessed_from_the_tables_there_are(
    old: object, guessed: list[str]
) -> None:
    found = ordered(old)  # type: ignore[arg-type]  # programs, all of them
    assert found.flags is Known.PROVEN
    assert texts(list(found.control)) == guessed
    assert found.build.linker_flags is None
    assert texts([found.following(found.control[-1])]) == guessed[-1:]


def test_a_control_build_repeats_the_old_program_and_nothing_else() -> None:
    old = program({**without(TRIMMED, *VCS), "-tags": "prod", "GOAMD64": "v3"})
    (control,) = ordered(old, NAMED).control
    assert control == BuildOrder(
        package="example.com/shop/cmd/orders",
        architecture="x86_64",
        go_version=GO,
        environment={"CGO_ENABLED": "0", "GOAMD64": "v3"},
        flags=("-trimpath", "-tags=prod", "-mod=readonly", "-pgo=off", "-buildvcs=false"),
    )
    (stamped,) = ordered(program(TRIMMED)).control
    assert "-buildvcs=false" not in stamped.flags


@pytest.mark.parametrize(
    ("old", "go", "why"),
    [
        (program(TRIMMED), "go1.22.6", "not at hand"),
        (program(TRIMMED, go="go1.22.5-vendor"), GO, "not at hand"),
        (program({}, go="go1.16.15", paths=True), "go1.16.15", "without -trimpath"),
    ],
)
def test_flags_that_no_build_can_show_have_to_be_known(old: object, go: str, why: str) -> None:
    found = refusals(old, NAMED, go=go)  # type: ignore[arg-type]  # programs, all of them
    assert why in found["ldflags-lost"]
    accepted = ordered(old, LOST.model_copy(update={"commit": COMMIT}), go=go)  # type: ignore[arg-type]  # same
    assert (accepted.flags, accepted.control) == (Known.ACCEPTED, ())


def test_modified_programs_are_not_repeated() -> None:
    old = program({**TRIMMED, "vcs.modified": "true"})
    found = refusals(old, KnownBuild(accept=frozenset({Accepted.MODIFIED})))
    assert "not known" in found["ldflags-lost"]


def test_given_flags_stand_in_for_hidden_ones_and_not_for_recorded_ones() -> None:
    given_flags = KnownBuild(ldflags=f"-X main.token={VALUE}")
    found = ordered(program(TRIMMED), given_flags)
    assert (found.flags, texts([found.build])) == (Known.GIVEN, [f"-X main.token={VALUE}"])
    assert VALUE not in repr(found)
    assert texts([ordered(program(flags="-s"), given_flags).build]) == ["-s"]
    assert texts([ordered(program(), given_flags).build]) == [""]


def test_given_flags_of_a_program_that_tells_no_tags_have_to_be_proven() -> None:
    known = KnownBuild(commit=COMMIT, ldflags="-X main.a=b")
    found = ordered(SILENT, known, go="go1.16.15")
    assert (found.flags, texts(list(found.control))) == (Known.PROVEN, ["-X main.a=b"])
    unrepeatable = replace(SILENT, paths=True)
    assert set(refusals(unrepeatable, known, go="go1.16.15")) == {"ldflags-lost"}


def test_go_1_18_hides_flags_without_saying_so() -> None:
    """It writes neither -trimpath nor, with it, -ldflags and CGO_CFLAGS."""
    plain = without(PLAIN, "-buildmode")
    assert ordered(program(plain, go="go1.18.10"), go="go1.18.10").flags is Known.PROVEN
    untrimmed = {**plain, "CGO_ENABLED": "1", "CGO_CFLAGS": ""}
    assert ordered(program(untrimmed, go="go1.18.10"), go="go1.18.10").flags is Known.RECORDED
    assert ordered(program(plain, go="go1.19.13"), go="go1.19.13").flags is Known.RECORDED
    shown = program({**plain, "-trimpath": "true"}, go="go1.18", flags="-s")
    assert ordered(shown, go="go1.18").flags is Known.RECORDED


def test_a_control_that_did_not_match_is_told_as_flags_that_are_lost() -> None:
    assert none_matched().code == "ldflags-lost"


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_no_text_out_of_a_binary_moves_a_cursor(text: str) -> None:
    old = program({**PLAIN, "-race": "true", "-buildmode": text, f"x{text}": text}, path=text)
    shown = "".join(refusals(old).values())
    assert shown.isprintable()
    assert json.dumps(shown)
