"""Who may do what: service control policies, missing permissions, session policies.

The messages follow
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from .request import ApiRequest
from .rules import Rules

# A policy that denies regions has to leave these out, since they answer from one region only:
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
GLOBAL_SERVICES = frozenset({"account", "iam", "organizations", "sts"})

# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: nobody needs
# permission for it, and no policy can take it away.
_NEEDS_NO_PERMISSION = "sts:GetCallerIdentity"

# Lambda operations without a function of their own name every resource:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
_ON_EVERYTHING = " on resource: *"


def denial(request: ApiRequest, rules: Rules) -> str | None:
    """AWS's message if a policy stops this request, else None."""
    action = request.action
    if action == _NEEDS_NO_PERMISSION:
        return None
    if _blocked_by_policy(request, rules):
        end = "with an explicit deny in a service control policy"
    elif _is_denied(request.account, action, rules):
        end = f"because no identity-based policy allows the {action} action"
    elif request.identity.session_policy:
        refused = request.identity.session_policy.refusal_of(action)
        if refused is None:
            return None
        end = refused
    else:
        return None
    who = f"User: {request.identity.arn} is not authorized to perform: {action}"
    message = f"{who}{_resource(request)} {end}"
    if request.service == "ec2":
        return f"You are not authorized to perform this operation. {message}"
    return message


def _blocked_by_policy(request: ApiRequest, rules: Rules) -> bool:
    # Service control policies never reach the management account:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    return (
        request.account != rules.management_account
        and request.service not in GLOBAL_SERVICES
        and (request.account, request.region) in rules.blocked_by_policy
    )


def _is_denied(account: str, action: str, rules: Rules) -> bool:
    return any(
        account == denied_account
        and fnmatchcase(
            action.lower(), f"{prefix}*".lower() if prefix[-1:] == ":" else prefix.lower()
        )
        for denied_account, prefix in rules.denied
    )


def _resource(request: ApiRequest) -> str:
    if request.service == "sts" and "RoleArn" in request.params:
        return f" on resource: {request.params['RoleArn']}"
    if request.service != "lambda":
        return ""
    name = request.params.get("FunctionName")
    for field in ("Resource", "CodeSigningConfigArn"):
        if request.params.get(field) and name is None:
            return f" on resource: {request.params[field]}"
    # The mappings' own filter is a condition key, no resource.
    if name is None or request.operation == "ListEventSourceMappings":
        return _ON_EVERYTHING
    if name.startswith("arn:"):
        return f" on resource: {name}"
    partition = request.identity.arn.split(":")[1]
    stem = f"arn:{partition}:lambda:{request.region}:{request.account}:function"
    return f" on resource: {stem}:{name.rsplit(':function:', 1)[-1]}"
