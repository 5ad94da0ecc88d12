"""Layers: what can be published as a version, and how versions are listed."""

from __future__ import annotations

import base64
import hashlib
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moto_fixtures.corrections import function_packages
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    HOME,
    MEMBER,
    Client,
    Organization,
    refused,
    zip_of,
)
from tests.moto_fixtures.test_corrections_function_code import fetch

SHIM = zip_of(bootstrap=b"#!/bin/sh\n")
ARN = f"arn:aws:lambda:{HOME}:{MEMBER}:layer:shim"


@pytest.fixture
def client(organization: Organization) -> Client:
    made: Client = organization.client("lambda", MEMBER)
    return made


def publish(client: Client, name: str = "shim", **params: object) -> dict[str, Any]:
    answer: dict[str, Any] = client.publish_layer_version(
        **{"LayerName": name, "Content": {"ZipFile": SHIM}, **params}
    )
    return answer


def refusal(client: Client, **params: object) -> tuple[str, int, str]:
    """How PublishLayerVersion refuses; nothing was published then."""
    with pytest.raises(ClientError) as caught:
        publish(client, **params)  # type: ignore[arg-type]  # what is refused is no name either
    assert client.list_layers()["Layers"] == []
    return refused(caught.value)


def test_a_published_version_answers_with_what_it_is(
    organization: Organization, client: Client
) -> None:
    answer = client.publish_layer_version(
        LayerName="shim",
        Description="starts go1.x packages",
        Content={"ZipFile": SHIM},
        CompatibleRuntimes=["provided.al2023", "provided.al2"],
        CompatibleArchitectures=["x86_64"],
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert organization.emulator.calls[-1].operation == "PublishLayerVersion"
    content = answer["Content"]
    digest = base64.b64encode(hashlib.sha256(SHIM).digest()).decode()
    assert (content["CodeSha256"], content["CodeSize"]) == (digest, len(SHIM))
    assert fetch(content["Location"]) == (200, SHIM)
    about = {
        "LayerVersionArn": f"{ARN}:1",
        "Version": 1,
        "Description": "starts go1.x packages",
        "CreatedDate": "2026-09-21T14:13:20.000+0000",
        "CompatibleRuntimes": ["provided.al2023", "provided.al2"],
        "CompatibleArchitectures": ["x86_64"],
    }
    for found in (answer, client.get_layer_version_by_arn(Arn=f"{ARN}:1")):
        del found["ResponseMetadata"]
        assert found["Content"].pop("Location")
        assert found == {
            **about,
            "LayerArn": ARN,
            "Content": {"CodeSha256": digest, "CodeSize": len(SHIM)},
        }
    assert client.list_layer_versions(LayerName="shim")["LayerVersions"] == [about]
    assert client.list_layers()["Layers"] == [
        {"LayerName": "shim", "LayerArn": ARN, "LatestMatchingVersion": about}
    ]


def test_every_publish_is_a_version_of_its_own_and_no_number_comes_twice(client: Client) -> None:
    assert [publish(client)["Version"], publish(client, ARN)["Version"]] == [1, 2]
    client.delete_layer_version(LayerName="shim", VersionNumber=2)
    assert publish(client)["Version"] == 3
    for number in (1, 3):
        client.delete_layer_version(LayerName="shim", VersionNumber=number)
    assert client.list_layers()["Layers"] == []
    assert client.list_layer_versions(LayerName="shim")["LayerVersions"] == []
    assert publish(client)["Version"] == 4


def test_versions_are_listed_newest_first_in_pages(client: Client) -> None:
    for _ in range(12):
        publish(client)
    client.delete_layer_version(LayerName="shim", VersionNumber=7)
    pages = client.get_paginator("list_layer_versions").paginate(
        LayerName=ARN, PaginationConfig={"PageSize": 5}
    )
    found = [[row["Version"] for row in page["LayerVersions"]] for page in pages]
    assert [len(page) for page in found] == [5, 5, 1]
    numbers = [number for page in found for number in page]
    assert 7 not in numbers
    assert all(one > other for one, other in pairwise(numbers))
    latest = client.list_layers()["Layers"][0]["LatestMatchingVersion"]
    assert latest["Version"] == 12


def test_layers_are_listed_in_pages_and_each_accounts_and_regions_own(
    organization: Organization, client: Client
) -> None:
    for name in ("three", "one", "two"):
        publish(client, name)
    for other in (
        organization.client("lambda", DELEGATE),
        organization.client("lambda", MEMBER, "eu-west-1"),
    ):
        assert other.list_layers()["Layers"] == []
        with pytest.raises(ClientError) as caught:
            other.list_layer_versions(LayerName=ARN)
        assert refused(caught.value)[:2] == ("AccessDeniedException", 403)
    first = client.list_layers(MaxItems=2)
    rest = client.list_layers(Marker=first["NextMarker"])
    listed = [layer["LayerName"] for page in (first, rest) for layer in page["Layers"]]
    assert sorted(listed) == ["one", "three", "two"]
    assert rest.get("NextMarker") is None
    with pytest.raises(ClientError, match="between 1 and 50"):
        client.list_layers(MaxItems=51)
    with pytest.raises(ClientError, match="between 1 and 50"):
        client.list_layer_versions(LayerName="one", MaxItems=51)


def test_lists_give_what_is_compatible(client: Client) -> None:
    publish(client, CompatibleRuntimes=["provided.al2"], CompatibleArchitectures=["arm64"])
    publish(client, CompatibleRuntimes=["provided.al2023"])
    found = client.list_layers(CompatibleRuntime="provided.al2")["Layers"]
    assert [layer["LatestMatchingVersion"]["Version"] for layer in found] == [1]
    versions = client.list_layer_versions(LayerName="shim", CompatibleArchitecture="arm64")
    assert [row["Version"] for row in versions["LayerVersions"]] == [1]
    assert client.list_layers(CompatibleRuntime="go1.x")["Layers"] == []
    with pytest.raises(ClientError) as caught:
        client.list_layers(CompatibleRuntime="cobol")
    assert refused(caught.value)[:2] == ("ValidationException", 400)


@pytest.mark.parametrize(
    "params",
    [
        {"name": "no spaces"},
        {"name": "n" * 141},
        {"name": f"{ARN}:1"},
        {"Description": "d" * 257},
        {"CompatibleRuntimes": ["cobol"]},
        {"CompatibleRuntimes": ["provided.al2"] * 16},
        {"CompatibleArchitectures": ["sparc"]},
    ],
    ids=" ".join,
)
def test_what_breaks_the_apis_model_is_refused(client: Client, params: dict[str, object]) -> None:
    assert refusal(client, **params)[:2] == ("ValidationException", 400)


def test_content_that_is_no_package_is_refused(client: Client) -> None:
    for content, said in (
        ({"ZipFile": b"no zip at all"}, "Could not unzip uploaded file."),
        ({"ZipFile": zip_of()}, "Uploaded file must be a non-empty zip"),
        ({"S3Bucket": "none", "S3Key": "shim.zip"}, "S3 Error Code: NoSuchBucket."),
        ({}, "Please provide a source"),
    ):
        code, status, message = refusal(client, Content=content)
        assert (code, status) == ("InvalidParameterValueException", 400)
        assert said in message


def test_a_layer_too_big_for_a_request_goes_by_s3(
    organization: Organization, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_packages, "LARGEST_REQUEST", 500)
    big = zip_of(data=bytes(600))
    code = ("RequestEntityTooLargeException", 413)
    assert refusal(client, Content={"ZipFile": big})[:2] == code
    s3 = organization.client("s3", MEMBER)
    s3.create_bucket(Bucket="layers")
    s3.put_object(Bucket="layers", Key="big.zip", Body=big)
    answer = publish(client, Content={"S3Bucket": "layers", "S3Key": "big.zip"})
    assert fetch(answer["Content"]["Location"]) == (200, big)


def test_a_layer_too_big_unzipped_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_packages, "LARGEST_UNZIPPED", 599)
    said = refusal(client, Content={"ZipFile": zip_of(data=bytes(600))})[2]
    assert said == "Unzipped size must be smaller than 599 bytes"


def test_layers_count_against_the_code_storage(organization: Organization, client: Client) -> None:
    organization.emulator.limit_code_storage(MEMBER, HOME, len(SHIM) - 1)
    assert refusal(client)[0] == "CodeStorageExceededException"


def test_a_layer_version_by_its_arn_is_found_or_refused_as_by_its_name(
    organization: Organization, client: Client
) -> None:
    publish(client)
    with pytest.raises(ClientError) as caught:
        client.get_layer_version_by_arn(Arn=f"{ARN}:2")
    assert refused(caught.value)[:2] == ("ResourceNotFoundException", 404)
    with pytest.raises(ClientError) as caught:
        organization.client("lambda", DELEGATE).get_layer_version_by_arn(Arn=f"{ARN}:1")
    assert refused(caught.value)[:2] == ("AccessDeniedException", 403)
    for text in (ARN, "shim:1"):
        with pytest.raises(ClientError) as caught:
            client.get_layer_version_by_arn(Arn=text)
        assert refused(caught.value)[:2] == ("ValidationException", 400)
