"""Which way a function is on, told from where it stands. Pure.

Somebody may go on with other options than those it was begun with: a function that stands in the
middle of a way goes on by that way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from fleet.deployment import Deployment, Route, Way
from fleet.inspection import BOOTSTRAP, Strategy, Target
from fleet.ledger import Entry
from fleet.migration.paths import path

RUNTIME_ROUTES = (Route.BRIDGE, Route.DUAL, Route.DIRECT)
"""Those that change the runtime, the better ones first."""


def moved(
    start: Deployment, target: Target, strategy: Strategy | None, code_sha256: str
) -> Deployment:
    """Give what a go1.x deployment becomes, with the package that `strategy` makes of its own.

    AWS recommends bootstrap as the Handler where it counts no more:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-golang.html
    """
    return replace(
        start,
        runtime=target.value,
        handler=BOOTSTRAP if strategy is Strategy.RENAME else start.handler,
        code_sha256=code_sha256,
    )


def ways(
    like: Way, ends: Iterable[Deployment], bridge: str, routes: Iterable[Route] = RUNTIME_ROUTES
) -> Iterator[Way]:
    """Give every way from the start of `like` to one of the ends, by one of the routes."""
    for end in ends:
        for route in routes:
            with suppress(ValueError):
                yield replace(like, route=route, path=path(route, like.start, end, bridge=bridge))


def noted_ends(entries: Iterable[Entry], start: Deployment) -> Iterator[Deployment]:
    """Give where packages lead that, as the ledger says, were made of a start; newest first.

    Another release of fleet may have made them. With the Handler it had, either kind runs; the
    start's own package on a custom runtime, as on the bridge, runs only with its layer and is none.
    """
    for entry in reversed(list(entries)):
        made = entry.deployment_after
        if made is None or made.runtime not in set(Target):
            continue
        if made.code_sha256 != start.code_sha256:
            handler = made.handler if made.layers == start.layers else start.handler
            yield replace(made, handler=handler, layers=start.layers, rest=start.rest)


def way_of(deployment: Deployment, ways: Iterable[Way]) -> Way | None:
    """Give the first way that leads through a deployment; None where none does."""
    return next((way for way in ways if deployment in way.path), None)
