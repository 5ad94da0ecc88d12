"""Everything of a function that fleet never changes, as one keyed hash.

Two functions, or one at two moments, have the same settings if the hashes are equal; nobody
without the key can find an environment variable's value by trying values.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

HASHED = (
    "AcceleratorConfig",
    "CapacityProviderConfig",
    "DeadLetterConfig",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "ImageConfigResponse",
    "KMSKeyArn",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "Role",
    "SnapStart",
    "TenancyConfig",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)
NOT_HASHED = (
    # Values of a Deployment, or told by one of them.
    "Architectures",
    "CodeSha256",
    "CodeSize",
    "Handler",
    "Layers",
    "Runtime",
    "SigningJobArn",
    "SigningProfileVersionArn",
    # Who it is, and what AWS says of its moment; different for each version.
    "ConfigSha256",
    "FunctionArn",
    "FunctionName",
    "LastModified",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "MasterArn",
    "RevisionId",
    "State",
    "StateReason",
    "StateReasonCode",
    "Version",
    # Goes with the runtime, and AWS changes it by itself.
    "RuntimeConfig",
    "RuntimeVersionConfig",
    # A version may be published with a description of its own.
    "Description",
)
"""The other members of https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html"""

_EMPTY: tuple[object, ...] = (None, "", {}, [])


_USUAL: Mapping[str, object] = {
    "EphemeralStorage": {"Size": 512},
    "PackageType": "Zip",
    "SnapStart": {"ApplyOn": "None"},
    "TracingConfig": {"Mode": "PassThrough"},
}
"""What a function has that nobody gave anything else; AWS writes it out or leaves it out."""


def settings_hash(configuration: Mapping[str, Any], key: bytes) -> str:
    """Hash the settings of a FunctionConfiguration; '' where AWS could not show them all.

    What is empty counts as absent: AWS writes both.
    """
    environment = configuration.get("Environment") or {}
    if environment.get("Error"):
        return ""
    settings = {name: _canonical(configuration.get(name)) for name in HASHED}
    usual = {
        **_USUAL,
        "LoggingConfig": {
            "LogFormat": "Text",
            "LogGroup": f"/aws/lambda/{configuration.get('FunctionName')}",
        },
    }
    kept = {
        name: value
        for name, value in settings.items()
        if value not in _EMPTY and value != usual.get(name)
    }
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, dict):
        members = {str(name): _canonical(each) for name, each in value.items()}
        # SnapStart's says how far AWS is with it, and not what was asked for.
        members.pop("OptimizationStatus", None)
        if members.get("Ipv6AllowedForDualStack") is False:
            del members["Ipv6AllowedForDualStack"]
        return {name: each for name, each in members.items() if each not in _EMPTY}
    if isinstance(value, list):
        # Subnets and security groups are sets, which AWS gives in any order.
        return sorted((_canonical(each) for each in value), key=repr)
    return value
