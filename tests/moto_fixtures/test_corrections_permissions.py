"""What policies refuse, in AWS's words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from tests.moto_fixtures.small_organization import (
    HOME,
    MANAGEMENT,
    MEMBER,
    ROLE,
    RULES,
    refused,
    running,
    zip_of,
)

SESSION = f"arn:aws:sts::{MEMBER}:assumed-role/{ROLE}/fleet"


def test_an_action_no_identity_policy_allows_is_refused_in_awss_words() -> None:
    with running(replace(RULES, denied=frozenset({(MEMBER, "lambda:")}))) as organization:
        client = organization.client("lambda", session=organization.assume())
        with pytest.raises(ClientError) as error:
            client.list_functions()
        assert refused(error.value) == (
            "AccessDeniedException",
            403,
            (
                f"User: {SESSION} is not authorized to perform: lambda:ListFunctions "
                "on resource: * because no identity-based policy allows the lambda:ListFunctions "
                "action"
            ),
        )


def test_a_denied_action_leaves_the_services_others_alone() -> None:
    with running(
        replace(RULES, denied=frozenset({(MEMBER, "lambda:ListAliases")}))
    ) as organization:
        client = organization.add_function("one")
        client.list_functions()
        with pytest.raises(ClientError) as error:
            client.list_aliases(FunctionName="one")
        arn = f"arn:aws:lambda:{HOME}:{MEMBER}:function:one"
        assert f"lambda:ListAliases on resource: {arn} because" in refused(error.value)[2]


WRITES: dict[str, tuple[str, dict[str, object]]] = {
    "UpdateFunctionCode": ("update_function_code", {"ZipFile": zip_of(main=b"new")}),
    "UpdateFunctionConfiguration": ("update_function_configuration", {"MemorySize": 512}),
    "PublishVersion": ("publish_version", {}),
    "CreateAlias": ("create_alias", {"Name": "new", "FunctionVersion": "1"}),
    "UpdateAlias": ("update_alias", {"Name": "live", "FunctionVersion": "1"}),
    "DeleteAlias": ("delete_alias", {"Name": "live"}),
    "DeleteFunction": ("delete_function", {}),
    "InvokeFunction": ("invoke", {}),
}


@pytest.mark.parametrize("action", WRITES)
def test_every_write_can_be_denied_by_itself_and_then_changes_nothing(action: str) -> None:
    with running(replace(RULES, denied=frozenset({(MEMBER, f"lambda:{action}")}))) as organization:
        client = organization.add_function("one")
        with organization.emulator.seeding():
            client.publish_version(FunctionName="one")
            client.create_alias(FunctionName="one", Name="live", FunctionVersion="1")
        before = client.get_function_configuration(FunctionName="one")["RevisionId"]
        operation, params = WRITES[action]
        with pytest.raises(ClientError) as error:
            getattr(client, operation)(FunctionName="one", **params)
        code, status, message = refused(error.value)
        assert (code, status) == ("AccessDeniedException", 403)
        arn = f"arn:aws:lambda:{HOME}:{MEMBER}:function:one"
        assert f"not authorized to perform: lambda:{action} on resource: {arn} because" in message
        assert client.get_function_configuration(FunctionName="one")["RevisionId"] == before


@pytest.mark.parametrize(
    ("action", "operation", "params"),
    [
        ("TagResource", "tag_resource", {"Tags": {"team": "orders"}}),
        ("UntagResource", "untag_resource", {"TagKeys": ["team"]}),
    ],
)
def test_tagging_can_be_denied_by_itself(
    action: str, operation: str, params: dict[str, object]
) -> None:
    arn = f"arn:aws:lambda:{HOME}:{MEMBER}:function:one"
    with running(replace(RULES, denied=frozenset({(MEMBER, f"lambda:{action}")}))) as organization:
        client = organization.add_function("one")
        with pytest.raises(ClientError) as error:
            getattr(client, operation)(Resource=arn, **params)
        assert f"lambda:{action} on resource: {arn} because" in refused(error.value)[2]
        client.list_tags(Resource=arn)


def test_a_layer_version_by_its_arn_needs_the_permission_to_get_it() -> None:
    with running(
        replace(RULES, denied=frozenset({(MEMBER, "lambda:GetLayerVersion")}))
    ) as organization:
        with pytest.raises(ClientError) as error:
            organization.client("lambda", MEMBER).get_layer_version_by_arn(
                Arn=f"arn:aws:lambda:{HOME}:{MEMBER}:layer:shim:1"
            )
        assert "lambda:GetLayerVersion on" in refused(error.value)[2]


def test_a_denied_action_stays_one_accounts_own() -> None:
    with running(replace(RULES, denied=frozenset({(MEMBER, "lambda:")}))) as organization:
        organization.client("lambda", MANAGEMENT).list_functions()


@pytest.mark.parametrize(
    ("service", "operation", "prefix", "code"),
    [
        ("cloudwatch", "list_metrics", "cloudwatch:", "AccessDenied"),
        ("ec2", "describe_regions", "ec2:DescribeRegions", "UnauthorizedOperation"),
        ("account", "list_regions", "account:ListRegions", "AccessDeniedException"),
        ("resourcegroupstaggingapi", "get_resources", "tag:", "AccessDeniedException"),
    ],
)
def test_every_service_denies_under_its_own_code(
    service: str, operation: str, prefix: str, code: str
) -> None:
    with running(replace(RULES, denied=frozenset({(MEMBER, prefix)}))) as organization:
        with pytest.raises(ClientError) as error:
            getattr(organization.client(service, MEMBER), operation)()
        refusal, _, message = refused(error.value)
        assert refusal == code
        # EC2 alone says first that it says no.
        own_words = "You are not authorized to perform this operation. User: "
        assert message.startswith(own_words if service == "ec2" else "User: ")


def test_a_service_control_policy_denies_a_region_explicitly() -> None:
    with running(
        replace(RULES, blocked_by_policy=frozenset({(MEMBER, "eu-west-1")}))
    ) as organization:
        session = organization.assume()
        organization.client("lambda", region=HOME, session=session).list_functions()
        with pytest.raises(ClientError) as error:
            organization.client("lambda", region="eu-west-1", session=session).list_functions()
        assert refused(error.value) == (
            "AccessDeniedException",
            403,
            (
                f"User: {SESSION} is not authorized to perform: lambda:ListFunctions "
                "on resource: * with an explicit deny in a service control policy"
            ),
        )


def test_a_service_control_policy_spares_global_services_and_the_management_account() -> None:
    blocked = frozenset({(MEMBER, HOME), (MANAGEMENT, HOME)})
    with running(replace(RULES, blocked_by_policy=blocked)) as organization:
        organization.client("account", session=organization.assume()).list_regions()
        organization.client("lambda", MANAGEMENT).list_functions()


def test_nothing_is_refused_or_recorded_while_seeding() -> None:
    with running(replace(RULES, denied=frozenset({(MEMBER, "lambda:")}))) as organization:
        with organization.emulator.seeding():
            organization.client("lambda", MEMBER).list_functions()
        assert organization.emulator.calls == []
        with pytest.raises(ClientError):
            organization.client("lambda", MEMBER).list_functions()
