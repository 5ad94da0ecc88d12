"""The deployments a function passes through, route by route. Pure.

On bridge and dual each of them runs: that is what makes the route free of a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fleet.deployment import Deployment, Route


def path(
    route: Route, start: Deployment, end: Deployment, *, bridge: str | None = None
) -> tuple[Deployment, ...]:
    """Give the deployments from `start` to `end`, both included, without repetition.

    `bridge` is the ARN of the bridge layer's version, which the bridge route needs. Raises
    ValueError where the route does not lead there.
    """
    if start.rest != end.rest:
        msg = "no route changes other settings"
        raise ValueError(msg)
    return tuple(_without_repetition(_stations(route, start, end, bridge)))


def _stations(
    route: Route, start: Deployment, end: Deployment, bridge: str | None
) -> Iterator[Deployment]:
    yield start
    match route:
        case Route.BRIDGE:
            if bridge is None:
                msg = "the bridge route needs the layer's ARN"
                raise ValueError(msg)
            # The layer goes last: /opt/bootstrap is then its own, whatever the others bring.
            attached = replace(start, runtime=end.runtime, layers=(*start.layers, bridge))
            yield attached
            # A bootstrap in the package goes before the layer's.
            yield _with_code_of(end, attached)
        case Route.DIRECT:
            yield _with_code_of(start, end)
        case Route.DUAL:
            # Only a package that keeps its handler where it was runs on both runtimes, and
            # go1.x runs nothing that is built for another architecture.
            if (start.handler, start.layers, start.architecture) != (
                end.handler,
                end.layers,
                end.architecture,
            ):
                msg = "the dual route changes neither handler nor layers nor architecture"
                raise ValueError(msg)
            yield _with_code_of(end, start)
        case Route.ARCHITECTURE:
            if _with_code_of(end, start) != end:
                msg = "a change of architecture changes nothing but the code"
                raise ValueError(msg)
    yield end


def _with_code_of(code: Deployment, other: Deployment) -> Deployment:
    return replace(other, code_sha256=code.code_sha256, architecture=code.architecture)


def _without_repetition(stations: Iterator[Deployment]) -> Iterator[Deployment]:
    last = None
    for station in stations:
        if station != last:
            yield station
        last = station
