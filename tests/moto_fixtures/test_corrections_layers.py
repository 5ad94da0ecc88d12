"""GetLayerVersion gives what can be downloaded, to those who may have it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

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

PACKAGE = zip_of(README=b"certificates")
ARN = f"arn:aws:lambda:{HOME}:{MEMBER}:layer:certificates"


@pytest.fixture
def owner(organization: Organization) -> Client:
    with organization.emulator.seeding():
        client = organization.client("lambda", MEMBER)
        client.publish_layer_version(LayerName="certificates", Content={"ZipFile": PACKAGE})
    return client


@pytest.mark.parametrize("name", ["certificates", ARN])
def test_a_layer_of_ones_own_can_be_downloaded(owner: Client, name: str) -> None:
    content = owner.get_layer_version(LayerName=name, VersionNumber=1)["Content"]
    assert fetch(content["Location"]) == (200, PACKAGE)
    assert content["CodeSize"] == len(PACKAGE)


def test_a_version_that_is_not_there_is_not_found(owner: Client) -> None:
    with pytest.raises(ClientError) as caught:
        owner.get_layer_version(LayerName="certificates", VersionNumber=2)
    assert refused(caught.value)[:2] == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("version", [1, 2])
def test_another_accounts_layer_is_refused_whether_it_is_there_or_not(
    owner: Client, organization: Organization, version: int
) -> None:
    assert owner
    with pytest.raises(ClientError) as caught:
        organization.client("lambda", DELEGATE).get_layer_version(
            LayerName=ARN, VersionNumber=version
        )
    assert refused(caught.value)[:2] == ("AccessDeniedException", 403)


@pytest.mark.parametrize("principal", ["*", DELEGATE])
def test_another_accounts_layer_that_is_shared_can_be_downloaded(
    owner: Client, organization: Organization, principal: str
) -> None:
    with organization.emulator.seeding():
        owner.add_layer_version_permission(
            LayerName="certificates",
            VersionNumber=1,
            StatementId="shared",
            Action="lambda:GetLayerVersion",
            Principal=principal,
        )
    answer = organization.client("lambda", DELEGATE).get_layer_version(
        LayerName=ARN, VersionNumber=1
    )
    assert fetch(answer["Content"]["Location"]) == (200, PACKAGE)
