"""The bridge layer of an account and region: found by its content, published, deleted."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.aws.failures import CallFailed, Situation, readable
from fleet.aws.functions import each_of
from fleet.aws.packages import layer_package
from fleet.aws.session import Aws, Lane, request_id
from fleet.deployment import BRIDGE_LAYER


def bridge_arns(aws: Aws, lane: Lane, code_sha256: str) -> Iterator[str]:
    """ARNs of the versions of the bridge layer that have this content, newest first.

    By content, for a layer of this name may be anybody's; it is asked as far as is read on.
    https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html; raises CallFailed.
    """
    try:
        with readable("lambda:ListLayerVersions", lane.account, lane.region):
            listed = each_of(
                aws, lane, "ListLayerVersions", "LayerVersions", LayerName=BRIDGE_LAYER
            )
            arns = [str(each["LayerVersionArn"]) for each in listed]
    except CallFailed as failure:
        if failure.situation is not Situation.NOT_FOUND:
            raise
        arns = []
    return (arn for arn in arns if layer_package(aws, lane, arn).code_sha256 == code_sha256)


def publish_bridge(aws: Aws, lane: Lane, package: bytes, description: str) -> tuple[str, str]:
    """Publish a version of the bridge layer; its ARN, and the request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html; raises CallFailed.
    """
    answer = aws.write(
        lane,
        "lambda",
        "PublishLayerVersion",
        holds="LayerVersionArn",
        LayerName=BRIDGE_LAYER,
        Description=description,
        Content={"ZipFile": package},
    )
    return str(answer["LayerVersionArn"]), request_id(answer)


def delete_bridge(aws: Aws, lane: Lane, arn: str) -> str:
    """Delete a version of the bridge layer; the request id.

    https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html; raises CallFailed.
    """
    answer = aws.write(
        lane,
        "lambda",
        "DeleteLayerVersion",
        holds=None,
        LayerName=BRIDGE_LAYER,
        VersionNumber=int(arn.rpartition(":")[2]),
    )
    return request_id(answer)


def layers_in_use(aws: Aws, lane: Lane) -> frozenset[str]:
    """ARNs of the layer versions that any function or published version of the lane has.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html; raises CallFailed.
    """
    versions = each_of(aws, lane, "ListFunctions", "Functions", FunctionVersion="ALL")
    return frozenset(layer.Arn for each in versions for layer in each.Layers)
