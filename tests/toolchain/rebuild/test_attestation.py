"""Old and new build info, line by line: what was asked for passes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import LAMBDA_LIBRARY, Module
from fleet.package.binary.recorded import read_recorded
from fleet.recorded import Recorded
from fleet.sources import Accepted, KnownBuild
from fleet.toolchain.rebuild.attestation import attest
from fleet.toolchain.rebuild.differences import Attestation, Change
from fleet.toolchain.rebuild.linking import Known
from fleet.toolchain.rebuild.order import LinkerFlags
from moto_fixtures.build import build
from tests.package.builds import AS_GO_DOES, NORPC
from tests.package.builds import orders as handler
from tests.toolchain.rebuild.programs import (
    COMMIT,
    GO,
    LIBRARY,
    NOBODY,
    PLAIN,
    TRIMMED_FILES,
    VALUE,
    VCS,
    allowed,
    built,
    ordered,
    program,
    told,
    without,
)

TRIMMED = {**PLAIN, "-trimpath": "true"}
NAMED = KnownBuild(commit=COMMIT)
OTHER = "f" * 40


def compared(
    old: Recorded,
    new: Callable[[Recorded], Recorded] = lambda each: each,
    known: KnownBuild = NOBODY,
    commit: Mapping[str, str] = VCS,
    **differently: object,
) -> Attestation:
    """Compare a program with what Go makes of its order, after `new` has changed that."""
    orders = ordered(old, known)
    what = allowed(orders, known, **differently)
    return attest(old, new(built(old, orders, commit)), what)


def setting(changes: Mapping[str, str | None]) -> Callable[[Recorded], Recorded]:
    def change(recorded: Recorded) -> Recorded:
        merged = {**told(recorded).settings, **changes}
        left = {name: value for name, value in merged.items() if value is not None}
        return replace(recorded, build=replace(told(recorded), settings=left))

    return change


def of_build(**fields: object) -> Callable[[Recorded], Recorded]:
    return lambda recorded: replace(recorded, build=replace(told(recorded), **fields))  # type: ignore[arg-type]  # one of many


def named(found: Attestation) -> dict[str, Change | None]:
    assert found.passed, found.refusals
    return {each.line: each.change for each in found.differences}


def refused(found: Attestation) -> set[str]:
    assert not found.passed
    return {each.line for each in found.refusals}


def test_a_build_for_arm64_differs_in_what_was_asked_for_alone() -> None:
    assert named(compared(program())) == {
        "machine": Change.ARCHITECTURE,
        "build GOARCH": Change.ARCHITECTURE,
        "build GOAMD64": Change.ARCHITECTURE,
        "build GOARM64": Change.ARCHITECTURE,
        "build -tags": Change.TAGS,
        "build -trimpath": Change.TRIMPATH,
    }


def test_a_real_program_and_its_rebuild_pass() -> None:
    old = read_recorded(
        build(handler("1.41.0", vcs="clean", linked={"main.build": VALUE}, **AS_GO_DOES))
    )
    again = handler("1.41.0", vcs="clean", architecture="arm64", stripped=False, **NORPC)
    new = read_recorded(build(again.model_copy(update={"linked": {"main.build": VALUE}})))
    orders = ordered(old, go=told(old).go_version)
    found = attest(old, new, allowed(orders))
    assert named(found) == {
        "machine": Change.ARCHITECTURE,
        "build GOARCH": Change.ARCHITECTURE,
        "build GOAMD64": Change.ARCHITECTURE,
        "build GOARM64": Change.ARCHITECTURE,
        "build -tags": Change.TAGS,
        "build -trimpath": Change.TRIMPATH,
        "build -ldflags": Change.LINKER_FLAGS,
    }
    assert VALUE not in repr((old, new, orders, found))


def test_another_handler_does_not_pass_for_a_rebuild() -> None:
    old = read_recorded(build(handler("1.41.0", vcs="clean", **AS_GO_DOES)))
    other = handler("1.18.0", vcs="clean", architecture="arm64", stripped=False, **NORPC)
    new = read_recorded(build(other))
    found = attest(old, new, allowed(ordered(old, go=told(old).go_version)))
    assert refused(found) == {f"dep {LAMBDA_LIBRARY}", "build vcs.revision"}


def test_a_build_for_the_same_architecture_differs_even_less() -> None:
    old = program({**PLAIN, "-tags": "lambda.norpc"})
    orders = ordered(old, architecture="x86_64")
    found = attest(old, built(old, orders), allowed(orders))
    assert named(found) == {"build -trimpath": Change.TRIMPATH}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (of_build(path="example.com/shop/cmd/other"), "path"),
        (of_build(main=Module("example.com/store", "(devel)")), "mod"),
        (of_build(main=Module("example.com/shop", "v1.0.0", "h1:x=")), "mod"),
        (of_build(main=None), "mod"),
        (of_build(go_version="go1.22.6"), "go"),
        (of_build(go_version=f"{GO} X:arenas"), "go"),
        (of_build(dependencies=()), f"dep {LAMBDA_LIBRARY}"),
        (setting({"vcs.revision": OTHER}), "build vcs.revision"),
        (setting({"vcs.revision": None}), "build vcs.revision"),
        (setting({"vcs.time": "2024-01-01T00:00:00Z"}), "build vcs.time"),
        (setting({"vcs.modified": "true"}), "build vcs.modified"),
        (setting({"vcs": None}), "build vcs"),
        (setting({"vcs.novel": "x"}), "build vcs.novel"),
        (setting({"-tags": "lambda.norpc,debug"}), "build -tags"),
        (setting({"-tags": None}), "build -tags"),
        (setting({"-trimpath": None}), "build -trimpath"),
        (setting({"-gcflags": "-N"}), "build -gcflags"),
        (setting({"-ldflags": "-s"}), "build -ldflags"),
        (setting({"-race": "true"}), "build -race"),
        (setting({"-buildmode": "pie"}), "build -buildmode"),
        (setting({"-buildmode": None}), "build -buildmode"),
        (setting({"-pgo": "default.pgo"}), "build -pgo"),
        (setting({"CGO_ENABLED": "1"}), "build CGO_ENABLED"),
        (setting({"CGO_ENABLED": None}), "build CGO_ENABLED"),
        (setting({"GOARCH": "amd64"}), "build GOARCH"),
        (setting({"GOAMD64": "v1"}), "build GOAMD64"),
        (setting({"GOARM64": "v9.0"}), "build GOARM64"),
        (setting({"GOOS": "darwin"}), "build GOOS"),
        (setting({"GOEXPERIMENT": "arenas"}), "build GOEXPERIMENT"),
        (setting({"DefaultGODEBUG": "x=1"}), "build DefaultGODEBUG"),
        (setting({"novel": "1"}), "build novel"),
        (lambda each: replace(each, architecture="x86_64"), "machine"),
        (lambda each: replace(each, position_independent=True), "kind"),
        (lambda each: replace(each, cgo=True), "C"),
        (lambda each: replace(each, build=None), "build info"),
    ],
)
def test_every_other_difference_refuses(change: Callable[[Recorded], Recorded], line: str) -> None:
    assert line in refused(compared(program(), change))


@pytest.mark.parametrize(
    "instead",
    [
        (replace(LIBRARY, version="v1.42.0"),),
        (replace(LIBRARY, sum="h1:" + "B" * 43 + "="),),
        (replace(LIBRARY, sum=""),),
        (replace(LIBRARY, replacement=Module("../lambda", "(devel)")),),
        (LIBRARY, LIBRARY),
        (LIBRARY, Module("example.com/more", "v0.1.0", "h1:y=")),
    ],
)
def test_a_dependency_that_is_another_refuses(instead: tuple[Module, ...]) -> None:
    rest = tuple(each for each in told(program()).dependencies if each != LIBRARY)
    found = compared(program(), of_build(dependencies=(*instead, *rest)))
    assert all(each.startswith("dep ") for each in refused(found))


def test_vendored_builds_without_sums_are_alike_only_where_both_lack_them() -> None:
    bare = (replace(LIBRARY, sum=""),)
    assert compared(program(dependencies=bare)).passed
    assert refused(compared(program(dependencies=(LIBRARY,)), of_build(dependencies=bare)))


def test_linker_flags_that_are_lost_refuse() -> None:
    old = program(flags=f"-s -X main.token={VALUE}")
    orders = ordered(old)
    new = built(old, orders)
    assert named(attest(old, new, allowed(orders)))["build -ldflags"] is Change.LINKER_FLAGS
    for other in (None, LinkerFlags("-s"), LinkerFlags("-s -X main.token=another")):
        lost = attest(old, new, allowed(orders, order=replace(orders.build, linker_flags=other)))
        assert refused(lost) == {"build -ldflags"}
        assert VALUE not in repr(lost)


def test_linker_flags_that_nobody_asked_for_refuse() -> None:
    orders = ordered(program())
    more = allowed(orders, order=replace(orders.build, linker_flags=LinkerFlags("-s")))
    assert refused(attest(program(), built(program(), orders), more)) == {"build -ldflags"}


def test_hidden_linker_flags_pass_only_with_a_reason() -> None:
    old = program(TRIMMED)
    for reason in (Known.PROVEN, Known.GIVEN, Known.ACCEPTED):
        found = compared(old, flags=reason)
        assert named(found)["build -ldflags"] is Change.LINKER_FLAGS
        assert reason in {each.new for each in found.differences}
    assert refused(compared(old, flags=Known.RECORDED)) == {"build -ldflags"}


def test_the_nearest_go_is_named_where_the_recorded_one_is_not_there() -> None:
    old = program(without(PLAIN, "-buildmode", "DefaultGODEBUG"), go="go1.19.13")
    orders = ordered(old, go=GO)
    newer = of_build(go_version=GO)(setting({"DefaultGODEBUG": "x=1"})(built(old, orders)))
    assert {
        "go": Change.TOOLCHAIN,
        "build -buildmode": Change.TOOLCHAIN,
        "build DefaultGODEBUG": Change.TOOLCHAIN,
    }.items() <= named(attest(old, newer, allowed(orders))).items()
    for unasked in ("go1.23.0", f"{GO} X:arenas"):
        other = of_build(go_version=unasked)(newer)
        assert "go" in refused(attest(old, other, allowed(orders)))


def test_a_version_that_comes_from_tags_is_named_where_the_commit_is_the_same() -> None:
    found = compared(program(), of_build(main=Module("example.com/shop", "v1.4.0")))
    assert named(found)["mod"] is Change.MAIN_VERSION
    assert "mod" in refused(
        compared(
            program(main=Module("example.com/shop", "(devel)", "h1:x=")),
            of_build(main=Module("example.com/shop", "v1.4.0", "h1:x=")),
        )
    )


def test_a_published_module_has_to_be_the_same_version_with_the_same_sum() -> None:
    main = Module("example.com/shop", "v1.2.3", "h1:x=")
    old = program(without(PLAIN, *VCS), main=main)
    assert compared(old, commit={}).passed
    assert refused(compared(old, of_build(main=replace(main, version="v1.2.4")), commit={}))
    assert refused(compared(old, of_build(main=replace(main, sum="h1:y=")), commit={}))
    assert refused(compared(old)) >= {"build vcs.revision", "build vcs"}


def test_a_raised_library_is_named_with_what_it_pulls_along_and_nothing_else() -> None:
    raised = {LAMBDA_LIBRARY: "v1.28.0", "example.com/log": ""}
    newer = replace(LIBRARY, version="v1.28.0", sum="h1:z=")
    change = of_build(dependencies=(newer,))
    found = compared(program(), change, commit={**VCS, "vcs.modified": "true"}, raised=raised)
    assert {
        f"dep {LAMBDA_LIBRARY}": Change.LIBRARY,
        "dep example.com/log": Change.LIBRARY,
        "build vcs.modified": Change.LIBRARY,
    }.items() <= named(found).items()
    other = of_build(dependencies=(replace(newer, version="v1.29.0"),))
    assert refused(compared(program(), other, raised=raised)) == {f"dep {LAMBDA_LIBRARY}"}
    replaced = of_build(dependencies=(replace(newer, replacement=Module("./x", "(devel)")),))
    assert refused(compared(program(), replaced, raised=raised)) == {f"dep {LAMBDA_LIBRARY}"}


def test_changes_in_no_commit_pass_only_where_somebody_takes_them_on() -> None:
    old = program({**PLAIN, "vcs.modified": "true"})
    accepted = KnownBuild(accept=frozenset({Accepted.MODIFIED}))
    assert named(compared(old, known=accepted))["build vcs.modified"] is Change.MODIFIED
    again = {**VCS, "vcs.modified": "true"}
    found = compared(old, known=accepted, commit=again, raised={LAMBDA_LIBRARY: "v1.28.0"})
    assert {each.line for each in found.differences} >= {"build vcs.modified"}
    assert refused(attest(old, built(old, ordered(old, accepted)), allowed(ordered(old, accepted))))


def test_what_the_original_does_not_tell_is_named_as_such() -> None:
    known = KnownBuild(commit=COMMIT, package="example.com/shop/cmd/orders")
    old = program(without(PLAIN, *VCS), path="command-line-arguments", main=None)
    main = of_build(main=Module("example.com/shop", "(devel)"))
    found = named(compared(old, main, known))
    assert {line for line, change in found.items() if change is Change.NOT_TOLD} == {
        "path",
        "mod",
        *(f"build {each}" for each in VCS),
    }
    assert refused(compared(old, lambda each: setting({"vcs.revision": OTHER})(main(each)), known))


def test_a_commit_that_neither_tells_is_not_shown() -> None:
    found = compared(program(without(PLAIN, *VCS)), known=NAMED, commit={})
    assert refused(found) == {"build vcs.revision"}


def test_an_original_before_go_1_18_tells_no_settings() -> None:
    old = program({}, go="go1.16.15", symbols=False, dwarf=False)
    orders = ordered(old, NAMED, go="go1.16.15")
    same = replace(old, architecture="arm64", files=TRIMMED_FILES)
    proven = allowed(orders, NAMED)
    assert set(named(attest(old, same, proven))) == {"machine", "build -ldflags"}
    accepted = NAMED.model_copy(update={"accept": frozenset({Accepted.LOST_LINKER_FLAGS})})
    later = ordered(old, accepted, go=GO)
    new = of_build(go_version=GO)(setting({"-compiler": "gc", "GOOS": "linux"})(built(old, later)))
    found = named(attest(old, new, allowed(later, accepted)))
    assert found["build -tags"] is Change.NOT_TOLD
    assert found["build vcs.revision"] is Change.NOT_TOLD
    more = setting({"-tags": "debug,lambda.norpc"})(new)
    assert refused(attest(old, more, allowed(later, accepted))) == {"build -tags"}


def test_cgo_that_nothing_used_is_named() -> None:
    flags = dict.fromkeys(("CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS"), "")
    old = program({**PLAIN, "CGO_ENABLED": "1", **flags})
    gone = setting(dict.fromkeys(flags))
    found = named(compared(old, gone))
    assert {found["build CGO_ENABLED"], *(found[f"build {each}"] for each in flags)} == {Change.CGO}


def test_a_profile_is_the_same_one_without_its_directory() -> None:
    old = program({**PLAIN, "-pgo": "/builds/cmd/orders/default.pgo"})
    assert named(compared(old, setting({"-pgo": "default.pgo"})))["build -pgo"] is Change.TRIMPATH
    assert refused(compared(old, setting({"-pgo": "other.pgo"}))) == {"build -pgo"}
    assert refused(compared(old, setting({"-pgo": None}))) == {"build -pgo"}


_extras = st.fixed_dictionaries(
    {},
    optional={
        "-gcflags": st.just("all=-N"),
        "-asmflags": st.just("-D X"),
        "-tags": st.sampled_from(["prod", "prod,lambda.norpc"]),
        "GOEXPERIMENT": st.just("rangefunc"),
        "GOFIPS140": st.just("v1.0.0"),
        "GOAMD64": st.just("v3"),
        "-trimpath": st.just("true"),
    },
)
_flags = st.none() | st.sampled_from(["-s -w", f"-X main.token={VALUE}"])
_originals = st.builds(
    lambda extras, flags: program({**PLAIN, **extras}, flags=flags), _extras, _flags
)


@given(_originals)
def test_what_was_asked_for_passes(old: Recorded) -> None:
    found = compared(old)
    assert found.passed, found.refusals
    assert len({each.line for each in found.differences}) == len(found.differences)
    assert VALUE not in repr(found)


@given(_originals, st.data())
def test_one_line_that_nobody_asked_for_refuses(old: Recorded, data: st.DataObject) -> None:
    orders = ordered(old)
    new = built(old, orders)
    settings = told(new).settings
    # Go before 1.23 writes no GOARM64, so that one may be missing.
    changes = [setting({name: f"{value}x"}) for name, value in settings.items()]
    changes += [setting({name: None}) for name in settings if name != "GOARM64"]
    changes += [setting({"-new": "x"}), of_build(path="x"), of_build(go_version="go1.22.7")]
    changes += [of_build(dependencies=told(new).dependencies[1:])]
    changed = data.draw(st.sampled_from(changes))(new)
    found = attest(old, changed, allowed(orders))
    assert not found.passed
    assert VALUE not in repr(found)
