"""Everything that changes a function: one call each, guarded by what was read before it.

Whoever calls looks again afterwards: after a failure it may have been done or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.aws.deployments import alias_of, deployment_of
from fleet.aws.failures import readable
from fleet.aws.functions import config_of
from fleet.aws.listed import read_listed
from fleet.aws.session import Aws, Lane, request_id
from fleet.deployment import (
    AliasNow,
    Publish,
    Published,
    PutAlias,
    PutTags,
    RemoveTags,
    UpdateCode,
    UpdateConfiguration,
)
from fleet.model import FunctionRef


@dataclass(frozen=True, slots=True)
class Stored:
    """A package that was put into a bucket of the function's account and region."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Invoked:
    """What an invocation answered."""

    status: int
    error: str
    """`Unhandled` where the function failed, or ''."""
    payload: bytes


def publish(aws: Aws, lane: Lane, name: str, step: Publish, key: bytes) -> tuple[Published, str]:
    """Mint a version, or learn the last one's number if nothing has changed since; and request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html; raises CallFailed.
    """
    answer = aws.write(
        lane,
        "lambda",
        "PublishVersion",
        holds="Version",
        FunctionName=name,
        CodeSha256=step.code_sha256,
        RevisionId=step.revision,
    )
    with readable("lambda:PublishVersion", lane.account, lane.region):
        config = config_of(aws.caller.partition, lane, read_listed(answer))
        active = answer.get("State", "Active") == "Active"
        deployment = deployment_of(config, answer, key)
        return Published(config.ref.qualifier, deployment, active), request_id(answer)


def put_alias(aws: Aws, lane: Lane, name: str, step: PutAlias) -> tuple[AliasNow, str]:
    """Create the alias, or move it with its weights; the alias as it is then, and request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html; raises CallFailed.
    """
    wanted: dict[str, Any] = {
        "FunctionName": name,
        "Name": step.name,
        "FunctionVersion": step.version,
    }
    if step.before is None:
        operation = "CreateAlias"
    else:
        operation = "UpdateAlias"
        wanted["RevisionId"] = step.before.revision
        # Weights that are not named stay, and would go on sending calls elsewhere.
        if step.before.weights or step.weights:
            wanted["RoutingConfig"] = {"AdditionalVersionWeights": dict(step.weights)}
    answer = aws.write(lane, "lambda", operation, holds="RevisionId", **wanted)
    with readable(f"lambda:{operation}", lane.account, lane.region):
        now = alias_of(answer)
    provisioned = step.before is not None and step.before.provisioned
    return (
        AliasNow(now.name, now.version, now.weights, now.revision, provisioned),
        request_id(answer),
    )


def update_configuration(aws: Aws, lane: Lane, name: str, step: UpdateConfiguration) -> str:
    """Send what differs of runtime, handler and layers; the request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    Raises CallFailed.
    """
    wanted: dict[str, Any] = {
        "Runtime": step.runtime,
        "Handler": step.handler,
        "Layers": None if step.layers is None else list(step.layers),
    }
    answer = aws.write(
        lane,
        "lambda",
        "UpdateFunctionConfiguration",
        holds="RevisionId",
        FunctionName=name,
        RevisionId=step.revision,
        **{field: value for field, value in wanted.items() if value is not None},
    )
    return request_id(answer)


def update_code(
    aws: Aws,
    lane: Lane,
    name: str,
    step: UpdateCode,
    package: Path | Stored,
    *,
    source_key: str | None,
) -> str:
    """Upload a package, or name one that lies in a bucket; the request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    Raises CallFailed, and OSError for a file that cannot be read.
    """
    wanted: dict[str, Any] = (
        {"S3Bucket": package.bucket, "S3Key": package.key}
        if isinstance(package, Stored)
        else {"ZipFile": package.read_bytes()}
    )
    if source_key is not None:
        wanted["SourceKMSKeyArn"] = source_key
    answer = aws.write(
        lane,
        "lambda",
        "UpdateFunctionCode",
        holds="RevisionId",
        FunctionName=name,
        RevisionId=step.revision,
        # Left out it would be x86_64, whatever the function has.
        Architectures=[step.after.architecture],
        **wanted,
    )
    return request_id(answer)


def put_tags(aws: Aws, lane: Lane, ref: FunctionRef, step: PutTags) -> str:
    """Add tags; the request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html; raises CallFailed.
    """
    answer = aws.write(
        lane, "lambda", "TagResource", holds=None, Resource=ref.arn, Tags=dict(step.tags)
    )
    return request_id(answer)


def remove_tags(aws: Aws, lane: Lane, ref: FunctionRef, step: RemoveTags) -> str:
    """Take tags off; the request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html; raises CallFailed.
    """
    answer = aws.write(
        lane, "lambda", "UntagResource", holds=None, Resource=ref.arn, TagKeys=list(step.keys)
    )
    return request_id(answer)


def invoke(aws: Aws, lane: Lane, name: str, event: bytes) -> tuple[Invoked, str]:
    """Invoke $LATEST and wait for its answer, which is read whole (6 MB at most); request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html; raises CallFailed. It is sent
    once: what a function does twice may not be the same as once.
    """
    answer = aws.write(
        lane, "lambda", "Invoke", holds="StatusCode", FunctionName=name, Payload=event
    )
    with readable("lambda:InvokeFunction", lane.account, lane.region):
        payload: bytes = answer["Payload"].read()
        error = str(answer.get("FunctionError") or "")
        return Invoked(int(answer["StatusCode"]), error, payload), request_id(answer)
