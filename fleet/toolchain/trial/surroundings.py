"""What a function finds around itself on Lambda, as far as a trial gives it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fleet.toolchain.sandbox.limits import Limits

TASK = "/var/task"
"""https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html"""

EMULATOR = "/fleet/emulator"

# The emulator has a timeout of its own, and would end what is being watched.
_LATER_SECONDS = 60


def lambda_environment(handler: str, limits: Limits) -> Mapping[str, str]:
    """Give what a custom runtime finds in its environment, and nothing of the caller's.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return {
        "LAMBDA_TASK_ROOT": TASK,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": handler,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(math.ceil(limits.seconds) + _LATER_SECONDS),
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib"
        ":/opt/lib",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }
