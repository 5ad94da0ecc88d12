"""The table of permissions as documents: IAM policies, and the template of a role. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fleet.permissions import Permission, Where, actions

Document = dict[str, Any]

VERSION = "2012-10-17"


def member_policy(permissions: Iterable[Permission]) -> Document:
    """What the role assumed in each account needs, and nothing more."""
    return {"Version": VERSION, "Statement": [_member_statement(permissions)]}


def caller_policy(permissions: Iterable[Permission], role_name: str, partition: str) -> Document:
    """What the credentials that start fleet need, and nothing more.

    They ask as themselves, enter the accounts, and work in their own, which needs no role.
    """
    permissions = tuple(permissions)
    assume = "sts:AssumeRole"
    listing = [each for each in actions(permissions, Where.CALLER) if each != assume]
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "WithOwnCredentials",
                "Effect": "Allow",
                "Action": listing,
                "Resource": "*",
            },
            {
                "Sid": "EnterEachAccount",
                "Effect": "Allow",
                "Action": assume,
                "Resource": f"arn:{partition}:iam::*:role/{role_name}",
            },
            _member_statement(permissions),
        ],
    }


def role_template(
    permissions: Iterable[Permission], role_name: str, *, verb: str = "scan"
) -> Document:
    """A CloudFormation template of the role, for a StackSet over every member account.

    `verb` is the command that the role is for.
    """
    resource = f"Fleet{verb.title()}Role"
    policy = member_policy(permissions)
    trusted = {"Fn::Sub": "arn:${AWS::Partition}:iam::${TrustedAccountId}:root"}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Role with which fleet {verb} works in this account, and nothing more.",
        "Parameters": {
            "TrustedAccountId": {
                "Type": "String",
                "AllowedPattern": "^[0-9]{12}$",
                "Description": "Account that runs fleet: management or delegated administrator.",
            },
            "RoleName": {
                "Type": "String",
                "Default": role_name,
                "Description": f"Name of the role; give it to fleet {verb} as --role-name.",
            },
            "ExternalId": {
                "Type": "String",
                "Default": "",
                "Description": f"If set, fleet {verb} must be given it as --external-id.",
            },
        },
        "Conditions": {
            "WithExternalId": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExternalId"}, ""]}]}
        },
        "Resources": {
            resource: {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Ref": "RoleName"},
                    "MaxSessionDuration": 3600,
                    "AssumeRolePolicyDocument": {
                        "Version": VERSION,
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": trusted},
                                "Action": "sts:AssumeRole",
                                "Condition": {
                                    "Fn::If": [
                                        "WithExternalId",
                                        {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
                                        {"Ref": "AWS::NoValue"},
                                    ]
                                },
                            }
                        ],
                    },
                    "Policies": [{"PolicyName": f"fleet-{verb}", "PolicyDocument": policy}],
                },
            }
        },
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": [resource, "Arn"]}}},
    }


def _member_statement(permissions: Iterable[Permission]) -> Document:
    return {
        "Sid": "InEachAccount",
        "Effect": "Allow",
        "Action": list(actions(permissions, Where.MEMBER)),
        "Resource": "*",
    }
