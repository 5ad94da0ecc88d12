"""Which version an invocation reaches.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from moto_fixtures.corrections.aliases import alias_row
from moto_fixtures.corrections.functions import LATEST, aliases_of, not_found, qualifier_of
from moto_fixtures.corrections.request import ApiRequest
from moto_fixtures.corrections.untyped import MotoFunction
from moto_fixtures.corrections.world import World


class Draw:
    """The random source that aliases with weights go by; tests put their own in its place."""

    source: Callable[[], float] = random.random
    """Gives numbers from 0, included, to 1, excluded."""


def chosen(request: ApiRequest, latest: MotoFunction, world: World) -> str:
    """Give $LATEST or the version number that the request's qualifier leads to.

    The number need not exist. Raises Refusal, ResourceNotFoundException, for an alias that is not
    there.
    """
    qualifier = qualifier_of(request) or LATEST
    if qualifier == LATEST or qualifier.isdecimal():
        return qualifier
    with world.lock:
        alias = aliases_of(latest).get(qualifier)
        if alias is None:
            raise not_found(request, latest.function_name, qualifier)
        row = alias_row(alias, world)
    routing = row.get("RoutingConfig") or {}
    return by_weight(row["FunctionVersion"], routing.get("AdditionalVersionWeights") or {})


def by_weight(first: str, others: Mapping[str, float]) -> str:
    """Give the version that one invocation of an alias runs; what is left is the first one's."""
    drawn = Draw.source()
    for version, weight in others.items():
        if drawn < weight:
            return version
        drawn -= weight
    return first
