"""Every AWS call a command may make, as one table.

The same table narrows what the clients will send, becomes the session policy of every assumed
role, and is what `fleet policy` prints: the three can't part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Where(StrEnum):
    """Whose permission a call needs."""

    CALLER = "caller"
    """The credentials fleet is started with, in the management or delegated account."""
    MEMBER = "member"
    """The role assumed in each account."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One API operation, the IAM action it needs, and why."""

    service: str
    """boto3's name of the service."""
    operation: str
    """The API's name of the operation."""
    action: str
    where: Where
    reason: str


def _caller(service: str, operation: str, reason: str) -> Permission:
    return Permission(service, operation, f"{service}:{operation}", Where.CALLER, reason)


def _member(service: str, operation: str, reason: str, *, action: str | None = None) -> Permission:
    return Permission(service, operation, action or f"{service}:{operation}", Where.MEMBER, reason)


ENTERING: tuple[Permission, ...] = (
    _caller("sts", "GetCallerIdentity", "tells account and partition; AWS never denies it"),
    _caller("sts", "AssumeRole", "enters each account"),
)
"""What every command calls that asks AWS anything."""

ORGANIZATION: tuple[Permission, ...] = (
    _caller("organizations", "DescribeOrganization", "names the organization and its management"),
)

SCAN: tuple[Permission, ...] = (
    *ENTERING,
    *ORGANIZATION,
    _caller("organizations", "ListAccounts", "finds every account"),
    _caller("organizations", "ListRoots", "where the tree of organizational units begins"),
    _caller("organizations", "ListOrganizationalUnitsForParent", "the tree itself"),
    _caller("organizations", "ListAccountsForParent", "which unit an account is in"),
    _member("account", "ListRegions", "regions that are enabled"),
    _member("ec2", "DescribeRegions", "the same, where account:ListRegions is not to be had"),
    _member("lambda", "ListFunctions", "functions and their published versions"),
    _member("lambda", "ListAliases", "which versions an alias serves"),
    _member("lambda", "ListTags", "who owns a function; --tag"),
    _member("lambda", "ListEventSourceMappings", "which versions an event source triggers"),
    _member("lambda", "ListFunctionUrlConfigs", "function URLs (--callers)"),
    _member("lambda", "GetPolicy", "who else may invoke a function (--callers)"),
    _member("cloudwatch", "GetMetricData", "calls and durations of 30 days (--traffic)"),
)

INSPECT: tuple[Permission, ...] = (
    _member("lambda", "GetFunction", "where a function's package is (--inspect)"),
    _member("lambda", "GetLayerVersion", "where the packages of its layers are (--inspect)"),
)
"""Beside SCAN, and only where packages are to be read: GetFunction shows environment variables."""

REBUILD: tuple[Permission, ...] = (
    *ENTERING,
    _member("lambda", "GetFunction", "what a function is, and its package"),
    _member("lambda", "ListTags", "GetFunction shows tags only with it"),
)
"""What `fleet rebuild` reads; it writes nothing."""

COLD_STARTS: tuple[Permission, ...] = (
    _member("logs", "StartQuery", "cold starts, from the functions' logs (--cold-starts)"),
    _member("logs", "GetQueryResults", "what came of that query (--cold-starts)"),
    _member("logs", "StopQuery", "ends a query that takes too long (--cold-starts)"),
)
"""Beside SCAN, and only where cold starts are asked for: a query can read whatever was logged.

A log group that is encrypted with a key of yours is read only by who may kms:Decrypt with it, which
is not among them: cold starts of its functions stay unknown.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/permissions-reference-cwl.html
"""

