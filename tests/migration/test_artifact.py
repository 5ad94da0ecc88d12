from __future__ import annotations

from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.deployment import AliasNow, Deployment
from fleet.inspection import BinaryFacts, Layer, Module, PackageFacts
from fleet.migration.artifact import Artifact, check_artifact
from fleet.migration.artifact_rules import RULES
from fleet.migration.facts import Asked, CodeStorage, GateFacts
from fleet.migration.gate_rules import RULES as GATES
from fleet.migration.gate_rules import Effect, Rule
from fleet.model import FunctionRef, Owner, OwnerKind, PackageType
from fleet.package.limits import DIRECT_UPLOAD_LIMIT, UNZIPPED_LIMIT
from fleet.package.shim import SHIM
from fleet.package.verdict.remarks import RULES as REMARKS
from tests.package.hand_made import MAIN, build_info, entry, layer, old, package, program, shared

GB = 1 << 30
REF = FunctionRef("aws", "012345678901", "eu-west-1", "orders")
START = Deployment("provided.al2023", "bootstrap", (), "abc=", "x86_64", "settings")
ON_AL2 = replace(START, runtime="provided.al2")
SHIMMED = replace(START, handler="main")
SHIM_ENTRY = entry("bootstrap", size=len(SHIM), crc=crc32(SHIM))
OTHERS = "github.com/acme/shipping/lambda"
CDK = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "OrdersFn"}
NOTHING_ASKED = Asked()


def rebuilt(entry: str = "bootstrap", **changes: Any) -> BinaryFacts:  # noqa: ANN401  # any field
    return program(entry, **{"machine": "arm64", **changes})


GOOD = Artifact(
    file="orders.zip",
    facts=package(rebuilt()),
    problem="",
    start=START,
    running=package(program("bootstrap")),
)
FUNCTION = GateFacts(
    ref=REF,
    package_type=PackageType.ZIP,
    runtime=START.runtime,
    assessment=None,
    tags={"team": "shop"},
    new_size=1000,
    new_unzipped_size=2000,
    storage=CodeStorage(limit=75 * GB, used=10 * GB),
    trial="starts",
)


def given_as(facts: PackageFacts | None, **changes: Any) -> Artifact:  # noqa: ANN401  # any field
    return replace(GOOD, facts=facts, **changes)


def built(**changes: Any) -> Artifact:  # noqa: ANN401  # any field
    """An artifact with another build info."""
    return given_as(package(rebuilt(build=build_info(**changes))))


def settings(**changes: str) -> dict[str, str]:
    named = {name.replace("_", "."): value for name, value in changes.items()}
    return {"GOARCH": "arm64", "vcs.revision": "4f3c2a1", **named}


def blocking(
    artifact: Artifact, function: GateFacts = FUNCTION, asked: Asked = NOTHING_ASKED
) -> list[str]:
    return [each.code for each in check_artifact(function, asked, artifact)[0]]


def notes(
    artifact: Artifact, function: GateFacts = FUNCTION, asked: Asked = NOTHING_ASKED
) -> list[str]:
    return [each.code for each in check_artifact(function, asked, artifact)[1]]


def said(code: str, artifact: Artifact, function: GateFacts = FUNCTION) -> str:
    stops, beside = check_artifact(function, NOTHING_ASKED, artifact)
    (found,) = (each for each in (*stops, *beside) if each.code == code)
    return found.text


# The table.


def test_every_code_is_there_once_and_means_nothing_else() -> None:
    codes = {rule.code for rule in RULES}
    assert len(codes) == len(RULES)
    assert not codes & ({rule.code for rule in GATES} | {rule.code for rule in REMARKS})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_finding_is_one_sentence_with_something_to_do(rule: Rule) -> None:
    assert ". " not in rule.text
    assert not rule.text.endswith(".")
    assert ":" in rule.text
    assert not rule.flag or (rule.flag in rule.text and rule.effect is Effect.BLOCKS)


# What moves.


def test_the_same_program_built_for_arm64_moves() -> None:
    assert check_artifact(FUNCTION, NOTHING_ASKED, GOOD)[0] == ()
    assert notes(GOOD) == ["owner-unknown", "tried"]


