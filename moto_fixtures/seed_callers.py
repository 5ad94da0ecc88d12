"""What calls the functions: queues and streams, function URLs, permissions, over the API."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from moto_fixtures.definition import Account
from moto_fixtures.function import EventSource, Function, FunctionUrl, Permission
from moto_fixtures.server import Emulator

# A refusal here is a mistake in the files; trying again would only hide where.
_CONFIG = Config(retries={"total_max_attempts": 1})


def add_callers(emulator: Emulator, account: Account) -> None:
    """Create the event sources, function URLs and permissions of the account's functions."""
    session = _session(emulator, account.id)

    @cache
    def client(service: str, region: str) -> Any:  # noqa: ANN401 - boto3's clients have no types
        return session.client(service, region, endpoint_url=emulator.url, config=_CONFIG)

    for function in account.functions:
        for source in function.event_sources:
            _map(client, function, source)
        for url in function.urls:
            _open(client, function, url)
        for number, permission in enumerate(function.permissions, 1):
            _permit(client, account.id, function, permission, number)


def _session(emulator: Emulator, account: str) -> boto3.Session:
    keys = emulator.credentials_of(account)
    return boto3.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )


def _qualified(qualifier: str) -> dict[str, str]:
    return {} if qualifier == "$LATEST" else {"Qualifier": qualifier}


def _map(client: Any, function: Function, source: EventSource) -> None:  # noqa: ANN401 - see client
    name = function.name
    if source.qualifier != "$LATEST":
        name = f"{name}:{source.qualifier}"
    if source.queue is not None:
        queues = client("sqs", function.region)
        url = queues.create_queue(QueueName=source.queue)["QueueUrl"]
        attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn, more = attributes["Attributes"]["QueueArn"], {}
    else:
        streams = client("kinesis", function.region)
        streams.create_stream(StreamName=source.stream, ShardCount=1)
        summary = streams.describe_stream_summary(StreamName=source.stream)
        arn = summary["StreamDescriptionSummary"]["StreamARN"]
        more = {"StartingPosition": "LATEST"}
    client("lambda", function.region).create_event_source_mapping(
        FunctionName=name, EventSourceArn=arn, **more
    )


def _open(client: Any, function: Function, url: FunctionUrl) -> None:  # noqa: ANN401 - see client
    client("lambda", function.region).create_function_url_config(
        FunctionName=function.name, AuthType=url.auth, **_qualified(url.qualifier)
    )


def _permit(
    client: Any,  # noqa: ANN401 - see client
    account: str,
    function: Function,
    permission: Permission,
    number: int,
) -> None:
    source = {}
    if permission.source is not None:
        arn = permission.source.format(region=function.region, account=account)
        source = {"SourceArn": arn}
    client("lambda", function.region).add_permission(
        FunctionName=function.name,
        StatementId=f"invoke-{number}",
        Action="lambda:InvokeFunction",
        Principal=permission.principal,
        **source,
        **_qualified(permission.qualifier),
    )
