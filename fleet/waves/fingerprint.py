"""What a function was when it was planned, in sixteen characters. Pure.

It covers what ListFunctions tells of $LATEST and a migration changes or rests on: runtime,
handler, architecture, layers and code. The environment and the other settings are left out on
purpose: ListFunctions' environments are never kept (see fleet/aws/listed.py), an update sends only
what it changes, and so settings that somebody changed meanwhile survive the move.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from fleet.deployment import Deployment
from fleet.model import FunctionConfig

DIGITS = 16


def fingerprint(
    runtime: str | None,
    handler: str | None,
    architecture: str,
    layers: Sequence[str],
    code_sha256: str,
) -> str:
    """Give the first 16 hex digits of SHA-256; `layers` are ARNs in the order they are merged."""
    # JSON, since texts side by side could be parted in two ways.
    parts = json.dumps([runtime, handler, architecture, [*layers], code_sha256])
    return hashlib.sha256(parts.encode()).hexdigest()[:DIGITS]


def fingerprint_of_config(config: FunctionConfig) -> str:
    """Of a function as ListFunctions or GetFunction tells it."""
    return fingerprint(
        config.runtime, config.handler, config.architecture, config.layers, config.code_sha256
    )


def fingerprint_of_deployment(deployment: Deployment) -> str:
    """Of a function as a migration sees it."""
    return fingerprint(
        deployment.runtime,
        deployment.handler,
        deployment.architecture,
        deployment.layers,
        deployment.code_sha256,
    )
