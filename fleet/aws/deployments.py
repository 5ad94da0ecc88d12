"""A function as it is now: what decides a migration, read with calls that change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet.aws.failures import readable
from fleet.aws.functions import config_of, each_of, version_of_arn
from fleet.aws.listed import read_listed
from fleet.aws.packages import Location, located
from fleet.aws.session import Aws, Lane
from fleet.aws.settings_hash import settings_hash
from fleet.deployment import AliasNow, Deployment, Published
from fleet.model import LATEST, FunctionConfig, PackageType

_ACTION = "lambda:GetFunction"
_SETTLED = frozenset({"Active", "Inactive"})


LONGEST_TIMEOUT = 900
"""Seconds: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@dataclass(frozen=True, slots=True)
class FunctionNow:
    """One function version, or $LATEST, as GetFunction shows it."""

    config: FunctionConfig
    deployment: Deployment
    revision: str
    state: str
    """Active, Inactive, Pending or Failed."""
    settled: bool
    """Whether it can be updated: nothing is under way."""
    failure: str
    """Why the last update failed, or ''."""
    tags: Mapping[str, str] | None
    """None where they could not be read."""
    location: Location | None
    """None for an image, and where Lambda runs the owner's own S3 object."""
    source_key: str | None
    """ARN of the customer's KMS key for the package: lost if an upload does not name it again."""
    by_reference: bool
    reserved_concurrency: int | None
    settings_problem: str
    """Why the environment could not be read, or ''."""
    timeout: int = LONGEST_TIMEOUT
    """Seconds after which an invocation is ended; Lambda's longest where it was not told."""

    @property
    def published(self) -> Published:
        """It as a version."""
        # Inactive is no failure: it was idle, and the next invocation wakes it.
        return Published(self.config.ref.qualifier, self.deployment, self.settled)


def read_now(aws: Aws, lane: Lane, name: str, key: bytes, qualifier: str = LATEST) -> FunctionNow:
    """Ask for $LATEST, a version, or what an alias points at; `key` hashes its settings.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html; raises CallFailed, with
    the situation NOT_FOUND for a function or alias that is not there.
    """
    scope = {} if qualifier == LATEST else {"Qualifier": qualifier}
    with readable(_ACTION, lane.account, lane.region):
        answer = aws.call(
            lane, "lambda", "GetFunction", holds="Configuration", FunctionName=name, **scope
        )
        configuration, code = answer["Configuration"], answer.get("Code") or {}
        config = config_of(aws.caller.partition, lane, read_listed(configuration))
        failed = configuration.get("LastUpdateStatus") == "Failed"
        state = str(configuration.get("State") or "Active")
        return FunctionNow(
            config=config,
            deployment=deployment_of(config, configuration, key),
            revision=str(configuration["RevisionId"]),
            state=state,
            settled=state in _SETTLED and configuration.get("LastUpdateStatus") != "InProgress",
            failure=str(configuration.get("LastUpdateStatusReason") or "no reason")
            if failed
            else "",
            tags=_tags(answer),
            location=(
                located(_ACTION, code["Location"], config.code_sha256, config.code_size)
                if config.package_type is PackageType.ZIP and "Location" in code
                else None
            ),
            source_key=code.get("SourceKMSKeyArn"),
            by_reference="ResolvedS3Object" in code,
            reserved_concurrency=(answer.get("Concurrency") or {}).get(
                "ReservedConcurrentExecutions"
            ),
            settings_problem=_settings_problem(configuration),
            timeout=int(configuration.get("Timeout") or LONGEST_TIMEOUT),
        )


def deployment_of(
    config: FunctionConfig, configuration: Mapping[str, Any], key: bytes
) -> Deployment:
    """Take what an invocation finds from a FunctionConfiguration."""
    return Deployment(
        runtime=config.runtime,
        handler=config.handler,
        layers=config.layers,
        code_sha256=config.code_sha256,
        architecture=config.architecture,
        rest=settings_hash(configuration, key),
    )


def read_aliases_now(
    aws: Aws, lane: Lane, name: str
) -> tuple[tuple[AliasNow, ...], frozenset[str]]:
    """Every alias with its RevisionId; and which qualifiers have provisioned concurrency.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html
    https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
    Raises CallFailed.
    """
    with readable("lambda:ListAliases", lane.account, lane.region):
        aliases = tuple(
            alias_of(each)
            for each in each_of(aws, lane, "ListAliases", "Aliases", FunctionName=name)
        )
    if not aliases:
        # What no alias points at, none leaves behind.
        return (), frozenset()
    operation, holds = "ListProvisionedConcurrencyConfigs", "ProvisionedConcurrencyConfigs"
    with readable(f"lambda:{operation}", lane.account, lane.region):
        provisioned = frozenset(
            version_of_arn(each["FunctionArn"])
            for each in each_of(aws, lane, operation, holds, FunctionName=name)
        )
    now = tuple(
        AliasNow(each.name, each.version, each.weights, each.revision, each.name in provisioned)
        for each in aliases
    )
    return now, provisioned


def alias_of(answer: Mapping[str, Any]) -> AliasNow:
    """An AliasConfiguration as a value; raises KeyError, TypeError or ValueError.

    https://docs.aws.amazon.com/lambda/latest/api/API_AliasConfiguration.html
    """
    weights = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return AliasNow(
        str(answer["Name"]),
        str(answer["FunctionVersion"]),
        {str(version): float(share) for version, share in weights.items()},
        str(answer["RevisionId"]),
    )


def _tags(answer: Mapping[str, Any]) -> Mapping[str, str] | None:
    # Without lambda:ListTags there are none in the answer, which looks like a function without.
    if answer.get("TagsError"):
        return None
    return {str(key): str(value) for key, value in (answer.get("Tags") or {}).items()}


def _settings_problem(configuration: Mapping[str, Any]) -> str:
    error = (configuration.get("Environment") or {}).get("Error")
    # Its message may quote what it could not decrypt.
    return str(error.get("ErrorCode") or "unknown error") if error else ""


def newest_version(aws: Aws, lane: Lane, name: str) -> str | None:
    """Number of the version published last; None where none was.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
    Raises CallFailed.
    """
    operation = "ListVersionsByFunction"
    with readable(f"lambda:{operation}", lane.account, lane.region):
        listed = each_of(aws, lane, operation, "Versions", FunctionName=name)
        numbers = [int(each["Version"]) for each in listed if each["Version"] != LATEST]
    return str(max(numbers)) if numbers else None