def test_a_shim_may_start_it() -> None:
    artifact = given_as(package(rebuilt("main"), also=(SHIM_ENTRY,)), start=SHIMMED)
    assert blocking(artifact) == []


# What the artifact is.


def test_what_could_not_be_read_blocks_and_says_which_file() -> None:
    artifact = given_as(None, problem="there is no such file")
    assert blocking(artifact) == ["artifact-unreadable"]
    assert "orders.zip can't be its package for arm64 (there is no such file)" in said(
        "artifact-unreadable", artifact
    )


@pytest.mark.parametrize(
    ("artifact", "code"),
    [
        (given_as(package(rebuilt("main"))), "artifact-no-bootstrap"),
        (given_as(package(rebuilt("bin/bootstrap"))), "artifact-no-bootstrap"),
        (given_as(package(rebuilt("Bootstrap"))), "artifact-no-bootstrap"),
        (given_as(package(program("bootstrap"))), "artifact-machine"),
        (given_as(package(program("bootstrap", machine="machine 40"))), "artifact-machine"),
        (
            given_as(package(program("main"), also=(SHIM_ENTRY,)), start=SHIMMED),
            "artifact-machine",
        ),
        (given_as(package(also=(SHIM_ENTRY,)), start=SHIMMED), "handler-missing"),
        (given_as(package(also=(entry("bootstrap", size=60),))), "bootstrap-script"),
        (given_as(package(rebuilt(), mode=0o644)), "not-executable"),
        (given_as(package(rebuilt(glibc="2.35"))), "glibc-too-new"),
        (given_as(package(rebuilt(glibc="2.34")), start=ON_AL2), "glibc-too-new"),
        (given_as(package(rebuilt(needed=("libz.so.1",)))), "libraries-missing"),
        (
            given_as(package(rebuilt(needed=("libz.so.1",)), shared("lib/libz.so.1"))),
            "libraries-missing",
        ),
        (given_as(package(old("bootstrap", machine="arm64"))), "library-too-old"),
        (given_as(package(rebuilt(upx=True))), "packed"),
        (given_as(package(rebuilt(bits=32))), "32-bit"),
    ],
)
def test_what_would_not_run_on_arm64_is_refused(artifact: Artifact, code: str) -> None:
    assert blocking(artifact) == [code]


@pytest.mark.parametrize(("start", "most"), [(START, "2.34"), (ON_AL2, "2.26")])
def test_what_the_runtime_has_of_glibc_is_enough(start: Deployment, most: str) -> None:
    assert blocking(given_as(package(rebuilt(glibc=most)), start=start)) == []


def test_the_architecture_it_is_built_for_is_named() -> None:
    text = said("artifact-machine", given_as(package(program("bootstrap"))))
    assert text.startswith("bootstrap of the artifact is built for x86_64, and on arm64 it dies")


def test_what_else_it_holds_for_x86_64_is_told() -> None:
    artifact = given_as(package(rebuilt(), shared("lib/libz.so.1"), program("bin/tool")))
    assert blocking(artifact) == []
    assert "(lib/libz.so.1, bin/tool)" in said("artifact-holds-others", artifact)


# Layers.


@pytest.mark.parametrize(
    ("below", "code"),
    [
        (layer(program("bin/tool")), "layer-not-arm64"),
        (layer(program("bin/tool"), rebuilt("bin/tool-arm64")), "layer-not-arm64"),
        (layer(program("extensions/agent")), "layer-not-arm64"),
        (layer(whole=False), "layer-not-known"),
        (Layer("arn:aws:lambda:eu-west-1:1:layer:x:1", None, "it is gone"), "layer-not-known"),
    ],
)
def test_a_layer_that_is_not_known_to_run_on_arm64_blocks(below: Layer, code: str) -> None:
    assert blocking(replace(GOOD, layers=(below,))) == [code]
    assert below.arn in said(code, replace(GOOD, layers=(below,)))


