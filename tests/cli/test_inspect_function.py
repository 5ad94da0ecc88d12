"""`fleet inspect ARN`: a function's package fetched over HTTP, in whatever account it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Ended, fleet
from tests.cli.packages import OLD, package
from tests.moto_fixtures.small_organization import HOME, MEMBER, Organization, running

ORDERS = f"arn:aws:lambda:{HOME}:{MEMBER}:function:orders"


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organization]:
    """A function of another account than the caller's, with a secret in its environment."""
    zipped = package(tmp_path_factory.mktemp("package"), main=OLD).read_bytes()
    with running() as made:
        client = made.add_function(
            "orders",
            Code={"ZipFile": zipped},
            Environment={"Variables": {"DB_PASSWORD": "do-not-leak"}},
        )
        with made.emulator.seeding():
            client.publish_version(FunctionName="orders")
            client.create_alias(FunctionName="orders", Name="prod", FunctionVersion="1")
            client.create_function(
                FunctionName="picture",
                PackageType="Image",
                Code={"ImageUri": f"{MEMBER}.dkr.ecr.{HOME}.amazonaws.com/picture:1"},
                Role=f"arn:aws:iam::{MEMBER}:role/run",
            )
        yield made


def inspected(organization: Organization, place: Path, arn: str, *options: str) -> Ended:
    environ = organization.emulator.environment
    return fleet("inspect", arn, *options, within=place, environ=environ)


@pytest.mark.parametrize("arn", [ORDERS, f"{ORDERS}:1", f"{ORDERS}:prod", f"{ORDERS}:$LATEST"])
def test_a_function_of_another_account_is_judged_by_its_package(
    organization: Organization, tmp_path: Path, arn: str
) -> None:
    ended = inspected(organization, tmp_path, arn)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith(f"{arn}: rebuild\n")
    assert "do-not-leak" not in ended.out


def test_its_document_holds_no_environment_and_no_url(
    organization: Organization, tmp_path: Path
) -> None:
    ended = inspected(organization, tmp_path, ORDERS, "--json")
    assert json.loads(ended.out)["verdict"] == "rebuild"
    for secret in ("do-not-leak", "X-Amz-", "http://"):
        assert secret not in ended.out
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_neither_environment_nor_url(
    organization: Organization, tmp_path: Path
) -> None:
    environ = organization.emulator.environment
    ended = fleet("--debug", "inspect", ORDERS, within=tmp_path, environ=environ)
    assert ended.status == 0
    for secret in ("do-not-leak", "X-Amz-", "DB_PASSWORD"):
        assert secret not in ended.out + ended.err


def test_a_container_image_has_no_package_to_read(
    organization: Organization, tmp_path: Path
) -> None:
    ended = inspected(organization, tmp_path, ORDERS.replace("orders", "picture"))
    assert (ended.status, ended.err) == (0, "")
    assert "Lambda gives no package of a container image." in ended.out


@pytest.mark.parametrize(
    ("arn", "status", "said"),
    [
        (ORDERS.replace("orders", "nobody"), 1, "Function not found"),
        (ORDERS.replace(MEMBER, "444444444444"), 1, "cannot be assumed"),
        (ORDERS.replace("lambda", "s3"), 2, "name a function as arn:aws:lambda:"),
        ("arn:aws:lambda:us-east-1:1111:function:orders", 2, "name a function as"),
    ],
)
def test_what_is_no_function_that_can_be_read_is_one_sentence(
    organization: Organization, tmp_path: Path, arn: str, status: int, said: str
) -> None:
    ended = inspected(organization, tmp_path, arn)
    assert (ended.status, ended.out) == (status, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_handler_beside_an_arn_is_refused(organization: Organization, tmp_path: Path) -> None:
    ended = inspected(organization, tmp_path, ORDERS, "--handler", "main")
    assert ended.status == 2
    assert "AWS tells" in ended.err
