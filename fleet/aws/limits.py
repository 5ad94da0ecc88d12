"""What else may keep a function from moving, asked of Lambda."""

from __future__ import annotations

from fleet.aws.failures import readable
from fleet.aws.functions import each_of
from fleet.aws.session import Aws, Lane


def runtime_mode(aws: Aws, lane: Lane, name: str) -> str:
    """Who updates the runtime of $LATEST: Auto, FunctionUpdate or Manual.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetRuntimeManagementConfig.html
    Raises CallFailed.
    """
    answer = aws.call(
        lane, "lambda", "GetRuntimeManagementConfig", holds="UpdateRuntimeOn", FunctionName=name
    )
    return str(answer["UpdateRuntimeOn"])


def signing_policies(aws: Aws, lane: Lane) -> dict[str, str]:
    """Function name → Enforce or Warn, of every function here that has a code signing config.

    One list for the whole region, and one for each config: most accounts have none.
    https://docs.aws.amazon.com/lambda/latest/api/API_ListCodeSigningConfigs.html
    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionsByCodeSigningConfig.html
    Raises CallFailed.
    """
    policies: dict[str, str] = {}
    with readable("lambda:ListCodeSigningConfigs", lane.account, lane.region):
        configs = {
            str(each["CodeSigningConfigArn"]): str(
                each["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]
            )
            for each in each_of(aws, lane, "ListCodeSigningConfigs", "CodeSigningConfigs")
        }
    operation = "ListFunctionsByCodeSigningConfig"
    for arn, policy in configs.items():
        with readable(f"lambda:{operation}", lane.account, lane.region):
            for function in each_of(aws, lane, operation, "FunctionArns", CodeSigningConfigArn=arn):
                policies[str(function).split(":")[6]] = policy
    return policies


def code_storage(aws: Aws, lane: Lane) -> tuple[int, int]:
    """Bytes of code storage that the account may use in this region, and those it uses.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html; raises CallFailed.
    """
    answer = aws.call(lane, "lambda", "GetAccountSettings", holds="AccountLimit")
    with readable("lambda:GetAccountSettings", lane.account, lane.region):
        return int(answer["AccountLimit"]["TotalCodeSize"]), int(
            answer["AccountUsage"]["TotalCodeSize"]
        )