def test_layers_for_arm64_and_of_files_are_fine() -> None:
    fine = (layer(rebuilt("extensions/agent")), layer(also=(entry("etc/settings.json"),)))
    assert blocking(replace(GOOD, layers=fine)) == []
    # It runs since the runtime was changed, which has told it.
    assert notes(replace(GOOD, layers=fine)) == ["owner-unknown", "tried"]


# Whether it is the same program.

DIFFERENT = {
    "another module": (built(main=Module(OTHERS, "(devel)")), "different-source"),
    "another program of the module": (built(path=f"{MAIN}/cmd/other"), "different-source"),
    "another commit": (built(settings=settings(vcs_revision="0000000")), "different-source"),
    "no commit": (built(settings={"GOARCH": "arm64"}), "source-unknown"),
    "no module": (built(main=None, path="command-line-arguments"), "source-unknown"),
    "nothing": (given_as(package(rebuilt(build=None))), "source-unknown"),
    "no commit in what runs": (
        replace(GOOD, running=package(program("bootstrap", build=build_info(settings={})))),
        "source-unknown",
    ),
    "what runs was not read": (replace(GOOD, running=None), "source-unknown"),
}


@pytest.mark.parametrize(("artifact", "code"), DIFFERENT.values(), ids=DIFFERENT)
def test_another_source_or_an_unknown_one_blocks(artifact: Artifact, code: str) -> None:
    assert set(blocking(artifact)) == {code}


@pytest.mark.parametrize(("artifact", "code"), DIFFERENT.values(), ids=DIFFERENT)
def test_it_is_told_where_it_is_meant(artifact: Artifact, code: str) -> None:
    meant = replace(artifact, allow_different_source=True)
    assert blocking(meant) == []
    assert code in notes(meant)


def test_both_sources_are_named() -> None:
    text = said("different-source", DIFFERENT["another commit"][0])
    assert text.startswith("the artifact's commit is 0000000, and what runs has 4f3c2a1:")
    unknown = said("source-unknown", DIFFERENT["no commit"][0])
    assert unknown.startswith("the artifact does not tell its commit,")


def test_that_a_work_tree_held_more_is_told_of_either() -> None:
    dirty = settings(vcs_modified="true")
    assert "built-modified" in notes(built(settings=dirty))
    runs = package(program("bootstrap", build=build_info(settings=dirty)))
    assert "running-modified" in notes(replace(GOOD, running=runs))


def test_what_else_differs_is_told() -> None:
    artifact = built(
        go_version="go1.26.1",
        library="v1.42.0",
        settings=settings(**{"-tags": "lambda.norpc"}),
    )
    assert blocking(artifact) == []
    assert "(go1.20.14 became go1.26.1, -tags, github.com/aws/aws-lambda-go)" in said(
        "built-differently", artifact
    )


# What holds for any change of a function.


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"on_blocklist": True}, "blocklisted"),
        ({"package_type": PackageType.IMAGE}, "image"),
        ({"by_reference": True}, "by-reference"),
        ({"settings_problem": "kms:Decrypt was denied"}, "settings-unreadable"),
        ({"tags": None}, "tags-unreadable"),
        ({"runtime_mode": "Manual"}, "runtime-mode"),
        ({"runtime_mode": None}, "runtime-mode-unknown"),
        ({"updating": True}, "updating"),
        ({"state": "Pending"}, "state"),
        ({"storage": None}, "code-storage-unknown"),
        ({"storage": CodeStorage(limit=GB, used=GB)}, "code-storage"),
        ({"signing_policy": None}, "code-signing-unknown"),
        ({"signing_policy": "Enforce"}, "artifact-not-signed"),
        ({"signing_policy": "Warn"}, "artifact-not-signed"),
        ({"new_size": DIRECT_UPLOAD_LIMIT + 1}, "needs-bucket"),
        ({"new_unzipped_size": UNZIPPED_LIMIT + 1}, "too-large"),
        ({"trial": "can't start"}, "cannot-start"),
        ({"tags": CDK}, "managed-architecture"),
    ],
)
def test_the_gates_of_the_first_pass_hold_here_too(changes: dict[str, Any], code: str) -> None:
    assert blocking(GOOD, replace(FUNCTION, **changes)) == [code]


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        ({"provided"}, ["alias-taken"]),
        ({"provided", "x86_64-rollback"}, []),
        ({"provided", "go1x-rollback"}, []),
        ({"live"}, []),
    ],
)
def test_an_alias_of_its_owners_is_not_taken(names: set[str], codes: list[str]) -> None:
    aliases = tuple(AliasNow(name, "1") for name in sorted(names))
    assert blocking(GOOD, replace(FUNCTION, aliases=aliases)) == codes


