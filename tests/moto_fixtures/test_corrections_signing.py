"""Functions with a code signing config take what is signed."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import Client, Organization, refused, zip_of

PLAIN = zip_of(main=b"new")
SIGNED = zip_of(**{"main": b"new", "META-INF/aws_signer_signature_v1.0.SF": b"signature"})


def config(client: Client, policy: str) -> str:
    made = client.create_code_signing_config(
        AllowedPublishers={
            "SigningProfileVersionArns": [
                "arn:aws:signer:us-east-1:111111111111:/signing-profiles/one/abc"
            ]
        },
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
    )
    arn: str = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    return arn


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(0)
    return organization.add_function("one")


def test_enforce_takes_only_what_is_rightly_signed(
    organization: Organization, client: Client
) -> None:
    arn = config(client, "Enforce")
    assert client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"][
        "CodeSigningPolicies"
    ] == {"UntrustedArtifactOnDeployment": "Enforce"}
    client.put_function_code_signing_config(FunctionName="one", CodeSigningConfigArn=arn)
    found = client.get_function_code_signing_config(FunctionName="one")
    assert found["CodeSigningConfigArn"] == arn
    for package, code in (
        (PLAIN, "CodeVerificationFailedException"),
        (SIGNED, "InvalidCodeSignatureException"),
    ):
        with pytest.raises(ClientError) as caught:
            client.update_function_code(FunctionName="one", ZipFile=package)
        assert refused(caught.value)[:2] == (code, 400)
    client.update_function_configuration(FunctionName="one", Runtime="provided.al2023")
    organization.emulator.trust_signature(SIGNED)
    client.update_function_code(FunctionName="one", ZipFile=SIGNED)
    client.delete_function_code_signing_config(FunctionName="one")
    assert "CodeSigningConfigArn" not in client.get_function_code_signing_config(FunctionName="one")
    client.update_function_code(FunctionName="one", ZipFile=PLAIN)


def test_warn_takes_the_unsigned_but_no_broken_signature(client: Client) -> None:
    arn = config(client, "Warn")
    client.put_function_code_signing_config(FunctionName="one", CodeSigningConfigArn=arn)
    client.update_function_code(FunctionName="one", ZipFile=PLAIN)
    with pytest.raises(ClientError) as caught:
        client.update_function_code(FunctionName="one", ZipFile=SIGNED)
    assert refused(caught.value)[:2] == ("InvalidCodeSignatureException", 400)


def test_configs_and_the_functions_that_have_one_are_listed_in_pages(
    organization: Organization, client: Client
) -> None:
    arns = sorted(config(client, "Warn") for _ in range(3))
    for account, region in (("222222222222", "us-east-1"), ("111111111111", "eu-west-1")):
        other = organization.client("lambda", account, region)
        assert other.list_code_signing_configs()["CodeSigningConfigs"] == []
    first = client.list_code_signing_configs(MaxItems=2)
    rest = client.list_code_signing_configs(Marker=first["NextMarker"])
    listed = first["CodeSigningConfigs"] + rest["CodeSigningConfigs"]
    assert [row["CodeSigningConfigArn"] for row in listed] == arns
    assert rest.get("NextMarker") is None
    organization.add_function("two", CodeSigningConfigArn=arns[0])
    client.put_function_code_signing_config(FunctionName="one", CodeSigningConfigArn=arns[0])
    pages = [client.list_functions_by_code_signing_config(CodeSigningConfigArn=arns[0], MaxItems=1)]
    pages.append(
        client.list_functions_by_code_signing_config(
            CodeSigningConfigArn=arns[0], Marker=pages[0]["NextMarker"]
        )
    )
    stem = "arn:aws:lambda:us-east-1:111111111111:function:"
    assert [page["FunctionArns"] for page in pages] == [[f"{stem}one"], [f"{stem}two"]]
    none = client.list_functions_by_code_signing_config(CodeSigningConfigArn=arns[1])
    assert none["FunctionArns"] == []
    with pytest.raises(ClientError, match="pagination marker"):
        client.list_functions_by_code_signing_config(
            CodeSigningConfigArn=arns[1], Marker=pages[0]["NextMarker"]
        )


def test_a_config_that_is_not_there_is_a_404(client: Client) -> None:
    arn = "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-0123456789abcdef0"
    with pytest.raises(ClientError) as caught:
        client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)
    assert refused(caught.value)[:2] == ("ResourceNotFoundException", 404)
    with pytest.raises(ClientError) as caught:
        client.put_function_code_signing_config(FunctionName="one", CodeSigningConfigArn=arn)
    assert refused(caught.value)[:2] == ("CodeSigningConfigNotFoundException", 404)
    with pytest.raises(ClientError) as caught:
        client.get_code_signing_config(CodeSigningConfigArn=arn)
    assert refused(caught.value)[:2] == ("ResourceNotFoundException", 404)
