"""Concurrency that a function reserves.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from __future__ import annotations

from collections.abc import Mapping

from .account_settings import CONCURRENCY, UNRESERVED, reserved
from .function_changes import state_of
from .functions import constraint, invalid, unqualified
from .request import ApiRequest
from .world import World


def put_function_concurrency(request: ApiRequest, world: World) -> Mapping[str, object]:
    """PutFunctionConcurrency; 0 throttles every invocation.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
    Raises Refusal where less than 100 would be left to the others, or less than is provisioned.
    """
    with world.lock:
        latest, asked = unqualified(request), request.params.get("ReservedConcurrentExecutions")
        if asked is None or asked < 0:
            rule = "Member must have value greater than or equal to 0"
            raise constraint(asked, "reservedConcurrentExecutions", rule)
        if CONCURRENCY - reserved(request, apart_from=latest) - asked < UNRESERVED:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
            )
        provisioned = state_of(latest, world).provisioned.values()
        total = sum(one.executions for one in provisioned)
        if asked < total:
            raise invalid(
                f"ReservedConcurrentExecutions  {asked} should not be lower than function's total "
                f"provisioned concurrency [{total}]."
            )
        latest.reserved_concurrency = asked
        return {"ReservedConcurrentExecutions": asked}


def get_function_concurrency(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """GetFunctionConcurrency: nothing where nothing is reserved.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html
    """
    asked = unqualified(request).reserved_concurrency
    return {} if asked is None else {"ReservedConcurrentExecutions": int(asked)}


def delete_function_concurrency(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """DeleteFunctionConcurrency.

    https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html
    """
    unqualified(request).reserved_concurrency = None
    return {}
