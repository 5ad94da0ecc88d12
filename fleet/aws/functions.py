"""Everything asked of Lambda."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from fleet.aws.failures import CallFailed, Situation, readable
from fleet.aws.listed import ListedFunction
from fleet.aws.session import Aws, Lane
from fleet.deployment import stands_halfway
from fleet.model import (
    GO1X,
    LATEST,
    Alias,
    Caller,
    CallerKind,
    FunctionConfig,
    FunctionRef,
    PackageType,
)

_Object: TypeAlias = dict[str, Any]

LOG_GROUPS = "/aws/lambda/"
"""What the name of a log group begins with, unless a function's configuration names another."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one account and region lists."""

    functions: int
    """Functions of any runtime."""
    versions: int
    """Function versions of any runtime, $LATEST included."""
    found: tuple[FunctionConfig, ...]
    """The versions on the runtimes asked for, $LATEST of every Image function and, where go1.x was
    asked for, $LATEST of what stands halfway off it."""
    latest: Mapping[str, str | None]
    """For each function found, the runtime of its $LATEST; no entry where it was not listed."""
    log_groups: Mapping[str, frozenset[str]]
    """For each function found, where the versions found log to."""


def list_functions(aws: Aws, lane: Lane, runtimes: Iterable[str], *, latest_only: bool) -> Listing:
    """Every function and, unless `latest_only`, every published version of it.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html; raises CallFailed.
    """
    wanted = frozenset(runtimes)
    scope = {} if latest_only else {"FunctionVersion": "ALL"}
    latest: dict[str, str | None] = {}
    found: dict[tuple[str, str], FunctionConfig] = {}
    published: set[tuple[str, str]] = set()
    log_groups: dict[str, set[str]] = {}
    pages = aws.pages(
        lane,
        "lambda",
        "ListFunctions",
        holds="Functions",
        sends="Marker",
        gives="NextMarker",
        **scope,
    )
    for page in pages:
        for each in page["Functions"]:
            name, version, runtime = each.FunctionName, each.Version, each.Runtime
            # A list that changes while it is paged can name a version twice.
            if version == LATEST:
                latest[name] = runtime
                if not (
                    runtime in wanted
                    or each.PackageType == PackageType.IMAGE
                    or (each.Layers and GO1X in wanted and _stands_halfway(lane, each))
                ):
                    continue
            else:
                published.add((name, version))
                if runtime not in wanted:
                    continue
            found[name, version] = config_of(aws.caller.partition, lane, each)
            log_groups.setdefault(name, set()).add(_log_group(each))
    names = {name for name, _ in found}
    return Listing(
        functions=len(latest.keys() | {name for name, _ in published}),
        versions=len(latest) + len(published),
        found=tuple(found.values()),
        latest={name: runtime for name, runtime in latest.items() if name in names},
        log_groups={name: frozenset(groups) for name, groups in log_groups.items()},
    )


def _log_group(each: ListedFunction) -> str:
    named = each.LoggingConfig.LogGroup if each.LoggingConfig else None
    return named or f"{LOG_GROUPS}{each.FunctionName}"


def _stands_halfway(lane: Lane, each: ListedFunction) -> bool:
    return stands_halfway(each.Runtime, (layer.Arn for layer in each.Layers), lane.account)


def read_aliases(aws: Aws, lane: Lane, name: str) -> tuple[Alias, ...]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html; raises CallFailed."""
    listed = each_of(aws, lane, "ListAliases", "Aliases", FunctionName=name)
    with readable("lambda:ListAliases", lane.account, lane.region):
        return tuple(
            msgspec.convert(
                {
                    "name": each["Name"],
                    "version": each["FunctionVersion"],
                    "weights": each.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
                },
                Alias,
            )
            for each in listed
        )


def read_tags(aws: Aws, lane: Lane, ref: FunctionRef) -> Mapping[str, str]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html; raises CallFailed."""
    arn = FunctionRef(ref.partition, ref.account, ref.region, ref.name).arn
    # botocore reads what it is told is a map without a look: the call itself may stumble over it.
    with readable("lambda:ListTags", lane.account, lane.region):
        answer = aws.call(lane, "lambda", "ListTags", holds="Tags", Resource=arn)
        return msgspec.convert(answer["Tags"], dict[str, str])


