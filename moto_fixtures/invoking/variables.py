"""The environment variables that a function finds: pure.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

from __future__ import annotations

from collections.abc import Mapping

from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.trial.surroundings import lambda_environment
from moto_fixtures.corrections.serving import Serving

from .runtime import GO


def variables(serving: Serving, limits: Limits) -> Mapping[str, str]:
    """Give the function's own and AWS's; the reserved ones can't be set by a function.

    Credentials are left out: nothing in there could use them. LAMBDA_RUNTIME_DIR and
    AWS_LAMBDA_FUNCTION_TIMEOUT are what the Runtime Interface Emulator itself asks for.
    """
    region = serving.arn.split(":")[3]
    usual = lambda_environment(serving.handler or "", limits)
    reserved = {
        **{name: value for name, value in usual.items() if name.startswith(("AWS_", "LAMBDA_"))},
        "_HANDLER": usual["_HANDLER"],
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": serving.name,
        "AWS_LAMBDA_FUNCTION_VERSION": serving.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(serving.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{serving.name}",
    }
    if serving.runtime == GO:
        # Custom runtimes don't have it.
        reserved["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{GO}"
    return {**usual, **serving.environment, **reserved}
