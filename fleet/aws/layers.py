"""The bridge layer of an account and region: found by its content, published, deleted."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.aws.failures import CallFailed, Situation, readable
from fleet.aws.functions import each_of
from fleet.aws.session import Aws, Lane
from fleet.deployment import BRIDGE_LAYER

_LIST = "lambda:ListLayerVersions"


@dataclass(frozen=True, slots=True)
class BridgeVersion:
    """A version of the bridge layer."""

    arn: str
    description: str


def bridge_versions(aws: Aws, lane: Lane) -> tuple[BridgeVersion, ...]:
    """Every version of the bridge layer, newest first; () where there is none.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html; raises CallFailed.
    """
    try:
        with readable(_LIST, lane.account, lane.region):
            return tuple(
                BridgeVersion(str(each["LayerVersionArn"]), str(each.get("Description") or ""))
                for each in each_of(
                    aws, lane, "ListLayerVersions", "LayerVersions", LayerName=BRIDGE_LAYER
                )
            )
    except CallFailed as failure:
        if failure.situation is Situation.NOT_FOUND:
            return ()
        raise


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
    return str(answer["LayerVersionArn"]), str(answer["ResponseMetadata"].get("RequestId", ""))


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
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))


def layers_in_use(aws: Aws, lane: Lane) -> frozenset[str]:
    """ARNs of the layer versions that any function or published version of the lane has.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html; raises CallFailed.
    """
    versions = each_of(aws, lane, "ListFunctions", "Functions", FunctionVersion="ALL")
    return frozenset(layer.Arn for each in versions for layer in each.Layers)
