"""Code.Location really gives the package, for ten minutes."""

from __future__ import annotations

import base64
import hashlib
import urllib.error
import urllib.request
from xml.etree import ElementTree as ET

import pytest

from tests.moto_fixtures.small_organization import (
    Client,
    Organization,
    zip_of,
)

PACKAGE = zip_of(main=b"\x7fELF" * 1000)


def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Status and body of a plain HTTP request."""
    request = urllib.request.Request(url, headers=headers, method=method)  # noqa: S310 - http only
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 - http only
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def location(client: Client, **params: str) -> str:
    found: str = client.get_function(**params)["Code"]["Location"]
    return found


@pytest.fixture
def client(organization: Organization) -> Client:
    return organization.add_function("one", Code={"ZipFile": PACKAGE})


def error_code(body: bytes) -> tuple[str | None, str | None]:
    error = ET.fromstring(body)  # noqa: S314 - our own emulator's answer
    return error.findtext("Code"), error.findtext("Message")


def test_the_package_can_be_downloaded_from_its_location(client: Client) -> None:
    answer = client.get_function(FunctionName="one")
    status, body = fetch(answer["Code"]["Location"])
    assert (status, body) == (200, PACKAGE)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert digest == answer["Configuration"]["CodeSha256"]
    assert answer["Code"]["RepositoryType"] == "S3"


def test_a_part_of_the_package_can_be_downloaded(client: Client) -> None:
    status, body = fetch(location(client, FunctionName="one"), Range="bytes=10-19")
    assert (status, body) == (206, PACKAGE[10:20])


def test_a_location_ends_after_ten_minutes_in_s3s_words(
    organization: Organization, client: Client
) -> None:
    url = location(client, FunctionName="one")
    organization.clock.now += 599
    assert fetch(url)[0] == 200
    organization.clock.now += 1
    status, body = fetch(url)
    assert status == 403
    assert error_code(body) == ("AccessDenied", "Request has expired")


def test_a_location_that_was_changed_is_refused(client: Client) -> None:
    url = location(client, FunctionName="one")
    for changed in (
        url.replace("X-Amz-Expires=600", "X-Amz-Expires=9999"),
        url.replace("/one-", "/two-"),
        url.split("&X-Amz-Signature")[0],
    ):
        status, body = fetch(changed)
        assert (status, error_code(body)[0]) == (403, "SignatureDoesNotMatch")
    assert fetch(url, method="PUT")[0] == 403


def test_a_location_keeps_giving_what_it_was_made_for(client: Client) -> None:
    url = location(client, FunctionName="one")
    client.update_function_code(FunctionName="one", ZipFile=zip_of(main=b"new"))
    assert fetch(url) == (200, PACKAGE)


def test_a_published_version_and_an_alias_keep_their_own_package(client: Client) -> None:
    client.publish_version(FunctionName="one")
    client.create_alias(FunctionName="one", Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName="one", ZipFile=zip_of(main=b"new"))
    assert fetch(location(client, FunctionName="one"))[1] == zip_of(main=b"new")
    for qualifier in ("1", "live"):
        assert fetch(location(client, FunctionName="one", Qualifier=qualifier))[1] == PACKAGE
        assert fetch(location(client, FunctionName=f"one:{qualifier}"))[1] == PACKAGE


def test_an_image_function_has_an_image_and_no_location(organization: Organization) -> None:
    image = "111111111111.dkr.ecr.us-east-1.amazonaws.com/orders:1"
    client = organization.add_function(
        "pictured", PackageType="Image", Code={"ImageUri": image}, Runtime=None, Handler=None
    )
    code = client.get_function(FunctionName="pictured")["Code"]
    assert (code["RepositoryType"], code["ImageUri"]) == ("ECR", image)
    assert "Location" not in code
    assert "Runtime" not in client.list_functions()["Functions"][0]


@pytest.mark.parametrize("operation", ["get_function", "get_function_configuration"])
def test_an_alias_gives_the_version_it_points_at(client: Client, operation: str) -> None:
    version = client.publish_version(FunctionName="one")["Version"]
    client.create_alias(FunctionName="one", Name="live", FunctionVersion=version)
    arn = client.get_function_configuration(FunctionName="one")["FunctionArn"]
    for params in ({"FunctionName": "one", "Qualifier": "live"}, {"FunctionName": f"{arn}:live"}):
        answer = getattr(client, operation)(**params)
        found = answer.get("Configuration", answer)
        assert (found["Version"], found["FunctionArn"]) == (version, f"{arn}:live")
