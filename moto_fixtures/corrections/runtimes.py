"""Which runtimes there are, and which AWS no longer takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from moto.core.utils import get_service_model

from .answers import Refusal
from .functions import invalid


@dataclass(frozen=True, slots=True)
class Blocked:
    """Runtimes that AWS refuses in a phase of their lifecycle.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtime-support-policy
    """

    creating: frozenset[str] = frozenset()
    """CreateFunction."""
    updating: frozenset[str] = frozenset()
    """UpdateFunctionCode of a function that has one, UpdateFunctionConfiguration that names one."""
    publishing: frozenset[str] = frozenset()
    """PublishVersion (believed to be refused after the update block)."""


@cache
def known() -> tuple[str, ...]:
    """Every runtime that AWS's API names, those no longer supported too."""
    # nodejs, custom and the like are in the model but can't be asked for; nobody here does.
    return tuple(get_service_model("lambda").shape_for("Runtime").enum)


def check_known(runtime: str) -> None:
    """Raise Refusal, InvalidParameterValueException, for a runtime that AWS does not know."""
    if runtime not in known():
        raise invalid(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum "
            f"value set: [{', '.join(known())}] or be a valid ARN"
        )


def no_longer_supported(runtime: str) -> Refusal:
    """The refusal of a runtime that is blocked."""
    return invalid(
        f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS "
        "Lambda functions. We recommend you use the new runtime (provided.al2023) while creating "
        "or updating functions."
    )
