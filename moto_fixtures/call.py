"""Calls a function of the emulator as any client would, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

import boto3
from botocore.config import Config


def call(environment: Mapping[str, str], region: str, function: str, event: bytes) -> str:
    """Invoke a function, or `NAME:ALIAS`, with an account's environment; what it answered.

    `environment` is what Emulator.credentials_of gives. Raises what boto3 raises.
    """
    client = boto3.client(
        "lambda",
        region_name=region,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = client.invoke(FunctionName=function, Payload=event)
    payload: str = answer["Payload"].read().decode(errors="replace")
    error = answer.get("FunctionError")
    version = answer["ExecutedVersion"]
    return f"{version}: {payload}" if error is None else f"{version} failed ({error}): {payload}"
