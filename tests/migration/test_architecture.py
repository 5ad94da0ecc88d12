"""From x86_64 to arm64 and back, with real programs that are invoked on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fleet.aws.session import Aws
from fleet.deployment import (
    LANGUAGE,
    MIGRATED_FROM,
    REBUILT_FOR,
    SERVING_ALIAS,
    X86_64_ALIAS,
    Back,
)
from fleet.errors import BadSelection
from fleet.migration import proving
from fleet.migration.artifacts import artifact_for
from fleet.migration.bringing import from_here
from fleet.migration.facts import Asked
from fleet.migration.moving import move
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.problems import Halted
from fleet.migration.rearchitecting import prepare_architecture
from fleet.migration.words import words
from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.ownership import OwnerRule
from fleet.results import Result
from moto_fixtures.packages import zipped
from moto_fixtures.server import Moment
from tests.migration.mover import Mover
from tests.migration.orders import when
from tests.moto_fixtures.small_organization import MANAGEMENT, MEMBER, Client, Organization
from tests.moto_fixtures.test_invoking import (
    AL2023,
    EXECUTABLE,
    Files,
    create,
    invoke,
    package,
    program,
    publish_layer,
    totalled,
)
from tests.package.elf_files import Made, framed, inline

ARM64, X86_64 = "arm64", "x86_64"
MACHINES = {X86_64: 62, ARM64: 183}
REVISION = "4c5380b96edc377426b2b1291faac9bfc6988bd4"
NAMES = ("$LATEST", "live", "mixed", SERVING_ALIAS)


def small(
    name: str = "main",
    architecture: str = X86_64,
    *,
    module: str = "example.com/orders",
    revision: str = REVISION,
) -> Files:
    """A Go handler as far as a verdict looks, for what need not be invoked."""
    modules = (
        f"path\t{module}\nmod\t{module}\t(devel)\t\n"
        "dep\tgithub.com/aws/aws-lambda-go\tv1.41.0\th1:abc=\n"
        f"build\tvcs.revision={revision}\nbuild\tvcs.modified=false\n"
    )
    info = inline("go1.20.14", framed(modules))
    info = info.ljust(-(-len(info) // 16) * 16, b"\0")
    names = (b"runtime.main", b"github.com/aws/aws-lambda-go/lambda.startRuntimeAPILoop")
    made = Made(
        content=info + b"".join(each + b"\0" for each in names),
        sections=((".go.buildinfo", 2, 0, len(info)),),
        machine=MACHINES[architecture],
    )
    return {name: (made.file, EXECUTABLE)}


def written(path: Path, files: Files) -> Path:
    path.write_bytes(zipped(files))
    return path


def with_aliases(organization: Organization, files: Files, name: str = "orders") -> Client:
    """A function on go1.x, whose aliases are everything an alias may be."""
    client = create(organization, name, files, Tags={"team": "shop"})
    with organization.emulator.seeding():
        client.publish_version(FunctionName=name)
        client.update_function_configuration(FunctionName=name, MemorySize=512)
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
        weights = {"AdditionalVersionWeights": {"2": 0.5}}
        client.create_alias(
            FunctionName=name, Name="mixed", FunctionVersion="1", RoutingConfig=weights
        )
    return client


@pytest.fixture
def client(organization: Organization) -> Client:
    return with_aliases(organization, small())


@pytest.fixture
def moved(client: Client, mover: Mover) -> Mover:
    """Whoever has taken it off go1.x."""
    assert client is not None
    assert mover.migrate().result is Result.MIGRATED
    return mover


def on_custom(organization: Organization, name: str = "orders", **params: object) -> Client:
    """A function that is on the custom runtime already, with an alias of its owners."""
    given = {"Runtime": AL2023, "Handler": "bootstrap", "Tags": {"team": "shop"}, **params}
    client = create(organization, name, small("bootstrap"), Publish=True, **given)
    with organization.emulator.seeding():
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return client


@pytest.fixture
def custom(organization: Organization) -> Client:
    return on_custom(organization)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """The same commit, built for arm64."""
    return written(tmp_path / "orders.zip", small("bootstrap", ARM64))


def state(client: Client, name: str = "orders") -> dict[str, Any]:
    """What an update can change; code by its checksum."""
    found = client.get_function(FunctionName=name)["Configuration"]
    names = ("Runtime", "Handler", "Architectures", "CodeSha256", "MemorySize", "Layers")
    return {name: found.get(name) for name in names}


def aliases(client: Client, name: str = "orders") -> dict[str, tuple[str, dict[str, float]]]:
    listed = client.list_aliases(FunctionName=name)["Aliases"]
    return {
        each["Name"]: (
            each["FunctionVersion"],
            each.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
        )
        for each in listed
    }


def theirs(client: Client, name: str = "orders") -> dict[str, tuple[str, dict[str, float]]]:
    """The aliases of its owners."""
    return {key: each for key, each in aliases(client, name).items() if key in {"live", "mixed"}}


def tags(client: Client, name: str = "orders") -> dict[str, str]:
    found: dict[str, str] = client.get_function(FunctionName=name)["Tags"]
    return found


def versions(client: Client, name: str = "orders") -> int:
    return len(client.list_versions_by_function(FunctionName=name)["Versions"]) - 1


def why(plan: FunctionPlan) -> list[str]:
    return [each.code for each in plan.reasons]


def answers(client: Client, *names: str) -> bool:
    return all(totalled(invoke(client, Qualifier=name)) for name in names)


# With real programs.


@pytest.mark.parametrize("back", [(Back.GO1X,), (Back.X86_64, Back.GO1X)], ids=["far", "by x86_64"])
def test_it_answers_on_arm64_and_wherever_it_comes_back_to(
    organization: Organization, mover: Mover, tmp_path: Path, back: tuple[Back, ...]
) -> None:
    client = with_aliases(organization, program(vcs="clean"))
    artifact = tmp_path / "orders.zip"
    artifact.write_bytes(package(program("bootstrap", architecture=ARM64, vcs="clean")))
    were = [(state(client), theirs(client), tags(client))]
    assert answers(client, "$LATEST", "live")
    assert mover.migrate().result is Result.MIGRATED
    were.append((state(client), theirs(client), tags(client)))
    assert answers(client, *NAMES)
    assert mover.move_to_arm64(artifact).result is Result.MIGRATED
    assert state(client)["Architectures"] == [ARM64]
    assert answers(client, *NAMES, X86_64_ALIAS, ROLLBACK_ALIAS)
    for to in back:
        outcome = mover.roll_back(to=to)
        assert (outcome.result, outcome.reason) == (Result.ROLLED_BACK, "")
        was = were[0] if to is Back.GO1X else were[1]
        assert (state(client), theirs(client), tags(client)) == was
        assert was[0]["Architectures"] == [X86_64]
        assert answers(client, "$LATEST", "live", "mixed")


# There.


def test_what_left_go1x_moves_to_arm64(client: Client, moved: Mover, artifact: Path) -> None:
    before = state(client)
    plan = moved.plan_for_arm64(artifact)
    assert plan.way is not None, plan.reasons
    outcome = moved.move_to_arm64(artifact)
    assert (outcome.result, outcome.reason) == (Result.MIGRATED, "")
    after = state(client)
    changed = {"Architectures": [ARM64], "CodeSha256": plan.way.end.code_sha256}
    assert after == {**before, **changed}
    assert aliases(client) == {
        ROLLBACK_ALIAS: ("2", {}),
        X86_64_ALIAS: ("3", {}),
        SERVING_ALIAS: ("4", {}),
        "live": ("4", {}),
        "mixed": ("1", {"2": 0.5}),
    }
    assert tags(client) == {
        "team": "shop",
        MIGRATED_FROM: GO1X,
        LANGUAGE: "go",
        "fleet:go-version": "go1.20.14",
        REBUILT_FOR: ARM64,
    }
    assert versions(client) == 4


def test_the_plan_is_what_is_done(client: Client, moved: Mover, artifact: Path) -> None:
    plan = moved.plan_for_arm64(artifact)
    assert plan.way is not None
    said = [words(step, plan.way) for step in plan.steps]
    was, becomes = (f"{each.code_sha256[:8]}…" for each in plan.way.path)
    changes = f"CodeSha256 {was} -> {becomes}, architecture x86_64 -> arm64"
    assert said == [
        "publish $LATEST as a version",
        "alias x86_64-rollback -> 3",
        f"upload the code built for arm64: {changes} (one call)",
        "prove: $LATEST works as it is now (it is invoked only with a test event)",
        "publish $LATEST as a version",
        "alias provided: 3 -> that version",
        "alias live: 3 -> the version of alias provided",
        "tags fleet:rebuilt-for=arm64",
        "nothing is left to do",
    ]
    assert versions(client) == 3
    promised = {each.qualifier: each.text for each in plan.promises}
    assert promised["$LATEST"] == "it moves, and goes back to x86_64 at any time"
    assert promised["live"].startswith("it moves from version 3")
    done = moved.move_to_arm64(artifact).done
    # A proof is no write, and the end is none.
    assert len(done) == len(said) - 2


def test_what_is_there_stays_there(moved: Mover, artifact: Path) -> None:
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    noted = len(moved.ledger())
    plan = moved.plan_for_arm64(artifact)
    assert (plan.result, why(plan)) == (Result.ALREADY_THERE, ["already-there"])
    assert plan.reasons[0].text == (
        "its $LATEST is on arm64; not on arm64: mixed (version 1), which only its owners can "
        "move, since that releases what $LATEST is now"
    )
    assert moved.move_to_arm64(artifact).result is Result.ALREADY_THERE
    assert len(moved.ledger()) == noted


def test_what_its_owners_have_put_on_arm64_is_there(
    organization: Organization, mover: Mover, artifact: Path
) -> None:
    create(organization, "orders", small("bootstrap", ARM64), Runtime=AL2023, Architectures=[ARM64])
    assert mover.plan_for_arm64(artifact).result is Result.ALREADY_THERE


def test_what_was_never_on_go1x_moves_too(
    organization: Organization, mover: Mover, artifact: Path
) -> None:
    client = create(organization, "orders", small("bootstrap"), Runtime=AL2023)
    assert mover.move_to_arm64(artifact).result is Result.MIGRATED
    assert state(client)["Architectures"] == [ARM64]


def test_it_moves_again_after_a_deploy_that_undid_it(
    client: Client, moved: Mover, artifact: Path, organization: Organization
) -> None:
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    with organization.emulator.seeding():
        client.update_function_code(FunctionName="orders", ZipFile=package(small("bootstrap")))
    assert state(client)["Architectures"] == [X86_64]
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    assert state(client)["Architectures"] == [ARM64]


# And back.


def test_it_comes_back_to_x86_64_as_it_was(client: Client, moved: Mover, artifact: Path) -> None:
    before = state(client), aliases(client), tags(client)
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    outcome = moved.roll_back(to=Back.X86_64)
    assert (outcome.result, outcome.reason) == (Result.ROLLED_BACK, "")
    ours: dict[str, tuple[str, dict[str, float]]] = {
        X86_64_ALIAS: ("3", {}),
        SERVING_ALIAS: ("3", {}),
    }
    assert (state(client), aliases(client), tags(client)) == (
        before[0],
        {**before[1], **ours},
        before[2],
    )


def test_it_comes_back_to_x86_64_when_go1x_takes_no_updates_any_more(
    client: Client, moved: Mover, artifact: Path, organization: Organization
) -> None:
    before = state(client)
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    organization.emulator.block_runtimes(creating=[GO1X], updating=[GO1X])
    late = moved.anew(asked=Asked(updates_blocked=True))
    assert late.roll_back(to=Back.X86_64).result is Result.ROLLED_BACK
    assert state(client) == before


def test_what_does_not_work_comes_back_to_x86_64_and_no_further(
    client: Client, moved: Mover, artifact: Path
) -> None:
    before = state(client), aliases(client), tags(client)
    events = proving.TestEvents(proving.TestEvent(b"{}", b'"something else"'))
    outcome = moved.anew(differently={"events": events}).move_to_arm64(artifact)
    assert outcome.result is Result.ROLLED_BACK
    assert "it fails with the test event" in outcome.reason
    after = aliases(client)
    assert after.pop(X86_64_ALIAS) == ("3", {})
    assert (state(client), after, tags(client)) == before


def test_what_an_earlier_run_had_moved_comes_back_with_what_does_not_work(
    client: Client, moved: Mover, artifact: Path, organization: Organization
) -> None:
    before = state(client), aliases(client), tags(client)
    leave_off = threading.Event()
    with when(organization, "UpdateAlias", leave_off.set, Moment.AFTER):
        outcome = moved.anew(leave_off=leave_off).move_to_arm64(artifact)
    assert outcome.result is Result.INTERRUPTED
    assert (aliases(client)[SERVING_ALIAS], aliases(client)["live"]) == (("4", {}), ("3", {}))
    events = proving.TestEvents(proving.TestEvent(b"{}", b'"something else"'))
    outcome = moved.anew(differently={"events": events}).move_to_arm64(artifact)
    assert outcome.result is Result.ROLLED_BACK
    after = aliases(client)
    assert after.pop(X86_64_ALIAS) == ("3", {})
    assert (state(client), after, tags(client)) == before


# Refused, and nothing is changed.


def refused(mover: Mover, client: Client, artifact: Path, name: str = "orders") -> list[str]:
    """Why; it was not touched."""
    before = state(client, name), aliases(client, name), tags(client, name)
    plan = mover.plan_for_arm64(artifact, name)
    assert plan.result is Result.BLOCKED
    assert mover.move_to_arm64(artifact, name).result is Result.BLOCKED
    assert (state(client, name), aliases(client, name), tags(client, name)) == before
    return why(plan)


def test_the_runtime_goes_first(client: Client, mover: Mover, artifact: Path) -> None:
    assert refused(mover, client, artifact) == ["runtime-first"]


def test_the_move_off_go1x_has_to_be_over(
    client: Client, moved: Mover, artifact: Path, organization: Organization
) -> None:
    with organization.emulator.seeding():
        arn = client.get_function(FunctionName="orders")["Configuration"]["FunctionArn"]
        client.untag_resource(Resource=arn, TagKeys=[MIGRATED_FROM])
    assert refused(moved, client, artifact) == ["runtime-unfinished"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (None, "artifact-unreadable"),
        (small("main", ARM64), "artifact-no-bootstrap"),
        (small("bootstrap", X86_64), "artifact-machine"),
        (small("bootstrap", ARM64, module="example.com/shipping"), "different-source"),
        (small("bootstrap", ARM64, revision="0" * 40), "different-source"),
        (small("bootstrap", ARM64, revision=""), "source-unknown"),
    ],
)
def test_a_wrong_artifact_is_refused(
    custom: Client, mover: Mover, tmp_path: Path, files: Files | None, code: str
) -> None:
    artifact = tmp_path / "orders.zip"
    if files is not None:
        written(artifact, files)
    assert set(refused(mover, custom, artifact)) == {code}


def test_what_is_no_zip_is_refused(custom: Client, mover: Mover, tmp_path: Path) -> None:
    artifact = tmp_path / "orders.zip"
    artifact.write_bytes(b"no zip")
    assert refused(mover, custom, artifact) == ["artifact-unreadable"]


def test_another_source_moves_where_that_is_meant(
    custom: Client, mover: Mover, tmp_path: Path
) -> None:
    artifact = written(tmp_path / "o.zip", small("bootstrap", ARM64, revision="0" * 40))
    plan = mover.plan_for_arm64(artifact, allow_different_source=True)
    assert "different-source" in {each.code for each in plan.notes}
    outcome = mover.move_to_arm64(artifact, allow_different_source=True)
    assert outcome.result is Result.MIGRATED
    assert state(custom)["Architectures"] == [ARM64]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_layer_that_arm64_may_not_run_is_refused(
    organization: Organization, mover: Mover, artifact: Path, *, is_there: bool
) -> None:
    layer = publish_layer(organization, "tools", small("bin/tool"))
    client = on_custom(organization, Layers=[layer])
    if not is_there:
        with organization.emulator.seeding():
            client.delete_layer_version(LayerName="tools", VersionNumber=1)
    code = "layer-not-arm64" if is_there else "layer-not-known"
    assert refused(mover, client, artifact) == [code]


def test_what_must_not_be_touched_is_not(
    custom: Client, mover: Mover, artifact: Path, organization: Organization
) -> None:
    with_blocklist = mover.anew(differently={"blocklist": frozenset({MEMBER})})
    assert refused(with_blocklist, custom, artifact) == ["blocklisted"]
    owned = mover.anew(differently={"owners": (OwnerRule(tag="team"),)})
    assert refused(owned, custom, artifact) == ["managed-architecture"]
    with organization.emulator.seeding():
        custom.put_runtime_management_config(
            FunctionName="orders", UpdateRuntimeOn="FunctionUpdate"
        )
        custom.put_runtime_management_config(
            FunctionName="orders",
            UpdateRuntimeOn="Manual",
            RuntimeVersionArn=f"arn:aws:lambda:us-east-1::runtime:{'0' * 64}",
        )
    assert refused(mover, custom, artifact) == ["runtime-mode"]


def test_what_does_not_start_here_is_refused(custom: Client, mover: Mover, artifact: Path) -> None:
    tried: list[tuple[str, str]] = []

    def attempt(package: Path, handler: str, architecture: str) -> tuple[str, str]:
        assert package == artifact
        tried.append((handler, architecture))
        return "can't start", "exec format error"

    trying = mover.anew(differently={"attempt": attempt})
    assert refused(trying, custom, artifact) == ["cannot-start"]
    assert set(tried) == {("bootstrap", ARM64)}


def test_somebody_elses_change_is_not_overwritten(
    custom: Client, mover: Mover, artifact: Path, organization: Organization
) -> None:
    prepared = prepare_architecture(mover.ground, mover.ref(), from_here(artifact))
    with organization.emulator.seeding():
        custom.update_function_configuration(FunctionName="orders", MemorySize=1024)
    assert move(mover.ground, prepared).result is Result.STALE
    after = state(custom)
    assert (after["MemorySize"], after["Architectures"]) == (1024, [X86_64])


# Killed anywhere.


class Killed(BaseException):
    """kill -9, as far as AWS and the ledger can tell."""


def killing(monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> Callable[[], int]:
    """Kill before or after the write of this number; gives how many there were."""
    numbers = count()
    made: list[int] = []
    real = Aws.write

    def write(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # as it is
        number = next(numbers)
        made.append(number)
        if number == at and not after:
            raise Killed
        answer = real(*args, **named)
        if number == at:
            raise Killed
        return answer

    monkeypatch.setattr(Aws, "write", write)
    return lambda: len(made)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_it_goes_on_wherever_it_was_killed(
    organization: Organization, mover: Mover, artifact: Path, *, after: bool
) -> None:
    undisturbed, writes = there_and_back(organization, mover, artifact)
    assert writes == 7
    for at in range(writes):
        ends, _ = there_and_back(organization, mover, artifact, at=at, after=after)
        assert ends == undisturbed, f"killed at write {at}"


def there_and_back(
    organization: Organization, mover: Mover, artifact: Path, *, at: int = -1, after: bool = False
) -> tuple[list[object], int]:
    """To arm64 and back, each killed at a write and run again; how both ended, and the writes."""
    name = f"orders-{at + 1}"
    client = on_custom(organization, name)
    commands: tuple[Callable[[], Outcome], ...] = (
        lambda: mover.move_to_arm64(artifact, name),
        lambda: mover.roll_back(name, to=Back.X86_64),
    )
    ends: list[object] = []
    most = 0
    for command in commands:
        with pytest.MonkeyPatch.context() as patch:
            writes = killing(patch, at, after=after)
            with suppress(Killed):
                command()
            most = max(most, writes())
        assert command().result in {Result.MIGRATED, Result.ROLLED_BACK, Result.ALREADY_THERE}
        ends.append((state(client, name), aliases(client, name), tags(client, name)))
    assert versions(client, name) == 2
    return ends, most


def test_another_artifact_does_not_take_over_halfway(
    custom: Client, mover: Mover, artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        killing(patch, 2, after=True)
        with suppress(Killed):
            mover.move_to_arm64(artifact)
    mover.pass_time(60)
    other = written(tmp_path / "other.zip", {**small("bootstrap", ARM64), "x": (b"", 0o644)})
    assert refused(mover, custom, other) == ["other-artifact"]
    assert mover.move_to_arm64(artifact).result is Result.MIGRATED


def test_settings_changed_halfway_stay(
    custom: Client, mover: Mover, artifact: Path, organization: Organization
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        killing(patch, 2, after=True)
        with suppress(Killed):
            mover.move_to_arm64(artifact)
    mover.pass_time(60)
    with organization.emulator.seeding():
        custom.update_function_configuration(FunctionName="orders", MemorySize=1024)
    mover.pass_time(60)
    assert mover.move_to_arm64(artifact).result is Result.MIGRATED
    after = state(custom)
    assert (after["MemorySize"], after["Architectures"]) == (1024, [ARM64])
    # It was released with other settings than $LATEST has now.
    assert aliases(custom)["live"] == ("1", {})


# Which file, and how it comes here.


def test_a_directory_has_a_zip_for_each_function(mover: Mover, tmp_path: Path) -> None:
    file = artifact_for(mover.ref("orders"), str(tmp_path), tmp_path, mover.ground.aws)
    assert file == tmp_path / "orders.zip"
    plan_of = artifact_for(mover.ref("orders"), str(tmp_path / "a.zip"), tmp_path, mover.ground.aws)
    assert plan_of == tmp_path / "a.zip"


@pytest.mark.parametrize("owner", [MEMBER, MANAGEMENT], ids=["the account's", "the caller's"])
@pytest.mark.parametrize("key", ["{account}/{region}/{function}.zip", "builds/"])
def test_an_object_is_had_with_whose_credentials_can(
    organization: Organization, mover: Mover, tmp_path: Path, owner: str, key: str
) -> None:
    s3 = organization.client("s3", owner)
    s3.create_bucket(Bucket="artifacts")
    for there in (f"{MEMBER}/us-east-1/orders.zip", "builds/orders.zip"):
        s3.put_object(Bucket="artifacts", Key=there, Body=b"a zip")
    given = f"s3://artifacts/{key}"
    file = artifact_for(mover.ref("orders"), given, tmp_path, mover.ground.aws)
    assert file.read_bytes() == b"a zip"


def test_an_object_that_is_not_there_is_named(
    organization: Organization, mover: Mover, tmp_path: Path
) -> None:
    organization.client("s3", MEMBER).create_bucket(Bucket="artifacts")
    with pytest.raises(Halted) as caught:
        artifact_for(mover.ref(), "s3://artifacts/{function}.zip", tmp_path, mover.ground.aws)
    assert str(caught.value).startswith("s3://artifacts/orders.zip could not be had: s3:GetObject")
    with pytest.raises(Halted, match="nowhere"):
        artifact_for(mover.ref(), "s3://nowhere/orders.zip", tmp_path, mover.ground.aws)


def test_an_object_larger_than_any_package_is_not_read_to_its_end(
    organization: Organization, mover: Mover, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = organization.client("s3", MEMBER)
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="orders.zip", Body=b"0" * 1001)
    monkeypatch.setattr("fleet.migration.artifacts.SIZE_LIMIT", 1000)
    with pytest.raises(Halted, match="larger than 1,000 bytes"):
        artifact_for(mover.ref(), "s3://artifacts/orders.zip", tmp_path, mover.ground.aws)


@pytest.mark.parametrize(
    "given", ["s3://", "s3://artifacts", "s3://artifacts/", "s3://A/b", "s3://a/{stage}/b.zip"]
)
def test_an_address_that_can_be_none_is_refused(mover: Mover, tmp_path: Path, given: str) -> None:
    with pytest.raises(BadSelection, match="--artifact"):
        artifact_for(mover.ref(), given, tmp_path, mover.ground.aws)
