"""GetAccountSettings, and the code storage that it counts.

https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .function_packages import LARGEST_UNZIPPED
from .functions import backend_of, stored, user_error
from .request import ApiRequest
from .untyped import MotoFunction
from .world import World

CODE_STORAGE = 75 * 2**30
"""Bytes of all packages and layers of an account in a region."""
LARGEST_ZIP = 50 * 2**20
CONCURRENCY = 1_000
"""Concurrent executions of an account in a region."""
UNRESERVED = 100
"""Concurrent executions that must be left to functions without a reservation."""


def get_account_settings(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetAccountSettings: limits and what is used of them."""
    return {
        "AccountLimit": {
            "TotalCodeSize": _limit(request, world),
            "CodeSizeUnzipped": LARGEST_UNZIPPED,
            "CodeSizeZipped": LARGEST_ZIP,
            "ConcurrentExecutions": CONCURRENCY,
            "UnreservedConcurrentExecutions": CONCURRENCY - reserved(request),
        },
        "AccountUsage": {
            "TotalCodeSize": _used(request),
            "FunctionCount": len(stored(request)),
        },
    }


def reserved(request: ApiRequest, apart_from: MotoFunction | None = None) -> int:
    """Concurrent executions that functions of the account and region have reserved."""
    functions = (entry["latest"] for entry in stored(request).values())
    return sum(
        int(function.reserved_concurrency or 0)
        for function in functions
        if function is not None and function is not apart_from
    )


def check_code_storage(more: int, request: ApiRequest, world: World) -> None:
    """Raise Refusal, CodeStorageExceededException, where so many bytes more don't fit."""
    if _used(request) + more > _limit(request, world):
        raise user_error("CodeStorageExceededException", "Code storage limit exceeded.")


def _limit(request: ApiRequest, world: World) -> int:
    return world.code_storage.get((request.account, request.region), CODE_STORAGE)


def _used(request: ApiRequest) -> int:
    """Every version counts, and every layer version (that equal code counts twice is believed)."""
    return sum(_sizes(request))


def _sizes(request: ApiRequest) -> Iterator[int]:
    for entry in stored(request).values():
        for function in (entry["latest"], *entry["versions"]):
            yield function.code_size if function is not None else 0
    for layer in list(backend_of(request)._layers._layers.values()):  # noqa: SLF001 - moto's listing makes a row of each
        for version in list(layer.layer_versions.values()):
            yield version.code_size