def test_a_bucket_takes_what_is_too_large_for_a_call() -> None:
    large = replace(FUNCTION, new_size=DIRECT_UPLOAD_LIMIT + 1)
    assert blocking(GOOD, large, Asked(bucket=True)) == []


def test_a_signature_is_left_to_aws() -> None:
    signed = given_as(package(rebuilt(), signed=True))
    assert blocking(signed) == []
    assert "artifact-signature" in notes(signed, replace(FUNCTION, signing_policy="Enforce"))


def test_an_inconclusive_trial_is_a_note() -> None:
    assert "trial-inconclusive" in notes(GOOD, replace(FUNCTION, trial="inconclusive"))
    assert "not-tried" in notes(GOOD, replace(FUNCTION, trial=""))


@pytest.mark.parametrize(
    ("tags", "owner", "expected"),
    [
        (CDK, Owner(OwnerKind.UNKNOWN), "the CloudFormation stack shop deploys it as OrdersFn"),
        (CDK | {"lambda:createdBy": "SAM"}, Owner(OwnerKind.UNKNOWN), "`Architectures: [arm64]`"),
        (CDK | {"STAGE": "prod"}, Owner(OwnerKind.MAPPED, "team"), "`architecture: arm64`"),
        ({"team": "shop"}, Owner(OwnerKind.MAPPED, "shop"), '`architectures = ["arm64"]`'),
    ],
)
def test_the_line_of_its_template_is_named(
    tags: dict[str, str], owner: Owner, expected: str
) -> None:
    owned = replace(FUNCTION, tags=tags, owner=owner)
    assert expected in said("managed-architecture", GOOD, owned)
    allowed = Asked(allow_managed=True)
    assert blocking(GOOD, owned, allowed) == []
    assert notes(GOOD, owned, allowed) == ["tried", "managed-architecture"]


def test_nothing_is_said_of_go1x() -> None:
    late = Asked(updates_blocked=True)
    assert blocking(GOOD, FUNCTION, late) == []
    assert notes(GOOD, FUNCTION, late) == ["owner-unknown", "tried"]


machines = st.sampled_from(["arm64", "x86_64", "machine 40"])
revisions = st.sampled_from(["", "4f3c2a1", "0000000"])


@given(
    machine=machines,
    ours=revisions,
    theirs=revisions,
    holds=st.lists(machines, max_size=3),
    glibc=st.sampled_from([None, "2.26", "2.34", "2.35"]),
    start=st.sampled_from([START, ON_AL2]),
    allow=st.booleans(),
)
def test_only_what_is_known_to_run_and_to_be_the_same_moves(
    machine: str,
    ours: str,
    theirs: str,
    holds: list[str],
    glibc: str | None,
    start: Deployment,
    allow: bool,
) -> None:
    given_info = build_info(settings={"vcs.revision": theirs})
    running_info = build_info(settings={"vcs.revision": ours})
    artifact = replace(
        GOOD,
        facts=package(rebuilt(machine=machine, glibc=glibc, build=given_info)),
        running=package(program("bootstrap", build=running_info)),
        start=start,
        layers=(layer(*(program(f"bin/{n}", machine=each) for n, each in enumerate(holds))),),
        allow_different_source=allow,
    )
    loads = machine == "arm64" and (
        glibc is None or float(glibc) <= (2.34 if start is START else 2.26)
    )
    same = allow or (ours == theirs != "")
    assert (blocking(artifact) == []) == (loads and same and set(holds) <= {"arm64"})