PLAN: tuple[Permission, ...] = (
    *ENTERING,
    _member("lambda", "GetFunction", "what a function, version or alias is, and its package"),
    _member("lambda", "ListTags", "GetFunction shows tags only with it: whose function it is"),
    _member("lambda", "ListAliases", "who serves which version"),
    _member("lambda", "ListVersionsByFunction", "which version was published last"),
    _member("lambda", "ListProvisionedConcurrencyConfigs", "aliases whose weights AWS shifts"),
    _member("lambda", "GetRuntimeManagementConfig", "whether the runtime may be changed"),
    _member("lambda", "ListCodeSigningConfigs", "whether rewritten packages would be refused"),
    _member("lambda", "ListFunctionsByCodeSigningConfig", "whose packages would be refused"),
    _member("lambda", "GetAccountSettings", "whether there is room for two more versions"),
    _member("lambda", "ListEventSourceMappings", "what calls a function"),
    _member("lambda", "ListFunctionUrlConfigs", "what calls a function"),
    _member("lambda", "GetPolicy", "what may call a function"),
    _member("lambda", "GetLayerVersion", "what is in its layers, and to set them again"),
    _member("lambda", "ListLayerVersions", "whether the bridge layer is there already"),
)
"""What `fleet migrate` and `fleet rollback` read, with --apply or without."""

MOVE: tuple[Permission, ...] = (
    _member("lambda", "PublishVersion", "keeps what a function was, and what was proven"),
    _member("lambda", "CreateAlias", "names those versions"),
    _member("lambda", "UpdateAlias", "moves aliases, and back"),
    _member("lambda", "UpdateFunctionConfiguration", "runtime, handler and layers"),
    _member("lambda", "UpdateFunctionCode", "the repackaged package; the original on the way back"),
    _member("lambda", "TagResource", "marks what has moved, so that it is still found as Go"),
    _member("lambda", "UntagResource", "takes the marks off on the way back"),
    _member("lambda", "PublishLayerVersion", "the bridge layer, once an account and region"),
)
"""What they write, and only with --apply."""

CANARY: tuple[Permission, ...] = (
    _member("cloudwatch", "GetMetricData", "errors, durations and throttles of what has moved"),
)
"""What judges a function after its move, where its wave has a canary."""

INVOKE = (
    _member("lambda", "Invoke", "test events (--event, --events)", action="lambda:InvokeFunction"),
)
BUCKET = (
    _member("s3", "PutObject", "packages over 50 MB (--bucket)"),
    _member("s3", "DeleteObject", "the same, once Lambda has its copy (--bucket)"),
)
ARTIFACT = (
    _member("s3", "GetObject", "packages built for arm64 (--artifact s3://…)"),
    _caller("s3", "GetObject", "the same, where only you can read the bucket"),
)
CLEANUP: tuple[Permission, ...] = (
    *ENTERING,
    _member("lambda", "ListLayerVersions", "versions of the bridge layer"),
    _member("lambda", "GetLayerVersion", "whether their content is fleet's"),
    _member("lambda", "ListFunctions", "whether any function has it still"),
)
DELETE = (_member("lambda", "DeleteLayerVersion", "takes the bridge layer away"),)
"""What `fleet cleanup` writes, and only with --apply."""

NOTIFY: tuple[Permission, ...] = (
    _caller("sns", "Publish", "tells what happens while waves run (notify: sns:)"),
)
"""Beside ENTERING, and only where a topic is set."""

UNRECORDED: tuple[Permission, ...] = (
    _member("kms", "", "functions whose environment has a key of yours", action="kms:Decrypt"),
    _member("kms", "", "publishing such functions", action="kms:CreateGrant"),
    _member("kms", "", "updating such functions", action="kms:Encrypt"),
    _member("kms", "", "functions whose package has a key of yours", action="kms:GenerateDataKey"),
)
"""What AWS asks for behind a call of MOVE, listed by hand since no recorded call shows it.

iam:PassRole is not among them: no call names a role.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
https://docs.aws.amazon.com/lambda/latest/dg/encrypt-zip-package.html
"""

BUCKET_UNRECORDED = (
    _member("s3", "", "Lambda fetches from --bucket as you", action="s3:GetObject"),
)

Statement = dict[str, Any]


def actions(permissions: Iterable[Permission], where: Where) -> tuple[str, ...]:
    """The IAM actions of one side, sorted, each once."""
    return tuple(sorted({each.action for each in permissions if each.where is where}))


def session_policy(permissions: Iterable[Permission]) -> str:
    """The policy passed to AssumeRole: what the session can do at the very most.

    JSON of at most 2,048 characters, as
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html limits it.
    """
    allowed = actions(permissions, Where.MEMBER)
    statement: Statement = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return json.dumps(document, separators=(",", ":"))
