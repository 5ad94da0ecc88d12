"""Packages, layers and settings that Lambda does not take are refused in its words."""

from __future__ import annotations

import io
import zipfile

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
from tests.moto_fixtures.test_corrections_updates import configuration

NEW = zip_of(main=b"new")
ROLE = f"arn:aws:iam::{MEMBER}:role/run"


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(0)
    return organization.add_function("one")


def zeros(size: int) -> bytes:
    """A small zip of one entry with so many zero bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr("main", bytes(size))
    return buffer.getvalue()


def refusal(client: Client, **params: object) -> tuple[str, int, str]:
    """How UpdateFunctionCode refuses; nothing has changed then."""
    before = configuration(client)["RevisionId"]
    with pytest.raises(ClientError) as caught:
        client.update_function_code(FunctionName="one", **params)
    assert configuration(client)["RevisionId"] == before
    return refused(caught.value)


@pytest.mark.parametrize("package", [b"no zip at all", NEW[:-30]], ids=["text", "cut off"])
def test_bytes_that_are_no_zip_are_refused(client: Client, package: bytes) -> None:
    code, status, message = refusal(client, ZipFile=package)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message.startswith("Could not unzip uploaded file.")


def test_a_zip_of_nothing_is_refused(client: Client) -> None:
    assert refusal(client, ZipFile=zip_of())[2] == "Uploaded file must be a non-empty zip"


def test_no_code_at_all_is_refused(client: Client) -> None:
    assert refusal(client)[2] == "Please provide a source for function code."


def test_a_request_over_50_mb_is_refused_and_goes_by_s3(
    organization: Organization, client: Client
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as stored:
        stored.writestr("main", bytes(52_428_800))
    assert refusal(client, ZipFile=buffer.getvalue()) == (
        "RequestEntityTooLargeException",
        413,
        "Request must be smaller than 69905067 bytes for the UpdateFunctionCode operation",
    )
    s3 = organization.client("s3", MEMBER)
    s3.create_bucket(Bucket="packages")
    s3.put_object(Bucket="packages", Key="big.zip", Body=buffer.getvalue())
    answer = client.update_function_code(FunctionName="one", S3Bucket="packages", S3Key="big.zip")
    assert answer["CodeSize"] == len(buffer.getvalue())


def test_code_in_s3_has_to_be_there_in_the_region_and_readable(
    organization: Organization, client: Client
) -> None:
    abroad = organization.client("s3", MEMBER, "eu-west-1")
    abroad.create_bucket(
        Bucket="abroad", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    abroad.put_object(Bucket="abroad", Key="new.zip", Body=NEW)
    organization.client("s3", DELEGATE).create_bucket(Bucket="foreign")
    organization.client("s3", MEMBER).create_bucket(Bucket="own")
    for bucket, said in {
        "none": "S3 Error Code: NoSuchBucket.",
        "own": "S3 Error Code: NoSuchKey.",
        "abroad": "The bucket is in this region: eu-west-1.",
        "foreign": "S3 Error Code: AccessDenied.",
    }.items():
        assert said in refusal(client, S3Bucket=bucket, S3Key="new.zip")[2]


def test_250_mb_unzipped_are_the_most_with_the_layers(client: Client) -> None:
    whole = refusal(client, ZipFile=zeros(262_144_001))
    assert whole[2] == "Unzipped size must be smaller than 262144000 bytes"
    client.update_function_code(FunctionName="one", ZipFile=zeros(150_000_000))
    layer = client.publish_layer_version(LayerName="big", Content={"ZipFile": zeros(120_000_000)})
    with pytest.raises(ClientError, match="actual size is 270000000 bytes"):
        client.update_function_configuration(FunctionName="one", Layers=[layer["LayerVersionArn"]])


def layer(client: Client, name: str) -> str:
    made = client.publish_layer_version(LayerName=name, Content={"ZipFile": NEW})
    arn: str = made["LayerVersionArn"]
    return arn


def test_five_layers_are_the_most_and_one_version_of_each(client: Client) -> None:
    arns = [layer(client, f"layer{number}") for number in range(6)]
    client.update_function_configuration(FunctionName="one", Layers=arns[:5])
    assert [row["Arn"] for row in configuration(client)["Layers"]] == arns[:5]  # type: ignore[attr-defined]  # boto3's answer
    for asked, said in (
        (arns, "Cannot reference more than 5 layers."),
        ([arns[0], layer(client, "layer0")], "Two different versions of the same layer"),
        ([f"{arns[0]}9"], "does not exist."),
        ([arns[0].replace(HOME, "eu-west-1")], "Layers are expected to be in region us-east-1."),
        (["layer0"], "failed to satisfy constraint"),
    ):
        with pytest.raises(ClientError) as caught:
            client.update_function_configuration(FunctionName="one", Layers=asked)
        assert said in refused(caught.value)[2]
    client.update_function_configuration(FunctionName="one", Layers=[])
    assert not configuration(client).get("Layers")


def test_a_foreign_layer_is_taken_only_if_it_is_shared(
    organization: Organization, client: Client
) -> None:
    foreign = organization.client("lambda", DELEGATE)
    arn = layer(foreign, "shared")
    with pytest.raises(ClientError) as caught:
        client.update_function_configuration(FunctionName="one", Layers=[arn])
    assert refused(caught.value)[:2] == ("AccessDeniedException", 403)
    foreign.add_layer_version_permission(
        LayerName="shared",
        VersionNumber=1,
        StatementId="all",
        Action="lambda:GetLayerVersion",
        Principal="*",
    )
    client.update_function_configuration(FunctionName="one", Layers=[arn])


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"Handler": ""}, "ValidationException", "handler"),
        ({"Handler": "a b"}, "ValidationException", "handler"),
        ({"Handler": "a" * 129}, "ValidationException", "handler"),
        ({"MemorySize": 64}, "ValidationException", "memorySize"),
        ({"Timeout": 0}, "ValidationException", "timeout"),
        ({"Environment": {"Variables": {"1A": ""}}}, "ValidationException", "variables"),
        ({"Environment": {"Variables": {"A": ""}}}, "ValidationException", "variables"),
        ({"Environment": {"Variables": {"_LAMBDA_X": ""}}}, "ValidationException", "variables"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "x"}}},
            "InvalidParameterValueException",
            "Reserved keys used in this request: AWS_REGION",
        ),
        (
            {"Environment": {"Variables": {"LONG": "x" * 4096}}},
            "InvalidParameterValueException",
            "exceeded the 4KB limit",
        ),
    ],
)
def test_settings_that_lambda_does_not_take_are_refused(
    client: Client, settings: dict[str, object], code: str, said: str
) -> None:
    with pytest.raises(ClientError) as caught:
        client.update_function_configuration(FunctionName="one", **settings)
    assert refused(caught.value)[0] == code
    assert said in refused(caught.value)[2]
    with pytest.raises(ClientError):
        client.create_function(
            **{
                "FunctionName": "two",
                "Role": ROLE,
                "Runtime": "go1.x",
                "Handler": "main",
                "Code": {"ZipFile": NEW},
                **settings,
            }
        )


def test_a_package_needs_runtime_and_handler(client: Client) -> None:
    with pytest.raises(ClientError, match="Runtime and Handler are mandatory"):
        client.create_function(FunctionName="two", Role=ROLE, Code={"ZipFile": NEW})


def test_a_function_that_exists_is_a_conflict(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        client.create_function(
            FunctionName="one", Role=ROLE, Runtime="go1.x", Handler="main", Code={"ZipFile": NEW}
        )
    assert refused(caught.value)[:2] == ("ResourceConflictException", 409)
