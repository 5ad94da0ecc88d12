"""Buckets are their owner's, and Lambda reads code as whoever asks it to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import (
    DELEGATE,
    MEMBER,
    RULES,
    Client,
    Organization,
    refused,
    running,
    zip_of,
)

NEW = zip_of(bootstrap=b"new")


@pytest.fixture
def s3(organization: Organization) -> Client:
    client = organization.client("s3", MEMBER)
    client.create_bucket(Bucket="packages")
    client.put_object(Bucket="packages", Key="new.zip", Body=NEW)
    return client


def test_a_bucket_of_another_account_than_expected_is_refused(s3: Client) -> None:
    s3.put_object(Bucket="packages", Key="one", Body=b"", ExpectedBucketOwner=MEMBER)
    for operation, params in (
        ("put_object", {"Key": "two", "Body": b"two"}),
        ("get_object", {"Key": "new.zip"}),
        ("delete_object", {"Key": "new.zip"}),
        ("list_objects_v2", {}),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(s3, operation)(Bucket="packages", ExpectedBucketOwner=DELEGATE, **params)
        assert refused(caught.value) == ("AccessDenied", 403, "Access Denied")
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket="packages", ExpectedBucketOwner=DELEGATE)
    assert refused(caught.value)[:2] == ("403", 403)
    keys = [row["Key"] for row in s3.list_objects_v2(Bucket="packages")["Contents"]]
    assert keys == ["new.zip", "one"]


@pytest.mark.parametrize("expected", [{}, {"ExpectedBucketOwner": MEMBER}])
def test_another_accounts_bucket_lets_nobody_in(
    organization: Organization, s3: Client, expected: dict[str, str]
) -> None:
    other = organization.client("s3", DELEGATE)
    with pytest.raises(ClientError) as caught:
        other.put_object(Bucket="packages", Key="new.zip", Body=b"theirs", **expected)
    assert refused(caught.value)[:2] == ("AccessDenied", 403)
    assert s3.get_object(Bucket="packages", Key="new.zip")["Body"].read() == NEW
    with pytest.raises(ClientError) as caught:
        other.put_object(Bucket="nowhere", Key="new.zip", Body=b"", **expected)
    assert refused(caught.value)[:2] == ("NoSuchBucket", 404)


def test_code_comes_from_s3_only_for_who_may_read_it_there() -> None:
    denied = frozenset({(MEMBER, "s3:GetObject")})
    with running(replace(RULES, denied=denied)) as organization:
        client = organization.add_function("one")
        s3 = organization.client("s3", MEMBER)
        s3.create_bucket(Bucket="packages")
        s3.put_object(Bucket="packages", Key="new.zip", Body=NEW)
        with pytest.raises(ClientError) as caught:
            client.update_function_code(FunctionName="one", S3Bucket="packages", S3Key="new.zip")
        code, status, message = refused(caught.value)
        assert (code, status) == ("AccessDeniedException", 403)
        assert "GetObject for packages/new.zip" in message


@pytest.mark.usefixtures("s3")
def test_code_that_is_referenced_shows_its_object_until_it_is_copied_again(
    organization: Organization,
) -> None:
    organization.emulator.take_for_updates(0)
    client = organization.add_function("one")
    source = {"S3Bucket": "packages", "S3Key": "new.zip"}
    client.update_function_code(FunctionName="one", S3ObjectStorageMode="REFERENCE", **source)
    assert client.get_function(FunctionName="one")["Code"]["ResolvedS3Object"] == source
    client.update_function_code(FunctionName="one", **source)
    assert "ResolvedS3Object" not in client.get_function(FunctionName="one")["Code"]