def read_event_sources(aws: Aws, lane: Lane) -> Mapping[str, tuple[Caller, ...]]:
    """Function name → its event source mappings, for the whole region in one list.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
    """
    callers: dict[str, list[Caller]] = {}
    listed = each_of(aws, lane, "ListEventSourceMappings", "EventSourceMappings")
    with readable("lambda:ListEventSourceMappings", lane.account, lane.region):
        for each in listed:
            name, qualifier = _name_and_qualifier(each["FunctionArn"])
            # Self-managed Kafka has no ARN.
            source = each.get("EventSourceArn") or "self-managed"
            callers.setdefault(name, []).append(Caller(CallerKind.EVENT_SOURCE, source, qualifier))
    return {name: tuple(each) for name, each in callers.items()}


def read_function_urls(aws: Aws, lane: Lane, name: str) -> tuple[Caller, ...]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html."""
    listed = each_of(aws, lane, "ListFunctionUrlConfigs", "FunctionUrlConfigs", FunctionName=name)
    with readable("lambda:ListFunctionUrlConfigs", lane.account, lane.region):
        return tuple(
            Caller(
                CallerKind.FUNCTION_URL,
                str(each["AuthType"]),
                version_of_arn(each["FunctionArn"]),
            )
            for each in listed
        )


def read_permissions(aws: Aws, lane: Lane, name: str, qualifier: str) -> tuple[Caller, ...]:
    """Who a qualifier's resource policy lets in; () where it has none.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html; raises CallFailed.
    """
    scope = {} if qualifier == LATEST else {"Qualifier": qualifier}
    try:
        with readable("lambda:GetPolicy", lane.account, lane.region):
            answer = aws.call(
                lane, "lambda", "GetPolicy", holds="Policy", FunctionName=name, **scope
            )
            statements = msgspec.convert(json.loads(answer["Policy"])["Statement"], list[_Object])
            return tuple(
                Caller(CallerKind.PERMISSION, _principal(each), qualifier)
                for each in statements
                if each["Effect"] == "Allow"
            )
    except CallFailed as failure:
        if failure.situation is Situation.NOT_FOUND:
            return ()
        raise


def _principal(statement: Mapping[str, Any]) -> str:
    principal = statement["Principal"]
    if isinstance(principal, dict):
        principal = ", ".join(str(value) for value in principal.values())
    conditions = statement.get("Condition", {}).values()
    sources = [
        str(value)
        for condition in conditions
        for key, value in condition.items()
        if key.lower() == "aws:sourcearn"
    ]
    # A policy is JSON within JSON, where half a character can be written.
    return " ".join([str(principal), *sources]).encode(errors="replace").decode()


def each_of(aws: Aws, lane: Lane, operation: str, holds: str, **parameters: str) -> Iterator[Any]:
    """Every entry of a paged list of Lambda's; raises CallFailed."""
    pages = aws.pages(
        lane, "lambda", operation, holds=holds, sends="Marker", gives="NextMarker", **parameters
    )
    for page in pages:
        yield from page[holds]


def config_of(partition: str, lane: Lane, each: ListedFunction) -> FunctionConfig:
    """A listed function version as a value of fleet's."""
    is_image = each.PackageType == PackageType.IMAGE
    return FunctionConfig(
        ref=FunctionRef(partition, lane.account, lane.region, each.FunctionName, each.Version),
        package_type=PackageType.IMAGE if is_image else PackageType.ZIP,
        runtime=each.Runtime,
        handler=each.Handler,
        architecture=", ".join(each.Architectures),
        code_size=each.CodeSize,
        code_sha256=each.CodeSha256,
        last_modified=_moment(each.LastModified),
        layers=tuple(layer.Arn for layer in each.Layers),
        signing_profile=each.SigningProfileVersionArn,
        memory_mb=each.MemorySize,
    )


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def version_of_arn(arn: str) -> str:
    """The version or alias that a function's ARN names, $LATEST without one; or IndexError."""
    return _name_and_qualifier(arn)[1]


def _name_and_qualifier(arn: str) -> tuple[str, str]:
    parts = arn.split(":")
    return parts[6], parts[7] if len(parts) > 7 else LATEST  # noqa: PLR2004  # fields of an ARN
