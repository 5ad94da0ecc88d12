"""Which way a function is on, told from where it stands. Pure.

Somebody may go on with other options than those it was begun with: a function that stands in the
middle of a way goes on by that way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from fleet.deployment import Deployment, Route, Way
from fleet.inspection import BOOTSTRAP, Deployed, PackageFacts, Strategy, Target
from fleet.ledger import Entry
from fleet.migration.paths import path
from fleet.package.verdict.started import started
from fleet.rebuilding.provenance import raised_in

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


def rescued(
    start: Deployment, now: Deployment, entries: Iterable[Entry], statements: Mapping[str, str]
) -> str:
    """Give the aws-lambda-go of the program that a rescue has put beside the old one; '' if none.

    `start` is what it was on go1.x, where its own library was too old for a custom runtime;
    `entries` are the function's, and `statements` are what fleet said of packages that it built,
    by CodeSha256. Settings may have changed since.
    """
    if replace(start, runtime=now.runtime, code_sha256=now.code_sha256, rest=now.rest) != now:
        return ""
    version = raised_in(statements.get(now.code_sha256, "")).get(BOOTSTRAP, "")
    # Somebody may have uploaded it over another release than the one it was made of: going on, or
    # back, would release what its owners have not released.
    ours = any(
        (before.code_sha256, after.code_sha256) == (start.code_sha256, now.code_sha256)
        for entry in entries
        if (before := entry.deployment_before) and (after := entry.deployment_after)
    )
    return version if ours else ""


def starts_bootstrap(deployed: Deployed, facts: PackageFacts) -> bool:
    """Whether what go1.x starts is called bootstrap already, so that a new one takes its place."""
    program = started(deployed, facts).program
    return program is not None and program.entry == BOOTSTRAP


def way_of(deployment: Deployment, ways: Iterable[Way]) -> Way | None:
    """Give the first way that leads through a deployment; None where none does."""
    return next((way for way in ways if deployment in way.path), None)
