"""From x86_64 to arm64 and back, with real programs that are invoked on the way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fleet.aws.session import Aws
from fleet.deployment import (
    LANGUAGE,
    MIGRATED_FROM,
    OWN_TAGS,
    REBUILT_FOR,
    SERVING_ALIAS,
    X86_64_ALIAS,
    Back,
)
from fleet.errors import BadSelection
from fleet.migration import proving
from fleet.migration.artifacts import artifact_for
from fleet.migration.facts import Asked
from fleet.migration.plan import FunctionPlan, Result
from fleet.migration.problems import Halted
from fleet.migration.words import words
from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.ownership import OwnerRule
from moto_fixtures.packages import zipped
from tests.migration.mover import Mover
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
COMMITTED: dict[str, Hashable] = {"vcs": "clean"}
NAMES = ("$LATEST", "live", "mixed", SERVING_ALIAS)


def for_arm64(name: str = "bootstrap", **differently: Hashable) -> Files:
    return program(name, architecture=ARM64, **COMMITTED, **differently)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """The same commit, built for arm64."""
    return written(tmp_path / "orders.zip", for_arm64())


def written(path: Path, files: Files) -> Path:
    path.write_bytes(package(files))
    return path


@pytest.fixture
def client(organization: Organization) -> Client:
    """Of an account with a function on go1.x, whose aliases are everything an alias may be."""
    client = create(organization, "orders", program(**COMMITTED), Tags={"team": "shop"})
    with organization.emulator.seeding():
        client.publish_version(FunctionName="orders")
        client.update_function_configuration(FunctionName="orders", MemorySize=512)
        client.publish_version(FunctionName="orders")
        client.create_alias(FunctionName="orders", Name="live", FunctionVersion="2")
        client.create_alias(
            FunctionName="orders",
            Name="mixed",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
        )
    return client


@pytest.fixture
def moved(client: Client, mover: Mover) -> Mover:
    """Whoever has taken it off go1.x."""
    assert client is not None
    assert mover.migrate().result is Result.MIGRATED
    return mover


def state(client: Client, qualifier: str = "$LATEST") -> dict[str, Any]:
    """What an update can change; code by its checksum."""
    found = client.get_function(FunctionName="orders", Qualifier=qualifier)["Configuration"]
    names = ("Runtime", "Handler", "Architectures", "CodeSha256", "MemorySize", "Layers")
    return {name: found.get(name) for name in names}


def aliases(client: Client) -> dict[str, tuple[str, dict[str, float]]]:
    listed = client.list_aliases(FunctionName="orders")["Aliases"]
    return {
        each["Name"]: (
            each["FunctionVersion"],
            each.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
        )
        for each in listed
    }


def tags(client: Client) -> dict[str, str]:
    found: dict[str, str] = client.get_function(FunctionName="orders")["Tags"]
    return found


def versions(client: Client) -> int:
    return len(client.list_versions_by_function(FunctionName="orders")["Versions"]) - 1


def why(plan: FunctionPlan) -> list[str]:
    return [each.code for each in plan.reasons]


def answers(client: Client, *names: str) -> bool:
    return all(totalled(invoke(client, Qualifier=name)) for name in names)


# There.


def test_what_left_go1x_moves_to_arm64_and_answers_everybody(
    client: Client, moved: Mover, artifact: Path
) -> None:
    before = state(client)
    plan = moved.plan_for_arm64(artifact)
    assert plan.way is not None, plan.reasons
    assert answers(client, *NAMES)
    outcome = moved.move_to_arm64(artifact)
    assert (outcome.result, outcome.reason) == (Result.MIGRATED, "")
    assert [each.removesuffix(": version 4") for each in outcome.done[1:2]]
    after = state(client)
    assert after.pop("Architectures") == [ARM64]
    assert after.pop("CodeSha256") == plan.way.end.code_sha256
    assert after.items() <= before.items()
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
        "fleet:go-version": tags(client)["fleet:go-version"],
        REBUILT_FOR: ARM64,
    }
    assert answers(client, *NAMES, X86_64_ALIAS, ROLLBACK_ALIAS)
    assert versions(client) == 4


def test_the_plan_is_what_is_done(client: Client, moved: Mover, artifact: Path) -> None:
    plan = moved.plan_for_arm64(artifact)
    assert plan.way is not None
    said = [words(step, plan.way) for step in plan.steps]
    was, becomes = (each.code_sha256[:8] for each in plan.way.path)
    assert said == [
        "publish $LATEST as a version",
        "alias x86_64-rollback -> 3",
        "upload the code built for arm64: "
        f"CodeSha256 {was}… -> {becomes}…, architecture x86_64 -> arm64 (one call)",
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


def test_what_is_there_stays_there(client: Client, moved: Mover, artifact: Path) -> None:
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
    create(organization, "orders", for_arm64(), Runtime=AL2023, Architectures=[ARM64])
    assert mover.plan_for_arm64(artifact).result is Result.ALREADY_THERE


def test_what_was_never_on_go1x_moves_too(
    organization: Organization, mover: Mover, artifact: Path
) -> None:
    files = program("bootstrap", **COMMITTED)
    client = create(organization, "orders", files, Runtime=AL2023)
    assert mover.move_to_arm64(artifact).result is Result.MIGRATED
    assert answers(client, "$LATEST", SERVING_ALIAS)


def test_it_moves_again_after_a_deploy_that_undid_it(
    client: Client, moved: Mover, artifact: Path, organization: Organization
) -> None:
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    with organization.emulator.seeding():
        client.update_function_code(
            FunctionName="orders", ZipFile=package(program("bootstrap", **COMMITTED))
        )
    assert state(client)["Architectures"] == [X86_64]
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    assert state(client)["Architectures"] == [ARM64]
    assert answers(client, *NAMES)


# And back.


def test_it_comes_back_to_x86_64_as_it_was(client: Client, moved: Mover, artifact: Path) -> None:
    before = state(client), aliases(client), tags(client)
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    outcome = moved.roll_back(to=Back.X86_64)
    assert (outcome.result, outcome.reason) == (Result.ROLLED_BACK, "")
    ours = {X86_64_ALIAS: ("3", {}), SERVING_ALIAS: ("4", {})}
    assert (state(client), aliases(client), tags(client)) == (
        before[0],
        {**before[1], **ours},
        before[2],
    )
    assert answers(client, *NAMES)


def test_it_comes_back_all_the_way_to_go1x(
    client: Client, mover: Mover, artifact: Path, organization: Organization
) -> None:
    before = state(client), aliases(client), tags(client)
    assert mover.migrate().result is Result.MIGRATED
    assert mover.move_to_arm64(artifact).result is Result.MIGRATED
    outcome = mover.roll_back()
    assert (outcome.result, outcome.reason) == (Result.ROLLED_BACK, "")
    assert state(client) == before[0]
    assert state(client)["Architectures"] == [X86_64]
    theirs = {name: each for name, each in aliases(client).items() if name in before[1]}
    assert (theirs, tags(client)) == before[1:]
    assert answers(client, "$LATEST", "live", "mixed")
    assert organization is not None


def test_it_comes_back_to_x86_64_and_then_to_go1x(
    client: Client, mover: Mover, artifact: Path
) -> None:
    before = state(client), aliases(client)
    assert mover.migrate().result is Result.MIGRATED
    assert mover.move_to_arm64(artifact).result is Result.MIGRATED
    assert mover.roll_back(to=Back.X86_64).result is Result.ROLLED_BACK
    assert mover.roll_back().result is Result.ROLLED_BACK
    assert state(client) == before[0]
    theirs = {name: each for name, each in aliases(client).items() if name in before[1]}
    assert theirs == before[1]
    assert set(tags(client)).isdisjoint(OWN_TAGS)
    assert answers(client, "$LATEST", "live", "mixed")


def test_it_comes_back_to_x86_64_when_go1x_takes_no_updates_any_more(
    client: Client, moved: Mover, artifact: Path, organization: Organization
) -> None:
    before = state(client)
    assert moved.move_to_arm64(artifact).result is Result.MIGRATED
    organization.emulator.block_runtimes(creating=[GO1X], updating=[GO1X])
    late = moved.anew(asked=Asked(updates_blocked=True))
    assert late.roll_back(to=Back.X86_64).result is Result.ROLLED_BACK
    assert state(client) == before
    assert answers(client, *NAMES)


def test_what_does_not_work_comes_back_to_x86_64_and_no_further(
    client: Client, moved: Mover, artifact: Path
) -> None:
    before = state(client), aliases(client), tags(client)
    events = proving.TestEvents(proving.TestEvent(b"{}", b'"something else"'))
    outcome = moved.anew(differently={"events": events}).move_to_arm64(artifact)
    assert outcome.result is Result.ROLLED_BACK
    assert "answers other than expected" in outcome.reason
    after = aliases(client)
    assert after.pop(X86_64_ALIAS) == ("3", {})
    assert (state(client), after, tags(client)) == before
    assert answers(client, *NAMES)
