"""`fleet cleanup` as it is typed: bridge layers that nobody needs, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fleet.deployment import BRIDGE_LAYER
from fleet.package.bridge import bridge_package
from moto_fixtures.packages import zipped
from moto_fixtures.server import Call
from tests.cli.inside import NO_TRIAL, Desk, add, arn_of, is_write
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    MEMBER,
    OUTSIDER,
    RULES,
    Client,
)

DO_IT = ("--apply", "--yes")
REGION = "eu-west-1"
THERE = ("--account", MEMBER, "--region", REGION)


@pytest.fixture(autouse=True)
def _without_a_bridge(desk: Desk) -> Iterator[None]:
    """The layer is the region's: the next test begins without one."""
    yield
    for arn in left(desk):
        with desk.organization.emulator.seeding():
            client_of(desk).delete_layer_version(
                LayerName=BRIDGE_LAYER, VersionNumber=int(arn.rpartition(":")[2])
            )


def client_of(desk: Desk) -> Client:
    return desk.organization.client("lambda", MEMBER, REGION)


def publish(desk: Desk, content: bytes | None = None, name: str = BRIDGE_LAYER) -> str:
    with desk.organization.emulator.seeding():
        made = client_of(desk).publish_layer_version(
            LayerName=name, Content={"ZipFile": content or bridge_package()}
        )
    return str(made["LayerVersionArn"])


def left(desk: Desk, name: str = BRIDGE_LAYER) -> list[str]:
    with desk.organization.emulator.seeding():
        found = client_of(desk).list_layer_versions(LayerName=name)["LayerVersions"]
    return sorted(each["LayerVersionArn"] for each in found)


def writes(calls: list[Call]) -> list[str]:
    return [call.operation for call in calls if is_write(call)]


def test_what_a_migration_has_left_is_shown_and_only_with_apply_deleted(desk: Desk) -> None:
    add(desk.organization, "moved", region=REGION)
    arn = arn_of("moved", region=REGION)
    assert desk.fleet("migrate", arn, NO_TRIAL, *DO_IT).status == 0
    (layer,) = left(desk)
    # Where this state has moved functions is where it looks.
    shown, calls = desk.recorded("cleanup")
    assert (shown.status, shown.out) == (0, f"unused   {layer}\n")
    assert "--apply does it" in shown.err
    assert writes(calls) == []
    refused, calls = desk.recorded("cleanup", "--apply")
    assert refused.status == 2
    assert "--yes" in refused.err
    assert writes(calls) == []
    done, calls = desk.recorded("cleanup", *DO_IT)
    assert done.status == 0
    assert f"deleted  {layer}\n" in done.out
    assert writes(calls) == ["DeleteLayerVersion"]
    assert left(desk) == []
    again = desk.fleet("cleanup", *DO_IT)
    assert (again.status, again.out) == (0, "Nothing is left to clean up here.\n")
    assert desk.fleet("rollback", arn, *DO_IT).status == 0


def test_what_any_function_or_published_version_has_stays(desk: Desk) -> None:
    by_latest, by_version, unused = (publish(desk) for _ in range(3))
    client = client_of(desk)
    add(desk.organization, "on-latest", region=REGION, Layers=[by_latest])
    add(desk.organization, "on-version", region=REGION, Layers=[by_version])
    with desk.organization.emulator.seeding():
        client.publish_version(FunctionName="on-version")
        client.update_function_configuration(FunctionName="on-version", Layers=[])
    ended = desk.fleet("cleanup", *THERE, *DO_IT)
    assert ended.status == 0
    assert f"in use   {by_latest}\n" in ended.out
    assert f"in use   {by_version}\n" in ended.out
    assert f"deleted  {unused}\n" in ended.out
    assert left(desk) == [by_latest, by_version]


def test_a_namesake_with_other_content_and_other_layers_are_not_ours(desk: Desk) -> None:
    foreign = zipped({"bootstrap": (b"#!/bin/sh\nexec /var/task/main\n", 0o100755)})
    namesake, ours = publish(desk, foreign), publish(desk)
    others = ("settings", f"{BRIDGE_LAYER}-2")
    stays = [publish(desk, None, name) for name in others]
    ended = desk.fleet("cleanup", *THERE, *DO_IT)
    assert (ended.status, ended.out) == (0, f"unused   {ours}\ndeleted  {ours}\n")
    assert left(desk) == [namesake]
    assert [left(desk, name) for name in others] == [[each] for each in stays]


def test_a_function_that_begins_to_move_meanwhile_keeps_its_layer(desk: Desk) -> None:
    layer = publish(desk)
    emulator = desk.organization.emulator
    looks: list[Call] = []

    def attach(call: Call, _moment: object) -> None:
        looks.append(call)
        if [each.operation for each in looks].count("ListFunctions") == 2:
            emulator.on_call = None
            add(desk.organization, "beginning", region=REGION, Layers=[layer])

    emulator.on_call = attach
    ended = desk.fleet("cleanup", *THERE, *DO_IT)
    assert ended.status == 0
    assert "deleted" not in ended.out
    assert left(desk) == [layer]


@pytest.mark.parametrize(
    "action",
    [
        "lambda:ListLayerVersions",
        "lambda:GetLayerVersion",
        "lambda:ListFunctions",
        "lambda:DeleteLayerVersion",
    ],
)
def test_where_something_is_denied_it_says_so_with_status_4_and_goes_on_elsewhere(
    desk: Desk, action: str
) -> None:
    layer = publish(desk)
    world = desk.organization.emulator._world
    world.rules = replace(RULES, denied=frozenset({(MEMBER, action)}))
    everywhere = ("--account", f"{MEMBER},{OUTSIDER},{DELEGATE}", "--region", REGION)
    ended = desk.fleet("cleanup", *everywhere, *DO_IT)
    assert ended.status == 4
    assert f"fleet: {MEMBER} {REGION}: {action}: AccessDeniedException" in ended.err
    assert f"fleet: {OUTSIDER} {REGION}: " in ended.err
    assert f"fleet: {DELEGATE}" not in ended.err
    assert "Nothing is left" not in ended.out
    assert f"deleted  {layer}" not in ended.out
    assert left(desk) == [layer]
    world.rules = RULES
    assert desk.fleet("cleanup", *THERE, *DO_IT).status == 0
    assert left(desk) == []


@pytest.mark.parametrize("key", ["blocklist", "exclude_accounts"])
def test_an_account_that_is_not_to_be_written_to_is_left_alone_and_named(
    desk: Desk, key: str
) -> None:
    (desk.directory / "fleet.yaml").write_text(f'{key}: ["{MEMBER}"]\n', encoding="utf-8")
    publish(desk)
    ended, calls = desk.recorded("cleanup", *THERE, *DO_IT)
    assert writes(calls) == []
    assert MEMBER in ended.err
    assert "Nothing is left" not in ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--account", MEMBER), "name accounts together with their regions"),
        (("--region", "eu-west-1"), "name accounts together with their regions"),
        (("--account", "", "--region", ""), "name accounts together with their regions"),
        (("--account", "1", "--region", "eu-west-1"), "would be 000000000001"),
        (("--account", MEMBER, "--region", "not a region"), "not a region"),
    ],
)
def test_what_can_not_be_meant_is_refused(
    desk: Desk, arguments: tuple[str, ...], said: str
) -> None:
    ended, calls = desk.recorded("cleanup", *arguments, *DO_IT)
    assert ended.status == 2
    assert said in ended.err
    assert writes(calls) == []
